"""The rivals of the channel benchmark: fetched by name from package registries, built in build/rivals.

Nothing of theirs is in this repository. One that cannot be had or built here stops nobody: the reason is
written down beside the versions of the others, and the benchmark tells it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tools import environment, packages, progress, stamps, windows_python, wine
from tools.project import BUILD, ON_WINDOWS, ROOT

HERE = ROOT / "bench" / "channel"
FOLDER = BUILD / "rivals"
BIN, SOURCES, WORK = FOLDER / "bin", FOLDER / "source", FOLDER / "work"
STATE = FOLDER / "rivals.json"


class Rival(NamedTuple):
    name: str
    title: str
    registry: str
    package: str
    version: str
    make: Callable[[Rival], None]
    inside: str = ""  # of the package: where the source of the rival begins


# ---- fetching ----


def _client(name: str, registry: str) -> str:
    found = packages.find(name)
    if not found:
        raise progress.Stop(f"{registry} needs {name}, which is not installed")
    return found


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _source(rival: Rival, fetch: Callable[[Rival, Path], None], inside: str) -> Path:
    """Where the source lies; it is fetched once."""
    source = SOURCES / rival.name / inside
    stamps.once(f"rival-source-{rival.name}", source, (repr(rival[:5]),), lambda: fetch(rival, source))
    return source


def _debian(rival: Rival, source: Path) -> None:
    """The files of a Debian package, unpacked and not installed."""
    apt, unpack = _client("apt-get", "Debian"), _client("dpkg-deb", "Debian")
    folder = _empty(SOURCES / rival.name)
    progress.run(f"fetching {rival.package}", apt, "download", rival.package, folder=folder)
    archive = next(folder.glob("*.deb"))
    progress.run(f"unpacking {archive.name}", unpack, "-x", archive, folder)
    archive.unlink()


MANIFEST = """[package]
name = "rivals"
version = "0.0.0"
edition = "2021"
[lib]
path = "lib.rs"
[dependencies]
{package} = "={version}"
"""


def _crate(rival: Rival, source: Path) -> None:
    """The source of a crate that carries a C library."""
    cargo = _client("cargo", "the crates registry")
    folder = _empty(SOURCES / rival.name)
    (folder / "Cargo.toml").write_text(MANIFEST.format(package=rival.package, version=rival.version))
    (folder / "lib.rs").write_text("")
    progress.run(f"fetching {rival.package} {rival.version}", cargo, "vendor", "crates", folder=folder)


# ---- building ----


def _cmake(rival: str, source: Path | str) -> None:
    cmake, work = _client("cmake", "building"), WORK / rival
    words = [f"-DRIVAL={rival}", f"-DSOURCE={source}", f"-DOUTPUT={BIN}", "-DCMAKE_BUILD_TYPE=Release"]
    if not ON_WINDOWS:
        words += ["-G", "Ninja", f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake' / 'mingw.cmake'}"]
        words += ["-DCMAKE_CXX_COMPILER=x86_64-w64-mingw32-g++"]
    progress.run(f"configuring {rival}", cmake, "-S", HERE, "-B", work, *words)
    jobs = ("--parallel", str(os.cpu_count() or 2), "--config", "Release")
    progress.run(f"building {rival}", cmake, "--build", work, *jobs)


def _own(rival: Rival) -> None:
    _cmake("own", "")


def _from_debian(rival: Rival) -> None:
    _cmake(rival.name, _source(rival, _debian, rival.inside))


def _from_crate(rival: Rival) -> None:
    _cmake(rival.name, _source(rival, _crate, f"crates/{rival.package}/{rival.inside}"))


def _go(rival: Rival) -> None:
    """The versions are those of go.mod and go.sum."""
    go, output = _client("go", "the Go module proxy"), BIN / "go"
    variables = {**os.environ, "GOOS": "windows", "GOARCH": "amd64", "CGO_ENABLED": "0", "GOWORK": "off"}
    words = ("build", "-trimpath", "-o", output / "winio.exe", ".")
    progress.run(f"building {rival.name}", go, *words, folder=HERE / "go", environment=variables)


def _complete_wine() -> None:
    """Go loads a DLL from the system's folder that Wine 8 has not."""
    target = wine.PREFIX / "drive_c" / "windows" / "system32" / "bcryptprimitives.dll"
    if ON_WINDOWS or target.exists():
        return
    linker, source = "x86_64-w64-mingw32-gcc", HERE / "go" / "bcryptprimitives.c"
    progress.run("linking ProcessPrng", linker, "-shared", "-Os", "-s", source, "-ladvapi32", "-o", target)


def _wheel(rival: Rival) -> None:
    folder, what = FOLDER / "python", f"{rival.package}=={rival.version}"
    environment.install_for_windows(windows_python.versions()[0], _empty(folder), what)


RIVALS = (
    Rival("own", "limits, yardsticks, plain Win32, winipc", "", "", "", _own),
    Rival("boost", "Boost.Interprocess", "Debian", "libboost1.81-dev", "1.81", _from_debian, "usr/include"),
    Rival("libuv", "libuv", "the crates registry", "libuv-sys2", "1.53.1", _from_crate, "libuv"),
    Rival("nng", "nng", "the crates registry", "nng-c-sys", "1.12.4", _from_crate, "nng"),
    Rival("zeromq", "ZeroMQ", "the crates registry", "zeromq-src", "0.3.6+4.3.5", _from_crate, "vendor"),
    Rival("aeron", "Aeron", "the crates registry", "rusteron-media-driver", "0.1.168", _from_crate, "aeron"),
    Rival("go-winio", "go-winio", "the Go module proxy", "github.com/Microsoft/go-winio", "0.6.4", _go),
    Rival("pywin32", "pywin32", "PyPI", "pywin32", "312", _wheel),
)


# ---- all of them ----


def _inputs(rival: Rival) -> tuple[str | Path, ...]:
    own = [ROOT / "dll" / "include" / "winipc.h"] if rival.name == "own" else []
    sources = [path for folder in ("c", "rivals", "go") for path in (HERE / folder).iterdir()]
    return (repr(rival[:5]), Path(__file__), HERE / "CMakeLists.txt", *sorted(sources), *own)


def _need(rival: Rival) -> dict[str, str]:
    said = {"title": rival.title, "from": rival.registry, "package": rival.package, "version": rival.version}

    def make() -> None:
        progress.say(f"the peers of the benchmark: {rival.title}")
        rival.make(rival)

    try:
        stamps.once(f"rival-{rival.name}", BIN, _inputs(rival), make)
    except progress.Stop as stop:
        if rival.name == "own":
            raise
        progress.say(f"{rival.title} is left out: {stop}")
        said["missing"] = str(stop)
    return said


def need(*, own_alone: bool) -> None:
    """Have the peers built, and say of each in build/rivals/rivals.json what it is or why it is not there."""
    BIN.mkdir(parents=True, exist_ok=True)
    wanted = RIVALS[:1] if own_alone else RIVALS
    state = {rival.name: _need(rival) for rival in wanted}
    _complete_wine()
    STATE.write_text(json.dumps(state, indent=1))
