"""From every run's figures to tables and plots."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import peers
import plot
from peers import Peer

DOCS = peers.HERE.parent.parent / "docs"
PAGE = DOCS / "benchmarks-channel.md"
LIMIT, RING, ASLEEP = "lines", "ring_spin", "ring_event"  # what the ratios are to
MANY = (1, 4, 16)

Run = dict[str, Any]


class Results:
    """For each peer and each cell the figures of every round, in order."""

    def __init__(self, about: dict[str, Any], figures: dict[str, dict[str, list[Run]]] | None = None) -> None:
        self.about = about
        self.figures = figures or {}

    def add(self, peer: str, key: str, figures: Run) -> None:
        self.figures.setdefault(peer, {}).setdefault(key, []).append(figures)

    def runs(self, peer: str, key: str) -> list[Run]:
        return self.figures.get(peer, {}).get(key, [])

    def save(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"about": self.about, "figures": self.figures}))


def load(file: Path) -> Results:
    made = json.loads(file.read_text())
    return Results(made["about"], made["figures"])


# ---- figures ----


def rate(run: Run) -> float | None:
    """Messages a second."""
    return run["messages"] / run["seconds"] if run.get("seconds") and "messages" in run else None


def field(name: str) -> Callable[[Run], float | None]:
    return lambda run: run.get(name)


class Figure(NamedTuple):
    """One figure of a peer: one value a round, None where a round failed."""

    values: list[float | None]

    @property
    def known(self) -> list[float]:
        return [value for value in self.values if value is not None]

    @property
    def median(self) -> float:
        return statistics.median(self.known)

    def against(self, other: Figure) -> float | None:
        """The median of the rounds' ratios: what happened in the same round belongs together."""
        pairs = zip(self.values, other.values, strict=False)
        ratios = [a / b for a, b in pairs if a is not None and b]
        return statistics.median(ratios) if ratios else None


def figure(results: Results, peer: str, key: str, take: Callable[[Run], float | None]) -> Figure:
    return Figure([take(run) for run in results.runs(peer, key)])


# ---- text ----


def number(value: float) -> str:
    """Three digits."""
    for factor, letter in ((1e6, " M"), (1e3, " k")):
        if value >= 9.995 * factor or (factor == 1e6 and value >= 1e6):
            return f"{value / factor:.3g}{letter}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def microseconds(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def spread(made: Figure, text: Callable[[float], str]) -> str:
    known = made.known
    if not known:
        return "failed" if made.values else ""
    if len(known) == 1:
        return text(known[0])
    return f"{text(made.median)} ({text(min(known))}-{text(max(known))})"


def middle(made: Figure, text: Callable[[float], str]) -> str:
    return text(made.median) if made.known else ("failed" if made.values else "")


def ratio(made: Figure, other: Figure, *, more_is_better: bool = False) -> str:
    value = made.against(other)
    if value is None:
        return ""
    return f"{number(100 * value)} %" if more_is_better else f"{number(value)} x"


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]], *, words: bool = False) -> str:
    rule = ["---", *["---" if words else "--:"] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rule, *rows))


def rows(results: Results, make: Callable[[str], list[str]]) -> Iterator[list[str]]:
    for peer in peers.ALL:
        if peer.name in results.figures and any(cells := make(peer.name)):
            yield [label(peer), *cells]


def label(peer: Peer) -> str:
    return f"**{peer.name}**" if peer.group == peers.OURS else peer.name


# ---- tables ----


def trips(results: Results) -> str:
    heads = ["round trip, µs", "64 B", "p99", "p99.9", "to limit", "4 KiB", "p99", "1 MiB"]
    heads += ["64 B after 20 ms of silence", "to ring_event", "idle CPU"]
    limit = figure(results, LIMIT, "trip 64", field("median"))
    asleep = figure(results, ASLEEP, "cold 64", field("median"))

    def row(peer: str) -> list[str]:
        def of(key: str, name: str = "median") -> Figure:
            return figure(results, peer, key, field(name))

        idle = figure(results, peer, "idle 64", lambda run: 100 * run["cpu"] / run["seconds"])
        small, cold = of("trip 64"), of("cold 64")
        cells = [spread(small, microseconds)]
        cells += [middle(of("trip 64", name), microseconds) for name in ("p99", "p999")]
        cells += [ratio(small, limit), spread(of("trip 4096"), microseconds)]
        cells += [middle(of("trip 4096", "p99"), microseconds), spread(of("trip 1048576"), microseconds)]
        cells += [spread(cold, microseconds), ratio(cold, asleep), middle(idle, lambda v: f"{v:.1f} %")]
        return cells

    return markdown(heads, list(rows(results, row)))


def streams(results: Results) -> str:
    heads = ["one way", "64 B, messages/s", "to ring_spin", "4 KiB, messages/s", "to ring_spin"]
    heads += ["1 MiB, GB/s", "to ring_spin"]

    def row(peer: str) -> list[str]:
        cells = []
        for size in peers.SIZES:
            made = figure(results, peer, f"stream {size}", rate)
            ring = figure(results, RING, f"stream {size}", rate)
            large = size >= 1 << 20
            cells.append(spread(made, (lambda v: f"{v * (1 << 20) / 1e9:.3g}") if large else number))
            cells.append(ratio(made, ring, more_is_better=True))
        return cells

    return markdown(heads, list(rows(results, row)))


def fans(results: Results) -> str:
    heads = ["64 B, messages/s", *(f"{n} writer{'s' * (n > 1)} to 1" for n in MANY)]
    heads += [f"1 to {n} reader{'s' * (n > 1)}" for n in MANY]

    def row(peer: str) -> list[str]:
        keys = [f"fan_{way} 64 x{n}" for way in ("in", "out") for n in MANY]
        return [spread(figure(results, peer, key, rate), number) for key in keys]

    return markdown(heads, list(rows(results, row)))


def death(runs: Sequence[Run]) -> str:
    """How many hung, and how long the others took to tell of it."""
    after = [run["after_ms"] for run in runs if "after_ms" in run]
    hung = [run["hangs"] for run in runs if "hangs" in run]
    text = []
    if after:
        text.append(
            f"{max(0, min(after)):.1f}-{max(after):.1f} ms" if len(after) > 1 else f"{after[0]:.1f} ms"
        )
    if hung:
        text.append(f"hangs ({len(hung)} of {len(runs)}, {max(hung):.1f} s watched)")
    if len(after) + len(hung) < len(runs):
        text.append("failed")
    return "; ".join(text)


def stall(runs: Sequence[Run]) -> str:
    fine = [run for run in runs if "lost" in run]
    if not runs:
        return ""
    if len(fine) < len(runs):
        return next(str(run["error"]) for run in runs if "error" in run)
    lost = max(run["lost"] for run in fine)
    return f"{lost} lost; longest send {max(run['longest_ms'] for run in fine):.0f} ms"


def deaths(results: Results) -> str:
    heads = ["the other one is killed or stalls", "reader killed: the writer's error comes after"]
    heads += ["writer killed: the reader's", "reader stalls"]

    def row(peer: str) -> list[str]:
        dead = [death(results.runs(peer, f"{who} killed 64")) for who in ("reader", "writer")]
        return [*dead, stall(results.runs(peer, "stall 64"))]

    return markdown(heads, list(rows(results, row)))


def contestants(results: Results) -> str:
    """Who took part, from where, and who could not."""
    told = []
    for peer in peers.ALL:
        if peer.name not in results.figures and peer.name not in results.about["missing"]:
            continue
        rival = results.about["rivals"].get(peer.rival, {})
        words = [rival.get("title", ""), rival.get("version", "")] if rival else []
        come = f"{rival['package']} ({rival['from']})" if rival else ""
        reason = results.about["missing"].get(peer.name, "")
        did = f"left out: {reason}".replace("|", "/") if reason else "ran"
        told.append([label(peer), peer.group, " ".join(words), come, peer.about, did])
    heads = ["peer", "what", "version", "package", "how", "in this run"]
    return markdown(heads, told, words=True)


def machine(results: Results) -> str:
    about = results.about
    told = f"{about['machine']}; {about['run']}; load average {about['load']}."
    if about["run"].startswith("1 round"):
        told += "\n\n**One short round: it shows the form of these tables; do not rely on its figures.**"
    return told


PARTS: dict[str, Callable[[Results], str]] = {
    "machine": machine,
    "round trips": trips,
    "one way": streams,
    "many": fans,
    "deaths": deaths,
    "peers": contestants,
}


# ---- the page ----


def plots(results: Results) -> Iterator[tuple[str, str]]:
    def series(key: str, take: Callable[[Run], float | None], factor: float = 1) -> list[plot.Row]:
        made = []
        for peer in peers.ALL:
            if known := figure(results, peer.name, key, take).known:
                made.append(plot.Row(peer.name, peer.group, [value * factor for value in known]))
        return made

    median = field("median")
    yield "trip-64", plot.draw("64 B round trip, µs (less is better)", series("trip 64", median))
    yield "cold-64", plot.draw("64 B round trip after 20 ms of silence, µs", series("cold 64", median))
    yield "one-way-64", plot.draw("64 B one way, messages a second", series("stream 64", rate))
    large = series("stream 1048576", rate, (1 << 20) / 1e9)
    yield "one-way-1mib", plot.draw("1 MiB one way, GB a second", large)


def write_page(results: Results) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, make in PARTS.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        made = f"{begin}\n{make(results)}\n\n{end}"
        before, rest = text.split(begin, 1)
        text = before + made + rest.split(end, 1)[1]
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    for name, drawing in plots(results):
        (DOCS / f"channel-{name}.svg").write_text(drawing, encoding="utf-8", newline="\n")


def show(results: Results, docs: bool) -> None:
    for make in PARTS.values():
        print(make(results), end="\n\n")
    if docs:
        write_page(results)
