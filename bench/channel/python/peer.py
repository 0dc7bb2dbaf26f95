"""Peers in Python: multiprocessing's Connection and Queue, and pywin32; used as those of c/harness.h are."""

from __future__ import annotations

import _winapi
import importlib
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import connection, context, reduction
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, NoReturn

LAST = 1 << 63
WRITER_SHIFT = 48
COLD_PAUSE, BEFORE_STALL, LIFETIME = 0.02, 10, 120
PROCESS_DUP_HANDLE = 0x40
ROOM = 1000  # messages in a Queue


class Job(NamedTuple):
    name: str
    mode: str
    serves: bool
    size: int
    seconds: float
    clients: int
    which: int


class Link(NamedTuple):
    send: Callable[[bytes], Any]
    receive: Callable[[], bytes]


# ---- what is said to the driver ----


def say(**figures: float | str) -> None:
    print(json.dumps(figures), flush=True)


def broken(what: object) -> NoReturn:
    at = perf_counter() * 1e6  # QueryPerformanceCounter: one clock for all processes
    say(error=f"{type(what).__name__}: {what}", at=at)
    os._exit(3)


def await_line() -> None:
    if not sys.stdin.readline():
        os._exit(4)


# ---- messages ----


class Messages:
    def __init__(self, size: int) -> None:
        self.middle = bytes([1]) * (size - 16)

    def __call__(self, number: int) -> bytes:
        ends = number.to_bytes(8, "little")
        return b"".join((ends, self.middle, ends))


def look(message: bytes) -> int:
    """The number of a message, of which every line has been read: a slice takes its first byte."""
    sum(message[::64])
    if message[:8] != message[-8:]:
        broken(ValueError("a torn message"))
    return int.from_bytes(message[:8], "little")


def check(number: int, expected: int) -> None:
    if number & ~LAST != expected:
        broken(ValueError(f"message {number & ~LAST:x} instead of {expected:x}"))


# ---- round trips ----


def trip(link: Link, make: Messages, number: int) -> float:
    start = perf_counter()
    link.send(make(number))
    check(look(link.receive()), number & ~LAST)
    return perf_counter() - start


def trips(job: Job, link: Link, pause: float) -> None:
    samples: list[float] = []
    make, number, start = Messages(job.size), 0, perf_counter()
    warm = start if pause else start + job.seconds / 10
    while number < 3 or perf_counter() < warm:
        trip(link, make, number)
        number += 1
    while not samples or perf_counter() < warm + job.seconds:
        if pause:
            time.sleep(pause)
        samples.append(trip(link, make, number) * 1e6)
        number += 1
    trip(link, make, number | LAST)
    samples.sort()
    places = {"least": 0.0, "median": 0.5, "p99": 0.99, "p999": 0.999}
    say(trips=len(samples), **{name: samples[int(at * (len(samples) - 1))] for name, at in places.items()})


def trip_client(job: Job, link: Link) -> None:
    trips(job, link, 0)


def cold_client(job: Job, link: Link) -> None:
    trips(job, link, COLD_PAUSE)


def echo(job: Job, link: Link) -> None:
    number = expected = 0
    while not number & LAST:
        message = link.receive()
        check(number := look(message), expected)
        link.send(message)
        expected += 1
    say()


# ---- streams ----


def write(job: Job, link: Link, seconds: float | None = None) -> None:
    make, origin, number, longest = Messages(job.size), job.which << WRITER_SHIFT, 0, 0.0
    before = start = perf_counter()
    while before < start + (job.seconds if seconds is None else seconds):
        for _ in range(16):
            link.send(make(origin | number))
            number += 1
        now = perf_counter()
        longest, before = max(longest, now - before), now
    link.send(make(origin | number | LAST))
    say(sent=number + 1, longest_ms=longest * 1000)


def read(job: Job, link: Link) -> None:
    expected: dict[int, int] = {}
    messages, left, begun = 0, job.clients, 0.0
    while left:
        number = look(link.receive())
        writer = (number & ~LAST) >> WRITER_SHIFT
        check(number, writer << WRITER_SHIFT | expected.get(writer, 0))
        expected[writer] = expected.get(writer, 0) + 1
        begun = begun or perf_counter()
        messages += 1
        left -= number >= LAST
    say(messages=messages - 1, seconds=perf_counter() - begun)


# ---- silence, a stall, a peer that is killed ----


def idle_client(job: Job, link: Link) -> None:
    time.sleep(job.seconds)
    link.send(Messages(job.size)(LAST))
    say()


def idle_server(job: Job, link: Link) -> None:
    cpu, start = time.process_time(), perf_counter()
    look(link.receive())
    say(cpu=time.process_time() - cpu, seconds=perf_counter() - start)


def stall_client(job: Job, link: Link) -> None:
    write(job, link, job.seconds + 0.2)


def stall_server(job: Job, link: Link) -> None:
    number = received = lost = expected = 0
    while not number & LAST:
        if received == BEFORE_STALL:
            time.sleep(job.seconds)
        number = look(link.receive())
        received, lost, expected = received + 1, lost + (number & ~LAST) - expected, (number & ~LAST) + 1
    say(received=received, lost=lost)


def endless_client(job: Job, link: Link) -> None:
    make, number = Messages(job.size), 0
    while True:
        link.send(make(number))
        number += 1


def endless_server(job: Job, link: Link) -> None:
    expected = 0
    while True:
        check(look(link.receive()), expected)
        expected += 1


MODES: dict[str, tuple[Callable[[Job, Link], None], Callable[[Job, Link], None]]] = {
    "trip": (echo, trip_client),
    "cold": (echo, cold_client),
    "stream": (read, write),
    "fan_in": (read, write),
    "idle": (idle_server, idle_client),
    "stall": (stall_server, stall_client),
    "endless": (endless_server, endless_client),
}


# ---- multiprocessing.connection ----


def connection_link(made: Any) -> Link:
    return Link(made.send_bytes, made.recv_bytes)


def connection_server(job: Job) -> Link:
    listener = connection.Listener(rf"\\.\pipe\{job.name}", "AF_PIPE")
    print("ready", flush=True)
    return connection_link(listener.accept())


def connection_client(job: Job) -> Link:
    made = connection_link(connection.Client(rf"\\.\pipe\{job.name}", "AF_PIPE"))
    print("ready", flush=True)
    return made


# ---- multiprocessing.Queue ----


class Heir:
    """What multiprocessing asks of a child that inherits: here any process, by its id."""

    def __init__(self, pid: int) -> None:
        self.process = _winapi.OpenProcess(PROCESS_DUP_HANDLE, False, pid)

    def duplicate_for_child(self, handle: int) -> int:
        return int(reduction.duplicate(handle, self.process))


def hand_over(queues: object, ends: Any) -> None:
    """A Queue is pickled only for a child that is being started; so this one is said to be."""
    heir: Any = Heir(ends.recv())
    context.set_spawning_popen(heir)
    try:
        ends.send_bytes(reduction.ForkingPickler.dumps(queues))
    finally:
        context.set_spawning_popen(None)
    ends.recv_bytes()  # it has them


def queue_server(job: Job) -> Link:
    # Without a bound the writer is done long before the first message is read.
    there: Any = multiprocessing.Queue(ROOM)
    back: Any = multiprocessing.Queue(ROOM)
    listener = connection.Listener(rf"\\.\pipe\{job.name}", "AF_PIPE")
    print("ready", flush=True)
    for _ in range(job.clients):
        with listener.accept() as ends:
            hand_over((there, back), ends)
    return Link(back.put, there.get)


def queue_client(job: Job) -> Link:
    with connection.Client(rf"\\.\pipe\{job.name}", "AF_PIPE") as ends:
        ends.send(os.getpid())
        there, back = reduction.ForkingPickler.loads(ends.recv_bytes())
        ends.send_bytes(b"got them")
    print("ready", flush=True)
    return Link(there.put, back.get)


# ---- pywin32 ----


def pywin32() -> Any:
    """The package, unpacked from its wheel, needs what its installer would have set up."""
    folder = Path(__file__).resolve().parents[3] / "build" / "rivals" / "python"
    sys.path += [str(folder / part) for part in ("", "win32", "win32/lib")]
    os.add_dll_directory(str(folder / "pywin32_system32"))
    return importlib.import_module("win32file"), importlib.import_module("win32pipe")


def pywin32_link(pipe: Any, size: int) -> Link:
    win32file, _ = pywin32()

    def receive() -> bytes:
        data: bytes = win32file.ReadFile(pipe, size)[1]
        return data

    return Link(lambda data: win32file.WriteFile(pipe, data), receive)


def pywin32_server(job: Job) -> Link:
    _, win32pipe = pywin32()
    mode = win32pipe.PIPE_TYPE_MESSAGE | win32pipe.PIPE_READMODE_MESSAGE
    room = 65536
    pipe = win32pipe.CreateNamedPipe(
        rf"\\.\pipe\{job.name}", win32pipe.PIPE_ACCESS_DUPLEX, mode, 1, room, room, 0, None
    )
    print("ready", flush=True)
    win32pipe.ConnectNamedPipe(pipe, None)
    return pywin32_link(pipe, job.size)


def pywin32_client(job: Job) -> Link:
    win32file, win32pipe = pywin32()
    access = win32file.GENERIC_READ | win32file.GENERIC_WRITE
    pipe = win32file.CreateFile(rf"\\.\pipe\{job.name}", access, 0, None, win32file.OPEN_EXISTING, 0, None)
    win32pipe.SetNamedPipeHandleState(pipe, win32pipe.PIPE_READMODE_MESSAGE, None, None)
    print("ready", flush=True)
    return pywin32_link(pipe, job.size)


# ---- the process ----


PEERS: dict[str, tuple[Callable[[Job], Link], Callable[[Job], Link]]] = {
    "connection": (connection_server, connection_client),
    "queue": (queue_server, queue_client),
    "pywin32": (pywin32_server, pywin32_client),
}


def end_at_last() -> None:
    time.sleep(LIFETIME)
    os._exit(5)


def main(words: list[str]) -> None:
    variant, role, name, mode, *numbers = words
    size, milliseconds, clients, which = map(int, numbers)
    job = Job(name, mode, role == "server", size, milliseconds / 1000, clients, which)
    threading.Thread(target=end_at_last, daemon=True).start()
    side = 0 if job.serves else 1
    link = PEERS[variant][side](job)
    await_line()
    MODES[mode][side](job, link)
    await_line()
    os._exit(0)  # a Queue would wait for its thread


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Exception as error:  # whatever a library makes of a peer that is gone
        broken(error)
