"""What the README shows works as it stands there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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
        "with winipc.SharedMemory",
    ]


@pytest.mark.parametrize("server_first", [True, False])
def test_a_server_and_its_client(server_first):
    server, client = EXAMPLES[:2]
    order = (server, client) if server_first else (client, server)
    outputs = [finish(process) for process in [start(source) for source in order]]
    assert sorted(outputs)[-1].strip() == "b'42 for tea'"


def test_memory_a_child_and_an_error():
    output = finish(start(EXAMPLES[2]))
    assert "hello" in output
    assert "nobody" in output and "NOT_FOUND" in output and output.rstrip().endswith("2")


def test_the_c_functions_of_the_readme_are_declared():
    header = (ROOT / "dll" / "include" / "winipc.h").read_text(encoding="utf-8")
    block = re.search(r"```c\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)[1]
    for name in re.findall(r"\bwinipc_\w+(?=\()", block):
        assert re.search(rf"\b{name}\(", header)
