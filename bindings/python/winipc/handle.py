"""What all objects of the library have in common: they are closed, and have a HANDLE of the system's."""

from __future__ import annotations

import warnings
from types import TracebackType
from typing import ClassVar, Self

from . import native


class Handle:
    """An object of the library. Close it, or use it in a `with` statement."""

    _id: int = 0  # of the library's; 0 when closed
    _warns: ClassVar[bool] = True  # of an object that nobody closed

    def __init__(self, number: int) -> None:
        self._id = number

    def _release(self, number: int) -> None:
        raise NotImplementedError

    @property
    def closed(self) -> bool:
        return not self._id

    @property
    def handle(self) -> int:
        """The HANDLE of Win32, lent: valid until `close`."""
        return native.native_handle(self._id)

    def cancel(self) -> None:
        """End the calls that are blocked in this object at this moment; they raise `Cancelled`."""
        native.cancel(self._id)

    def close(self) -> None:
        """Close. Threads that are blocked in the object get `Closed`. Closing again does nothing."""
        number, self._id = self._id, 0
        if number:
            self._release(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if self._id:
            if self._warns:
                warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
            self.close()

    def __repr__(self) -> str:
        return f"<winipc.{type(self).__name__} {'closed' if self.closed else hex(self._id)}>"
