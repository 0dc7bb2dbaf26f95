"""The Windows Pythons that the tests run in.

On Windows it is the running Python. Elsewhere they are unpacked from an artifact of Maven Central, which
brings headers and import libraries too; the module is built once, against the oldest, and tested on all.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from tools import environment, forwarder, packages, progress, stamps, wine
from tools.project import BUILD, ON_WINDOWS, ROOT, preset_folder

ARTIFACT = "org.bytedeco:cpython:{}:jar:windows-x86_64"
INSIDE = "org/bytedeco/cpython/windows-x86_64/"
RELEASES = {"3.11": "3.11.3-1.5.9", "3.14": "3.14.3-1.5.13"}
OLDEST = "3.11"
UNUSED = {"test", "pip", "idlelib", "turtledemo", "tkinter", "ensurepip"}
REQUIREMENTS = ROOT / "tools" / "requirements-windows.txt"
SITE = ROOT / "tools" / "sitecustomize_for_wine.py"


def versions() -> list[str]:
    return [f"{sys.version_info.major}.{sys.version_info.minor}"] if ON_WINDOWS else list(RELEASES)


def root(version: str = OLDEST) -> Path:
    """The folder with include/ and libs/ and, but for Windows itself, python.exe."""
    return Path(sys.base_prefix) if ON_WINDOWS else BUILD / "python" / version


def executable(version: str) -> Path:
    return environment.PYTHON if ON_WINDOWS else root(version) / "python.exe"


def need(version: str) -> None:
    """Have that Python, with pytest in it."""
    if ON_WINDOWS:
        environment.need("windows")
        return
    if version not in RELEASES:
        raise progress.Stop(f"no Python {version} here; there is: {', '.join(RELEASES)}")
    inputs = (RELEASES[version], REQUIREMENTS, SITE, Path(__file__), Path(forwarder.__file__))
    stamps.once(f"python-{version}", root(version) / "python3.dll", inputs, lambda: _make(version))


def _make(version: str) -> None:
    progress.say(f"fetching Python {version} for Windows")
    shutil.rmtree(root(version), ignore_errors=True)
    _unpack(_fetch(version), root(version))
    forwarder.make(root(version))
    site_packages = root(version) / "lib" / "site-packages"
    shutil.copyfile(SITE, site_packages / "sitecustomize.py")
    environment.install_for_windows(version, site_packages, "-r", REQUIREMENTS)


def _fetch(version: str) -> Path:
    artifact, folder = ARTIFACT.format(RELEASES[version]), BUILD / "downloads"
    maven = [packages.find("mvn") or "mvn", "--batch-mode", "dependency:copy"]
    target = (f"-Dartifact={artifact}", f"-DoutputDirectory={folder}")
    progress.run(f"fetching {artifact} with Maven", *maven, *target)
    return folder / f"cpython-{RELEASES[version]}-windows-x86_64.jar"


def _unpack(jar: Path, target: Path) -> None:
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            path = PurePosixPath(name.removeprefix(INSIDE))
            if not name.startswith(INSIDE) or name.endswith("/") or _unused(path):
                continue
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(archive.read(name))
    (target / "lib" / "site-packages").mkdir(exist_ok=True)


def _unused(path: PurePosixPath) -> bool:
    return len(path.parts) > 2 and path.parts[0] == "lib" and path.parts[1] in UNUSED


def variables(preset: str, version: str) -> dict[str, str]:
    """What a program needs to find the build: winipc importable, and the folders that tests ask for."""
    build = preset_folder(preset)
    named = {
        "PYTHONPATH": build / "pkg",
        "PYTHONPYCACHEPREFIX": BUILD / "pycache" / version,
        "WINIPC_BIN": build / "bin",
        "WINIPC_SAMPLES": build / "samples" / "c",
        "WINIPC_BENCH": build / "bench",
        "WINIPC_ROOT": ROOT,
    }
    found = {name: wine.windows_path(path) for name, path in named.items()}
    return {**found, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}


def command(version: str, *arguments: str) -> list[str]:
    return wine.command(executable(version), *arguments)


def call(preset: str, version: str, arguments: list[str], more: Mapping[str, str] | None = None) -> int:
    return wine.call(command(version, *arguments), {**variables(preset, version), **(more or {})})
