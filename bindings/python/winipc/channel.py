"""Channels: messages through shared memory, between two processes or many.

    with winipc.Channel("prices") as channel:  # in both processes; whoever comes first waits for the other
        channel.send(b"hello")
        reply = channel.receive(timeout=1)

A `Publisher` sends to each of its `Subscriber`s, and a `Funnel` receives from all its `Lane`s. All of them
are connections: what is told there holds here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self, TypedDict, Unpack

from . import native
from .choices import FIELDS, ROLES, Field, Full, Scope, Security, number, options, word
from .connection import Connection, adopt, classes
from .listener import Listener
from .native import Loan, Reservation

_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_EPOCH_TO_1970_NS = 11_644_473_600 * 10**9


# ---- options ----


class Shared(TypedDict, total=False):
    """What every end may be told. What is None, or not given, has its default:

    max_message   64 MiB, the size of one message
    spin          seconds (0.00005: 50 microseconds) to look out for the other side before sleeping, at most;
                  0.0002, and less while that has turned out to be in vain; 0: never
    scope         "local": the name is shared by this logon session, "global": by the whole machine
    large_pages   False; True takes SeLockMemoryPrivilege
    prefault      False; True: touch the memory now, not at its first use
    numa_node     whichever; the memory's preferred node
    """

    max_message: int | None
    spin: float | None
    scope: Scope | None
    large_pages: bool | None
    prefault: bool | None
    numa_node: int | None


class Sending(TypedDict, total=False):
    """What an end that sends may be told:

    capacity  1 MiB: bytes of the ring, rounded up to a power of two, 4 KiB to 16 GiB
    full      what becomes of a message that finds no room in the ring: "block": `send` waits for some,
              "fail": it raises `WouldBlock`, "drop_newest": it returns False and the message is lost,
              "overwrite_oldest": the oldest ones are lost (publishers only, and their default)
    fields    none; what each message carries besides: a set of "sequence", "time" and "tag"
    """

    capacity: int | None
    full: Full | None
    fields: Iterable[Field] | Field | None


class Receiving(TypedDict, total=False):
    """What an end that receives may be told:

    capacity_limit  64 MiB, or `capacity` if that is more: what a peer may ask for the ring that it writes
    """

    capacity_limit: int | None


class Hosting(TypedDict, total=False):
    """What an end that others come to may be told:

    security  "current_user": nobody else may join
    sddl      a security descriptor that overrides `security`
    """

    security: Security | None
    sddl: str | None


class Joining(TypedDict, total=False):
    """What an end that comes to another may be told:

    server_user  "self"; a SID: the other end must run as this user, else `WrongPeer`; "any": whoever
    """

    server_user: str | None


class Crowd(TypedDict, total=False):
    """What an end that many come to may be told:

    max_peers  64: how many at once, up to 1024
    """

    max_peers: int | None


class ListenOptions(Shared, Sending, Receiving, Hosting, total=False): ...


class ChannelOptions(ListenOptions, Joining, total=False): ...


class ConnectOptions(Shared, Sending, Receiving, Joining, total=False): ...


class PublisherOptions(Shared, Sending, Hosting, Crowd, total=False): ...


class SubscriberOptions(Shared, Receiving, Joining, total=False):
    """from_oldest: False; True: begin with the oldest message that an overwriting publisher still has."""

    from_oldest: bool | None


class FunnelOptions(Shared, Receiving, Hosting, Crowd, total=False): ...


class LaneOptions(Shared, Sending, Joining, total=False): ...


def _check(given: Mapping[str, object], known: type) -> None:
    for name in given.keys() - known.__annotations__.keys():
        close = difflib.get_close_matches(name, known.__annotations__, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise TypeError(f"no option here is called {name!r}{hint}")


def _bits(fields: Iterable[str] | str) -> int:
    words = {fields} if isinstance(fields, str) else fields
    return sum(number("a field", word, FIELDS) for word in set(words))


def _microseconds(spin: object) -> int:
    if not isinstance(spin, (int, float)) or not 0 <= spin <= 1000:
        raise ValueError(f"spin is a number of seconds, 0 or more, not {spin!r}")
    return round(spin * 1e6)


def _options(given: Mapping[str, object], known: type, role: str = "pair") -> dict[str, object]:
    """As the native functions take them."""
    _check(given, known)
    told = options({"role": role, **given})
    if "fields" in told:
        told["fields"] = _bits(told["fields"])  # type: ignore[arg-type]
    if "spin" in told:
        told["spin_us"] = _microseconds(told.pop("spin"))
    return told


def _address(name: str) -> str:
    if name.startswith(("pipe:", "stdio:", "\\\\")):
        raise ValueError(f"{name!r} is not the name of a channel")
    return name if name.startswith("channel:") else f"channel:{name}"


# ---- what is told ----


def _datetime(time: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time // 10)


class Received(NamedTuple):
    """About the message that was received or peeked at last."""

    lost: int  # messages that were lost before it, since the one before
    sender: int  # pid of who sent it
    sequence: int  # its number, from 0; 0 where the sender sends no "sequence"
    time_ns: int  # when it was sent, as in time.time_ns(); 0 where the sender sends no "time"
    tag: int  # 0 where the sender sends none

    @property
    def time(self) -> datetime | None:
        """When it was sent, in UTC; None where the sender sends no "time"."""
        return _datetime((self.time_ns + _EPOCH_TO_1970_NS) // 100) if self.time_ns else None


class ChannelMember(NamedTuple):
    """One party of a channel, and what it has done since it joined."""

    role: str  # "pair", "publisher", "subscriber", "funnel" or "lane"
    pid: int
    waiting: bool  # asleep
    since: datetime  # when it joined, in UTC
    capacity: int  # of the ring that it writes; 0: none
    messages: int  # that it has sent
    bytes: int  # that these took in the ring, their headers included
    dropped: int  # messages that found no room
    unread: int  # bytes that wait for it
    lost: int  # messages that it has missed
    sleeps: int  # how often it slept
    wakes: int  # how often it woke others
    image: str  # path of its program, "" where we may not ask

    @classmethod
    def _told(cls, told: native.Told) -> Self:
        since = _datetime(told["since"])
        return cls(
            **told | {"role": word(told["role"], ROLES), "waiting": bool(told["waiting"]), "since": since}
        )


def channel_members(
    name: str,
    *,
    timeout: float | None = 5,
    scope: Scope | None = None,
    server_user: str | None = None,
) -> list[ChannelMember]:
    """Who is on the channel of that name, without disturbing it; the one that all others met comes first.

    `NotFound` when nobody is there until the time is up. A listener tells of all its pairs.
    """
    given = options({"scope": scope, "server_user": server_user})
    return [ChannelMember._told(told) for told in native.channel_inspect(_address(name), given, timeout)]


# ---- channels ----


class Channel(native.Channel, Connection):  # type: ignore[misc]  # its peek lends what Connection's copies
    """One end of a channel between two. `Channel(name)` opens it: whoever comes first waits for the other.

    `timeout` is for that wait. The options are those of `Shared`, `Sending`, `Receiving`, `Hosting` and
    `Joining`. `Channel.connect` and `connect("channel:NAME")` join, too, but wait for nobody as the first.

        with channel.reserve(100) as view:  # room for a message in the shared memory itself
            view[:5] = b"Shine"             # it is sent at the end; after an exception it is not
        with channel.peek() as view:        # the next message where it lies; at the end it counts as received
            print(bytes(view))

    To send less than was reserved, keep the reservation: `with (room := channel.reserve(100)) as view:`, and
    within `room.size = 5`. Nothing may look at the memory any more when its block ends: what does is a
    `BufferError`, a reservation is not sent then, and the channel stays open until nothing looks. `peek`
    raises `Overrun` at the end when a publisher has overwritten the message meanwhile.
    """

    def __init__(self, name: str, *, timeout: float | None = 10, **given: Unpack[ChannelOptions]) -> None:
        self._open(name, timeout, _options(given, ChannelOptions))

    def _open(self, name: str, timeout: float | None, told: dict[str, object]) -> None:
        Connection.__init__(self, native.channel_open(_address(name), told, timeout))

    @staticmethod
    def listen(name: str, **given: Unpack[ListenOptions]) -> ChannelListener:
        """Serve at the name: each client that connects gets a channel of its own, from `accept`."""
        address = _address(name)
        return ChannelListener(native.channel_listen(address, _options(given, ListenOptions)), address)

    @classmethod
    def connect(cls, name: str, *, timeout: float | None = 10, **given: Unpack[ConnectOptions]) -> Channel:
        """Join who is there, and wait for nobody as the first: `winipc.connect` with a channel's options."""
        return _channel(native.channel_connect(_address(name), _options(given, ConnectOptions), timeout))

    @classmethod
    def from_handle(
        cls, handle: int, *, timeout: float | None = 10, **given: Unpack[ConnectOptions]
    ) -> Channel:
        """Connect by the HANDLE that `channel_create` gave, which then belongs to the channel.

        On an error it stays yours.
        """
        told = _options(given, ConnectOptions)
        return _channel(native.channel_from_handle(handle, told, timeout))

    def arm(self) -> int | None:
        """A HANDLE to wait for in a loop of your own, once: then receive, or arm again.

        None: do not wait, something is there already. The handle is lent.
        """
        status, handle = native.connection_arm(self._id)
        return None if status == native.READY else handle

    @property
    def received(self) -> Received:
        """About the message that was received or peeked at last, how many were lost before it among that."""
        told = native.channel_received(self._id)
        time = told["time"] * 100 - _EPOCH_TO_1970_NS if told["time"] else 0
        return Received(told["lost"], told["sender"], told["sequence"], time, told["tag"])

    def set_tag(self, tag: int) -> None:
        """The tag of the messages that are sent from now on, where `fields` has "tag"."""
        native.channel_set_tag(self._id, tag)

    @property
    def channel_info(self) -> ChannelMember:
        """This end, as the others see it."""
        return ChannelMember._told(native.channel_get_info(self._id))


class Publisher(Channel):
    """Sends to every `Subscriber` that is there. There is one of a name (else `Exists`).

    The options are those of `Shared`, `Sending`, `Hosting` and `Crowd`. To send to nobody is no error.
    """

    def __init__(self, name: str, **given: Unpack[PublisherOptions]) -> None:
        self._open(name, 0, _options(given, PublisherOptions, "publisher"))


class Subscriber(Channel):
    """Receives what a `Publisher` sends from now on, and waits for it to come (in the end `NotFound`).

    The options are those of `Shared`, `Receiving` and `Joining`, and `from_oldest`. A reader that is too slow
    misses messages, if the publisher wants it so: `received.lost` tells how many.
    """

    def __init__(self, name: str, *, timeout: float | None = 10, **given: Unpack[SubscriberOptions]) -> None:
        self._open(name, timeout, _options(given, SubscriberOptions, "subscriber"))


class Funnel(Channel):
    """Receives from every `Lane`. There is one of a name (else `Exists`).

    The options are those of `Shared`, `Receiving`, `Hosting` and `Crowd`.
    """

    def __init__(self, name: str, **given: Unpack[FunnelOptions]) -> None:
        self._open(name, 0, _options(given, FunnelOptions, "funnel"))


class Lane(Channel):
    """Sends to a `Funnel`, and waits for it to come (in the end `NotFound`).

    The options are those of `Shared`, `Sending` and `Joining`.
    """

    def __init__(self, name: str, *, timeout: float | None = 10, **given: Unpack[LaneOptions]) -> None:
        self._open(name, timeout, _options(given, LaneOptions, "lane"))


class ChannelListener(Listener):
    """A listener whose `accept` gives channels."""

    def accept(self, timeout: float | None = None) -> Channel:
        """Wait for the next client. One thread at a time; another one is `Busy`."""
        return _channel(native.accept(self._id, timeout))


def _channel(opened: int) -> Channel:
    channel = adopt(opened, "channel:")
    assert isinstance(channel, Channel)
    return channel


def channel_create(**given: Unpack[ListenOptions]) -> tuple[ChannelListener, int]:
    """A channel without a name: a listener for one client, who comes by the HANDLE.

    Let a child process inherit the HANDLE, or put a duplicate into any process (`Process.give_handle`), close
    yours, and accept. The client's end is `Channel.from_handle`.
    """
    listener, handle = native.channel_create(_options(given, ListenOptions))
    return ChannelListener(listener, "channel:"), handle


classes["channel"] = Channel

__all__ = [
    "Channel",
    "ChannelListener",
    "ChannelMember",
    "Funnel",
    "Lane",
    "Loan",
    "Publisher",
    "Received",
    "Reservation",
    "Subscriber",
    "channel_create",
    "channel_members",
]
