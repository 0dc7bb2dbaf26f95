"""What the tests of the Python package share: addresses, pairs of connections, and other processes."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest
import winipc
from support import SOON, Channels, Pair

_numbers = itertools.count()


@pytest.fixture
def name() -> str:
    """A name that nobody else uses."""
    return f"winipc-test-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def address(name: str) -> str:
    return f"pipe:{name}"


@pytest.fixture
def make_pair(address: str) -> Iterator[Callable[..., Pair]]:
    """Makes a client and its server; options that begin with client_ or server_ go to that end alone."""
    opened: list[winipc.Connection | winipc.Listener] = []

    def make(**options: object) -> Pair:
        def of(end: str) -> dict[str, object]:
            own = {k.removeprefix(end): v for k, v in options.items() if k.startswith(end)}
            return {k: v for k, v in options.items() if not k.startswith(("client_", "server_"))} | own

        with winipc.listen(address, **of("server_")) as listener:
            opened.append(winipc.connect(address, timeout=SOON, **of("client_")))
            opened.append(listener.accept(SOON))
        client, server = opened[-2:]
        return client, server

    yield make
    for end in opened:
        end.close()


@pytest.fixture
def pair(make_pair: Callable[..., Pair]) -> Pair:
    return make_pair()


@pytest.fixture
def make_channels(name: str, aside: Callable[..., Future[object]]) -> Iterator[Callable[..., Channels]]:
    """Makes both ends of a channel, with the same options."""
    opened: list[winipc.Channel] = []

    def make(**options: object) -> Channels:
        other = aside(lambda: winipc.Channel(name, timeout=SOON, **options))
        opened.append(winipc.Channel(name, timeout=SOON, **options))
        opened.append(other.result(SOON))
        return opened[-2], opened[-1]

    yield make
    for end in opened:
        end.close()


@pytest.fixture
def channels(make_channels: Callable[..., Channels]) -> Channels:
    return make_channels()


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a Python program in a process of its own, with its arguments in sys.argv[1:]."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(program: str, *arguments: str, **options: object) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", textwrap.dedent(program), *arguments]
        processes.append(subprocess.Popen(words, **options))
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def aside() -> Iterator[Callable[..., Future[object]]]:
    """Calls a function on another thread; the future has what it returned or raised."""
    threads: list[threading.Thread] = []

    def call(function: Callable[..., object], *arguments: object) -> Future[object]:
        future: Future[object] = Future()

        def work() -> None:
            try:
                future.set_result(function(*arguments))
            except BaseException as error:
                future.set_exception(error)

        threads.append(threading.Thread(target=work, daemon=True))
        threads[-1].start()
        return future

    yield call
    for thread in threads:
        thread.join(SOON)
        assert not thread.is_alive(), "a thread is still blocked"
