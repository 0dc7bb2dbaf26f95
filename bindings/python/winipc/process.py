"""Processes: starting them with every parameter of CreateProcess, and talking to them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeAlias

from . import native
from .choices import FRAMINGS, Framing, number
from .connection import Connection
from .errors import Timeout
from .handle import Handle

if TYPE_CHECKING:
    from typing_extensions import Buffer


class HasFileno(Protocol):
    def fileno(self) -> int: ...


Stream: TypeAlias = (
    Literal["inherit", "null", "pipe", "merge"]
    | tuple[Literal["pipe"], Framing]
    | tuple[Literal["append"], str | os.PathLike[str]]
    | os.PathLike[str]
    | HasFileno
    | int
)

WORDS = {
    "inherit": native.STREAM_INHERIT,
    "null": native.STREAM_NULL,
    "pipe": native.STREAM_PIPE,
    "merge": native.STREAM_MERGE,
}


def _stream(given: Stream) -> dict[str, object]:
    """A stream as the native functions take it."""
    if isinstance(given, str):
        return {"kind": number("a stream", given, WORDS)}
    if isinstance(given, tuple) and given[0] == "pipe":
        return {"kind": native.STREAM_PIPE, "framing": number("framing", given[1], FRAMINGS)}
    if isinstance(given, tuple) and given[0] == "append":
        return {"kind": native.STREAM_APPEND, "path": os.fspath(given[1])}
    if isinstance(given, int):
        return {"kind": native.STREAM_HANDLE, "handle": given}
    if isinstance(given, os.PathLike):
        return {"kind": native.STREAM_FILE, "path": os.fspath(given)}
    if hasattr(given, "fileno"):
        return {"kind": native.STREAM_HANDLE, "handle": _handle_of(given.fileno())}
    raise TypeError(
        f"a stream is one of {', '.join(map(repr, WORDS))}, a path, a file or a HANDLE, not {given!r}"
    )


def _handle_of(descriptor: int) -> int:
    import msvcrt

    return msvcrt.get_osfhandle(descriptor)


def _pseudo_console(size: tuple[int, int] | None) -> int | None:
    if size is None:
        return None
    columns, rows = size
    if not (0 < columns < 0x8000 and 0 < rows < 0x8000):
        raise ValueError("a pseudo-console has 1 to 32767 columns and rows")
    return columns << 16 | rows


class Process(Handle):
    r"""A program that runs.

        with winipc.Process(["git", "log"], stdout="pipe") as git:
            log, _ = git.communicate(timeout=10)

    `arguments` are quoted safely, the first one is the program; or give a raw `command_line`. The program
    runs on when the object is closed, unless `kill_with_parent`. Streams, "inherit" unless told:

    "inherit"            this process's own
    "null"               nothing
    "pipe"               a connection: the attributes `stdin`, `stdout`, `stderr`; a stream of bytes, unless
                         it is told with its framing: ("pipe", "line")
    "merge"              standard error only: into standard output
    pathlib.Path(...)    a file; outputs create or truncate it
    ("append", path)     outputs only: the end of a file
    a file, or a HANDLE  lent for the start

    application          the program itself [searched from the command line]
    directory            [this process's]
    environment          a mapping of all variables [this process's]
    creation_flags       CREATE_NO_WINDOW, CREATE_NEW_PROCESS_GROUP, ... as in `subprocess`
    inherited            HANDLEs that the child inherits, and no others
    kill_with_parent     True: the program and all that it started die when the object is closed, or we die
    pseudo_console       (columns, rows): run in a pseudo-console
    parent               HANDLE of the process that is to be the parent
    process_inheritable, thread_inheritable, process_sddl, thread_sddl, title, desktop, startup_flags,
    show_window, window_x, window_y, window_width, window_height, console_columns, console_rows, console_fill
                         as in CreateProcess and its STARTUPINFO
    """

    _streams: dict[int, Connection | None]

    def __init__(
        self,
        arguments: Sequence[str | os.PathLike[str]] | None = None,
        *,
        command_line: str | None = None,
        stdin: Stream = "inherit",
        stdout: Stream = "inherit",
        stderr: Stream = "inherit",
        application: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        environment: Mapping[str, str] | None = None,
        creation_flags: int | None = None,
        inherited: Iterable[int] | None = None,
        kill_with_parent: bool | None = None,
        startup_flags: int | None = None,
        show_window: int | None = None,
        window_x: int | None = None,
        window_y: int | None = None,
        window_width: int | None = None,
        window_height: int | None = None,
        console_columns: int | None = None,
        console_rows: int | None = None,
        console_fill: int | None = None,
        pseudo_console: tuple[int, int] | None = None,
        title: str | None = None,
        desktop: str | None = None,
        process_sddl: str | None = None,
        thread_sddl: str | None = None,
        process_inheritable: bool | None = None,
        thread_inheritable: bool | None = None,
        parent: int | None = None,
    ) -> None:
        if isinstance(arguments, str):
            raise TypeError("arguments are a sequence; a whole line is the keyword command_line")
        self._streams = {}
        self._id = native.process_start(
            {
                "arguments": None if arguments is None else [os.fspath(word) for word in arguments],
                "command_line": command_line,
                "streams": [_stream(stdin), _stream(stdout), _stream(stderr)],
                "application": None if application is None else os.fspath(application),
                "directory": None if directory is None else os.fspath(directory),
                "environment": None if environment is None else [f"{k}={v}" for k, v in environment.items()],
                "creation_flags": creation_flags,
                "inherited": inherited,
                "kill_with_parent": kill_with_parent,
                "startup_flags": startup_flags,
                "show_window": show_window,
                "window_x": window_x,
                "window_y": window_y,
                "window_width": window_width,
                "window_height": window_height,
                "console_columns": console_columns,
                "console_rows": console_rows,
                "console_fill": console_fill,
                "pseudo_console": _pseudo_console(pseudo_console),
                "title": title,
                "desktop": desktop,
                "process_sddl": process_sddl,
                "thread_sddl": thread_sddl,
                "process_inheritable": process_inheritable,
                "thread_inheritable": thread_inheritable,
                "parent": parent,
            }
        )

    @classmethod
    def open(cls, pid: int) -> Self:
        """A process that runs already, to wait for it, end it, or hand it handles."""
        process = cls.__new__(cls)
        process._streams = {}
        process._id = native.process_open(pid)
        return process

    def _release(self, number: int) -> None:
        native.process_close(number)

    def close(self) -> None:
        """Close our handles, and the streams that were taken."""
        for stream in self._streams.values():
            if stream:
                stream.close()
        super().close()

    def _taken(self, which: int) -> Connection | None:
        """Taken when it is asked for; what is no pipe is None."""
        if which not in self._streams:
            self._streams[which] = self._take(which)
        return self._streams[which]

    def _take(self, which: int) -> Connection | None:
        try:
            return Connection(native.process_take_stream(self._id, which))
        except FileNotFoundError:
            return None

    @property
    def stdin(self) -> Connection | None:
        """Our end of a pipe. Close it, and the program sees the end. `communicate` leaves it alone then."""
        return self._taken(native.STDIN)

    @property
    def stdout(self) -> Connection | None:
        """Our end of a pipe. `communicate` leaves it alone then."""
        return self._taken(native.STDOUT)

    @property
    def stderr(self) -> Connection | None:
        """Our end of a pipe. `communicate` leaves it alone then."""
        return self._taken(native.STDERR)

    def communicate(
        self,
        input: Buffer | None = None,  # noqa: A002
        limit: int = 0,
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        """Feed the program, close its standard input, and drain its output and errors until they end.

        An output of more than `limit` bytes (0: no limit) is `MessageTooLarge`. That error, `Timeout` and
        KeyboardInterrupt have what came so far in their attribute `output`, a pair as well; the next call
        goes on after that, and takes no input.
        """
        return native.process_communicate(self._id, input, limit, timeout)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the program, and return its exit code."""
        return native.process_wait(self._id, timeout)

    def poll(self) -> int | None:
        """The exit code, or None while the program runs."""
        try:
            return self.wait(0)
        except Timeout:
            return None

    @property
    def pid(self) -> int:
        return native.process_pid(self._id)

    def interrupt(self) -> None:
        """Ctrl-Break, to a program that was started with CREATE_NEW_PROCESS_GROUP and shares our console."""
        native.process_interrupt(self._id)

    def resume(self) -> None:
        """Let a process run that was started with CREATE_SUSPENDED in `creation_flags`."""
        native.process_resume(self._id)

    def terminate(self, exit_code: int = 1) -> None:
        """End the program at once."""
        native.process_terminate(self._id, exit_code)

    def kill_tree(self, exit_code: int = 1) -> None:
        """End the program and all that it has started. Not for what `open` has opened."""
        native.process_kill_tree(self._id, exit_code)

    def give_handle(self, handle: int, access: int = 0) -> int:
        """Put a duplicate of a HANDLE into the process; its value there. `access` 0 keeps the access."""
        return native.process_give_handle(self._id, handle, access)


def command_line(arguments: Iterable[str | os.PathLike[str]]) -> str:
    """The command line that CommandLineToArgvW and the C runtimes read back as these arguments."""
    return native.command_line([os.fspath(word) for word in arguments])
