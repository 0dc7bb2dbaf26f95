"""winipc's channels in Python: against multiprocessing.connection, and what a single call costs.

Alone it tells what the calls cost that do not wait, in nanoseconds, both ends in one thread:

    dev.py python bench/python_channel.py [TEXT]    TEXT: part of a name, "send 64"
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
from collections.abc import Callable, Iterator
from time import perf_counter_ns

import python_pipes
import winipc
from figures import Cell

SIZES = (64, 4096, 65536)
BATCH, BLOCKS = 16, 300  # so many calls fit into the ring; so many times


def cells(seconds: float, wanted: Callable[[str], bool]) -> Iterator[Cell]:
    """The same as of pipes: two processes, winipc's over a channel."""
    return python_pipes.cells(seconds, wanted, "channel", "channel")


# ---- single calls ----

Call = Callable[[], object]


def pair() -> tuple[winipc.Channel, winipc.Channel]:
    name = f"winipc-python-calls-{os.getpid()}"
    ends: list[winipc.Channel] = []

    def open_one() -> None:
        ends.append(winipc.Channel(name, capacity=16 << 20))

    other = threading.Thread(target=open_one)
    other.start()
    open_one()
    other.join()
    return ends[0], ends[1]


def build(channel: winipc.Channel, message: bytes) -> None:
    with channel.reserve(len(message)) as view:
        view[:] = message


def look(channel: winipc.Channel) -> None:
    with channel.peek(0) as view:
        view[0]


def find_nothing(channel: winipc.Channel) -> None:
    try:
        channel.receive(0)
    except TimeoutError:
        return
    raise SystemExit("there is something")


def calls(a: winipc.Channel, b: winipc.Channel, size: int) -> Iterator[tuple[str, Call, Call]]:
    """What sends a message and what takes it, by name: `what sends / what takes`."""
    message, buffer, many = bytes(size), bytearray(size), [bytes(size)] * BATCH

    def send() -> object:
        return a.send(message, timeout=1)

    yield "send / receive", send, lambda: b.receive(timeout=1)
    yield "send / receive_into", send, lambda: b.receive_into(buffer, timeout=1)
    yield "reserve, commit / peek, release", lambda: build(a, message), lambda: look(b)
    if size * BATCH <= 65536:
        yield (
            f"send_many / receive_many, of {BATCH}",
            lambda: a.send_many(many),
            lambda: b.receive_many(BATCH),
        )


def median_of_calls(sends: Call, takes: Call) -> tuple[float, float]:
    """Of each in nanoseconds, in turns: so many are sent, so many are taken."""
    took: tuple[list[float], list[float]] = [], []
    for _ in range(BLOCKS):
        for call, times in zip((sends, takes), took, strict=True):
            start = perf_counter_ns()
            for _ in range(BATCH):
                call()
            times.append((perf_counter_ns() - start) / BATCH)
    return statistics.median(took[0]), statistics.median(took[1])


def main(wanted: str) -> None:
    a, b = pair()
    with a, b:
        nothing, _ = median_of_calls(lambda: find_nothing(b), lambda: None)
        empty, _ = median_of_calls(lambda: None, lambda: None)
        print(f"a lambda that does nothing is among the figures: {empty:.0f} ns")
        print(f"receive(0) that finds nothing, and its exception: {nothing:.0f} ns")
        for size in SIZES:
            for name, sends, takes in calls(a, b, size):
                if wanted in f"{name} {size}":
                    sent, taken = median_of_calls(sends, takes)
                    print(f"{name}, {size} bytes: {sent:.0f} / {taken:.0f} ns", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if sys.argv[1:] else "")
