"""Every way two Windows processes talk, behind one DLL.

    with winipc.listen("pipe:prices") as server, server.accept(timeout=5) as client:
        client.send(b"hello")
        reply = client.receive(timeout=1)

    with winipc.connect("pipe:prices", timeout=2) as server:
        ...

Times are seconds, None for ever, 0 to try once. Sizes are bytes. Data goes in from anything bytes-like,
without a copy. Errors are subclasses of `Error`, which is an `OSError`; see `winipc.errors`.
"""

from . import native
from .cancel import CancelToken
from .connection import Connection, ConnectionInfo, Peek, Peer, PipeInfo, connect, from_handle
from .errors import (
    AccessDenied,
    Busy,
    Cancelled,
    Closed,
    Corrupt,
    Deadlock,
    Disconnected,
    Error,
    Exists,
    FramingError,
    Incomplete,
    InvalidArgument,
    InvalidHandle,
    LimitReached,
    MessageTooLarge,
    NotFound,
    NotOwner,
    OutOfMemory,
    PrivilegeMissing,
    Status,
    Timeout,
    TooLarge,
    Truncated,
    Unsupported,
    WouldBlock,
    WrongPeer,
)
from .library import has, set_log
from .listener import Listener, listen
from .lock import Event, Mutex, Semaphore, wait
from .memory import MemoryInfo, SharedMemory, View
from .pipe import pipe_exists, pipe_pair, pipes
from .process import Process, command_line

__version__: str = native.version_text()

__all__ = [
    "AccessDenied",
    "Busy",
    "CancelToken",
    "Cancelled",
    "Closed",
    "Connection",
    "ConnectionInfo",
    "Corrupt",
    "Deadlock",
    "Disconnected",
    "Error",
    "Event",
    "Exists",
    "FramingError",
    "Incomplete",
    "InvalidArgument",
    "InvalidHandle",
    "LimitReached",
    "Listener",
    "MemoryInfo",
    "MessageTooLarge",
    "Mutex",
    "NotFound",
    "NotOwner",
    "OutOfMemory",
    "Peek",
    "Peer",
    "PipeInfo",
    "PrivilegeMissing",
    "Process",
    "Semaphore",
    "SharedMemory",
    "Status",
    "Timeout",
    "TooLarge",
    "Truncated",
    "Unsupported",
    "View",
    "WouldBlock",
    "WrongPeer",
    "command_line",
    "connect",
    "from_handle",
    "has",
    "listen",
    "pipe_exists",
    "pipe_pair",
    "pipes",
    "set_log",
    "wait",
]
