"""Windows programs: run as they are on Windows, through Wine elsewhere, in a prefix of the project's own."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import IO

from tools import packages, progress, stamps
from tools.project import BUILD, ON_WINDOWS

PREFIX = BUILD / "prefix"
# No crash dialogue (it can turn a crash into exit code 0), no .NET or HTML engine to ask for,
# no WMI (it ends in an unimplemented function), no menu entries on the user's desktop.
OVERRIDES = "winedbg.exe,mscoree,mshtml,wbemprox,winemenubuilder.exe=d"


def loader() -> str:
    found = packages.find("wine64") or packages.find("wine")
    if not found:
        raise progress.Stop("Wine is missing: apt-get install wine64")
    return found


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    variables = {**os.environ, **(extra or {})}
    if not ON_WINDOWS:
        variables.update(
            WINEPREFIX=str(PREFIX), WINEDEBUG="-all", WINEDLLOVERRIDES=OVERRIDES, WINEARCH="win64"
        )
    return variables


def windows_path(path: Path) -> str:
    """The path as a Windows program must be told it; Wine shows the host's root as drive Z."""
    path = path.resolve()
    return str(path) if ON_WINDOWS else "Z:" + str(PureWindowsPath(path.as_posix()))


def command(program: str | Path, *arguments: str) -> list[str]:
    return [*([] if ON_WINDOWS else [loader()]), str(program), *arguments]


def make_prefix() -> None:
    """Create the prefix; nothing to do on Windows."""
    if not ON_WINDOWS:
        stamps.once("prefix", PREFIX / "system.reg", (loader(), OVERRIDES), _make_prefix)


def _make_prefix() -> None:
    progress.say("creating the Wine prefix")
    shutil.rmtree(PREFIX, ignore_errors=True)
    PREFIX.mkdir(parents=True)
    null = subprocess.DEVNULL  # not the log: Wine's services keep whatever they are given
    code = subprocess.call(
        command("wineboot", "--init"), env=environment(), stdin=null, stdout=null, stderr=null
    )
    subprocess.call([_server(), "-w"], env=environment())  # until the registry is on disk
    if code != 0 or not (PREFIX / "system.reg").exists():
        raise progress.Stop(f"Wine could not create its prefix in {PREFIX} (wineboot: exit code {code})")


def _server() -> str:
    return packages.find("wineserver64") or packages.find("wineserver") or "wineserver"


@contextlib.contextmanager
def session() -> Iterator[None]:
    """Keep the prefix alive while dev.py runs.

    The first program in a prefix starts Wine's services, and they inherit its standard streams: whoever
    reads those would wait for the services too. So the first program is one of ours, with no streams to
    inherit: a cmd.exe that waits for input and ends when dev.py does, however dev.py ends.
    """
    if ON_WINDOWS:
        yield
        return
    null = subprocess.DEVNULL
    with _shared_use():
        keeper = subprocess.Popen(
            command("cmd", "/q", "/d"), env=environment(), stdin=subprocess.PIPE, stdout=null, stderr=null
        )
        subprocess.call(command("cmd", "/c", "exit"), env=environment(), stdin=null, stdout=null, stderr=null)
        try:
            yield
        finally:
            assert keeper.stdin
            keeper.stdin.close()
            keeper.wait()


@contextlib.contextmanager
def _shared_use() -> Iterator[None]:
    """The last user of the prefix ends what is left running in it."""
    import fcntl

    null = subprocess.DEVNULL
    with open(BUILD / "prefix.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # it inherits the lock, and so the next run waits for it though we do not
                subprocess.Popen([_server(), "-k"], env=environment(), stderr=null, pass_fds=[lock.fileno()])


def call(words: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run with our own standard streams; the exit code is the program's."""
    out, error = _piped(sys.stdout), _piped(sys.stderr)
    if out and error and os.path.sameopenfile(1, 2):
        error = subprocess.STDOUT
    process = subprocess.Popen(words, env=environment(variables), stdout=out, stderr=error)
    copies = [_copy(process.stdout, 1), _copy(process.stderr, 2)]
    while True:
        try:
            code = process.wait()
            break
        except KeyboardInterrupt:  # the program got it as well, and decides
            continue
    for copy in copies:
        copy.join()
    return code


def _piped(stream: IO[str]) -> int | None:
    """PIPE where the stream is a plain file: CPython under Wine refuses those as standard streams."""
    plain = not ON_WINDOWS and stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    return subprocess.PIPE if plain else None


def _copy(source: IO[bytes] | None, target: int) -> threading.Thread:
    def work() -> None:
        while source and (data := os.read(source.fileno(), 65536)):
            os.write(target, data)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def show(words: Sequence[str], variables: Mapping[str, str], folder: Path | None = None) -> tuple[int, str]:
    """Run with the output copied line by line to the terminal; the exit code and the text."""
    stdin = subprocess.DEVNULL if sys.stdin is None or sys.stdin.isatty() else None
    text = []
    with subprocess.Popen(
        words,
        env=environment(variables),
        cwd=folder,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout
        for raw in process.stdout:
            line = raw.decode(errors="replace").replace("\r\n", "\n")
            print(line, end="", flush=True)
            text.append(line)
    return process.returncode, "".join(text)
