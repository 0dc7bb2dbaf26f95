"""Runs the tests: C programs and ABI checks by ctest, Python tests by pytest in each Windows Python.

Under Wine a crash can end in exit code 0, so a suite has passed only when its runner's closing line says so.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tools import environment, progress, windows_python, wine
from tools.project import ON_WINDOWS, ROOT, preset_folder

CTEST_CLOSES = re.compile(r"^\d+% tests passed, .* out of [1-9]\d*$", re.M)
PYTEST_CLOSES = re.compile(r"^.*\b\d+ (?:passed|failed|skipped|errors?)\b.* in \d.*$", re.M)
FAILURE = re.compile(r"\b[1-9]\d* (?:tests )?(?:failed|errors?)\b")


@dataclass
class Result:
    suite: str
    code: int
    closing: str | None  # the runner's own last word

    @property
    def passed(self) -> bool:
        return self.code == 0 and self.closing is not None and not FAILURE.search(self.closing)

    def __str__(self) -> str:
        missing = f"{self.suite}: no closing line (exit code {self.code}): it did not run to its end"
        return self.closing or missing


def ctest(preset: str, arguments: list[str]) -> Result:
    words = [
        shutil.which("ctest") or "ctest",
        "--test-dir",
        str(preset_folder(preset)),
        "--output-on-failure",
    ]
    words += ["--parallel", "2", *(["-C", "RelWithDebInfo"] if ON_WINDOWS else []), *arguments]
    code, text = wine.show(words, environment.variables())
    return Result("ctest", code, _last(CTEST_CLOSES, text))


def pytest(preset: str, version: str, arguments: list[str]) -> Result:
    progress.say(f"pytest in Python {version}")
    words = windows_python.command(version, "-m", "pytest", *_tests(arguments))
    code, text = wine.show(words, windows_python.variables(preset, version), ROOT)
    return Result(f"pytest in Python {version}", code, _last(PYTEST_CLOSES, text))


def _tests(arguments: list[str]) -> list[str]:
    """The arguments, with all tests named when they name none."""
    named = any(Path(word.split("::")[0]).exists() for word in arguments if not word.startswith("-"))
    return arguments if named else [*arguments, "tests/python"]


def _last(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.findall(text)
    return found[-1] if found else None
