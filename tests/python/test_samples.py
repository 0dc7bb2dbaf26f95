"""The samples talk to each other: each C program to each, to its Python twin, and the twins among them."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(os.environ["WINIPC_ROOT"])
PATIENCE = 40  # seconds; a Python starts slowly while much else runs

Process = subprocess.Popen[str]
Start = Callable[..., Process]

both_ways = pytest.mark.parametrize(("one", "other"), [*itertools.product(("c", "python"), repeat=2)])
each = pytest.mark.parametrize("one", ("c", "python"))


def command(language: str, what: str) -> list[str]:
    if language == "c":
        return [str(Path(os.environ["WINIPC_SAMPLES"]) / f"{what}.exe")]
    return [sys.executable, str(ROOT / "samples" / "python" / f"{what}.py")]


@pytest.fixture
def channel(name: str) -> str:
    return f"channel:{name}"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a sample in C or in Python."""
    processes: list[Process] = []

    def start(language: str, what: str, *arguments: str) -> Process:
        words = [*command(language, what), *arguments]
        pipe = subprocess.PIPE
        processes.append(subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        return processes[-1]

    yield start
    for process in processes:
        with process:  # closes its streams, and waits
            process.kill()


def lines(process: Process) -> list[str]:
    """What a sample printed until it ended well."""
    out, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, error) == (0, "")
    return out.splitlines()


@both_ways
def test_pipe(start: Start, address: str, one: str, other: str) -> None:
    server = start(one, "pipe_server", address, "2")
    first = start(other, "pipe_client", address, "Ada", "Grace")
    assert lines(first) == ["hello, Ada", "hello, Grace"]
    second = start(other, "pipe_client", address)
    assert lines(second) == ["hello, world"]
    assert lines(server) == [
        f"serving at {address}",
        f"a client: process {first.pid}",
        "answered: hello, Ada",
        "answered: hello, Grace",
        f"a client: process {second.pid}",
        "answered: hello, world",
    ]


@both_ways
def test_a_pipe_client_may_come_before_its_server(start: Start, address: str, one: str, other: str) -> None:
    client = start(other, "pipe_client", address)
    server = start(one, "pipe_server", address, "1")
    assert lines(client) == ["hello, world"]
    assert lines(server)[-1] == "answered: hello, world"


@both_ways
def test_size_prefixed(start: Start, address: str, one: str, other: str) -> None:
    server = start(one, "size_server", address)
    client = start(other, "size_client", address, "drawer", "a man a plan")
    assert lines(client) == ['"reward"', '"nalp a nam a"', '""', "1000000 bytes, from 'z' to 'a'"]
    answered = [f"answered {size} bytes" for size in (6, 12, 0, 1000000)]
    assert lines(server) == [f"serving at {address}", *answered]


@both_ways
@pytest.mark.parametrize("order", ("writer", "reader"))
def test_shared_memory(start: Start, name: str, one: str, other: str, order: str) -> None:
    def writer() -> Process:
        return start(one, "memory_writer", name, "first", "second")

    def reader() -> Process:
        return start(other, "memory_reader", name)

    if order == "writer":
        writing, reading = writer(), reader()
    else:
        reading, writing = reader(), writer()
    assert lines(reading) == ["first", "second", "read 13 bytes"]
    assert lines(writing) == ["wrote: first", "wrote: second", "the reader has it all"]


@both_ways
def test_a_board_holds_what_fits(start: Start, name: str, one: str, other: str) -> None:
    writing = start(one, "memory_writer", name, "a" * 4000, "b" * 4000, "c" * 86, "")
    reading = start(other, "memory_reader", name)
    with ThreadPoolExecutor() as pool:  # each has more to say than a pipe holds
        said, read = pool.map(lines, (writing, reading))
    assert read == ["a" * 4000, "c" * 86, "read 4088 bytes"]
    assert [line[:8] for line in said[:-1]] == ["wrote: a", "no room ", "wrote: c", "no room "]


@both_ways
@pytest.mark.parametrize("scheme", ("channel", "pipe"))
def test_pair(start: Start, name: str, one: str, other: str, scheme: str) -> None:
    address = f"{scheme}:{name}"
    server = start(one, "pair_server", address, "2")
    first = start(other, "pair_client", address, "3", "-1.25")
    *squares, timed = lines(first)
    assert squares == ["9", "1.5625"]
    assert re.fullmatch(r"1000 questions more: \d+\.\d microseconds each", timed)
    second = start(other, "pair_client", address)
    assert lines(second)[0] == "2.25"
    assert lines(server) == [f"serving at {address}", "answered 1002 times", "answered 1001 times"]


@both_ways
@pytest.mark.parametrize("order", ("sender", "receiver"))
def test_frames(start: Start, channel: str, one: str, other: str, order: str) -> None:
    def sender() -> Process:
        return start(one, "frame_sender", channel, "20")

    def receiver() -> Process:
        return start(other, "frame_receiver", channel)

    if order == "sender":
        sending, receiving = sender(), receiver()
    else:
        receiving, sending = receiver(), sender()
    assert lines(receiving) == ["20 frames, all as drawn"]
    assert lines(sending) == ["sent 20 frames"]


def ticks(printed: list[str]) -> tuple[list[int], list[int]]:
    """The numbers of the ticks that a subscriber printed, and its losses. Every number is there or lost."""
    numbers: list[int] = []
    losses: list[int] = []
    expected: int | None = None
    for line in printed[:-1]:
        if line.startswith("lost "):
            losses.append(int(line.removeprefix("lost ")))
            expected = expected and expected + losses[-1]
            continue
        number = int(re.fullmatch(r"#(\d+) ACME \d+\.\d\d x \d+", line)[1])  # type: ignore[index]
        assert expected in (None, number)
        numbers.append(number)
        expected = number + 1
    assert printed[-1] == f"received {len(numbers)} ticks, lost {sum(losses)}"
    return numbers, losses


@both_ways
def test_ticks(start: Start, channel: str, one: str, other: str) -> None:
    publisher = start(one, "tick_publisher", channel, "200", "3")
    assert publisher.stdout
    assert publisher.stdout.readline() == "published 200 ticks; waiting for 3 subscribers\n"
    late = start(other, "tick_subscriber", channel, "oldest")
    prompt = start(other, "tick_subscriber", channel, "now")
    slow = start(other, "tick_subscriber", channel, "now", "20")
    numbers, _ = ticks(lines(late))
    assert 0 < numbers[0] < 200  # the ring has kept the last 100 or so
    assert numbers[-1] == 399
    for subscriber in (prompt, slow):  # each has all from where it began, or is told what it lost
        numbers, losses = ticks(lines(subscriber))
        assert len(numbers) + sum(losses) == 200
        assert numbers[-1] == 399
    assert losses
    assert lines(publisher) == ["published 200 ticks more"]


@both_ways
def test_logging(start: Start, channel: str, one: str, other: str) -> None:
    early = start(other, "log_writer", channel, "early")
    collector = start(one, "log_collector", channel, "7")
    usual = start(other, "log_writer", channel)
    chosen = start(one, "log_writer", channel, "two words", "", "last")
    assert [lines(writer) for writer in (early, usual, chosen)] == [[], [], []]
    first, *logged = lines(collector)
    assert first == f"collecting at {channel}"
    told = [re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} \[(\d+)\] (.*)", line) for line in logged]
    said = [(int(match[1]), match[2]) for match in told if match]
    assert len(said) == 7
    assert [text for pid, text in said if pid == early.pid] == ["early"]
    assert [text for pid, text in said if pid == usual.pid] == ["started", "working", "done"]
    assert [text for pid, text in said if pid == chosen.pid] == ["two words", "", "last"]


@both_ways
def test_inherited_mapping(start: Start, one: str, other: str) -> None:
    parent = start(one, "mapping_parent", *command(other, "mapping_child"))
    assert lines(parent) == [
        "the child inherited 4096 bytes",
        "the child ended with 0 and left: WHAT THE PARENT WROTE",
    ]


@each
def test_a_mapping_that_was_not_inherited(start: Start, one: str) -> None:
    child = start(one, "mapping_child", "4444")
    out, error = child.communicate(timeout=PATIENCE)
    assert (out, child.returncode) == ("", 1)
    assert "handle" in error.lower()


@both_ways
def test_capture(start: Start, one: str, other: str) -> None:
    refused = [*command(other, "pipe_client"), "nonsense"]
    *text, last = lines(start(one, "capture", *refused))
    assert "the address" in "".join(text)
    size = sum(len(line) + 2 for line in text)  # \r\n
    assert last == f"captured {size} bytes; exit code 1"


@each
def test_capture_without_a_command(start: Start, one: str) -> None:
    text = "".join(lines(start(one, "capture")))
    assert "Windows" in text
    assert "exit code 0" in text


@each
def test_the_size_of_a_captured_output_is_exact(start: Start, one: str) -> None:
    program = "import sys; sys.stdout.buffer.write(b'-' * 1_000_000)"
    (text,) = lines(start(one, "capture", sys.executable, "-c", program))
    assert text == "-" * 1_000_000 + "captured 1000000 bytes; exit code 0"


@each
@pytest.mark.parametrize(
    ("what", "arguments", "told"),
    [
        ("pipe_server", ("nonsense",), "nonsense"),
        ("pipe_client", ("nonsense",), "nonsense"),
        ("size_server", ("nonsense",), "nonsense"),
        ("size_client", ("nonsense",), "nonsense"),
        ("pair_server", ("nonsense",), "nonsense"),
        ("pair_client", ("nonsense",), "nonsense"),
        ("frame_sender", ("channel:a\\b",), "backslash"),
        ("frame_receiver", ("channel:a\\b",), "backslash"),
        ("tick_publisher", ("channel:a\\b",), "backslash"),
        ("tick_subscriber", ("channel:a\\b",), "backslash"),
        ("log_collector", ("channel:a\\b",), "backslash"),
        ("log_writer", ("channel:a\\b",), "backslash"),
        ("memory_writer", ("a\\b\\c",), ""),
        ("memory_reader", ("a\\b\\c",), ""),
        ("mapping_parent", ("no-such-program",), "no-such-program"),
        ("capture", ("no-such-program",), "no-such-program"),
    ],
)
def test_an_error_is_told(start: Start, one: str, what: str, arguments: tuple[str, ...], told: str) -> None:
    process = start(one, what, *arguments)
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert error
    assert told in error


def test_a_c_sample_says_when_the_dll_is_missing(tmp_path: Path) -> None:
    alone = tmp_path / "pipe_client.exe"
    alone.write_bytes(Path(command("c", "pipe_client")[0]).read_bytes())
    answer = subprocess.run([alone], capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE)
    assert answer.returncode == 1
    assert "winipc.dll cannot be loaded (Win32 error 126)" in answer.stderr


def test_a_c_sample_says_when_a_function_is_missing(tmp_path: Path) -> None:
    alone = tmp_path / "pipe_client.exe"
    alone.write_bytes(Path(command("c", "pipe_client")[0]).read_bytes())
    other = Path(os.environ["SYSTEMROOT"]) / "system32" / "version.dll"
    (tmp_path / "winipc.dll").write_bytes(other.read_bytes())
    answer = subprocess.run([alone], capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE)
    assert answer.returncode == 1
    assert "this winipc.dll has no function winipc_connect" in answer.stderr
