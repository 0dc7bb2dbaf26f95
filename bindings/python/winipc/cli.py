"""The command line: a look at pipes, channels and shared memory, and a netcat for every address.

python -m winipc pipes
python -m winipc listen pipe:prices
python -m winipc connect pipe:prices --framing u32 --hex
python -m winipc channel prices --watch 1
python -m winipc shm frames --dump
"""

from __future__ import annotations

import argparse
import ntpath
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from . import Event, SharedMemory, __version__, connect, listen, pipes
from .channel import ChannelMember, channel_members
from .choices import FRAMINGS, PIPE_TYPES, PROTECTIONS, SCOPES, Protection
from .connection import Connection
from .errors import Closed, Disconnected, Error, InvalidArgument, InvalidHandle, NotFound

Options = argparse.Namespace
CHUNK = 65536


def main(words: list[str]) -> int:
    """Run a command; the exit code is 0, 1 for an error, 2 for wrong use, 130 for Ctrl-C."""
    options = _parser().parse_args(words)
    run: Callable[[Options], None] = options.run
    try:
        run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # nobody reads our output any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Error, ValueError, BufferError) as error:
        print(f"winipc: {error}{_hint(error, options)}", file=sys.stderr)
        return 1
    return 0


def _hint(error: Exception, options: Options) -> str:
    address = getattr(options, "address", "pipe:")
    if isinstance(error, InvalidArgument) and ":" not in address and "\\" not in address:
        return f" (did you mean pipe:{address} ?)"
    return ""


# ---- arguments ----


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m winipc", description="Pipes, channels and shared memory at a glance."
    )
    parser.add_argument("--version", action="version", version=f"winipc {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "pipes", _pipes, "list the pipes of this machine")
    _add_talk(commands, "listen", _listen, "serve at an address: standard input goes to the client, and back")
    _add_talk(commands, "connect", _connect, "connect: standard input goes to the server, and back")
    _add_channel(commands)
    _add_shm(commands)
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[Options], None],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(run=run)
    return parser


def _add_talk(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[Options], None],
    text: str,
) -> None:
    parser = _add(commands, name, run, text)
    parser.add_argument("address", metavar="ADDRESS", help="pipe:NAME or channel:NAME")
    parser.add_argument(
        "--framing", choices=FRAMINGS, default="auto", help="what makes a message (%(default)s)"
    )
    parser.add_argument("--max-message", type=int, metavar="BYTES", help="the largest message (64 MiB)")
    parser.add_argument("--hex", action="store_true", help="messages are lines of hexadecimal digits")
    if name == "listen":
        parser.add_argument("--type", choices=PIPE_TYPES, help="of the pipe (message)")
        parser.add_argument("--keep", action="store_true", help="serve one client after another")
    _add_seconds(parser, "--timeout", None if name == "listen" else 10, "how long to wait for the other side")
    linger = "how long to receive when standard input has ended"
    _add_seconds(parser, "--linger", None if name == "listen" else 1, linger)


def _add_seconds(parser: argparse.ArgumentParser, name: str, default: float | None, text: str) -> None:
    told = "for ever" if default is None else f"{default} s"
    parser.add_argument(name, type=float, default=default, metavar="SECONDS", help=f"{text} ({told})")


def _add_channel(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(commands, "channel", _channel, "show who is on a channel, and what it has done")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--watch", type=float, metavar="SECONDS", help="look again and again, until it ends")
    parser.add_argument("--scope", choices=SCOPES, help="who shares the name (local)")
    _add_seconds(parser, "--timeout", 2, "how long to wait for the channel")


def _add_shm(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _add(commands, "shm", _shm, "show shared memory, dump it, write to it")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--size", type=int, metavar="BYTES", help="create it when it is not there")
    parser.add_argument(
        "--protection", choices=PROTECTIONS, help="how to open it (read; read_write to write)"
    )
    parser.add_argument("--offset", type=int, default=0, metavar="BYTES", help="where to begin (0)")
    parser.add_argument("--count", type=int, default=0, metavar="BYTES", help="how much of it (all)")
    parser.add_argument("--hold", action="store_true", help="keep it until Ctrl-C")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--dump", action="store_true", help="print its bytes in hexadecimal")
    what.add_argument("--raw", action="store_true", help="its bytes to standard output")
    what.add_argument("--write", action="store_true", help="standard input into it")


# ---- pipes ----


def _pipes(options: Options) -> None:
    for name in sorted(pipes(), key=str.lower):
        print(name)


# ---- listen and connect ----


def _listen(options: Options) -> None:
    given = {"framing": options.framing, "max_message": options.max_message, "type": options.type}
    with listen(options.address, **given) as listener:
        while True:
            with listener.accept(options.timeout) as connection:
                _talk(connection, options)
            if not options.keep:
                break


def _connect(options: Options) -> None:
    given = {"framing": options.framing, "max_message": options.max_message}
    with connect(options.address, timeout=options.timeout, **given) as connection:
        _talk(connection, options)


def _talk(connection: Connection, options: Options) -> None:
    """Copy both ways, until the other side ends, or standard input has ended and the time is up."""
    stream = connection.framing == "none" and not options.hex
    failed: list[Exception] = []
    threading.Thread(target=_feed, args=(connection, options, stream, failed), daemon=True).start()
    try:
        while True:
            _show(connection.receive(), options.hex, stream)
    except Disconnected:
        pass
    except (Closed, InvalidHandle):  # by the other thread
        if failed:
            raise failed[0] from None


def _show(message: bytes, in_hex: bool, stream: bool) -> None:
    data = message.hex().encode() if in_hex else message
    sys.stdout.buffer.write(data if stream else data + b"\n")
    sys.stdout.buffer.flush()


def _feed(connection: Connection, options: Options, stream: bool, failed: list[Exception]) -> None:
    try:
        for data in _chunks() if stream else _lines():
            connection.send(bytes.fromhex(data.decode()) if options.hex else data)
        if options.linger is None:
            return
        connection.drain(options.linger)
        time.sleep(options.linger)
    except (Disconnected, InvalidHandle, TimeoutError):
        pass
    except (Error, ValueError) as error:
        failed.append(error)
    connection.close()


def _chunks() -> Iterator[bytes]:
    """Standard input as it comes. Not through sys.stdin: a thread that waits in there blocks our end."""
    while chunk := os.read(0, CHUNK):
        yield chunk


def _lines() -> Iterator[bytes]:
    rest = b""
    for chunk in _chunks():
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in lines)
    if rest:
        yield rest


# ---- channels ----

COLUMNS = {
    "ROLE": "<10",
    "PID": ">6",
    "SINCE": "<9",
    "RING": ">9",
    "SENT": ">10",
    "BYTES": ">12",
    "DROPPED": ">8",
    "UNREAD": ">10",
    "LOST": ">8",
    "STATE": "<6",
    "PROGRAM": "",
}


def _channel(options: Options) -> None:
    _show_members(channel_members(options.name, timeout=options.timeout, scope=options.scope))
    while options.watch is not None:
        time.sleep(options.watch)
        try:
            members = channel_members(options.name, timeout=options.timeout, scope=options.scope)
        except (NotFound, Disconnected):
            break
        print()
        _show_members(members)


def _show_members(members: list[ChannelMember]) -> None:
    _print_row(COLUMNS)
    for member in members:
        _print_row(_cells(member))
    sys.stdout.flush()


def _cells(member: ChannelMember) -> list[str]:
    counters = (member.messages, member.bytes, member.dropped, member.unread, member.lost)
    sends = member.capacity != 0
    return [
        member.role,
        str(member.pid),
        f"{member.since.astimezone():%H:%M:%S}",
        _size(member.capacity) if sends else "-",
        *(str(counter) if sends else "-" for counter in counters[:3]),
        *map(str, counters[3:]),
        "asleep" if member.waiting else "awake",
        ntpath.basename(member.image) or "?",
    ]


def _print_row(cells: Iterable[str]) -> None:
    print("  ".join(format(cell, how) for cell, how in zip(cells, COLUMNS.values(), strict=True)).rstrip())


def _size(count: int) -> str:
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count // factor} {unit}"
    return str(count)


# ---- shared memory ----


def _shm(options: Options) -> None:
    writes = options.write or options.size is not None
    protection: Protection = options.protection or ("read_write" if writes else "read")
    with SharedMemory(options.name, options.size, protection=protection) as memory:
        if options.dump or options.raw:
            _dump(memory, options)
        elif options.write:
            _write(memory, options)
        else:
            _tell(memory)
        if options.hold:
            sys.stdout.flush()
            with Event() as never:
                never.wait()


def _tell(memory: SharedMemory) -> None:
    info = memory.info
    print(f"size     {info.size} bytes{'' if info.exact else ', rounded up to whole pages'}")
    print(f"creator  {f'process {info.creator}' if info.creator else 'unknown'}{', just now' * info.created}")


def _dump(memory: SharedMemory, options: Options) -> None:
    with memory.map(options.offset, options.count, "read") as view:
        data = bytes(view)
    if options.raw:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        print(f"{options.offset + start:08x}  {row.hex(' '):47}  {text}")


def _write(memory: SharedMemory, options: Options) -> None:
    data = b"".join(_chunks())
    with memory.map(options.offset, options.count) as view, memoryview(view) as target:
        if len(data) > len(target):
            raise ValueError(f"{len(data)} bytes do not fit into {len(target)}")
        target[: len(data)] = data
