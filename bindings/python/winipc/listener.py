"""Listeners: the serving end of an address."""

from __future__ import annotations

from typing import Self

from . import native
from .choices import Direction, Framing, PipeType, ReadMode, Security, options
from .connection import Connection, adopt
from .errors import Closed, InvalidHandle
from .handle import Handle


class Listener(Handle):
    """Serves at an address. Iterating over it accepts clients until another thread closes it.

    Connections that were accepted live on when the listener is closed.
    """

    def __init__(self, number: int, address: str = "") -> None:
        super().__init__(number)
        self._address = address

    def _release(self, number: int) -> None:
        native.listener_close(number)

    def accept(self, timeout: float | None = None) -> Connection:
        """Wait for the next client. One thread at a time; another one is `Busy`."""
        return adopt(native.accept(self._id, timeout), self._address)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Connection:
        try:
            return self.accept()
        except (Closed, InvalidHandle):
            raise StopIteration from None


def listen(
    address: str,
    *,
    framing: Framing | None = None,
    max_message: int | None = None,
    direction: Direction | None = None,
    type: PipeType | None = None,  # noqa: A002
    read_mode: ReadMode | None = None,
    nowait: bool | None = None,
    accept_remote: bool | None = None,
    max_instances: int | None = None,
    out_buffer: int | None = None,
    in_buffer: int | None = None,
    default_timeout_ms: int | None = None,
    first_instance: bool | None = None,
    inheritable: bool | None = None,
    write_through: bool | None = None,
    extra_access: int | None = None,
    security: Security | None = None,
    sddl: str | None = None,
) -> Listener:
    r"""Serve at "pipe:NAME" or "channel:NAME". The name is ours from now on; `Exists` when it is another's.

    A channel takes no option but `max_message`: `Channel.listen` has the others.
    What is None has its default:

    framing             "auto": "message" on a message pipe, else "none"; "message", "u32", "line", "none"
    max_message         64 MiB, the size of one message
    direction           "duplex"; "inbound": clients only write, "outbound": clients only read
    type                "message" or "byte"
    read_mode           "auto", as the type; "message", "byte"
    nowait              False; True: no call waits (PIPE_NOWAIT)
    accept_remote       False; True: clients of other machines too
    max_instances       unlimited (255); 1 to 254 clients at once
    out_buffer          65536 bytes that the system keeps for the client
    in_buffer           65536 bytes that it keeps for the server
    default_timeout_ms  0, the system's 50 milliseconds, of WaitNamedPipe
    first_instance      True: the name must be free; False: join its servers
    inheritable         False; True: child processes inherit the handles
    write_through       False; True: FILE_FLAG_WRITE_THROUGH
    extra_access        0; WRITE_DAC, WRITE_OWNER, ACCESS_SYSTEM_SECURITY
    security            "current_user": nobody else may connect
    sddl                a security descriptor that overrides `security`
    """
    common = options({"framing": framing, "max_message": max_message})
    pipe = options(
        {
            "direction": direction,
            "type": type,
            "read_mode": read_mode,
            "nowait": nowait,
            "accept_remote": accept_remote,
            "max_instances": max_instances,
            "out_buffer": out_buffer,
            "in_buffer": in_buffer,
            "default_timeout_ms": default_timeout_ms,
            "first_instance": first_instance,
            "inheritable": inheritable,
            "write_through": write_through,
            "extra_access": extra_access,
            "security": security,
            "sddl": sddl,
        }
    )
    if pipe:
        return Listener(native.pipe_listen(address, common | pipe), address)
    return Listener(native.listen(address, common), address)
