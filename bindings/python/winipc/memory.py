"""Shared memory: named, unnamed, or of a file."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

from . import native
from .choices import PROTECTIONS, Protection, Scope, Security, number, options
from .handle import Handle


class MemoryInfo(NamedTuple):
    size: int
    exact: bool  # the size is what the creator asked for; False: rounded up to whole pages
    creator: int  # pid, 0 when unknown
    created: bool  # by this object


class View(native.View):
    """A part of shared memory, mapped. It has the buffer protocol: `memoryview(view)`, `struct.unpack(view)`.

    It lives as long as anything looks at it, and keeps its `SharedMemory` alive.
    """

    def __init__(self, memory: SharedMemory, offset: int, size: int, protection: int) -> None:
        self.memory = memory

    def __new__(cls, memory: SharedMemory, offset: int, size: int, protection: int) -> Self:
        return super().__new__(cls, memory._id, offset, size, protection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class SharedMemory(Handle):
    """Memory that processes share. Byte 0 is byte 0: plain CreateFileMapping programs see the same.

        with winipc.SharedMemory("frames", 4096, create=True) as memory:
            memory.buf[:5] = b"Shine"

    create       True: the name must be free (`Exists`); False: it must be taken (`NotFound`); None, the
                 default: with a size or a path whichever it is, else it must be taken. `created` tells.
    initialise   a function that gets a memoryview of the memory, zero at first. It runs exactly once for the
                 life of the memory, before this call returns in any process; if it fails, or its process dies
                 in it, the next one runs. With create=None only.
    timeout      for the wait for another process's initialiser
    protection   "read_write", "read", "copy_on_write", "execute_read", "execute_read_write" or
                 "execute_copy_on_write": of the memory, and the most that its views may have
    scope        "local": this logon session, "global": the whole machine
    inheritable  True: child processes inherit the handle
    path         back the memory by this file; a larger size extends it, and 0 is its own size
    large_pages  True: takes SeLockMemoryPrivilege
    security     "current_user": nobody else may open it
    sddl         a security descriptor that overrides `security`
    """

    def __init__(
        self,
        name: str | None = None,
        size: int | None = None,
        *,
        create: bool | None = None,
        initialise: Callable[[memoryview], object] | None = None,
        timeout: float | None = None,
        protection: Protection = "read_write",
        scope: Scope | None = None,
        inheritable: bool | None = None,
        path: str | os.PathLike[str] | None = None,
        large_pages: bool | None = None,
        security: Security | None = None,
        sddl: str | None = None,
    ) -> None:
        self._prepare(name, protection)
        given = options(
            {
                "protection": protection,
                "scope": scope,
                "inheritable": inheritable,
                "path": None if path is None else os.fspath(path),
                "large_pages": large_pages,
                "security": security,
                "sddl": sddl,
            }
        )
        if create is None and size is None and path is None:
            create = False
        if initialise is not None and create is not None:
            raise ValueError("an initialiser is for memory of a size, and create=None")
        if create is None:
            called = None if initialise is None else self._initialiser(initialise, scope)
            _, self._id = native.memory_create_or_open(name, size or 0, given, called, timeout)
        elif create:
            self._id = native.memory_create(name, size or 0, given)
        elif name is None:
            raise ValueError("to open memory takes its name")
        else:
            self._id = native.memory_open(name, given)
        self._check_size(size)

    @classmethod
    def from_handle(cls, handle: int, *, protection: Protection = "read_write") -> Self:
        """Make one of a section's HANDLE, which then belongs to it. On an error it stays yours."""
        memory = cls.__new__(cls)
        memory._prepare(None, protection)
        memory._id = native.memory_from_handle(handle, options({"protection": protection}))
        return memory

    def _prepare(self, name: str | None, protection: Protection) -> None:
        self.name = name
        self._protection = number("protection", protection, PROTECTIONS)
        self._views: weakref.WeakSet[View] = weakref.WeakSet()
        self._buf: memoryview | None = None

    def _initialiser(
        self, initialise: Callable[[memoryview], object], scope: Scope | None
    ) -> Callable[[int, int], object]:
        """The mapping that the library offers ends when this returns, whoever still looks: we use our own."""

        def call(address: int, size: int) -> None:
            with SharedMemory(self.name, create=False, scope=scope) as memory:
                initialise(memory.buf)

        return call

    def _check_size(self, size: int | None) -> None:
        if size is not None and size > self.size:
            self.close()
            raise ValueError("the memory exists already, and is smaller")

    def _release(self, number: int) -> None:
        native.memory_close(number)

    def map(self, offset: int = 0, size: int = 0, protection: Protection | None = None) -> View:
        """Map a part; `size` 0 is up to the end. As many views as you like, each closed when unused."""
        wanted = self._protection if protection is None else number("protection", protection, PROTECTIONS)
        view = View(self, offset, size or self.size - offset, wanted)
        self._views.add(view)
        return view

    @property
    def buf(self) -> memoryview:
        """All of it."""
        if self._buf is None:
            self._buf = memoryview(self.map())
        return self._buf

    def flush(self) -> None:
        """Write the changes in all views to the file behind the memory."""
        for view in list(self._views):
            view.flush()

    def close(self) -> None:
        """End all views, and close. BufferError while a slice of `buf`, or another view, is in use."""
        if self._buf is not None:
            self._buf.release()
            self._buf = None
        views = list(self._views)
        if in_use := sum(view.exports for view in views):
            raise BufferError(f"{in_use} views of the memory are in use")
        for view in views:
            view.close()
        self._views.clear()
        super().close()

    @property
    def info(self) -> MemoryInfo:
        told = native.memory_get_info(self._id)
        return MemoryInfo(told["bytes"], bool(told["exact"]), told["creator"], bool(told["created"]))

    @property
    def size(self) -> int:
        """Bytes: what its creator asked for when that is known (`exact`), else rounded up to whole pages."""
        return self.info.size

    @property
    def exact(self) -> bool:
        return self.info.exact

    @property
    def created(self) -> bool:
        """Whether this object created it."""
        return self.info.created
