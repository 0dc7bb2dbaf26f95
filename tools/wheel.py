"""The wheel for Windows x64, built from here as well as on Windows, and tried in a bare Windows Python."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from tools import environment, progress, windows_python, wine
from tools.project import BUILD, ON_WINDOWS, ROOT

FOLDER = BUILD / "wheel"
EXPECTED = {
    "winipc/__init__.py",
    "winipc/_winipc.pyd",
    "winipc/native.py",
    "winipc/py.typed",
    "winipc/winipc.dll",
}


def build() -> Path:
    environment.need("wheel")
    shutil.rmtree(FOLDER, ignore_errors=True)
    progress.say("building the wheel")
    variables = {**environment.variables(), "WINIPC_PYTHON_ROOT": str(windows_python.root())}
    if not ON_WINDOWS:
        toolchain = ROOT / "cmake" / "mingw.cmake"
        variables |= {"CMAKE_GENERATOR": "Ninja", "CMAKE_ARGS": f"-DCMAKE_TOOLCHAIN_FILE={toolchain}"}
    pip = environment.PIP
    progress.run(
        "building the wheel", *pip, "wheel", "--no-deps", "--wheel-dir", FOLDER, ROOT, environment=variables
    )
    return _retag(_only(FOLDER))


def _only(folder: Path) -> Path:
    return next(folder.glob("winipc-*.whl"))


def _retag(wheel: Path) -> Path:
    """A cross build names the system that it ran on; the wheel is for Windows."""
    if not ON_WINDOWS:
        tags = ("-m", "wheel", "tags", "--platform-tag", "win_amd64", "--remove")
        progress.run("naming the wheel", environment.PYTHON, *tags, wheel)
    return _only(FOLDER)


def check(wheel: Path) -> None:
    """Everything is in it, it keeps to the stable ABI, and it can be imported with nothing else around."""
    with zipfile.ZipFile(wheel) as archive:
        if absent := EXPECTED.difference(archive.namelist()):
            raise progress.Stop(f"{wheel.name} lacks {', '.join(sorted(absent))}")
        archive.extractall(FOLDER / "unpacked")
    progress.run(f"abi3audit {wheel.name}", environment.program("abi3audit"), "--strict", wheel)
    script = "import winipc; print(winipc.__file__)"
    unpacked = {"PYTHONPATH": wine.windows_path(FOLDER / "unpacked"), "PYTHONDONTWRITEBYTECODE": "1"}
    for version in windows_python.versions():
        windows_python.need(version)
        code, text = wine.show(windows_python.command(version, "-c", script), unpacked)
        if code != 0 or "unpacked" not in text:
            raise progress.Stop(f"{wheel.name} cannot be imported in Python {version}")
    progress.say(f"{wheel.relative_to(ROOT)} holds what it should and was imported")
