"""Size and member offsets of every public struct, held against tests/abi/layout.txt.

    layout.py program HEADER OUT.c         writes a C program that prints the layout
    layout.py compare GOLDEN -- COMMAND    runs it and compares; on a difference it tells how to accept it

A member may only be appended to a struct that begins with its own size; everything else breaks programs.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from pathlib import Path

STRUCT = re.compile(r"typedef\s+struct\s+(winipc_\w+)\s*\{(.*?)\}\s*\1\s*;", re.S)
POINTER_TO_FUNCTION = re.compile(r"\(\s*(?:WINIPC_CALL\s*)?\*\s*(\w+)\s*\)\s*\(")

PROGRAM = """#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include "winipc.h"

int main(void) {
  _setmode(1, _O_BINARY); /* the same bytes as in the agreed file */
BODY
  return 0;
}
"""


def structs(header: str) -> dict[str, list[str]]:
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.S)
    if "{" in "".join(body for _, body in STRUCT.findall(text)):
        sys.exit("a struct within a public struct: its layout is not checked here, give it a name of its own")
    return {
        name: [m for part in body.split(";") for m in members(part)] for name, body in STRUCT.findall(text)
    }


def members(declaration: str) -> list[str]:
    """The names in one declaration: `uint32_t a, b[4]` has two."""
    if function := POINTER_TO_FUNCTION.search(declaration):
        return [function[1]]
    names = [re.search(r"(\w+)\s*(\[[^\]]*\]\s*)*$", part.strip()) for part in declaration.split(",")]
    return [name[1] for name in names if name]


def program(header: Path) -> str:
    found = structs(header.read_text())
    if not found:
        sys.exit(f"{header} has no public struct")
    lines = []
    for name, names in found.items():
        lines.append(f'  printf("{name}: %u bytes\\n", (unsigned)sizeof({name}));')
        for member in names:
            size = f"(unsigned)sizeof((({name} *)0)->{member})"
            lines.append(
                f'  printf("  {member} at %u, %u\\n", (unsigned)offsetof({name}, {member}), {size});'
            )
    body = "\n".join(lines)
    return PROGRAM.replace("BODY", body)


def compare(golden: Path, command: list[str]) -> int:
    result = subprocess.run(command, capture_output=True, text=True)
    found = result.stdout.splitlines()
    if result.returncode or not found:
        sys.exit(f"{command[-1]} failed: exit code {result.returncode} {result.stderr}")
    known = golden.read_text().splitlines() if golden.exists() else []
    difference = list(difflib.unified_diff(known, found, golden.name, "the header", lineterm="", n=1))
    print("\n".join(difference) or f"{len(found)} sizes and offsets as agreed")
    if difference:
        print(f"\nTo agree to the change: python3 dev.py run {command[-1]} > {golden}")
    return bool(difference)


def main(words: list[str]) -> int:
    match words:
        case ["program", header, target]:
            Path(target).write_text(program(Path(header)))
            return 0
        case ["compare", golden, "--", *command]:
            return compare(Path(golden), command)
    sys.exit(__doc__)


sys.exit(main(sys.argv[1:]))
