"""Cancel tokens: ending blocking calls from outside."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from . import native
from .handle import Handle


class _Used(threading.local):
    """The tokens of this thread's nested `with` statements."""

    def __init__(self) -> None:
        self.tokens: list[CancelToken] = []


_used = _Used()


class CancelToken(Handle):
    """Ends the blocking calls of every thread that uses it, and keeps ending them until it is reset.

        with token:  # this thread uses it
            connection.receive()  # raises Cancelled when another thread calls token.fire()

    A call that does not have to wait succeeds all the same. Ctrl-C ends the main thread's calls beside it.
    """

    _warns = False  # `with` does not close it

    def _release(self, number: int) -> None:
        native.cancel_close(number)

    def __init__(self) -> None:
        super().__init__(native.cancel_create())

    def fire(self) -> None:
        """End the calls of all threads that use the token."""
        native.cancel_fire(self._id)

    def reset(self) -> None:
        """Let calls wait again."""
        native.cancel_reset(self._id)

    def __enter__(self) -> Self:
        native.cancel_use(self._id)
        _used.tokens.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _used.tokens.pop()
        native.cancel_use(_used.tokens[-1]._id if _used.tokens else None)
