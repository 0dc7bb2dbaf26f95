"""Runs the tests: C programs and ABI checks by ctest, Python tests by pytest in each Windows Python.

Under Wine a crash can end in exit code 0, so a suite has passed only when its runner says so in its
closing line.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tools import environment, progress, windows_python, wine
from tools.project import ON_WINDOWS, ROOT, preset_folder

CTEST_PASSED = re.compile(r"^100% tests passed, 0 tests failed out of [1-9]", re.M)
PYTEST_PASSED = re.compile(r"^=* ?[1-9][0-9]* (passed|skipped).* in [0-9]", re.M)


def ctest(preset: str, arguments: list[str]) -> bool:
    words = [
        shutil.which("ctest") or "ctest",
        "--test-dir",
        str(preset_folder(preset)),
        "--output-on-failure",
    ]
    words += ["--parallel", "2", *(["-C", "RelWithDebInfo"] if ON_WINDOWS else []), *arguments]
    code, text = wine.show(words, environment.variables())
    return _verdict("ctest", code, bool(CTEST_PASSED.search(text)))


def pytest(preset: str, version: str, arguments: list[str]) -> bool:
    folder = ROOT / "tests" / "python"
    if not list(folder.glob("test_*.py")):
        progress.say("no Python tests yet")
        return True
    progress.say(f"pytest in Python {version}")
    words = windows_python.command(version, "-m", "pytest", *_tests(arguments))
    code, text = wine.show(words, windows_python.variables(preset, version), ROOT)
    return _verdict(f"pytest in Python {version}", code, bool(PYTEST_PASSED.search(text)))


def _tests(arguments: list[str]) -> list[str]:
    """The arguments, with all tests named when they name none."""
    named = any(Path(word.split("::")[0]).exists() for word in arguments if not word.startswith("-"))
    return arguments if named else [*arguments, "tests/python"]


def _verdict(suite: str, code: int, closed: bool) -> bool:
    if code == 0 and not closed:
        progress.say(f"{suite}: no closing line of success, so it did not run to its end")
    elif code != 0:
        progress.say(f"{suite}: failed, exit code {code}")
    return code == 0 and closed
