"""The private Python environment on this machine: SWIG, formatters, linters, from PyPI at pinned versions."""
from __future__ import annotations

import os
import sys
from pathlib import Path

from tools import progress, stamps
from tools.project import BUILD, ON_WINDOWS, ROOT

FOLDER = BUILD / "env"
PROGRAMS = FOLDER / ("Scripts" if ON_WINDOWS else "bin")
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")


def python() -> Path:
    return PROGRAMS / ("python.exe" if ON_WINDOWS else "python")


def program(name: str) -> Path:
    return PROGRAMS / (name + (".exe" if ON_WINDOWS else ""))


def _make() -> None:
    progress.say("creating the Python environment")
    progress.run([sys.executable, "-m", "venv", "--clear", FOLDER], "creating a virtual environment")


def need(group: str) -> None:
    """Have the packages of tools/requirements-GROUP.txt."""
    requirements = ROOT / "tools" / f"requirements-{group}.txt"
    stamps.once("env", python(), (sys.version, sys.base_prefix), _make)
    made_anew = str((FOLDER / "pyvenv.cfg").stat().st_mtime_ns)
    stamps.once(f"env-{group}", python(), (made_anew, requirements), lambda: _install(requirements))


def _install(requirements: Path) -> None:
    progress.say(f"installing the packages of {requirements.name}")
    progress.run([python(), *PIP, "install", "-r", requirements], f"pip install -r {requirements.name}")


def install_for_windows(version: str, requirements: Path, target: Path) -> None:
    """Install into a Windows Python from here: its own pip would be slow under Wine."""
    stamps.once("env", python(), (sys.version, sys.base_prefix), _make)
    wanted = ["--platform", "win_amd64", "--python-version", version, "--implementation", "cp"]
    words = [python(), *PIP, "install", *wanted, "--only-binary=:all:", "--no-deps", "--upgrade"]
    progress.run([*words, "--target", target, "-r", requirements], f"installing {requirements.name} for Windows")


def variables() -> dict[str, str]:
    """The environment variables with our programs first in PATH."""
    return {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
