"""What asynctb has set itself, and whether it keeps it: each budget, judged by what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from tests.bench.case import Results, Row
from tests.bench.entrants import LIMIT
from tests.bench.text import amount, seconds, times

__all__ = ["Verdict", "verdicts"]

MIB = 1 << 20
NEVER_IMPORTED = {"torch", "matplotlib", "PIL"}


class Verdict(NamedTuple):
    """One budget and what was measured."""

    what: str
    budget: str
    figure: str
    met: bool


Judge: TypeAlias = Callable[[Row], Iterator[tuple[str, str, bool]]]
"""Yields budget, figure and verdict, from one row."""


def verdicts(results: Results) -> list[Verdict]:
    """Judge all budgets whose rows were measured; what failed to be measured is not met."""
    found: list[Verdict] = []
    for key, what, judge in BUDGETS:
        if key not in results.rows:
            continue
        try:
            found += [Verdict(what, *judged) for judged in judge(results.rows[key])]
        except Unmeasured as error:
            found.append(Verdict(what, str(error), "not measured", False))
    return found


class Unmeasured(Exception):
    """A figure is missing, because a writer is not installed or failed."""


def _sure(value: float | None, what: str) -> float:
    if value is None:
        raise Unmeasured(what)
    return value


def _factor(row: Row, than: str, ours: str, least: float, name: str = "total", of: str = "") -> tuple[str, str, bool]:
    """Judge how many times as fast as another one of ours is."""
    alone = of or "torch"
    ratio = _sure(row.ratio(than, ours, name, of), f"{alone} and {ours}")
    return f"at least {least:g}x as fast as {alone}", times(ratio), ratio >= least


def _most(value: float, most: float, told: Callable[[float], str] = seconds) -> tuple[str, str, bool]:
    return f"at most {told(most)}", told(value), value <= most


def _await(row: Row) -> Iterator[tuple[str, str, bool]]:
    yield _factor(row, "torch", "await", 40)


def _sync(row: Row) -> Iterator[tuple[str, str, bool]]:
    yield _factor(row, "torch", "sync", 20)
    budget, figure, met = _factor(row, "torch", "sync", 20, "caller")
    yield f"cost to the caller: {budget}", figure, met


def _log(row: Row) -> Iterator[tuple[str, str, bool]]:
    yield _most(_sure(row.median("log", "total"), "log"), 1e-6)
    yield _factor(row, "torch", "log", 100)


def _nowait(row: Row) -> Iterator[tuple[str, str, bool]]:
    budget, figure, met = _most(_sure(row.median("nowait", "p99"), "nowait"), 20e-6)
    yield f"p99 {budget}", figure, met
    first = _sure(row.median("nowait", "p50 of the first tenth"), "nowait")
    growth = _sure(row.median("nowait", "p50 of the last tenth"), "nowait") / first
    yield "the last tenth as fast as the first (within 1/5)", times(growth), growth <= 1.2


def _lag(row: Row) -> Iterator[tuple[str, str, bool]]:
    budget, figure, met = _most(_sure(row.median("await", "added p99"), "await"), 2e-3)
    yield f"p99 {budget} above idle", figure, met
    budget, figure, met = _most(max(row.figures("await", "added max")), 10e-3)
    yield f"max {budget} above idle", figure, met


def _image(row: Row) -> Iterator[tuple[str, str, bool]]:
    yield _factor(row, "torch", "await", 5)
    yield _factor(row, "torch", "sync", 5)


def _histogram(row: Row) -> Iterator[tuple[str, str, bool]]:
    for name in ("await", "sync"):
        copies = 1 / _sure(row.ratio(LIMIT, name, "caller", "copy"), name)
        yield f"cost to the caller of `{name}`: a copy of the array (within 1/10)", times(copies), copies <= 1.1
    yield _factor(row, LIMIT, "await", 1, of="np.histogram")


def _video(row: Row) -> Iterator[tuple[str, str, bool]]:
    yield _factor(row, LIMIT, "await", 20, of="Pillow's GIF")


def _keys(row: Row) -> Iterator[tuple[str, str, bool]]:
    threads, files = (int(max(row.figures("await", name), default=-1)) for name in ("threads", "files"))
    yield "no thread", str(threads), threads == 0
    yield "at most 64 open files", str(files), 0 <= files <= 64
    yield _factor(row, "torch", "await", 10)


def _import(row: Row) -> Iterator[tuple[str, str, bool]]:
    yield _most(_sure(row.median("sync", "total"), "import"), 60e-3)
    came = NEVER_IMPORTED.intersection(*row.figures("sync", "unwanted"))
    yield "never torch, matplotlib or PIL", ", ".join(sorted(came)) or "none", not came


def _memory(row: Row) -> Iterator[tuple[str, str, bool]]:
    for name in ("await", "sync"):
        grown = max(row.figures(name, "rss"), default=None)
        budget, figure, met = _most(_sure(grown, name), 10 * MIB, amount)
        yield f"growth with `{name}`: {budget}", figure, met
        more = [int(max(row.figures(name, what))) for what in ("threads", "files")]
        yield f"threads and descriptors constant with `{name}`", f"{more[0]:+d} and {more[1]:+d}", more == [0, 0]


def _kill(row: Row) -> Iterator[tuple[str, str, bool]]:
    kills = {name: ages[0] for name in row.cells if (ages := row.figures(name, "ages"))}
    if not kills or any(cell.error for cell in row.cells.values()):
        raise Unmeasured("what is on disk is an exact prefix, and lacks nothing that is older than 50 ms")
    for name, ages in kills.items():
        budget, figure, met = _most(max(ages), 50e-3)
        yield f"oldest event lost with `{name}`: {budget}", f"{figure}, in {len(ages)} kills", met
    yield "what is on disk is an exact prefix", "checked at each kill", True


BUDGETS: list[tuple[str, str, Judge]] = [
    ("scalars", "`await w.add_scalar` in a loop, until closed", _await),
    ("scalars", "`SummaryWriter.add_scalar` in a loop, until closed", _sync),
    ("log", "`await w.log` of 100 numbers, each", _log),
    ("nowait-calls", "`nowait.add_scalar` on the loop's thread", _nowait),
    ("lag/mixed", "event-loop lag beside media and 1000 scalars/s", _lag),
    ("image-512", "`add_image` 512x512 noise, until closed", _image),
    ("histogram-1M", "`add_histogram` of 1M floats", _histogram),
    ("video-30", "`add_video` 30 frames 256x256, until closed", _video),
    ("keys-1000", "`add_scalars` with 1000 keys", _keys),
    ("footprint/import", "`import asynctb`, on top of numpy and asyncio", _import),
    ("footprint/memory", "memory over 1M scalars", _memory),
    ("kill", "SIGKILL at 1000 events/s", _kill),
]
