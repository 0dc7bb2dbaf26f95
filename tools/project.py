"""Where things lie, and the lock that keeps two runs from building at once."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOG = BUILD / "dev.log"
ON_WINDOWS = os.name == "nt"
DEFAULT_PRESET = "msvc" if ON_WINDOWS else "mingw-release"


def preset_folder(preset: str) -> Path:
    return BUILD / preset


@contextlib.contextmanager
def building() -> Iterator[None]:
    """Hold the build folder: several runs of dev.py may share one work tree."""
    BUILD.mkdir(exist_ok=True)
    if ON_WINDOWS:
        yield
        return
    import fcntl

    with open(BUILD / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("-- waiting for another run of dev.py in this folder", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
