"""What the terminal shows: one line a step; the noise of the programs goes to build/dev.log."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tools.project import LOG, ROOT

TAIL = 40


class Stop(Exception):
    """A step cannot go on; the text says what is wrong and what helps."""


def say(text: str) -> None:
    # stderr: stdout belongs to the program that `run` and `python` start
    print(f"-- {text}", file=sys.stderr, flush=True)


def start_log() -> None:
    """Begin the log anew once it is long; runs side by side append to one file."""
    LOG.parent.mkdir(exist_ok=True)
    if LOG.exists() and LOG.stat().st_size > 8_000_000:
        LOG.unlink()


def tail(path: Path, since: int = 0) -> str:
    with open(path, "rb") as file:
        file.seek(since)
        return "\n".join(file.read().decode(errors="replace").splitlines()[-TAIL:])


def run(
    what: str,
    *command: str | Path,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> None:
    """Run a command into the log; when it fails, show the log's tail and stop with `what`."""
    words = [str(word) for word in command]
    with open(LOG, "ab") as log:
        log.write(f"\n$ {shlex.join(words)}    [{time.strftime('%H:%M:%S')}]\n".encode())
        log.flush()
        start = log.tell()
        try:
            code = subprocess.call(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=folder
            )
        except OSError as error:
            raise Stop(f"{what}: {words[0]} does not start: {error.strerror}") from None
    if code != 0:
        print(tail(LOG, start), file=sys.stderr)
        raise Stop(f"{what} failed (exit code {code}); the whole output is in {LOG}")
