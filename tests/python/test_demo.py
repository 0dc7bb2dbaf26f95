"""The demonstration, with all kinds of files, and with all that can go wrong."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import winipc

DEMO = [sys.executable, str(Path(os.environ["WINIPC_ROOT"]) / "samples" / "demo" / "demo.py")]
PATIENCE = 50  # seconds
BLOCK = 1 << 20

Answer = subprocess.CompletedProcess[str]


def run(*arguments: str | Path, samples: Path | None = None) -> Answer:
    environment = os.environ | ({"WINIPC_SAMPLES": str(samples)} if samples else {})
    words = [*DEMO, *map(str, arguments)]
    return subprocess.run(
        words, capture_output=True, text=True, encoding="utf-8", env=environment, timeout=PATIENCE
    )


def test_a_file_of_this_machine() -> None:
    answer = run()
    assert (answer.returncode, answer.stderr) == (0, "")
    name = re.search(r"^the file    (.*), [0-9,]+ bytes$", answer.stdout, re.M)
    assert name
    sha256 = hashlib.sha256(Path(name[1]).read_bytes()).hexdigest()
    assert f"the native worker and Python agree: sha256 {sha256}" in answer.stdout


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK, 5 * BLOCK + 1])
def test_a_file_of_any_size(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    file = tmp_path / "größe 中.bin"
    file.write_bytes(data)
    answer = run(file)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert f"sha256 {hashlib.sha256(data).hexdigest()}" in answer.stdout
    counts = f"bytes {size:,}, lines {data.count(10):,}, zero bytes {data.count(0):,}"
    assert counts in answer.stdout
    blocks = -(-size // BLOCK)
    assert re.search(rf"^the file +shared memory.* {blocks} +{size:,}( |$)", answer.stdout, re.M)


def test_a_file_that_does_not_exist(tmp_path: Path) -> None:
    answer = run(tmp_path / "none")
    assert answer.returncode == 2
    assert answer.stderr == f"demo: there is no file {tmp_path / 'none'}\n"


def test_a_directory(tmp_path: Path) -> None:
    answer = run(tmp_path)
    assert answer.returncode == 2
    assert answer.stderr == f"demo: {tmp_path} is a directory; the demonstration takes a file\n"


def test_a_worker_that_is_killed_in_the_middle() -> None:
    answer = run("--kill-worker")
    assert answer.returncode == 3
    told = re.search(r"ended too early with exit code 9, noticed after ([0-9.]+) ms; ", answer.stderr)
    assert told
    assert float(told[1]) < 2000
    assert "agree" not in answer.stdout


def test_a_worker_that_is_killed_from_outside(tmp_path: Path) -> None:
    file = tmp_path / "large"
    with file.open("wb") as large:
        large.truncate(1 << 30)
    pipe = subprocess.PIPE
    with subprocess.Popen([*DEMO, str(file)], stdout=pipe, stderr=pipe, text=True) as demo:
        assert demo.stdout
        demo.stdout.readline()
        pid = re.search(r"process ([0-9]+)", demo.stdout.readline())
        assert pid
        with winipc.Process.open(int(pid[1])) as worker:
            with pytest.raises(winipc.Timeout):
                worker.wait(timeout=1.5)
            worker.terminate(7)
        _, error = demo.communicate(timeout=PATIENCE)
    assert "the worker has ended too early with exit code 7; " in error
    assert demo.returncode == 3


def test_without_a_worker(tmp_path: Path) -> None:
    answer = run(samples=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.startswith("demo: ")
    assert "worker.exe" in answer.stderr


def test_a_worker_that_cannot_start(tmp_path: Path) -> None:
    shutil.copyfile(Path(os.environ["WINIPC_SAMPLES"]) / "worker.exe", tmp_path / "worker.exe")
    answer = run(samples=tmp_path)
    assert answer.returncode == 3
    assert "winipc.dll cannot be loaded" in answer.stdout
    assert "the worker has ended too early with exit code 1; 0 of " in answer.stderr
