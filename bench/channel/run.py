"""Channels against their rivals: python3 dev.py bench channel. See docs/benchmarks-channel.md.

Each figure comes from two or more processes of a peer, started for it. A process prints "ready [ADDRESS]"
once others may come, or once it has come itself; it is told "go" when all are there, prints one line of JSON
when it has done its part, and is told "end" when all have.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import platform
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import peers
import report
from peers import Peer

Figures = dict[str, Any]

PATIENCE = 30.0
READY_PATIENCE = 20.0
HELPER = "helper"


class Failed(Exception):
    """A run came to nothing; the text says why."""


# ---- processes ----


class Process:
    """One process of a peer, and the lines that it prints."""

    def __init__(self, words: Sequence[str]) -> None:
        self.lines: queue.Queue[str] = queue.Queue()
        self.process = subprocess.Popen(
            list(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line.strip())
        self.lines.put("")

    def line(self, seconds: float) -> str:
        try:
            line = self.lines.get(timeout=max(0, seconds))
        except queue.Empty:
            raise Failed(f"nothing heard for {seconds:.1f} s") from None
        if not line:
            raise Failed(f"ended with {self.process.wait(PATIENCE)}")
        return line

    def ready(self) -> str:
        line = self.line(READY_PATIENCE)
        if not line.startswith("ready"):
            raise Failed(explain(line))
        return line.removeprefix("ready").strip()

    def figures(self, seconds: float) -> Figures:
        line = self.line(seconds)
        figures: Figures = json.loads(line)
        if "error" in figures:
            raise Failed(explain(line))
        return figures

    def say(self, word: str) -> None:
        assert self.process.stdin
        with contextlib.suppress(OSError):
            self.process.stdin.write(f"{word}\n")
            self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


def explain(line: str) -> str:
    try:
        return str(json.loads(line).get("error", line))
    except ValueError:
        return line


class Job(NamedTuple):
    mode: str
    size: int
    milliseconds: int
    clients: int = 1

    @property
    def key(self) -> str:
        return f"{self.mode} {self.size}" + (f" x{self.clients}" if self.mode.startswith("fan") else "")


class Group(NamedTuple):
    """The processes of one run."""

    server: Process
    clients: list[Process]

    @property
    def everybody(self) -> list[Process]:
        return [self.server, *self.clients]


counter = iter(range(1 << 30))


@contextlib.contextmanager
def started(peer: Peer, job: Job) -> Iterator[Group]:
    """All processes of a run, met and told to go; whatever is left of them at the end is ended."""
    name = f"winipc-bench-{os.getpid()}-{next(counter)}"
    tail = [job.mode, str(job.size), str(job.milliseconds), str(job.clients)]
    # a peer that is killed leaves its files behind, and the system may be slow to let go of them
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    os.environ["WINIPC_BENCH_TEMP"] = folder.name
    with contextlib.ExitStack() as stack:
        stack.callback(folder.cleanup)

        def start(role: str, name: str, index: int = 0) -> Process:
            process = Process([*peer.words, role, name, *tail, str(index)])
            stack.callback(process.kill)
            return process

        if peer.helper:
            start(HELPER, name).ready()
        server = start("server", name)
        address = server.ready() or name
        clients = [start("client", address, index) for index in range(job.clients)]
        for client in clients:
            client.ready()
        group = Group(server, clients)
        for process in group.everybody:
            process.say("go")
        yield group


def everybodys(group: Group, end: float) -> list[Figures]:
    """What each has measured. Where one fails others often do as well, for its sake: all errors are told."""
    told, errors = [], []
    for process in group.everybody:
        try:
            told.append(process.figures(end - time.monotonic()))
        except Failed as failed:
            errors.append(str(failed))
            end = min(end, time.monotonic() + 1)
    if errors:
        raise Failed("; ".join(dict.fromkeys(errors)))
    return told


def run(peer: Peer, job: Job) -> Figures:
    """Everybody's figures in one; of several readers' rates the least counts."""
    with started(peer, job) as group:
        end = time.monotonic() + job.milliseconds / 1000 + PATIENCE
        told = everybodys(group, end)
        for process in group.everybody:
            process.say("end")
        for process in group.everybody:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.process.wait(5)
    if job.mode == "fan_out":
        told = [told[0], min(told[1:], key=lambda f: f["messages"] / f["seconds"])]
    return {name: value for figures in told for name, value in figures.items()}


# ---- a peer that is killed ----


def survivor_hears(process: Process, killed_at: float, seconds: float) -> Figures:
    """How long after the death the survivor gets an error; QueryPerformanceCounter is one clock for all."""
    try:
        line = process.line(seconds)
    except Failed as failed:
        return {"hangs": seconds} if "nothing heard" in str(failed) else {"error": str(failed)}
    said = json.loads(line)
    if "at" not in said:
        return {"error": line}
    return {"after_ms": said["at"] / 1000 - killed_at * 1000, "text": said["error"]}


def run_kill(peer: Peer, job: Job) -> Figures:
    """One process of an endless stream is ended by TerminateProcess at a random moment."""
    seconds = max(job.milliseconds / 1000, peer.patience)
    with started(peer, job._replace(mode="endless")) as group:
        time.sleep(random.uniform(0.3, 0.6))
        writer, reader = group.clients[0], group.server
        dead, survivor = (writer, reader) if job.mode == "writer killed" else (reader, writer)
        if not survivor.lines.empty():
            raise Failed(explain(survivor.lines.get()))
        killed_at = time.perf_counter()
        dead.process.kill()
        return survivor_hears(survivor, killed_at, seconds)


# ---- the whole run ----


def jobs(options: argparse.Namespace) -> list[Job]:
    short, quick = options.milliseconds, options.quick
    cells = [Job("trip", size, short) for size in peers.SIZES]
    cells += [Job("stream", size, short) for size in peers.SIZES]
    cells += [Job(f"fan_{way}", 64, short, n) for way in ("in", "out") for n in (1, 4, 16)]
    cells += [Job("cold", 64, 400 if quick else 1500), Job("idle", 64, 500 if quick else 2000)]
    watch = 1500 if quick else 3300
    cells += [Job("reader killed", 64, watch), Job("writer killed", 64, watch)]
    cells += [Job("stall", 64, 800 if quick else 3000)]
    return [job for job in cells if options.mode in job.key]


def can(peer: Peer, job: Job) -> bool:
    return peer.can(job.mode, job.size)


def attempt(peer: Peer, job: Job) -> Figures:
    try:
        return (run_kill if job.mode.endswith("killed") else run)(peer, job)
    except (Failed, OSError, ValueError) as error:
        return {"error": str(error)}


def available(everybody: Sequence[Peer]) -> tuple[list[Peer], dict[str, str]]:
    """Those that work at all, and why the others do not."""
    able, missing = [], {}
    made = peers.state()
    for peer in everybody:
        reason = made.get(peer.rival, {}).get("missing", "") if peer.rival else ""
        first = ("trip", 64) if peer.cells is None else min(peer.cells)
        said = {} if reason else attempt(peer, Job(*first, 50))
        if reason := reason or said.get("error", ""):
            missing[peer.name] = reason
            print(f"-- {peer.name} is left out: {reason}", file=sys.stderr, flush=True)
        else:
            able.append(peer)
    return able, missing


def measure(everybody: Sequence[Peer], options: argparse.Namespace, results: report.Results) -> None:
    """Peers in turns within each cell, cells in turns within each round: noise hits all alike."""
    rare = ("killed", "stall", "idle")
    for turn in range(options.rounds):
        for job in jobs(options):
            if turn >= 3 and any(word in job.mode for word in rare):
                continue
            able = [peer for peer in everybody if can(peer, job)]
            for peer in able[turn % max(1, len(able)) :] + able[: turn % max(1, len(able))]:
                figures = attempt(peer, job)
                print(f"-- {turn + 1}: {peer.name}: {job.key}: {figures}", file=sys.stderr, flush=True)
                results.add(peer.name, job.key, figures)
            results.save(Path(options.json))


# ---- the machine ----


def system() -> str:
    try:
        version = ctypes.WinDLL("ntdll").wine_get_version
    except AttributeError:
        return f"Windows {platform.version()}"
    version.restype = ctypes.c_char_p
    return f"Wine {version().decode()}"


def processor() -> str:
    import winreg

    path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
        return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    return platform.processor()


def load() -> str:
    with contextlib.suppress(OSError):
        return Path("Z:/proc/loadavg").read_text().split()[0]
    return "unknown"


def machine() -> str:
    return f"{system()}, {os.cpu_count()} CPUs ({processor()})"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("dev.py bench channel", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round: to try it out")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (5)")
    parser.add_argument("--milliseconds", type=int, help="for each figure that takes no fixed time (500)")
    parser.add_argument("--only", default="", metavar="TEXT", help="peers with that in their name or group")
    parser.add_argument("--own", action="store_true", help="no rivals: nothing is fetched")
    parser.add_argument(
        "--mode", default="", metavar="TEXT", help='figures with that in their name: "trip 64"'
    )
    parser.add_argument("--json", metavar="FILE", default=str(peers.RIVALS / "results.json"))
    parser.add_argument("--docs", action="store_true", help="write the tables and plots into docs/")
    parser.add_argument("--report", action="store_true", help="no run: tables and plots of the last one")
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.milliseconds = options.milliseconds or (150 if options.quick else 500)
    return options


def run_all(options: argparse.Namespace) -> None:
    os.environ["WINIPC_DLL"] = str(Path(os.environ.get("WINIPC_BENCH", "."), "winipc.dll"))
    before = load()
    asked = [peer for peer in peers.chosen(options.only) if not (options.own and peer.rival)]
    able, missing = available(asked)
    results = report.Results({"machine": machine(), "missing": missing, "rivals": peers.state()})
    measure(able, options, results)
    results.about["load"] = f"{before} before, {load()} after"
    results.about["run"] = (
        f"{options.rounds} round{'s' * (options.rounds > 1)}, {options.milliseconds} ms a figure"
    )
    results.save(Path(options.json))


def main() -> None:
    options = parse()
    if not options.report:
        run_all(options)
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    report.show(report.load(Path(options.json)), options.docs)


if __name__ == "__main__":
    main()
