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


TRIAL = """
import winipc
with winipc.listen("pipe:wheel-trial") as listener, winipc.connect("pipe:wheel-trial") as client:
    with listener.accept(timeout=10) as server:
        client.send(b"tried")
        print(winipc.__file__, server.receive(timeout=10))
"""


def check(wheel: Path) -> None:
    """Everything is in it, it keeps to the stable ABI, and it works installed, with nothing else around."""
    with zipfile.ZipFile(wheel) as archive:
        if absent := EXPECTED.difference(archive.namelist()):
            raise progress.Stop(f"{wheel.name} lacks {', '.join(sorted(absent))}")
    progress.run(f"abi3audit {wheel.name}", environment.program("abi3audit"), "--strict", wheel)
    for version in windows_python.versions():
        windows_python.need(version)
        _try(wheel, version)
    progress.say(
        f"{wheel.relative_to(ROOT)} works, installed in Python {' and '.join(windows_python.versions())}"
    )


def _try(wheel: Path, version: str) -> None:
    folder = FOLDER / "installed" / version
    environment.install_for_windows(version, folder, "--no-index", wheel)
    alone = {"PYTHONPATH": wine.windows_path(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    code, text = wine.show(windows_python.command(version, "-c", TRIAL), alone)
    if code != 0 or "installed" not in text or "b'tried'" not in text:
        raise progress.Stop(f"{wheel.name} does not work in Python {version}")
