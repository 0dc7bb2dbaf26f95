"""The words that stand for the numbers of winipc.h."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from . import native

Framing: TypeAlias = Literal["auto", "message", "u32", "line", "none"]
Direction: TypeAlias = Literal["duplex", "inbound", "outbound"]
PipeType: TypeAlias = Literal["message", "byte"]
ReadMode: TypeAlias = Literal["auto", "message", "byte"]
Impersonation: TypeAlias = Literal["anonymous", "identification", "impersonation", "delegation"]
Security: TypeAlias = Literal["current_user"]
Scope: TypeAlias = Literal["local", "global"]
Mode: TypeAlias = Literal["create_or_open", "create", "open"]
Full: TypeAlias = Literal["auto", "block", "fail", "drop_newest", "overwrite_oldest"]
Field: TypeAlias = Literal["sequence", "time", "tag"]
Role: TypeAlias = Literal["pair", "publisher", "subscriber", "funnel", "lane"]
Protection: TypeAlias = Literal[
    "read_write",
    "read",
    "copy_on_write",
    "execute_read",
    "execute_read_write",
    "execute_copy_on_write",
]

FRAMINGS: Mapping[str, int] = {
    "auto": native.FRAMING_AUTO,
    "message": native.FRAMING_MESSAGE,
    "u32": native.FRAMING_U32,
    "line": native.FRAMING_LINE,
    "none": native.FRAMING_NONE,
}
DIRECTIONS: Mapping[str, int] = {
    "duplex": native.PIPE_DUPLEX,
    "inbound": native.PIPE_INBOUND,
    "outbound": native.PIPE_OUTBOUND,
}
PIPE_TYPES: Mapping[str, int] = {"message": native.PIPE_MESSAGE, "byte": native.PIPE_BYTE}
READ_MODES: Mapping[str, int] = {
    "auto": native.PIPE_READ_AUTO,
    "message": native.PIPE_READ_MESSAGE,
    "byte": native.PIPE_READ_BYTE,
}
IMPERSONATIONS: Mapping[str, int] = {
    "anonymous": native.PIPE_ANONYMOUS,
    "identification": native.PIPE_IDENTIFICATION,
    "impersonation": native.PIPE_IMPERSONATION,
    "delegation": native.PIPE_DELEGATION,
}
SECURITIES: Mapping[str, int] = {"current_user": native.SECURITY_CURRENT_USER}
SCOPES: Mapping[str, int] = {"local": native.SCOPE_LOCAL, "global": native.SCOPE_GLOBAL}
MODES: Mapping[str, int] = {
    "create_or_open": native.CREATE_OR_OPEN,
    "create": native.CREATE,
    "open": native.OPEN,
}
PROTECTIONS: Mapping[str, int] = {
    "read_write": native.MEMORY_READ_WRITE,
    "read": native.MEMORY_READ,
    "copy_on_write": native.MEMORY_COPY_ON_WRITE,
    "execute_read": native.MEMORY_EXECUTE_READ,
    "execute_read_write": native.MEMORY_EXECUTE_READ_WRITE,
    "execute_copy_on_write": native.MEMORY_EXECUTE_COPY_ON_WRITE,
}
FULLS: Mapping[str, int] = {
    "auto": native.FULL_AUTO,
    "block": native.FULL_BLOCK,
    "fail": native.FULL_FAIL,
    "drop_newest": native.FULL_DROP_NEWEST,
    "overwrite_oldest": native.FULL_OVERWRITE_OLDEST,
}
FIELDS: Mapping[str, int] = {
    "sequence": native.FIELD_SEQUENCE,
    "time": native.FIELD_TIME,
    "tag": native.FIELD_TAG,
}
ROLES: Mapping[str, int] = {
    "pair": native.CHANNEL_PAIR,
    "publisher": native.CHANNEL_PUBLISHER,
    "subscriber": native.CHANNEL_SUBSCRIBER,
    "funnel": native.CHANNEL_FUNNEL,
    "lane": native.CHANNEL_LANE,
}

OPTIONS: Mapping[str, Mapping[str, int]] = {
    "framing": FRAMINGS,
    "direction": DIRECTIONS,
    "type": PIPE_TYPES,
    "read_mode": READ_MODES,
    "impersonation": IMPERSONATIONS,
    "security": SECURITIES,
    "scope": SCOPES,
    "mode": MODES,
    "protection": PROTECTIONS,
    "full": FULLS,
    "role": ROLES,
}


def number(option: str, choice: str, choices: Mapping[str, int]) -> int:
    """The number that a word stands for."""
    if choice not in choices:
        raise ValueError(f"{option} is one of {', '.join(map(repr, choices))}, not {choice!r}")
    return choices[choice]


def word(value: int, choices: Mapping[str, int]) -> str:
    """The word for a number; the number itself, as text, if it is a new one."""
    return next((name for name, known in choices.items() if known == value), str(value))


def options(given: Mapping[str, object]) -> dict[str, object]:
    """Options as the native functions take them: words become numbers, and what is None is left out."""
    return {
        name: number(name, value, OPTIONS[name]) if name in OPTIONS and isinstance(value, str) else value
        for name, value in given.items()
        if value is not None
    }
