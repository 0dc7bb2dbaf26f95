"""The table at the end of the demonstration: what went which way, and how fast."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

FORMAT = "{:21} {:35} {:>8} {:>14} {:>12} {:>10}"
HEAD = FORMAT.format("what", "mechanism", "messages", "bytes", "time", "speed")


@dataclass
class Way:
    """What went one way, and how long it took."""

    what: str
    mechanism: str
    counts: bool = False  # the speed is that of messages, not of bytes
    messages: int = 0
    size: int = 0
    seconds: float = 0

    def add(self, size: int, messages: int = 1) -> None:
        self.messages += messages
        self.size += size

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - start

    @property
    def speed(self) -> str:
        if not self.seconds or not self.messages:
            return ""
        if self.counts:
            return f"{self.messages / self.seconds:,.0f}/s"
        return f"{self.size / self.seconds / 1e6:,.0f} MB/s"

    def __str__(self) -> str:
        duration = f"{self.seconds * 1000:,.1f} ms" if self.seconds else ""
        numbers = f"{self.messages:,}", f"{self.size:,}", duration, self.speed
        return FORMAT.format(self.what, self.mechanism, *numbers).rstrip()
