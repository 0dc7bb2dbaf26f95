"""The library itself: what it can do here, and what it has to say."""

from __future__ import annotations

from collections.abc import Callable

from . import native


def has(feature: str) -> bool:
    """Whether this build on this system has a feature: "pipe", "pipe.list", "memory", ... (see winipc.h)."""
    return bool(native.has(feature))


def set_log(function: Callable[[int, int, str, str], object] | None) -> None:
    """Have `function(status, win32, call, text)` hear of every error; None ends that.

    It is called on the main thread, soon after the error arose on whatever thread; in a flood of errors
    some are not delivered.
    """
    if function is not None and not callable(function):
        raise TypeError("the log is a callable or None")
    native.log_set(function)
