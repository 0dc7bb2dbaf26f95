"""The errors of winipc: one class for each status that a program may want to catch by itself.

Every class is an `Error`, which is an `OSError`; where Python has a class of its own for the case, it is
that too: `except TimeoutError`, `except ConnectionError`, `except FileNotFoundError` work as they read.
"""

from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """The statuses of winipc.h. Positive ones are news, negative ones errors."""

    OK = 0
    ABANDONED = 1
    READY = 2
    MORE = 3
    LOST = 4
    E_INVALID_ARGUMENT = -1
    E_INVALID_HANDLE = -2
    E_OUT_OF_MEMORY = -3
    E_UNSUPPORTED = -4
    E_TIMEOUT = -5
    E_CANCELLED = -6
    E_CLOSED = -7
    E_DISCONNECTED = -8
    E_MESSAGE_TOO_LARGE = -9
    E_BUFFER_TOO_SMALL = -10
    E_INCOMPLETE = -11
    E_TRUNCATED = -12
    E_FRAMING = -13
    E_WOULD_BLOCK = -14
    E_NOT_FOUND = -15
    E_EXISTS = -16
    E_ACCESS_DENIED = -17
    E_PRIVILEGE = -18
    E_BUSY = -19
    E_WRONG_PEER = -20
    E_CORRUPT = -21
    E_DEADLOCK = -22
    E_NOT_OWNER = -23
    E_EMPTY_FILE = -24
    E_TOO_LARGE = -25
    E_INVALID_TEXT = -26
    E_LIMIT = -27
    E_SYSTEM = -28
    E_VERSION = -29
    E_OVERRUN = -30


STATUSES: dict[int, Status] = {int(status): status for status in Status}


class Error(OSError):
    """A call of winipc failed.

    `status` is the `Status`, `winerror` the code of Win32 or 0, `strerror` one line for a person, and `call`
    the function of the system that failed, or "".
    """

    def __init__(self, text: str, status: int = Status.E_SYSTEM, winerror: int = 0, call: str = "") -> None:
        super().__init__(0, text, None, winerror)
        self.status = STATUSES.get(status, status)
        self.call = call

    def __str__(self) -> str:
        return str(self.strerror)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.strerror, self.status, self.winerror, self.call)


class InvalidArgument(Error, ValueError):
    """An argument is out of its range, or not valid text."""


class InvalidHandle(Error, ValueError):
    """The object was closed, or the handle is of another kind."""


class OutOfMemory(Error, MemoryError):
    """Memory or another resource of the system ran out."""


class Unsupported(Error):
    """The object, or this system, cannot do that."""


class Timeout(Error, TimeoutError):
    """The time ran out. Nothing was lost: what came too late is there for the next call."""


class Cancelled(Error):
    """Ended by `cancel()` or by a `CancelToken`."""


class Closed(Error):
    """Another thread of this program closed the object while this one waited in it."""


class Disconnected(Error, ConnectionError):
    """The peer has ended the connection; everything that it had sent was received."""


class MessageTooLarge(Error):
    """The message is larger than the buffer, or than `max_message`."""


class Incomplete(Error, ConnectionError):
    """Only a part was sent, and the connection is broken."""


class Truncated(Error, ConnectionError):
    """The peer ended in the middle of a message."""


class FramingError(Error):
    """The connection cannot carry this framing."""


class WouldBlock(Error, BlockingIOError):
    """A pipe of the `nowait` kind could take or give nothing, or a channel that is to fail then is full."""


class NotFound(Error, FileNotFoundError):
    """There is nothing of that name."""


class Exists(Error, FileExistsError):
    """The name is already in use."""


class AccessDenied(Error, PermissionError):
    """Access is denied."""


class PrivilegeMissing(Error, PermissionError):
    """The user has not the privilege that this takes."""


class Busy(Error):
    """All instances of a pipe are taken, or another thread is in a call of the same direction."""


class WrongPeer(Error, ConnectionError):
    """The peer is not who it has to be."""


class Corrupt(Error):
    """The data does not have its agreed form."""


class Deadlock(Error):
    """The call would wait for itself."""


class NotOwner(Error):
    """The calling thread does not own the mutex."""


class TooLarge(Error):
    """The size is larger than the object or the system."""


class LimitReached(Error):
    """A limit of the object is reached."""


class VersionError(Error, ConnectionError):
    """The peer speaks no version of the protocol that we speak."""


class Overrun(Error):
    """A message was overwritten while it was looked at: forget what was read."""


CLASSES: dict[int, type[Error]] = {
    Status.E_INVALID_ARGUMENT: InvalidArgument,
    Status.E_INVALID_HANDLE: InvalidHandle,
    Status.E_OUT_OF_MEMORY: OutOfMemory,
    Status.E_UNSUPPORTED: Unsupported,
    Status.E_TIMEOUT: Timeout,
    Status.E_CANCELLED: Cancelled,
    Status.E_CLOSED: Closed,
    Status.E_DISCONNECTED: Disconnected,
    Status.E_MESSAGE_TOO_LARGE: MessageTooLarge,
    Status.E_BUFFER_TOO_SMALL: MessageTooLarge,
    Status.E_INCOMPLETE: Incomplete,
    Status.E_TRUNCATED: Truncated,
    Status.E_FRAMING: FramingError,
    Status.E_WOULD_BLOCK: WouldBlock,
    Status.E_NOT_FOUND: NotFound,
    Status.E_EXISTS: Exists,
    Status.E_ACCESS_DENIED: AccessDenied,
    Status.E_PRIVILEGE: PrivilegeMissing,
    Status.E_BUSY: Busy,
    Status.E_WRONG_PEER: WrongPeer,
    Status.E_CORRUPT: Corrupt,
    Status.E_DEADLOCK: Deadlock,
    Status.E_NOT_OWNER: NotOwner,
    Status.E_TOO_LARGE: TooLarge,
    Status.E_EMPTY_FILE: InvalidArgument,
    Status.E_INVALID_TEXT: InvalidArgument,
    Status.E_LIMIT: LimitReached,
    Status.E_VERSION: VersionError,
    Status.E_OVERRUN: Overrun,
}


def error_of(status: int, winerror: int, call: str, text: str) -> Error:
    """The exception for a status; called by the C part of the binding."""
    return CLASSES.get(status, Error)(text, status, winerror, call)
