"""How long the functions of a C file are: long ones are shown, too long ones are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

LONG, TOO_LONG = 45, 120


def functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Name, first line and length of each function, in code laid out by clang-format."""
    name, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if opening := re.match(r"[A-Za-z_].*?(\w+)\(", line):
            name, start = opening[1], number
        elif line.startswith("}") and name:
            yield name, start, number - start + 1
        if re.match(r"}|#|.*;$", line) and not line.startswith(" "):
            name = ""


def check(files: list[Path], root: Path) -> bool:
    """Print what is long; whether nothing is too long."""
    fine = True
    for file in files:
        for name, start, length in functions(file.read_text()):
            if length > LONG:
                verdict = "too long" if length > TOO_LONG else "long"
                print(f"{file.relative_to(root)}:{start}: {name} has {length} lines: {verdict}")
                fine &= length <= TOO_LONG
    return fine
