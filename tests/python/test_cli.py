"""The command line, as somebody types it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
import winipc
from support import SOON
from winipc import cli


class Command:
    def __init__(self, *words: str) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "winipc", *words]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)

    def finish(self, data: bytes = b"") -> tuple[int, bytes, str]:
        out, error = self.process.communicate(data, 40)
        return self.process.returncode, out.replace(b"\r\n", b"\n"), error.decode()


@pytest.fixture
def run(capsysbinary):
    """Runs a command that reads nothing, in this process: its exit code, output and errors."""

    def run(*words):
        try:
            code = cli.main(list(words))
        except SystemExit as wrong_use:
            code = wrong_use.code
        out, error = capsysbinary.readouterr()
        return code, out.replace(b"\r\n", b"\n"), error.decode().replace("\r\n", "\n")

    return run


@pytest.fixture
def command():
    started = []

    def start(*words):
        started.append(Command(*words))
        return started[-1]

    yield start
    for item in started:
        item.process.kill()
        item.process.communicate()


def test_connect_sends_lines_as_messages_and_shows_replies(command, address):
    with winipc.listen(address) as listener:
        client = command("connect", address)
        with listener.accept(30) as server:
            client.process.stdin.write(b"one\ntwo\n")
            client.process.stdin.flush()
            assert (server.receive(30), server.receive(30)) == (b"one", b"two")
            server.send(b"reply")
            server.drain(30)
        assert client.finish() == (0, b"reply\n", "")


def test_connect_ends_some_time_after_its_input(command, address):
    with winipc.listen(address) as listener:
        client = command("connect", address, "--linger", "0.2")
        with listener.accept(30) as server:
            client.process.stdin.write(b"last without a line end")
            client.process.stdin.close()
            assert list(server) == [b"last without a line end"]
        assert client.process.wait(30) == 0


def test_listen_shows_what_comes_in_hex(command, address):
    server = command("listen", address, "--framing", "u32", "--type", "byte", "--hex")
    with winipc.connect(address, timeout=30, framing="u32") as client:
        client.send(b"\0\xff")
        client.send(b"")
        server.process.stdin.write(b"00 01 02\n")
        server.process.stdin.flush()
        assert client.receive(30) == b"\0\1\2"
        client.drain(30)
    assert server.finish() == (0, b"00ff\n\n", "")


def test_listen_and_connect_talk_over_a_channel(command, name):
    server = command("listen", f"channel:{name}")
    client = command("connect", f"channel:{name}", "--timeout", "30", "--linger", "0.5")
    client.process.stdin.write(b"one\ntwo\n")
    client.process.stdin.close()
    assert server.process.stdout.readline().strip() == b"one"
    assert server.process.stdout.readline().strip() == b"two"
    server.process.stdin.close()
    assert (server.process.wait(30), client.process.wait(30)) == (0, 0)


def test_channel_shows_who_is_there_and_what_it_has_done(run, name):
    with winipc.Publisher(name) as publisher, winipc.Subscriber(name) as subscriber:
        publisher.send_many([b"one", b"two"])
        subscriber.receive(SOON)
        code, out, _ = run("channel", name)
        assert code == 0
        head, first, second = (line.split() for line in out.decode().splitlines())
        assert head[:5] == ["ROLE", "PID", "SINCE", "RING", "SENT"]
        assert (first[0], first[1], first[3:6]) == ("publisher", str(os.getpid()), ["1", "MiB", "2"])
        assert (second[0], second[3:7]) == ("subscriber", ["-"] * 4)
        assert int(second[7]) > 0  # unread
        assert second[-1].endswith(".exe")


def test_channel_watches_until_the_end(run, name, aside):
    publisher = winipc.Publisher(name)
    aside(lambda: (time.sleep(1), publisher.close()))
    code, out, _ = run("channel", f"channel:{name}", "--watch", "0.1", "--timeout", "0.3")
    assert code == 0
    assert out.count(b"publisher") > 1


def test_channel_that_nobody_is_on(run, name):
    code, _, error = run("channel", name, "--timeout", "0.1")
    assert (code, error[:8]) == (1, "winipc: ")


def test_listen_and_connect_talk_to_each_other_in_a_stream(command, address):
    server = command("listen", address, "--type", "byte")
    client = command("connect", address, "--linger", "0.5")
    client.process.stdin.write(b"no line end")
    client.process.stdin.close()
    assert server.finish() == (0, b"no line end", "")
    assert client.process.wait(30) == 0


def test_listen_keeps_serving(command, address):
    server = command("listen", address, "--keep")
    for message in (b"one", b"two"):
        with winipc.connect(address, timeout=30) as client:
            client.send(message)
            client.drain(30)
        assert server.process.stdout.readline().strip() == message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["connect", "pipe:winipc-nobody", "--timeout", "0"], "there is no pipe"),
        (["connect", "winipc-nobody"], "did you mean pipe:winipc-nobody"),
        (["listen", "tcp:80"], "tcp"),
        (["shm", "winipc-nothing"], "winipc-nothing"),
        (["listen", "pipe:winipc-nobody", "--timeout", "-1"], "timeout"),
        (["listen", "pipe:winipc-nobody", "--timeout", "0.01"], "time"),
    ],
)
def test_an_error_is_one_line(run, words, said):
    code, out, error = run(*words)
    assert (code, out) == (1, b"")
    assert said in error
    assert error.startswith("winipc: ") and error.count("\n") == 1


@pytest.mark.parametrize("words", [["conect", "x"], [], ["listen"], ["listen", "x", "--framing", "lines"]])
def test_wrong_use_is_explained(run, words):
    code, _, error = run(*words)
    assert code == 2
    assert "usage: python -m winipc" in error


def test_help_names_the_commands(run):
    code, out, _ = run("--help")
    assert code == 0
    for name in (b"pipes", b"listen", b"connect", b"shm"):
        assert name in out


def test_pipes_are_listed_or_it_is_said_that_they_cannot_be(run, address):
    with winipc.listen(address):
        code, out, error = run("pipes")
    if winipc.has("pipe.list"):
        assert address.removeprefix("pipe:") in out.decode().split()
    else:
        assert (code, out) == (1, b"")
        assert "cannot list pipes" in error


def test_shared_memory_is_told_and_dumped(run, name):
    with winipc.SharedMemory(name, 40, create=True) as memory:
        memory.buf[:5] = b"Shine"
        _, out, _ = run("shm", name)
        assert out.decode().splitlines() == ["size     40 bytes", f"creator  process {os.getpid()}"]
        first, second = run("shm", name, "--dump", "--count", "17")[1].splitlines()
        assert first.startswith(b"00000000  53 68 69 6e 65 00") and first.endswith(b"  Shine...........")
        assert second.split() == [b"00000010", b"00", b"."]
        assert run("shm", name, "--raw", "--count", "9", "--offset", "1")[1] == b"hine\0\0\0\0\0"
        assert run("shm", name, "--dump", "--offset", "41")[0] == 1


def test_shared_memory_is_written(command, name):
    with winipc.SharedMemory(name, 10, create=True) as memory:
        assert command("shm", name, "--write", "--offset", "1").finish(b"Shine") == (0, b"", "")
        assert bytes(memory.buf) == b"\0Shine\0\0\0\0"
        code, _, error = command("shm", name, "--write").finish(bytes(11))
        assert (code, error.rstrip()) == (1, "winipc: 11 bytes do not fit into 10")


def test_shared_memory_is_created_and_held(command, name):
    held = command("shm", name, "--size", "100", "--hold")
    assert held.process.stdout.readline().strip() == b"size     100 bytes"
    assert b"just now" in held.process.stdout.readline()
    with winipc.SharedMemory(name) as memory:
        assert memory.size == 100
    held.process.kill()
    held.process.wait(SOON)
