"""What the README shows works as it stands there."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ["WINIPC_SAMPLES"])  # where the C examples lie, each with a main around it
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
LONG = 60


def start(source: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def finish(process: subprocess.Popen) -> str:
    output = process.communicate(timeout=LONG)[0]
    assert process.returncode == 0, output
    return output


def test_the_readme_has_the_examples_that_are_tested():
    assert [source.splitlines()[1].split("(")[0] for source in EXAMPLES] == [
        "with winipc.listen",
        "with winipc.connect",
        "with winipc.Channel",
        "with winipc.Channel",
        "with winipc.SharedMemory",
    ]


def run_c(number: int) -> str:
    """What a C example prints."""
    words = [PROGRAMS / f"readme_{number}.exe"]
    return subprocess.run(words, capture_output=True, text=True, timeout=LONG, check=True).stdout.strip()


@pytest.mark.parametrize("server_first", [True, False])
@pytest.mark.parametrize("scheme", ["pipe", "channel"])
def test_a_server_and_its_client(server_first, scheme):
    server, client = (source.replace("pipe:", f"{scheme}:") for source in EXAMPLES[:2])
    order = (server, client) if server_first else (client, server)
    outputs = [finish(process) for process in [start(source) for source in order]]
    assert sorted(outputs)[-1].strip() == "b'42 for tea'"


def test_a_client_in_c():
    server = start(EXAMPLES[0])
    deadline = time.monotonic() + LONG
    answer = ""
    while not answer and time.monotonic() < deadline:  # it does not wait long for a server that starts slowly
        answer = run_c(1)
    assert answer == "42 for hello"
    finish(server)


@pytest.mark.parametrize("sender_first", [True, False])
def test_a_message_built_and_read_in_place(sender_first):
    order = EXAMPLES[2:4] if sender_first else EXAMPLES[3:1:-1]
    outputs = [finish(process) for process in [start(source) for source in order]]
    assert sorted(outputs)[-1].strip() == "b'Shine'"


def test_a_message_built_in_c():
    receiver = start(EXAMPLES[3])
    run_c(2)
    assert finish(receiver).strip() == "b'Shine'"


def test_memory_a_child_and_an_error():
    output = finish(start(EXAMPLES[4]))
    assert "hello" in output
    assert "nobody" in output and "NOT_FOUND" in output and output.rstrip().endswith("2")
