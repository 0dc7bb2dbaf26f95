"""Processes: starting, talking, waiting, ending; and handles that go between them."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
import winipc
from support import SOON


def python(program, *arguments):
    return [sys.executable, "-c", program, *arguments]


UPPER = "import sys; sys.stdout.write(sys.stdin.read().upper()); sys.stderr.write('done')"
SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def sleeper():
    with winipc.Process(python(SLEEP), kill_with_parent=True) as process:
        yield process


def test_communicate_feeds_and_drains():
    with winipc.Process(python(UPPER), stdin="pipe", stdout="pipe", stderr="pipe") as process:
        assert process.communicate(b"hello", timeout=30) == (b"HELLO", b"done")
        assert process.wait(30) == 0


def test_communicate_does_not_block_on_full_pipes():
    program = (
        "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d); sys.stderr.buffer.write(d)"
    )
    data = os.urandom(1_000_000)
    with winipc.Process(python(program), stdin="pipe", stdout="pipe", stderr="pipe") as process:
        assert process.communicate(data, timeout=30) == (data, data)


def test_a_timeout_has_what_came_and_the_next_call_goes_on():
    program = "import sys, time; print('one', flush=True); sys.stdin.read(); time.sleep(2); print('two')"
    with winipc.Process(python(program), stdin="pipe", stdout="pipe", kill_with_parent=True) as process:
        with pytest.raises(winipc.Timeout) as caught:
            process.communicate(b"x", timeout=1.5)
        rest, _ = process.communicate(timeout=30)
        assert (caught.value.output[0] + rest).split() == [b"one", b"two"]


def test_too_much_output_is_refused():
    with winipc.Process(python("print('x' * 100_000)"), stdout="pipe", kill_with_parent=True) as process:
        with pytest.raises(winipc.MessageTooLarge) as caught:
            process.communicate(limit=1000, timeout=30)
        assert caught.value.output == (b"x" * 1000, b"")
        assert len(process.communicate(timeout=30)[0].rstrip()) == 99_000


def test_a_stream_is_a_connection():
    program = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"
    with winipc.Process(python(program), stdin=("pipe", "line"), stdout=("pipe", "line")) as process:
        process.stdin.send(b"one")
        assert process.stdout.receive(30).rstrip(b"\r") == b"ONE"
        process.stdin.close()
        assert list(process.stdout) == []
        assert process.wait(30) == 0
        assert process.stderr is None


def test_streams_may_be_files_handles_or_nothing(tmp_path):
    out = tmp_path / "out.txt"
    source = tmp_path / "in.txt"
    source.write_bytes(b"hello")
    with winipc.Process(python(UPPER), stdin=source, stdout=out, stderr="merge") as process:
        assert process.wait(30) == 0
    assert sorted(out.read_bytes()) == sorted(b"HELLOdone")
    with winipc.Process(python(UPPER), stdin="null", stdout=("append", out), stderr="null") as process:
        assert process.wait(30) == 0
    with open(source, "rb") as file, open(tmp_path / "2", "wb") as target:
        import msvcrt

        handle = msvcrt.get_osfhandle(target.fileno())
        with winipc.Process(python(UPPER), stdin=file, stdout=handle, stderr="null") as process:
            assert process.wait(30) == 0
    assert (tmp_path / "2").read_bytes() == b"HELLO"


@pytest.mark.parametrize("bad", ["file.txt", None, 1.5, ("pipe", "lines"), ("append", 5), ("x", "y")])
def test_what_is_no_stream_is_refused(bad):
    with pytest.raises((TypeError, ValueError)):
        winipc.Process(python(SLEEP), stdout=bad)


@pytest.mark.parametrize("words", [["a b", "c"], ['"', "\\", 'a\\"b', "", "ä"], ["%PATH%", "^&|<>"]])
def test_arguments_arrive_as_they_are(words):
    program = "import sys; sys.stdout.buffer.write(repr(sys.argv[1:]).encode())"
    with winipc.Process(python(program, *words), stdout="pipe") as process:
        assert process.communicate(timeout=30)[0].decode() == repr(words)


def test_a_command_line_is_taken_as_it_is():
    line = subprocess.list2cmdline(python("import sys; sys.exit(5)"))
    with winipc.Process(command_line=line) as process:
        assert process.wait(30) == 5
    assert winipc.command_line(["a b", 'c"d', ""]) == '"a b" "c\\"d" ""'


def test_directory_and_environment_are_passed(tmp_path):
    program = "import os; print(os.getcwd()); print(os.environ['WINIPC_NEWS'])"
    environment = {**os.environ, "WINIPC_NEWS": "übrigens"}
    environment["PYTHONIOENCODING"] = "utf-8"
    words = python(program)
    with winipc.Process(words, stdout="pipe", directory=tmp_path, environment=environment) as process:
        directory, news = process.communicate(timeout=30)[0].decode().splitlines()
    assert os.path.samefile(directory, tmp_path)
    assert news == "übrigens"


def test_exit_codes_are_told_and_chosen(sleeper):
    assert sleeper.poll() is None
    with pytest.raises(TimeoutError):
        sleeper.wait(0.1)
    sleeper.terminate(77)
    assert sleeper.wait(SOON) == 77
    assert sleeper.poll() == 77


def test_killing_the_tree_ends_grandchildren():
    program = (
        "import subprocess, sys, time; "
        f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); "
        "print(child.pid, flush=True); time.sleep(60)"
    )
    with winipc.Process(python(program), stdout=("pipe", "line")) as process:
        grandchild = winipc.Process.open(int(process.stdout.receive(30)))
        process.kill_tree(3)
        assert process.wait(SOON) == 3
        assert grandchild.wait(SOON) == 3
        grandchild.close()


def test_what_runs_with_its_parent_ends_with_it():
    process = winipc.Process(python(SLEEP), kill_with_parent=True)
    other = winipc.Process.open(process.pid)
    process.close()
    other.wait(SOON)
    other.close()


def test_a_process_can_be_waited_for_with_other_things(sleeper):
    with winipc.Event() as event:
        with pytest.raises(winipc.Timeout):
            winipc.wait([event, sleeper], timeout=0)
        sleeper.terminate()
        assert winipc.wait([event, sleeper], timeout=SOON) == 1


def test_other_threads_run_while_one_waits(sleeper, aside):
    waited, counted = aside(sleeper.wait, 0.5), 0
    while not waited.done():
        counted += 1
        time.sleep(0.001)
    assert counted > 2


def test_a_program_that_is_not_there_is_not_found():
    with pytest.raises(FileNotFoundError):
        winipc.Process(["no-such-program-of-winipc.exe"])
    with pytest.raises(winipc.Error):
        winipc.Process.open(0x7FFFFFF0)


@pytest.mark.parametrize(
    "options",
    [
        {"arguments": None},
        {"arguments": []},
        {"arguments": ["a\0b"]},
        {"arguments": ["x"], "command_line": "x"},
        {"arguments": "one string"},
        {"arguments": ["x"], "pseudo_console": (0, 5)},
        {"arguments": ["x"], "creation_flags": -1},
        {"arguments": [5]},
    ],
)
def test_bad_options_are_refused(options):
    with pytest.raises((TypeError, ValueError)):
        winipc.Process(**options)


def test_only_what_is_inherited_arrives(start):
    connection, handle = winipc.pipe_pair(direction="inbound", framing="line")
    program = "import msvcrt, os, sys; os.write(msvcrt.open_osfhandle(int(sys.argv[1]), 0), b'by handle')"
    import _winapi

    with connection:
        with winipc.Process(python(program, str(handle)), inherited=[handle]) as process:
            _winapi.CloseHandle(handle)
            assert process.wait(30) == 0
        with pytest.raises(winipc.Truncated):
            connection.receive(SOON)


def test_a_handle_is_given_to_another_process(address):
    program = """
import sys, winipc
with winipc.connect(sys.argv[1]) as connection:
    event = winipc.Event.from_handle(connection.receive_handle(30))
    event.set()
    event.close()
    connection.receive(30)
"""
    with (
        winipc.listen(address) as listener,
        winipc.Event() as event,
        winipc.Process(python(program, address)) as process,
        listener.accept(30) as server,
    ):
        server.send_handle(event.handle, SOON)
        event.wait(30)
        assert process.give_handle(event.handle) > 0
        server.send(b"end")
        assert process.wait(30) == 0


def test_a_message_that_is_no_handle_is_corrupt(pair):
    client, server = pair
    client.send(b"hello")
    with pytest.raises(winipc.Corrupt):
        server.receive_handle(SOON)


def test_a_closed_process_is_an_invalid_handle(sleeper):
    sleeper.close()
    for call in (sleeper.wait, sleeper.terminate, sleeper.kill_tree, sleeper.communicate, sleeper.interrupt):
        with pytest.raises(winipc.InvalidHandle):
            call()
    with pytest.raises(winipc.InvalidHandle):
        sleeper.pid  # noqa: B018
