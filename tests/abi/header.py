"""The public header compiles alone, as every C and C++ that its users may have."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

GNU = ["-c", "-o", "alone.o", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-Wundef"]
STANDARDS = {"c": ["c89", "c99", "c11", "c17"], "c++": ["c++98", "c++11", "c++17", "c++20"]}
# <stdint.h> is newer than C89 and C++98; the compilers bring it, with long long in it
LONG_LONG = {"c89": ["-Wno-long-long"], "c++98": ["-Wno-long-long"]}


def commands(compiler: list[str]) -> list[list[str]]:
    return [
        [*_driver(compiler, language), "-x", language, f"-std={standard}", *GNU, *LONG_LONG.get(standard, [])]
        for language, standards in STANDARDS.items()
        for standard in standards
    ]


def _driver(compiler: list[str], language: str) -> list[str]:
    """The C++ compiler that belongs to the C compiler; clang is both."""
    return (
        [compiler[0].removesuffix("gcc") + "g++"]
        if language == "c++" and compiler[0].endswith("gcc")
        else compiler
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--header", type=Path, required=True)
    parser.add_argument("c", nargs="+", metavar="COMMAND", help="the C compiler's command, after --")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        # Twice, so that the guard is tried; the empty function keeps the file from being empty.
        source = Path(folder, "alone.c")
        source.write_text('#include "winipc.h"\n#include "winipc.h"\nint alone(void);\n')
        for command in commands(options.c):
            words = [*command, f"-I{options.header.parent}", str(source)]
            fine = subprocess.run(words, cwd=folder).returncode == 0
            print("ok  " if fine else "FAIL", " ".join(command), flush=True)
            failed += not fine
    sys.exit(bool(failed))


main()
