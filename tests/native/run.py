#!/usr/bin/env python3
"""Builds and runs the tests of the portable core on this host, with its own C compiler.

run.py [-k WORD] [--cc gcc]      every test, plain and under sanitizers
run.py --mutants                 breaks the ring in one place after the other: a test must notice
"""
# ruff: noqa: E501 (the table of mutants)

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "dll" / "src"
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
PLAIN = ["-O2"]
ADDRESS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
THREAD = ["-O1", "-g", "-fsanitize=thread", "-Wno-tsan"]  # it does not know fences: see ring_layout.h, 3
MODEL = ["-DRING_MODEL"]


@dataclass(frozen=True)
class Test:
    name: str
    source: str
    flags: list[str]
    arguments: tuple[str, ...] = ()


TESTS = [
    Test("unit", "unit.c", PLAIN),
    Test("unit-address", "unit.c", ADDRESS),
    Test("model", "model.c", [*PLAIN, *MODEL]),
    Test("threads", "threads.c", PLAIN, ("40000",)),
    Test("threads-address", "threads.c", ADDRESS, ("8000",)),
    Test("threads-thread", "threads.c", THREAD, ("8000",)),
    Test("hostile-steps", "hostile.c", [*ADDRESS, *MODEL], ("200000",)),
    Test("hostile-threads", "hostile.c", ADDRESS, ("200000",)),
]


@dataclass(frozen=True)
class Mutant:
    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]  # at least one of them must turn red


FENCE = "ring_fence_full();"
MUTANTS = [
    Mutant("no fence before the writer looks for sleepers", "ring_writer.c", f"uint32_t count = 0;\n  {FENCE}", "uint32_t count = 0;", ("model",)),
    Mutant("no fence before the writer sleeps", "ring_writer.c", f"++w->ticket);\n  {FENCE}", "++w->ticket);", ("model",)),
    Mutant("no fence before the reader sleeps", "ring_reader.c", f"++r->ticket);\n  {FENCE}", "++r->ticket);", ("model",)),
    Mutant("no fence before the reader looks for a writer", "ring_reader.c", f"r->moved = false;\n  {FENCE}", "r->moved = false;", ("model",)),
    Mutant("no second look before the reader sleeps", "ring_reader.c", "if (!word && !ring__overrun(r)) return true;", "(void)word;\n  return true;", ("model",)),
    Mutant("skipped records are not told", "ring_reader.c", "  ring__advance(r, r->cursor + record->size);\n  return RING_AGAIN;", "  r->cursor = r->next = r->cursor + record->size;\n  return RING_AGAIN;", ("unit", "model", "threads")),
    Mutant("published before the bytes", "ring_writer.c", "  char *to = ring__begin_record(w);\n  for (size_t i = 0;", "  char *to = ring__begin_record(w);\n  ring__stage(w, 0, size);\n  ring_writer_publish(w);\n  for (size_t i = 0;", ("model", "threads-thread")),
    Mutant("published before the next word is 0", "ring_writer.c", "  ring_store_relaxed(ring__word(w, w->staged), 0);\n  ring_store(ring__word(w, w->written), w->first_word);", "  ring_store(ring__word(w, w->written), w->first_word);\n  ring_store_relaxed(ring__word(w, w->staged), 0);", ("model",)),
    Mutant("a batch is not held back", "ring_writer.c", "if (w->staged == w->written)\n    w->first_word = word;\n  else", "if (w->staged == w->written) w->first_word = word;", ("unit", "model")),
    Mutant("published without release", "ring_writer.c", "ring_store(ring__word(w, w->written), w->first_word)", "ring_store_relaxed(ring__word(w, w->written), w->first_word)", ("threads-thread",)),
    Mutant("the word is read without acquire", "ring_reader.c", "uint64_t word = ring_load(ring__word(r, r->cursor));", "uint64_t word = ring_load_relaxed(ring__word(r, r->cursor));", ("threads-thread",)),
    Mutant("the cursor without release", "ring_reader.c", "ring_store(&r->control->cursor, to)", "ring_store_relaxed(&r->control->cursor, to)", ("threads-thread",)),
    Mutant("the cursor is read without acquire", "ring_writer.c", "ring_load(&peer->control->cursor)", "ring_load_relaxed(&peer->control->cursor)", ("threads-thread",)),
    Mutant("no room for the next word", "ring_writer.c", "at + size + RING__WORD + spare", "at + size + spare", ("unit", "model", "threads")),
    Mutant("no room for an abort", "ring_writer.c", "last ? 0 : RING__WORD);\n  if (status)", "0);\n  if (status)", ("unit",)),
    Mutant("overwritten before the readers are told", "ring_writer.c", "  ring_store_relaxed(&w->header->oldest, w->oldest);\n  atomic_thread_fence(memory_order_release);\n", "", ("unit", "model")),
    Mutant("an overrun loan passes", "ring_reader.c", "  if (ring__overrun(r)) return ring__skip_to_oldest(r, RING_OVERRUN);\n", "", ("unit", "model", "threads")),
    Mutant("an overrun word passes", "ring_reader.c", "  if (ring__overrun(r)) return ring__skip_to_oldest(r, RING_AGAIN);\n", "", ("unit", "model", "threads")),
    Mutant("a length is not bounded", "ring_layout.h", "record->size > s->capacity / 4 ||", "", ("hostile-steps",)),
    Mutant("the end of the ring is no bound", "ring_layout.h", "record->size > s->capacity - ring_offset(s, position)", "false", ("hostile-steps", "hostile-threads")),
    Mutant("a fragment may exceed its message", "ring_reader.c", "  if (more ? size >= total - offset : size != total - offset) return ring__corrupt(r);\n", "", ("unit", "hostile-steps")),
    Mutant("a cursor may run ahead", "ring_writer.c", "cursor > w->written ||", "(cursor > w->written && false) ||", ("unit", "hostile-steps")),
    Mutant("a cursor may go back", "ring_writer.c", "cursor < peer->cursor ||", "", ("unit",)),
    Mutant("a ticket is answered twice", "ring_writer.c", "|| ticket == peer->woken", "", ("unit",)),
    Mutant("the last lap is believed", "ring_layout.h", "|| word >> RING__LAP_SHIFT != ring_lap(s, position)", "", ("unit",)),
]  # fmt: skip


def build(test: Test, cc: str, sources: Path, to: Path) -> Path | None:
    program = to / test.name
    files = [HERE / test.source, *sorted(sources.glob("channel/ring_*.c"))]
    command = [*cc.split(), "-std=gnu11", *WARNINGS, *test.flags, f"-I{sources}", f"-I{HERE}", *map(str, files), "-o", str(program), "-lpthread"]  # fmt: skip
    return program if subprocess.run(command).returncode == 0 else None


def passes(test: Test, cc: str, sources: Path, to: Path, quiet: bool = False) -> bool:
    program = build(test, cc, sources, to)
    if not program:
        sys.exit(f"{test.name} does not build")
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1", "ASAN_OPTIONS": "detect_leaks=0"}
    output = subprocess.DEVNULL if quiet else None
    try:
        return not subprocess.run(
            [str(program), *test.arguments],
            stdout=output,
            stderr=output,
            env=environment,
            timeout=60 if quiet else 300,
        ).returncode
    except subprocess.TimeoutExpired:
        return False


def run_tests(options: argparse.Namespace, folder: Path) -> list[bool]:
    results = []
    for test in TESTS:
        if options.k in test.name:
            print(f"--- {test.name}", flush=True)
            results.append(passes(test, options.cc, SOURCES, folder))
            if not results[-1]:
                print(f"FAILED {test.name}", flush=True)
    return results


def run_mutants(options: argparse.Namespace, folder: Path) -> list[bool]:
    results = []
    for mutant in MUTANTS:
        if options.k not in mutant.what:
            continue
        sources = Path(tempfile.mkdtemp(dir=folder))
        shutil.copytree(SOURCES / "channel", sources / "channel")
        file = sources / "channel" / mutant.file
        text = file.read_text()
        if text.count(mutant.old) != 1:
            sys.exit(f"{mutant.what}: {text.count(mutant.old)} places to mutate")
        file.write_text(text.replace(mutant.old, mutant.new))
        named = [test for test in TESTS if test.name in mutant.tests]
        red = next(
            (test.name for test in named if not passes(test, options.cc, sources, folder, quiet=True)), None
        )
        print(f"caught by {red}: {mutant.what}" if red else f"NOT CAUGHT: {mutant.what}", flush=True)
        results.append(red is not None)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-k", default="", metavar="WORD", help="only what has this in its name")
    parser.add_argument("--cc", default=os.environ.get("CC", "gcc"))
    parser.add_argument("--mutants", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = (run_mutants if options.mutants else run_tests)(options, Path(folder))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
