"""The private Python environment on this machine: SWIG, formatters, linters, from PyPI at pinned versions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools import progress, stamps
from tools.project import BUILD, ON_WINDOWS, ROOT

FOLDER = BUILD / "env"
PROGRAMS = FOLDER / ("Scripts" if ON_WINDOWS else "bin")
PYTHON = PROGRAMS / ("python.exe" if ON_WINDOWS else "python")
PIP: tuple[str | Path, ...] = (PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input")


def program(name: str) -> Path:
    return PROGRAMS / (name + (".exe" if ON_WINDOWS else ""))


def _make() -> None:
    progress.say("creating the Python environment")
    progress.run("creating a virtual environment", sys.executable, "-m", "venv", "--clear", FOLDER)


def _need_python() -> None:
    stamps.once("env", PYTHON, (sys.version, sys.base_prefix), _make)


def need(group: str) -> None:
    """Have the packages of tools/requirements-GROUP.txt."""
    requirements = ROOT / "tools" / f"requirements-{group}.txt"
    _need_python()
    made_anew = str((FOLDER / "pyvenv.cfg").stat().st_mtime_ns)
    stamps.once(f"env-{group}", PYTHON, (made_anew, requirements), lambda: _install(requirements))


def _install(requirements: Path) -> None:
    progress.say(f"installing the packages of {requirements.name}")
    progress.run(f"pip install -r {requirements.name}", *PIP, "install", "-r", requirements)


def install_for_windows(version: str, target: Path, *what: str | Path) -> None:
    """Have pip install into a Windows Python from here: its own would be slow under Wine."""
    _need_python()
    wanted = ["--platform", "win_amd64", "--python-version", version, "--implementation", "cp"]
    wanted += ["--only-binary=:all:", "--no-deps", "--upgrade"]
    name = Path(what[-1]).name
    progress.run(f"installing {name} for Windows", *PIP, "install", *wanted, "--target", target, *what)


def variables() -> dict[str, str]:
    """The environment variables with our programs first in PATH."""
    return {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
