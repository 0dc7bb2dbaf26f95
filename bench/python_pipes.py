"""winipc's Python package against multiprocessing.connection over named pipes.

Two processes, and both contestants in each, in turns as in bench/c/bench.h: A B B A, in short blocks.
Both use a message pipe and receive each message as a new `bytes`.
"""

from __future__ import annotations

import os
import statistics
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing import connection as stdlib
from time import perf_counter
from typing import NamedTuple

import winipc
from figures import Cell

PATIENCE = 20.0
SIZES = (64, 4096, 1 << 20)
WAYS = ("round trip", "one way")
BLOCK_SECONDS = {"round trip": 0.01, "one way": 0.02}
MOST_MESSAGES, MOST_PAIRS = 1 << 14, 4096
DIFFERENT = 8  # so many messages of a size are made beforehand

ORDER = struct.Struct("<4I")  # contestant, way, bytes, count; a count of 0: leave


class Contestant(NamedTuple):
    send: Callable[[bytes], None]
    receive: Callable[[], bytes]


def stdlib_contestant(ends: stdlib.Connection) -> Contestant:
    return Contestant(ends.send_bytes, ends.recv_bytes)


def winipc_contestant(ends: winipc.Connection) -> Contestant:
    return Contestant(lambda data: ends.send(data, timeout=PATIENCE), lambda: ends.receive(timeout=PATIENCE))


def messages(size: int) -> list[bytes]:
    """Each begins and ends with its number."""
    numbers = [number.to_bytes(8, "little") for number in range(DIFFERENT)]
    return [number + bytes(size - 16) + number for number in numbers]


def check(message: bytes, expected: bytes) -> None:
    same = len(message) == len(expected) and message[:8] == expected[:8] and message[-8:] == expected[-8:]
    if not same:
        raise SystemExit("a message is not what was sent")


# ---- the server ----


def serve(name: str, address: str) -> None:
    with (
        stdlib.Listener(rf"\\.\pipe\{name}-stdlib", "AF_PIPE") as a,
        winipc.listen(address) as b,
    ):
        control = a.accept()
        contestants = [stdlib_contestant(a.accept()), winipc_contestant(b.accept(timeout=PATIENCE))]
        while True:
            order = control.recv_bytes()
            who, way, size, count = ORDER.unpack(order)
            expected = messages(size) if count else []
            control.send_bytes(order)
            if not count:
                return
            (echo if WAYS[way] == "round trip" else drain)(contestants[who], expected, count)


def echo(contestant: Contestant, expected: list[bytes], count: int) -> None:
    for i in range(count):
        message = contestant.receive()
        check(message, expected[i % DIFFERENT])
        contestant.send(message)


def drain(contestant: Contestant, expected: list[bytes], count: int) -> None:
    for i in range(count):
        check(contestant.receive(), expected[i % DIFFERENT])
    contestant.send(b"all there")


# ---- the client ----


def ping(contestant: Contestant, sent: list[bytes], count: int) -> float:
    took = []
    for i in range(count):
        message = sent[i % DIFFERENT]
        start = perf_counter()
        contestant.send(message)
        answer = contestant.receive()
        took.append(perf_counter() - start)
        check(answer, message)
    return statistics.median(took) * 1e6


def stream(contestant: Contestant, sent: list[bytes], count: int) -> float:
    start = perf_counter()
    for i in range(count):
        contestant.send(sent[i % DIFFERENT])
    if contestant.receive() != b"all there":
        raise SystemExit("messages were lost")
    return (perf_counter() - start) / count * 1e6


class Client:
    def __init__(self, name: str, address: str) -> None:
        path = rf"\\.\pipe\{name}-stdlib"
        ours = winipc.connect(address, timeout=PATIENCE)
        self.control = stdlib.Client(path, "AF_PIPE")
        self.contestants = [stdlib_contestant(stdlib.Client(path, "AF_PIPE")), winipc_contestant(ours)]

    def order(self, who: int, way: str, size: int, count: int) -> None:
        self.control.send_bytes(ORDER.pack(who, WAYS.index(way), size, count))
        self.control.recv_bytes()

    def block(self, who: int, way: str, sent: list[bytes], count: int) -> float:
        self.order(who, way, len(sent[0]), count)
        return (ping if way == "round trip" else stream)(self.contestants[who], sent, count)

    def calibrate(self, way: str, sent: list[bytes]) -> int:
        """So many messages that a block takes its time; the first blocks warm up."""
        count = 4
        while count < MOST_MESSAGES:
            start = perf_counter()
            for who in (1, 0):
                self.block(who, way, sent, count)
            if perf_counter() - start >= 2 * BLOCK_SECONDS[way]:
                break
            count *= 2
        return count

    def measure(self, kind: str, way: str, size: int, seconds: float) -> Cell:
        sent = messages(size)
        count, figures = self.calibrate(way, sent), ([], [])
        end = perf_counter() + seconds
        while perf_counter() < end and len(figures[0]) < MOST_PAIRS:
            first = len(figures[0]) % 2
            for who in (first, 1 - first):
                figures[who].append(self.block(who, way, sent, count))
        return Cell("python", kind, way, size, *figures)


def cells(
    seconds: float, wanted: Callable[[str], bool], kind: str = "message pipe", scheme: str = "pipe"
) -> Iterator[Cell]:
    """winipc is reached by an address of that scheme."""
    name = f"winipc-python-bench-{os.getpid()}"
    address = f"{scheme}:{name}-winipc"
    asked = [(way, size) for way in WAYS for size in SIZES if wanted(f"{kind} {way} {size}")]
    if not asked:
        return
    server = subprocess.Popen([sys.executable, __file__, name, address])
    client = Client(name, address)
    for way, size in asked:
        yield client.measure(kind, way, size, seconds)
    client.order(0, WAYS[0], 0, 0)
    server.wait(PATIENCE)


if __name__ == "__main__":
    serve(*sys.argv[1:])
