"""Checks of launch.py: which ends of a program pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LAUNCH = Path(__file__).parent / "launch.py"
PROGRAMS = {  # each a Python program, and whether it has passed
    "print('2 passed, 0 failed')": True,
    "print('ok this'); print('1 passed, 0 failed')": True,
    "": False,
    "print('ok this')": False,
    "print('2 passed, 0 failed'); raise SystemExit(1)": False,
    "print('2 passed, 0 failed'); print('more')": False,
    "print('1 passed, 1 failed')": False,
    "print('0 passed, 0 failed')": False,
    "print('wine: Unhandled page fault'); print('2 passed, 0 failed')": False,
    "print('wine: Call from 7B to unimplemented function a.b'); print('2 passed, 0 failed')": False,
    "import os; os.abort()": False,
}


def passes(program: str) -> bool:
    command = [sys.executable, "-B", str(LAUNCH), sys.executable, "-c", program]
    return subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0


wrong = [program for program, expected in PROGRAMS.items() if passes(program) != expected]
print("\n".join(f"judged wrongly: {program}" for program in wrong) or f"{len(PROGRAMS)} judged rightly")
sys.exit(bool(wrong))
