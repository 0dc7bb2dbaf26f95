"""Named pipes beyond the five verbs: the list of them, and anonymous ones."""

from __future__ import annotations

from . import native
from .choices import Direction, Framing, PipeType, ReadMode, options
from .connection import Connection


def pipes() -> list[str]:
    r"""The names of all pipes of this machine, without "\\.\pipe\". `Unsupported` under Wine."""
    return native.pipe_list()


def pipe_exists(address: str) -> bool:
    """Whether there is a pipe of that address, without disturbing its server. `Unsupported` under Wine."""
    return native.pipe_exists(address)


def pipe_pair(
    *,
    direction: Direction | None = None,
    type: PipeType | None = None,  # noqa: A002
    read_mode: ReadMode | None = None,
    framing: Framing | None = None,
    max_message: int | None = None,
    out_buffer: int | None = None,
    in_buffer: int | None = None,
) -> tuple[Connection, int]:
    """An anonymous pipe: our end, and the other as an inheritable HANDLE for a child process.

    direction "inbound": the other end writes, "outbound": it reads, "duplex" (the default): both. The type
    is "byte" unless told. Close the HANDLE once the child has it, or its end is never seen.
    """
    given = {
        "direction": direction,
        "type": type,
        "read_mode": read_mode,
        "framing": framing,
        "max_message": max_message,
        "out_buffer": out_buffer,
        "in_buffer": in_buffer,
    }
    number, handle = native.pipe_pair(options(given))
    return Connection(number), handle
