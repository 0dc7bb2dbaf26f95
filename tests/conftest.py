"""What every Python test may ask for: the folders of the build, and whether this is Wine."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest


def under_wine() -> bool:
    return hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not under_wine():
        return
    for item in items:
        if marker := item.get_closest_marker("needs_windows"):
            item.add_marker(pytest.mark.skip(reason=f"Wine: {marker.args[0]}"))


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of winipc.dll and of the programs of tests/c and tests/interop."""
    return Path(os.environ["WINIPC_BIN"])


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the programs of samples/c."""
    return Path(os.environ["WINIPC_SAMPLES"])
