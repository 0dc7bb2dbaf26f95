"""Connections: messages, or bytes, to and from a peer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple, Self

from . import native
from .choices import (
    FRAMINGS,
    PIPE_TYPES,
    READ_MODES,
    Direction,
    Framing,
    Impersonation,
    ReadMode,
    options,
    word,
)
from .errors import Disconnected
from .handle import Handle

if TYPE_CHECKING:
    from typing_extensions import Buffer

DEFAULT_MAX_MESSAGE: int = native.DEFAULT_MAX_MESSAGE


class Peer(NamedTuple):
    """Who is at the other end, as the system knows it."""

    pid: int
    session: int
    user: str  # SID, or "" where we may not ask


class Peek(NamedTuple):
    """What waits to be received."""

    waiting: bool  # a message, or its first part, is there
    message: int  # bytes of the next message, as far as is known
    available: int  # bytes that can be read without waiting
    data: bytes  # the first of them, as many as were asked for


class ConnectionInfo(NamedTuple):
    framing: str
    max_message: int
    server: bool  # this is the end that was accepted
    overlapped: bool  # False: adopted without FILE_FLAG_OVERLAPPED


class PipeInfo(NamedTuple):
    type: str
    read_mode: str
    nowait: bool
    max_instances: int
    instances: int
    out_buffer: int
    in_buffer: int


class Connection(Handle):
    """One end of a connection. Iterating over it receives until the peer ends it.

    One thread may send and another receive at the same time; a second one in the same direction gets
    `Busy`. A peer that has ended the connection is `Disconnected`, after all that it had sent.
    """

    def _release(self, number: int) -> None:
        native.connection_close(number)

    def send(self, data: Buffer, timeout: float | None = None) -> bool:
        """Send one message, whole: `Timeout` has sent nothing; `Incomplete` has broken the connection.

        True; False only where a channel was told to drop what it has no room for, and did.
        """
        return native.send(self._id, data, timeout)

    def send_parts(self, parts: Iterable[Buffer], timeout: float | None = None) -> bool:
        """Send one message that is gathered from up to 1024 parts, without joining them first."""
        return native.send_parts(self._id, parts, timeout) != native.LOST

    def send_many(self, messages: Iterable[Buffer], timeout: float | None = None) -> int:
        """Send several messages, and return how many; on a channel they become visible together.

        An exception has an attribute `sent`: how many went before it.
        """
        return native.send_many(self._id, messages, timeout)

    def receive(self, timeout: float | None = None) -> bytes:
        """Receive one message; with the framing "none", the bytes that are there, one at least.

        A message larger than `max_message` is `MessageTooLarge`.
        """
        return native.receive(self._id, timeout)

    def receive_into(self, buffer: Buffer, timeout: float | None = None) -> int:
        """Receive one message into a writable buffer, and return its size.

        `MessageTooLarge` keeps the message for the next call.
        """
        return native.receive_into(self._id, buffer, timeout)

    def receive_part(self, buffer: Buffer, timeout: float | None = None) -> tuple[int, bool]:
        """Receive as much of a message as the buffer holds: its size, and whether there is more to come."""
        status, size = native.receive_part(self._id, buffer, timeout)
        return size, status == native.MORE

    def receive_many(self, most: int | None = None, timeout: float | None = None) -> list[bytes]:
        """Wait for a message, and receive it and those behind it that are there already.

        `most` limits how many; there may be fewer than there are, but not more than 256, nor more than fit
        into 64 KiB, unless it is the first one.
        """
        return native.receive_many(self._id, most, timeout)

    def transact(self, request: Buffer, timeout: float | None = None) -> bytes:
        """Send a request and receive its reply, on a message pipe in one call of the system.

        `Busy` while a message waits unread. After a `Timeout` the reply may come to a later `receive`.
        """
        return native.transact(self._id, request, timeout)

    def peek(self, size: int = 0) -> Peek:
        """Look at what waits, and at its first `size` bytes, without taking it."""
        buffer = bytearray(size)
        told = native.peek(self._id, buffer)
        data = bytes(buffer[: told["copied"]])
        return Peek(bool(told["waiting"]), told["message"], told["available"], data)

    def drain(self, timeout: float | None = None) -> None:
        """Wait until the peer has read all that was sent."""
        native.drain(self._id, timeout)

    def abort(self) -> None:
        """End the connection at once, unread data or not. It still wants its `close`."""
        native.connection_abort(self._id)

    def detach(self) -> int:
        """Give the HANDLE away and close the rest. `Busy` while received bytes wait in the connection."""
        handle = native.connection_detach(self._id)
        self._id = 0
        return handle

    def send_handle(self, handle: int, timeout: float | None = None) -> None:
        """Put a duplicate of a HANDLE into the peer's process, and tell it by a message."""
        native.send_handle(self._id, handle, timeout)

    def receive_handle(self, timeout: float | None = None) -> int:
        """Receive a HANDLE that the peer has put into this process; close it, or give it to a `from_handle`.

        Take handles only from a process that you would also let run code as you. Any other message is
        `Corrupt`, and is lost.
        """
        return native.receive_handle(self._id, timeout)

    @property
    def info(self) -> ConnectionInfo:
        """The framing in force, and the like."""
        told = native.connection_get_info(self._id)
        framing = word(told["framing"], FRAMINGS)
        return ConnectionInfo(framing, told["max_message"], bool(told["server"]), bool(told["overlapped"]))

    @property
    def framing(self) -> str:
        """What makes a message here: "message", "u32", "line" or "none"."""
        return self.info.framing

    @property
    def peer(self) -> Peer:
        """The process at the other end of a pipe of this machine."""
        return Peer(**native.connection_peer(self._id))

    @property
    def pipe_info(self) -> PipeInfo:
        """What the system tells of the pipe."""
        told = native.pipe_get_info(self._id)
        told["type"] = word(told["type"], PIPE_TYPES)
        told["read_mode"] = word(told["read_mode"], READ_MODES)
        told["nowait"] = bool(told["nowait"])
        return PipeInfo(**told)

    @property
    def sddl(self) -> str:
        """The pipe's security descriptor: owner, DACL, and the label where the system keeps one."""
        return native.pipe_get_sddl(self._id)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return self.receive()
        except Disconnected:
            raise StopIteration from None


classes: dict[str, type[Connection]] = {}  # for addresses that begin so: what is more than a Connection


def adopt(number: int, address: str) -> Connection:
    """An object around a connection of the library's."""
    kind = classes.get(address.partition(":")[0], Connection)
    connection = kind.__new__(kind)
    connection._id = number
    return connection


def connect(
    address: str,
    *,
    timeout: float | None = 10,
    framing: Framing | None = None,
    max_message: int | None = None,
    direction: Direction | None = None,
    read_mode: ReadMode | None = None,
    nowait: bool | None = None,
    impersonation: Impersonation | None = None,
    inheritable: bool | None = None,
    must_exist: bool | None = None,
    write_through: bool | None = None,
    server_user: str | None = None,
) -> Connection:
    """Connect to "pipe:NAME", "pipe://HOST/NAME", "channel:NAME", or "stdio:", our own standard streams.

    A channel gives a `Channel`, and takes no option but `max_message`: `Channel.connect` has the others.

    It tries until the time is up while the server does not exist yet (in the end `NotFound`) or has no
    free instance (`Busy`). What is None has its default:

    framing        "auto": "message" on a message pipe, else "none"; or "message", "u32", "line", "none"
    max_message    64 MiB, the size of one message
    direction      "duplex"; "inbound": we only write, "outbound": we only read
    read_mode      "auto", as the type of the pipe; "message", "byte"
    nowait         False; True: no call waits (PIPE_NOWAIT)
    impersonation  "identification": the server may see who we are; "anonymous", "impersonation", "delegation"
    inheritable    False; True: child processes inherit the handle
    must_exist     False; True: do not wait for a server that is not there
    write_through  False
    server_user    whoever; "self" or a SID: the server must run as this user, else `WrongPeer`
    """
    common = options({"framing": framing, "max_message": max_message})
    pipe = options(
        {
            "direction": direction,
            "read_mode": read_mode,
            "nowait": nowait,
            "impersonation": impersonation,
            "inheritable": inheritable,
            "must_exist": must_exist,
            "write_through": write_through,
            "server_user": server_user,
        }
    )
    if pipe:
        return Connection(native.pipe_connect(address, common | pipe, timeout))
    return adopt(native.connect(address, common, timeout), address)


def from_handle(handle: int, *, framing: Framing | None = None, max_message: int | None = None) -> Connection:
    """Make a connection of a HANDLE of a pipe or stream, which then belongs to it.

    On an error the handle stays yours. One that was opened without FILE_FLAG_OVERLAPPED works too.
    """
    given = options({"framing": framing, "max_message": max_message})
    return Connection(native.connection_from_handle(handle, given))
