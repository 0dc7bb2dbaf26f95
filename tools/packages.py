"""The programs of the system that a step needs, and the Debian packages that bring them."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
from pathlib import Path

from tools import progress

# Debian puts the Wine loader outside PATH when only wine64 is installed.
PATH = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/lib/wine"

PROGRAMS = {
    "gcc": "gcc",  # the portable core is tested on this host too, under its sanitizers
    "cmake": "cmake",
    "ninja": "ninja-build",
    "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64-win32",
    "x86_64-w64-mingw32-g++": "g++-mingw-w64-x86-64-win32",  # the header must suit C++ as well
    "x86_64-w64-mingw32-objdump": "binutils-mingw-w64-x86-64",
    "wine64": "wine64",
    "mvn": "maven",
}


def find(program: str) -> str | None:
    return shutil.which(program, path=PATH)


def missing() -> list[str]:
    """The packages to install, by name."""
    names = [package for program, package in PROGRAMS.items() if not find(program)]
    if not Path("/usr/include/stdio.h").exists():
        names.append("libc6-dev")
    if not importlib.util.find_spec("ensurepip"):
        names.append("python3-venv")
    return names


def as_root(command: list[str]) -> list[str] | None:
    """The command with the rights to install, or None when there are none."""
    if os.geteuid() == 0:
        return command
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n", *command]
    return None


def install() -> None:
    names = missing()
    if not names:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *names]
    advice = f"as root: apt-get update && {shlex.join(command)}"
    if not shutil.which("apt-get"):
        raise progress.Stop(f"these are missing, and there is no apt-get to install them: {' '.join(names)}")
    update, install = as_root(["apt-get", "update"]), as_root(command)
    if not update or not install:
        raise progress.Stop(f"packages are missing and this user may not install them; run {advice}")
    progress.say(f"installing {' '.join(names)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    progress.run("refreshing the package lists", *update, environment=environment)
    progress.run(f"installing packages ({advice})", *install, environment=environment)
    if still := missing():
        raise progress.Stop(f"installed, yet still missing: {' '.join(still)}")
