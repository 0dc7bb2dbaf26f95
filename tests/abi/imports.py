"""The DLL imports nothing but system DLLs that every process has, or nearly."""

import argparse
import re
import sys
from pathlib import Path

from tools import pe

ALLOWED = re.compile(
    r"(kernel32|advapi32|bcrypt|ntdll|msvcrt|ucrtbase|vcruntime140(_1)?|api-ms-win-crt-[a-z0-9-]+)\.dll", re.I
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dll", type=Path, required=True)
    found = pe.imports(parser.parse_args().dll)
    foreign = [name for name in found if not ALLOWED.fullmatch(name)]
    print(f"imports: {', '.join(found)}")
    if foreign:
        sys.exit(f"not allowed: {', '.join(foreign)}; load it at run time instead")


main()
