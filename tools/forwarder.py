"""python3.dll, for a Windows Python that came without it.

A module built for the stable ABI imports python3.dll, which does nothing but forward each name to
python311.dll, python314.dll and so on. Every installed CPython has one; the unpacked ones here have not.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tools import pe, progress


def definition(folder: Path) -> str:
    """The .def text: every name of python3.lib that the real DLL exports, forwarded to it."""
    real = next(folder.glob("python3[0-9]*.dll"))
    offered = {name.removeprefix("__imp_") for name in pe.library_symbols(folder / "libs" / "python3.lib")}
    names = sorted(offered.intersection(pe.exports(real)))
    return (
        "\n".join(["LIBRARY python3", "EXPORTS", *(f"    {name}={real.stem}.{name}" for name in names)])
        + "\n"
    )


def make(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        exported, empty = Path(scratch, "python3.def"), Path(scratch, "empty.c")
        exported.write_text(definition(folder))
        empty.write_text("int winipc_empty;\n")
        linker = ["x86_64-w64-mingw32-gcc", "-shared", "-nostdlib", "-Wl,-e,0"]
        progress.run("linking python3.dll", *linker, "-o", folder / "python3.dll", empty, exported)
