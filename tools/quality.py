"""Formatting and static checks: clang-format, clang-tidy, ruff, mypy, and the length of functions."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import environment, length, progress
from tools.project import ROOT, preset_folder

C_FOLDERS = ("dll", "samples", "tests", "bench")
PYTHON = ("dev.py", "tools", "bindings", "tests", "samples", "bench")


def _files(folders: tuple[str, ...], *endings: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in endings)


def _present(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if (ROOT / name).exists()]


def _run(*words: str | Path) -> bool:
    command = [str(word) for word in words]
    return subprocess.call(command, cwd=ROOT, env=environment.variables()) == 0


def format_sources() -> int:
    environment.need("lint")
    fine = _run("clang-format", "-i", *_files(C_FOLDERS, ".c", ".h"))
    fine &= _run("ruff", "format", "--quiet", *_present(PYTHON))
    return 0 if fine else 1


def lint(preset: str) -> int:
    """All checks, each run to its end, so that one look shows everything."""
    environment.need("lint")
    sources = _files(("dll",), ".c")
    checks: dict[str, Callable[[], bool]] = {
        "clang-format": lambda: _run("clang-format", "--dry-run", "-Werror", *_files(C_FOLDERS, ".c", ".h")),
        "clang-tidy": lambda: _tidy(preset, sources),
        "function length": lambda: length.check(sources, ROOT),
        "ruff check": lambda: _run("ruff", "check", *_present(PYTHON)),
        "ruff format": lambda: _run("ruff", "format", "--check", *_present(PYTHON)),
        "mypy": lambda: _mypy(),
    }
    failed = []
    for name, check in checks.items():
        progress.say(name)
        if not check():
            failed.append(name)
    progress.say(f"lint: failed: {', '.join(failed)}" if failed else "lint: all passed")
    return 1 if failed else 0


def _tidy(preset: str, sources: list[Path]) -> bool:
    def one(source: Path) -> bool:
        command = ["clang-tidy", "--quiet", "-p", str(preset_folder(preset)), str(source)]
        result = subprocess.run(
            command, capture_output=True, text=True, env=environment.variables(), cwd=ROOT
        )
        if result.returncode:
            print(result.stdout, end="", flush=True)
        return result.returncode == 0

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return all(list(pool.map(one, sources)))


def _mypy() -> bool:
    """The package as its users see it, and the helpers of dev.py as this machine runs them."""
    package = ROOT / "bindings" / "python" / "winipc"
    fine = _run("mypy", "--platform", "linux", "dev.py", "tools")
    return fine & (not package.exists() or _run("mypy", package))
