"""Locks that processes share: mutexes, events, semaphores; and waiting for several objects at once."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from . import native
from .choices import Mode, Scope, Security, options
from .handle import Handle


def _options(
    mode: Mode | None,
    scope: Scope | None,
    inheritable: bool | None,
    security: Security | None,
    sddl: str | None,
) -> dict[str, object]:
    return options(
        {"mode": mode, "scope": scope, "inheritable": inheritable, "security": security, "sddl": sddl}
    )


class Mutex(Handle):
    """A lock that belongs to the thread that locked it, which may lock it again while it owns it.

    Without a name it is for this process and those that get its handle. The keywords, with their defaults:

    mode         "create_or_open"; "create": the name must be free (`Exists`), "open": taken (`NotFound`)
    scope        "local": this logon session, "global": the whole machine
    inheritable  False; True: child processes inherit the handle
    security     "current_user": nobody else may open it
    sddl         a security descriptor that overrides `security`

    `with mutex:` locks and unlocks it.
    """

    _warns = False  # `with` does not close it

    created: bool  # by this object
    abandoned: bool = False  # the owner before us ended without unlocking: mind what the mutex protects

    def __init__(
        self,
        name: str | None = None,
        *,
        mode: Mode | None = None,
        scope: Scope | None = None,
        inheritable: bool | None = None,
        security: Security | None = None,
        sddl: str | None = None,
    ) -> None:
        given = _options(mode, scope, inheritable, security, sddl)
        self.created, number = native.mutex_open(name, given)
        super().__init__(number)

    @classmethod
    def from_handle(cls, handle: int) -> Self:
        """Make one of a HANDLE, which then belongs to it."""
        mutex = cls.__new__(cls)
        mutex.created = False
        mutex._id = native.mutex_from_handle(handle)
        return mutex

    def _release(self, number: int) -> None:
        native.mutex_close(number)

    def lock(self, timeout: float | None = None) -> None:
        """Lock it, or raise `Timeout`. Afterwards `abandoned` tells whether the last owner has died."""
        self.abandoned = native.mutex_lock(self._id, timeout) == native.ABANDONED

    def unlock(self) -> None:
        """Unlock it. `NotOwner` when this thread has not locked it."""
        native.mutex_unlock(self._id)

    def __enter__(self) -> Self:
        self.lock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unlock()


class Event(Handle):
    """A flag to wait for. A wait that succeeds resets it, unless it is `manual`: then it stays set.

    The other keywords are those of `Mutex`.
    """

    created: bool  # by this object

    def __init__(
        self,
        name: str | None = None,
        *,
        manual: bool = False,
        is_set: bool = False,
        mode: Mode | None = None,
        scope: Scope | None = None,
        inheritable: bool | None = None,
        security: Security | None = None,
        sddl: str | None = None,
    ) -> None:
        given = _options(mode, scope, inheritable, security, sddl)
        self.created, number = native.event_open(name, manual, is_set, given)
        super().__init__(number)

    @classmethod
    def from_handle(cls, handle: int) -> Self:
        """Make one of a HANDLE, which then belongs to it."""
        event = cls.__new__(cls)
        event.created = False
        event._id = native.event_from_handle(handle)
        return event

    def _release(self, number: int) -> None:
        native.event_close(number)

    def set(self) -> None:
        """Let one waiter go on; all of them, from now on, when it is `manual`."""
        native.event_set(self._id)

    def reset(self) -> None:
        """Let waiters wait again."""
        native.event_reset(self._id)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is set, or raise `Timeout`."""
        native.event_wait(self._id, timeout)


class Semaphore(Handle):
    """A count that `acquire` lowers, waiting while it is 0, and `release` raises up to `limit`.

    The other keywords are those of `Mutex`. `with semaphore:` acquires and releases it.
    """

    _warns = False  # `with` does not close it

    created: bool  # by this object

    def __init__(
        self,
        name: str | None = None,
        *,
        count: int = 1,
        limit: int = 0x7FFFFFFF,
        mode: Mode | None = None,
        scope: Scope | None = None,
        inheritable: bool | None = None,
        security: Security | None = None,
        sddl: str | None = None,
    ) -> None:
        given = _options(mode, scope, inheritable, security, sddl)
        self.created, number = native.semaphore_open(name, count, limit, given)
        super().__init__(number)

    @classmethod
    def from_handle(cls, handle: int) -> Self:
        """Make one of a HANDLE, which then belongs to it."""
        semaphore = cls.__new__(cls)
        semaphore.created = False
        semaphore._id = native.semaphore_from_handle(handle)
        return semaphore

    def _release(self, number: int) -> None:
        native.semaphore_close(number)

    def acquire(self, timeout: float | None = None) -> None:
        """Lower the count by one, or raise `Timeout`."""
        native.semaphore_acquire(self._id, timeout)

    def release(self, count: int = 1) -> int:
        """Raise the count, and return what it was. `LimitReached`, and no change, beyond the limit."""
        return native.semaphore_release(self._id, count)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def wait(objects: Iterable[Handle], *, all: bool = False, timeout: float | None = None) -> int:  # noqa: A002
    """Wait for any, or for all, of 1 to 61 processes, mutexes, events and semaphores.

    The result is the position of the one that ended the wait, 0 for all. What a wait does to an object, such
    as locking a mutex, it does to that one, or to all; the attribute `abandoned` of mutexes is set too.
    """
    waited = list(objects)
    status, index = native.wait([item._id for item in waited], all, timeout)
    for mutex in waited if all else [waited[index]]:
        if isinstance(mutex, Mutex):
            mutex.abandoned = status == native.ABANDONED
    return index
