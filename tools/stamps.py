"""Do a slow thing once: a stamp holds the hash of everything that the thing depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from tools.project import BUILD

FOLDER = BUILD / "stamps"


def digest(*inputs: str | Path) -> str:
    """A hash over strings and over the contents of files."""
    total = hashlib.sha256()
    for item in inputs:
        total.update(item.read_bytes() if isinstance(item, Path) else item.encode())
        total.update(b"\0")
    return total.hexdigest()


def once(name: str, made: Path, inputs: tuple[str | Path, ...], make: Callable[[], None]) -> None:
    """Call `make` unless `made` is there and was made from the same inputs."""
    stamp, wanted = FOLDER / name, digest(*inputs)
    if made.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    make()
    FOLDER.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
