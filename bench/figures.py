"""Cells of figures: what they come to, and how they are shown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Cell(NamedTuple):
    """Microseconds an operation took, in each block of contestants A and B; those of one place are a pair."""

    bench: str
    kind: str
    way: str
    bytes: int
    a: Sequence[float]
    b: Sequence[float]

    @property
    def name(self) -> str:
        return f"{self.kind} {self.way} {self.bytes}"

    @property
    def ratios(self) -> list[float]:
        return [b / a for a, b in zip(self.a, self.b, strict=True)]


class Spread(NamedTuple):
    """The median, between the tenth and the ninetieth of a hundred."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    ordered = sorted(values)
    tenth = len(ordered) // 10
    return Spread(statistics.median(ordered), ordered[tenth], ordered[-1 - tenth])


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Where the true median lies in 95 of 100 cases, whatever the distribution (by order statistics)."""
    ordered, count = sorted(values), len(values)
    away = 0.98 * count**0.5
    low, high = int(count / 2 - away), int(count / 2 + away)
    return ordered[max(0, low)], ordered[min(count - 1, high)]


def _size(count: int) -> str:
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count // factor} {unit}"
    return f"{count} B"


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _row(cell: Cell) -> str:
    shown = []
    for values in (cell.a, cell.b):
        s = spread(values)
        shown.append(f"{_figure(s.median)} ({_figure(s.low)}-{_figure(s.high)})")
    ratio, (low, high) = spread(cell.ratios), interval(cell.ratios)
    shown.append(f"**{ratio.median:.3f}** ({low:.3f}-{high:.3f})")
    shown.append(f"{ratio.low:.2f}-{ratio.high:.2f}")
    words = [cell.kind, cell.way, _size(cell.bytes), *shown, str(len(cell.ratios))]
    return f"| {' | '.join(words)} |"


def table(cells: Sequence[Cell], a: str, b: str) -> str:
    """A table in Markdown. A ratio below 1: B is faster."""
    heads = ["", "", "size", f"{a} µs", f"{b} µs", f"{b} / {a}", "pairs' ratios", "pairs"]
    rule = ["---", "---", "--:", "--:", "--:", "--:", "--:", "--:"]
    return "\n".join([f"| {' | '.join(heads)} |", f"|{'|'.join(rule)}|", *map(_row, cells)])


def _nanoseconds(values: Sequence[float]) -> str:
    s = spread([value * 1000 for value in values])
    return f"{s.median:.0f} ({s.low:.0f}-{s.high:.0f})"


def table_of_differences(cells: Sequence[Cell], a: str, b: str) -> str:
    """The same where the difference counts, and not the ratio."""
    rows = [f"| | {a} ns | {b} ns | {b} - {a} ns |", "|---|--:|--:|--:|"]
    for cell in cells:
        more = _nanoseconds([b - a for a, b in zip(cell.a, cell.b, strict=True)])
        rows.append(
            f"| {cell.way} {cell.kind} | {_nanoseconds(cell.a)} | {_nanoseconds(cell.b)} | **{more}** |"
        )
    return "\n".join(rows)
