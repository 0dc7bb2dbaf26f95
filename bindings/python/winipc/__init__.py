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
from .channel import (
    Channel,
    ChannelListener,
    ChannelMember,
    Funnel,
    Lane,
    Loan,
    Publisher,
    Received,
    Reservation,
    Subscriber,
    channel_create,
    channel_members,
)
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
    Overrun,
    PrivilegeMissing,
    Status,
    Timeout,
    TooLarge,
    Truncated,
    Unsupported,
    VersionError,
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
    "Channel",
    "ChannelListener",
    "ChannelMember",
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
    "Funnel",
    "Incomplete",
    "InvalidArgument",
    "InvalidHandle",
    "Lane",
    "LimitReached",
    "Listener",
    "Loan",
    "MemoryInfo",
    "MessageTooLarge",
    "Mutex",
    "NotFound",
    "NotOwner",
    "OutOfMemory",
    "Overrun",
    "Peek",
    "Peer",
    "PipeInfo",
    "PrivilegeMissing",
    "Process",
    "Publisher",
    "Received",
    "Reservation",
    "Semaphore",
    "SharedMemory",
    "Status",
    "Subscriber",
    "Timeout",
    "TooLarge",
    "Truncated",
    "Unsupported",
    "VersionError",
    "View",
    "WouldBlock",
    "WrongPeer",
    "channel_create",
    "channel_members",
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
