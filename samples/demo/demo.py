"""The demonstration: a native worker (worker.c) and Python work on a file of yours together.

python3 dev.py demo [FILE]      any file; else a DLL of this Python

Requests and answers go over a named pipe, the file through shared memory, and what the worker prints is
captured. The worker computes the file's SHA-256 and counts its bytes; Python checks it by its own means.
"""

import argparse
import contextlib
import hashlib
import os
import struct
import sys
import threading
import time
from io import FileIO
from pathlib import Path

import winipc
from blocks import COUNT, PATIENCE, Blocks, WorkerGone
from report import HEAD, Way

ROOM = 1 << 20  # bytes of a block
ECHOES = 1000
AGREED, FAILED, NO_FILE, WORKER_GONE, INTERRUPTED = 0, 1, 2, 3, 130  # exit codes
NAME = f"winipc-demo-{os.getpid()}"
ADDRESS = f"pipe:{NAME}"
WORKER = Path(os.environ["WINIPC_SAMPLES"]) / "worker.exe"


class Own:
    """What Python itself finds out about the file."""

    def __init__(self) -> None:
        self.sha256, self.size, self.lines, self.zeros = hashlib.sha256(), 0, 0, 0

    def add(self, data: bytes) -> None:
        self.sha256.update(data)
        self.size += len(data)
        self.lines += data.count(b"\n")
        self.zeros += data.count(b"\0")


class Demo:
    def __init__(self, file: FileIO, worker: winipc.Process, kill_worker: bool) -> None:
        self.file, self.worker = file, worker
        self.requests = Way("requests and answers", "named pipe, for this user alone", counts=True)
        self.payload = Way("the file", f"shared memory, {COUNT} MiB, mutex, events")
        self.native = Way("  the worker computes", "SHA-256 by BCrypt, counts of bytes")
        self.python = Way("  Python computes", "SHA-256 by hashlib, counts of lines")
        self.output = Way("what the worker says", "anonymous pipe, a child's output")
        self.own = Own()
        self.size = os.fstat(file.fileno()).st_size
        self.kill_at = self.size // 2 if kill_worker else None  # bytes
        self.killed_at = 0.0  # seconds

    def run(self, client: winipc.Connection) -> int:
        """The whole show; the exit code."""
        self.client = client
        self.chat()
        self.send_file()
        sha256 = self.request("sha256").hex()
        histogram = struct.unpack("<256Q", self.request("histogram"))
        client.close()
        said, _ = self.worker.communicate(timeout=PATIENCE)
        self.output.add(len(said), messages=said.count(b"\n"))
        return self.report(sha256, histogram)

    def request(self, text: str) -> bytes:
        with self.requests.timed():
            answer = self.client.transact(text.encode(), timeout=PATIENCE)
        self.requests.add(len(text) + len(answer), messages=2)
        return answer

    def chat(self) -> None:
        """Many small messages, to see how fast they are."""
        for number in range(ECHOES):
            text = f"echo {number:059}"
            if self.request(text) != text.encode():
                raise winipc.Corrupt("an echo is not what was sent")

    def send_file(self) -> None:
        """A block goes to the worker as soon as it is full; we look at it while the worker does too."""
        blocks = Blocks(NAME, ROOM, self.worker)
        with contextlib.closing(blocks), self.payload.timed():
            self.client.send(f"take {NAME}".encode(), timeout=PATIENCE)
            while size := self.file.readinto(block := blocks.wait()):
                blocks.hand_over(size)
                self.payload.add(size)
                with self.python.timed():
                    self.own.add(bytes(block[:size]))
                self.kill_worker_if_told()
            blocks.hand_over(0)  # the end
            self.native.seconds = int(self.client.receive(timeout=PATIENCE)) / 1e6
        for way in (self.native, self.python):
            way.add(self.payload.size, self.payload.messages)

    def kill_worker_if_told(self) -> None:
        if self.kill_at is not None and self.own.size >= self.kill_at:
            self.kill_at = None
            self.killed_at = time.perf_counter()
            threading.Thread(target=self.worker.terminate, args=[9]).start()

    def report(self, sha256: str, histogram: tuple[int, ...]) -> int:
        own = (self.own.sha256.hexdigest(), self.own.size, self.own.lines, self.own.zeros)
        theirs = (sha256, sum(histogram), histogram[ord("\n")], histogram[0])
        ways = (self.requests, self.payload, self.native, self.python, self.output)
        print(f"\n{HEAD}", *ways, sep="\n")
        print(f"\nbytes {own[1]:,}, lines {own[2]:,}, zero bytes {own[3]:,}")
        if own == theirs:
            print(f"the native worker and Python agree: sha256 {sha256}")
            return AGREED
        return fail(FAILED, f"the native worker says {theirs}, but Python {own}")

    def worker_gone(self) -> int:
        noticed = time.perf_counter()
        said, _ = self.worker.communicate(timeout=PATIENCE)
        code = self.worker.wait(PATIENCE)
        after = f", noticed after {(noticed - self.killed_at) * 1000:.1f} ms" if self.killed_at else ""
        how_far = f"{self.own.size:,} of {self.size:,} bytes had been handed over"
        print(said.decode(errors="replace"), end="")
        return fail(WORKER_GONE, f"the worker has ended too early with exit code {code}{after}; {how_far}")


def accept(listener: winipc.Listener, worker: winipc.Process) -> winipc.Connection:
    """The worker's connection. Should the worker end before, the wait ends with it."""

    def watch() -> None:
        with contextlib.suppress(winipc.Error):
            worker.wait()
        listener.close()

    threading.Thread(target=watch, daemon=True).start()
    try:
        client = listener.accept(timeout=PATIENCE)
    except (winipc.Closed, winipc.InvalidHandle):
        raise WorkerGone from None
    if client.peer.pid != worker.pid:
        raise winipc.WrongPeer("a process that is not our worker has connected")
    return client


def work_on(file: FileIO, kill_worker: bool) -> int:
    command = [WORKER, ADDRESS]
    with (
        winipc.listen(ADDRESS) as listener,
        winipc.Process(command, stdout="pipe", stderr="merge", kill_with_parent=True) as worker,
    ):
        demo = Demo(file, worker, kill_worker)
        print(f"the file    {file.name}, {demo.size:,} bytes")
        print(f"the worker  {WORKER.name}, process {worker.pid}, at {ADDRESS}", flush=True)
        try:
            with accept(listener, worker) as client:
                return demo.run(client)
        except ConnectionError:
            return demo.worker_gone()


def fail(code: int, text: str) -> int:
    print(f"demo: {text}", file=sys.stderr)
    return code


def default_file() -> str:
    dll = Path(sys.base_prefix) / f"python{sys.version_info.major}{sys.version_info.minor}.dll"
    return str(dll) if dll.exists() else sys.executable


def main() -> int:
    parser = argparse.ArgumentParser("dev.py demo", description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", default=default_file(), help="any file (%(default)s)")
    parser.add_argument("--kill-worker", action="store_true", help="in the middle, to see that it is noticed")
    options = parser.parse_args()
    if Path(options.file).is_dir():
        return fail(NO_FILE, f"{options.file} is a directory; the demonstration takes a file")
    try:
        with open(options.file, "rb", buffering=0) as file:
            return work_on(file, options.kill_worker)
    except winipc.Error as error:
        return fail(FAILED, str(error))
    except FileNotFoundError:
        return fail(NO_FILE, f"there is no file {options.file}")
    except OSError as error:
        return fail(NO_FILE, f"{options.file} cannot be read: {error.strerror}")
    except KeyboardInterrupt:
        return fail(INTERRUPTED, "interrupted")


if __name__ == "__main__":
    sys.exit(main())
