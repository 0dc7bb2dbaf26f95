"""A dot plot as SVG: a row for each peer, a dot for each round, a logarithmic axis."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

COLOURS = {
    "limit": "#8a8a8a",
    "yardstick": "#4c78a8",
    "winipc": "#d62728",
    "plain Win32": "#59a14f",
    "rival": "#b07aa1",
}
LEFT, WIDTH, RIGHT, TOP, ROW, BOTTOM = 130, 560, 90, 56, 20, 30
STYLE = "font-family: sans-serif; font-size: 12px"


class Row(NamedTuple):
    name: str
    group: str
    values: list[float]


class Axis(NamedTuple):
    low: int  # powers of ten
    high: int

    def x(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return LEFT + WIDTH * share


def axis(rows: Sequence[Row]) -> Axis:
    every = [value for row in rows for value in row.values]
    low = math.floor(math.log10(min(every)))
    return Axis(low, max(low + 1, math.ceil(math.log10(max(every)))))


def short(value: float) -> str:
    for factor, letter in ((1e6, " M"), (1e3, " k")):
        if value >= factor:
            return f"{value / factor:.3g}{letter}"
    return f"{value:.3g}"


def grid(scale: Axis, bottom: float) -> list[str]:
    drawn = []
    for power in range(scale.low, scale.high + 1):
        x = scale.x(10.0**power)
        drawn.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>')
        label = short(10.0**power)
        drawn.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{label}</text>')
    return drawn


def dots(row: Row, scale: Axis, y: float) -> list[str]:
    colour, middle = COLOURS.get(row.group, "#000000"), statistics.median(row.values)
    weight = ' font-weight="bold"' if row.group == "winipc" else ""
    drawn = [f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end"{weight}>{escape(row.name)}</text>']
    low, high = scale.x(min(row.values)), scale.x(max(row.values))
    drawn.append(f'<line x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}" stroke="{colour}"/>')
    for value in row.values:
        drawn.append(f'<circle cx="{scale.x(value):.1f}" cy="{y}" r="2.5" fill="{colour}" opacity="0.5"/>')
    drawn.append(f'<circle cx="{scale.x(middle):.1f}" cy="{y}" r="4.5" fill="{colour}"/>')
    drawn.append(f'<text x="{LEFT + WIDTH + 12}" y="{y + 4}">{short(middle)}</text>')
    return drawn


def legend(rows: Sequence[Row]) -> list[str]:
    drawn, x = [], LEFT
    for group in dict.fromkeys(row.group for row in rows):
        drawn.append(f'<circle cx="{x}" cy="40" r="4.5" fill="{COLOURS[group]}"/>')
        drawn.append(f'<text x="{x + 9}" y="44">{escape(group)}</text>')
        x += 110
    return drawn


def draw(title: str, rows: Sequence[Row]) -> str:
    """The large dot is the median, the small ones are the rounds."""
    if not rows:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"></svg>\n'
    scale, bottom = axis(rows), TOP + ROW * len(rows) + 8
    width, height = LEFT + WIDTH + RIGHT, bottom + BOTTOM
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
    parts = [f'{head} height="{height}" style="{STYLE}">', '<rect width="100%" height="100%" fill="white"/>']
    parts.append(f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>')
    parts += legend(rows) + grid(scale, bottom)
    for place, row in enumerate(rows):
        parts += dots(row, scale, TOP + ROW * place + 14)
    return "\n".join([*parts, "</svg>"]) + "\n"
