"""The DLL exports what def/winipc.def names, and the header declares the same functions: no more, no less."""

import argparse
import re
import sys
from pathlib import Path

from tools import pe


def defined(path: Path) -> set[str]:
    """The names of a .def file; an ordinal or an alias is an error, since names are the contract."""
    lines = [line.split(";")[0].strip() for line in path.read_text().splitlines()]
    lines = [line for line in lines if line and not line.startswith("LIBRARY")]
    if not lines or lines[0] != "EXPORTS":
        sys.exit(f"{path}: EXPORTS expected")
    for line in lines[1:]:
        if not re.fullmatch(r"\w+", line):
            sys.exit(f"{path}: a bare name expected, not {line!r}")
    if repeated := {line for line in lines if lines.count(line) > 1}:
        sys.exit(f"{path}: named twice: {repeated}")
    return set(lines[1:])


def declared(path: Path) -> set[str]:
    """The functions of the header: a name after WINIPC_CALL (in a callback's type a `*` stands between)."""
    text = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)
    return set(re.findall(r"\bWINIPC_CALL\s+(winipc_\w+)\s*\(", text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--dll", "--def", "--header"):
        parser.add_argument(option, type=Path, required=True)
    paths = vars(parser.parse_args())
    found = {
        "the DLL": set(pe.exports(paths["dll"])),
        "the .def file": defined(paths["def"]),
        "the header": declared(paths["header"]),
    }
    every = set().union(*found.values())
    absent = {where: sorted(every - names) for where, names in found.items()}
    wrong = [f"not in {where}: {', '.join(names)}" for where, names in absent.items() if names]
    print("\n".join(wrong) or f"{len(every)} functions, the same in {', '.join(found)}")
    sys.exit(bool(wrong or not every))


main()
