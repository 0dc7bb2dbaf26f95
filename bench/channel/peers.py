"""The peers of the benchmark: what each is, how it is started, what it can do."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
RIVALS = HERE.parent.parent / "build" / "rivals"

LIMIT, YARDSTICK, BARE, OURS, RIVAL = "limit", "yardstick", "plain Win32", "winipc", "rival"

TRIP_SIZES = SIZES = (64, 4096, 1 << 20)


class Peer(NamedTuple):
    name: str
    group: str
    about: str
    words: list[str]  # the command, up to the role
    cells: frozenset[tuple[str, int]] | None = None  # all that it can do, or None: all but the fans
    fans: frozenset[str] = frozenset()  # fan_in, fan_out
    rival: str = ""  # what tools/rivals.py calls it
    helper: bool = False  # a third process, in the role "helper", works for the two
    patience: float = 0  # the least seconds to wait for the news that its peer was killed

    def can(self, mode: str, size: int) -> bool:
        if mode.startswith("fan"):
            return mode in self.fans
        return self.cells is None or (mode, size) in self.cells


def program(name: str, variant: str) -> list[str]:
    return [str(RIVALS / "bin" / f"{name}.exe"), variant]


def script(variant: str) -> list[str]:
    return [sys.executable, str(HERE / "python" / "peer.py"), variant]


BOTH = frozenset({"fan_in", "fan_out"})
IN, NONE = frozenset({"fan_in"}), frozenset[str]()
BATCHES = frozenset({("stream", 64), ("stream", 4096)})
TRIP, COPY = frozenset({("trip", 64)}), frozenset({("stream", 1 << 20)})

ALL = [
    Peer("line", LIMIT, "one cache line to and fro", program("limits", "line"), TRIP),
    Peer("lines", LIMIT, "a cache line each way", program("limits", "lines"), TRIP),
    Peer("event", LIMIT, "an event each way", program("limits", "event"), TRIP),
    Peer("memcpy", LIMIT, "copies into 4 MiB", program("limits", "memcpy"), COPY),
    Peer("memcpy_large", LIMIT, "copies into 32 MiB", program("limits", "memcpy_large"), COPY),
    Peer("ring_spin", YARDSTICK, "spins; read in place", program("ring", "ring_spin")),
    Peer("ring_spin_copy", YARDSTICK, "spins; copied out", program("ring", "ring_spin_copy")),
    Peer("ring_spin_event", YARDSTICK, "spins 20 µs, then sleeps", program("ring", "ring_spin_event")),
    Peer("ring_event", YARDSTICK, "sleeps at once", program("ring", "ring_event")),
    Peer("winipc_channel", OURS, "channel:NAME", program("winipc", "winipc_channel"), None, BOTH),
    Peer("winipc_loan", OURS, "built and read in the ring", program("winipc", "winipc_loan")),
    Peer("winipc_batch", OURS, "64 messages a call", program("winipc", "winipc_batch"), BATCHES),
    Peer("winipc_pipe", OURS, "pipe:NAME", program("winipc", "winipc_pipe"), None, BOTH),
    Peer("pipe_blocking", BARE, "ReadFile, WriteFile", program("bare", "pipe_blocking"), None, BOTH),
    Peer("pipe_overlapped", BARE, "the same, overlapped", program("bare", "pipe_overlapped"), None, BOTH),
    Peer("tcp", BARE, "send, recv on the loopback", program("bare", "tcp"), None, BOTH),
    Peer("boost_queue", RIVAL, "message_queue", program("boost", "boost_queue"), None, IN, "boost"),
    Peer(
        "boost_condition",
        RIVAL,
        "mutex and condition",
        program("boost", "boost_condition"),
        None,
        IN,
        "boost",
    ),
    Peer("libuv", RIVAL, "its named pipes", program("libuv", "libuv"), None, NONE, "libuv"),
    Peer("nng", RIVAL, "pair; push and pull; named pipes", program("nng", "nng"), None, IN, "nng"),
    Peer("zeromq", RIVAL, "PAIR, PUSH, XPUB; TCP", program("zeromq", "zeromq"), None, BOTH, "zeromq"),
    Peer(
        "aeron",
        RIVAL,
        "aeron:ipc, polled; a driver",
        program("aeron", "aeron"),
        None,
        BOTH,
        "aeron",
        True,
        40,
    ),
    Peer(
        "go_winio",
        RIVAL,
        "named pipes of message type",
        program("go/winio", "go_winio"),
        None,
        BOTH,
        "go-winio",
    ),
    Peer("py_connection", RIVAL, "multiprocessing.connection", script("connection"), None, NONE),
    Peer("py_queue", RIVAL, "multiprocessing.Queue", script("queue"), None, IN),
    Peer("py_pywin32", RIVAL, "pywin32: ReadFile, WriteFile", script("pywin32"), None, NONE, "pywin32"),
]


def state() -> dict[str, dict[str, str]]:
    """What tools/rivals.py has left: for each rival its version, or why it is missing."""
    file = RIVALS / "rivals.json"
    made: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return made


def chosen(only: str) -> Iterator[Peer]:
    """Those with that text in their name or group; several texts are separated by commas."""
    for peer in ALL:
        if any(text in f"{peer.group} {peer.name}" for text in only.split(",")):
            yield peer
