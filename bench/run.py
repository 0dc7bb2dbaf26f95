"""Measures winipc against its rivals, and shows the tables: python3 dev.py bench. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from figures import Cell, table, table_of_differences

Tables = dict[str, tuple[list[Cell], str, str]]
OVERHEAD = "C: what winipc.dll adds in user mode to a system call"

PROGRAMS = Path(os.environ.get("WINIPC_BENCH", "."))
SECONDS, QUICK_SECONDS = 4.0, 0.7


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
    """What else the machine does, where Wine lets one see it."""
    with contextlib.suppress(OSError):
        return f", load average {Path('Z:/proc/loadavg').read_text().split()[0]}"
    return ""


def environment() -> str:
    return f"{system()}, {os.cpu_count()} CPUs ({processor()}), Python {platform.python_version()}"


def run_program(name: str, options: list[str]) -> Iterator[Cell]:
    """The cells of a program of bench/c, as it prints them."""
    words = [str(PROGRAMS / f"{name}.exe"), "--json", *options]
    with subprocess.Popen(words, cwd=PROGRAMS, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            yield Cell(name, **json.loads(line))
    if process.returncode:
        raise SystemExit(f"{name} ended with {process.returncode}")


def measure(cells: Iterator[Cell]) -> list[Cell]:
    measured = []
    for cell in cells:
        print(f"-- {cell.bench}: {cell.name}{load()}", file=sys.stderr, flush=True)
        measured.append(cell)
    return measured


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser("dev.py bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little time for each figure: to try it out")
    parser.add_argument("--seconds", type=float, help=f"for each figure ({SECONDS:g})")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help='part of a name: "message pipe round trip 64"'
    )
    parser.add_argument("--json", metavar="FILE", help="write every block's figure there")
    parser.add_argument("--skip", choices=("c", "python"), help="leave this part out")
    parser.add_argument("--noise", action="store_true", help="also the bare calls against themselves")
    return parser.parse_args()


def main() -> None:
    options = parse()
    seconds = options.seconds or (QUICK_SECONDS if options.quick else SECONDS)
    words = ["--seconds", str(seconds), *(["--only", options.only] if options.only else [])]
    print(environment() + load() + "\n", flush=True)
    tables: Tables = {}
    if options.skip != "c":
        title = "C: winipc.dll against the bare overlapped calls"
        tables[title] = measure(run_program("pipe_bench", words)), "bare", "winipc"
        tables[OVERHEAD] = measure(run_program("overhead_bench", words)), "bare", "winipc"
    if options.noise:
        title = "C: the bare calls against themselves"
        tables[title] = measure(run_program("pipe_bench", [*words, "--b", "bare"])), "bare", "bare too"
    if options.skip != "python":
        import python_channel
        import python_pipes

        for title, bench in {
            "Python: winipc against multiprocessing.connection": python_pipes,
            "Python: winipc's channels against multiprocessing.connection": python_channel,
        }.items():
            cells = measure(bench.cells(seconds, lambda name: options.only in name))
            tables[title] = cells, "stdlib", "winipc"
    show(tables, options.json)


def show(tables: Tables, file: str | None) -> None:
    for title, (cells, a, b) in tables.items():
        make = table_of_differences if title == OVERHEAD else table
        if cells:
            print(f"\n{title}\n\n{make(cells, a, b)}")
    if file:
        every = {title: [cell._asdict() for cell in cells] for title, (cells, _, _) in tables.items()}
        Path(file).write_text(json.dumps({"environment": environment(), **every}, indent=1))


if __name__ == "__main__":
    main()
