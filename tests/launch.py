"""Runs a test program for ctest: it has passed when its exit code is 0 and its closing line says so.

    launch.py COMMAND...

The exit code alone does not do: a program that loses Wine's server ends with 0 wherever it was, and so may
one that crashes. The time limit is ctest's, which ends the program with this one.
"""

from __future__ import annotations

import re
import sys

from tools import wine

CLOSING = re.compile(r"[1-9]\d* passed, 0 failed")
CRASH = re.compile(r"wine: Unhandled|wine: Call from .* to unimplemented function")


def complaint(code: int, text: str) -> str | None:
    """What speaks against having passed."""
    lines = text.splitlines()
    if crash := CRASH.search(text):
        return f"it crashed: {crash[0]}"
    if code != 0:
        return f"exit code {code}"
    if not lines or not CLOSING.fullmatch(lines[-1]):
        return "exit code 0 but no closing line: it did not run to its end"
    return None


def main(command: list[str]) -> int:
    wrong = complaint(*wine.show(command, {}))
    if wrong:
        print(f"launch.py: {wrong}", flush=True)
    return 1 if wrong else 0


sys.exit(main(sys.argv[1:]))
