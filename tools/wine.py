"""Windows programs: run as they are on Windows, through Wine elsewhere, in a prefix of the project's own."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import select
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import IO

from tools import packages, progress, stamps
from tools.project import BUILD, ON_WINDOWS, ROOT

PREFIX = BUILD / "prefix"
KEEPER = BUILD / "keeper.exe"
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
        source = ROOT / "tools" / "keeper.c"
        compiler = ("x86_64-w64-mingw32-gcc", "-Os", "-s", source, "-o", KEEPER)
        stamps.once("keeper", KEEPER, (source,), lambda: progress.run("compiling the keeper", *compiler))


def _make_prefix() -> None:
    progress.say("creating the Wine prefix")
    shutil.rmtree(PREFIX, ignore_errors=True)
    PREFIX.mkdir(parents=True)
    null = subprocess.DEVNULL  # not the log: Wine's services keep whatever they are given
    code = subprocess.call(
        command("wineboot", "--init"), env=environment(), stdin=null, stdout=null, stderr=null
    )
    # The server ends its services, which without it might sleep for ever; then the registry is on disk.
    subprocess.call([_server(), "-k"], env=environment())
    subprocess.call([_server(), "-w"], env=environment())
    if code != 0 or not (PREFIX / "system.reg").exists():
        raise progress.Stop(f"Wine could not create its prefix in {PREFIX} (wineboot: exit code {code})")


def _server() -> str:
    return packages.find("wineserver64") or packages.find("wineserver") or "wineserver"


@contextlib.contextmanager
def session() -> Iterator[None]:
    """Keep the prefix alive while dev.py runs.

    The first program in a prefix starts Wine's services, and they inherit its standard streams: whoever
    reads those would wait for the services too. So the first program is one of ours, the keeper. It ends
    when its input does, that is with dev.py, however dev.py ends.
    """
    if ON_WINDOWS:
        yield
        return
    with _shared_use():
        keeper = subprocess.Popen(
            command(KEEPER),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert keeper.stdout
        with keeper:
            with keeper.stdout:  # closed once it is ready: the services hold its other end
                if not keeper.stdout.readline():
                    raise progress.Stop(f"Wine does not work in {PREFIX}; remove that folder and try again")
            yield
        if keeper.returncode == 0:
            progress.say("Wine's server died in the midst, and with it every program that ran then")


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
    copies = [
        _copy(process, stream, to) for stream, to in ((process.stdout, 1), (process.stderr, 2)) if stream
    ]
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


def _copy(process: subprocess.Popen[bytes], source: IO[bytes], target: int) -> threading.Thread:
    def work() -> None:
        for data in _output(process, source):
            os.write(target, data)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def show(words: Sequence[str], variables: Mapping[str, str], folder: Path | None = None) -> tuple[int, str]:
    """Run with the output copied to the terminal, newlines as here; the exit code and the text."""
    stdin = subprocess.DEVNULL if sys.stdin is None or sys.stdin.isatty() else None
    process = subprocess.Popen(
        words,
        env=environment(variables),
        cwd=folder,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    text = []
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
    assert process.stdout
    for data in _output(process, process.stdout):
        text.append(decoder.decode(data))
        print(text[-1], end="", flush=True)
    return process.wait(), "".join(text)


def _output(process: subprocess.Popen[bytes], source: IO[bytes]) -> Iterator[bytes]:
    """What the program writes until it ends: a child that it leaves behind may hold the pipe for longer."""
    while True:
        ended = process.poll() is not None  # asked first: what it wrote is in the pipe by then
        if ON_WINDOWS or select.select([source], [], [], 0 if ended else 0.1)[0]:
            if not (data := os.read(source.fileno(), 65536)):
                return
            yield data
        elif ended:
            return
