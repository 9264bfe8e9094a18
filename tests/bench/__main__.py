"""Measure scalars beside torch's writer, alternating, and print a table of medians and spreads.

Ratios are what counts: the two run in turns on the same machine. What each wrote is read back and counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.readback.events import run_events

Times = dict[str, float]
"""Microseconds by name."""


@dataclass(frozen=True)
class Row:
    """One measured thing, over all rounds."""

    what: str
    median: float
    least: float
    most: float
    per_torch: float | None = None


def torch_scalars(folder: Path, count: int) -> Times:
    """torch's SummaryWriter with its defaults."""
    from torch.utils.tensorboard import SummaryWriter as TorchWriter

    return _in_a_loop(TorchWriter(str(folder)), count, "torch")


def sync_scalars(folder: Path, count: int) -> Times:
    """Our drop-in for it."""
    return _in_a_loop(SummaryWriter(folder), count, "SummaryWriter")


def _in_a_loop(writer: Any, count: int, name: str) -> Times:
    began = time.perf_counter()
    for step in range(count):
        writer.add_scalar("loss/train", step * 0.5, step)
    added = time.perf_counter()
    writer.close()
    ended = time.perf_counter()
    return {f"{name}, caller": (added - began) / count * 1e6, f"{name}, to the end": (ended - began) / count * 1e6}


def async_scalars(folder: Path, count: int) -> Times:
    """Awaited adds of one task."""

    async def log() -> float:
        began = time.perf_counter()
        async with AsyncSummaryWriter(folder) as writer:
            for step in range(count):
                await writer.add_scalar("loss/train", step * 0.5, step)
        return time.perf_counter() - began

    return {"await add_scalar, to the end": asyncio.run(log()) / count * 1e6}


def logged_numbers(folder: Path, count: int) -> Times:
    """A hundred numbers in one event; microseconds a number."""
    metrics = {f"group/metric{number}": number * 0.1 for number in range(100)}

    async def log() -> float:
        began = time.perf_counter()
        async with AsyncSummaryWriter(folder) as writer:
            for step in range(count):
                await writer.log(metrics, step)
        return time.perf_counter() - began

    return {"await log of 100, a number": asyncio.run(log()) / count / 100 * 1e6}


def nowait_calls(folder: Path, count: int) -> Times:
    """Single calls on the loop's thread, ten a millisecond."""

    async def log() -> list[int]:
        times = []
        async with AsyncSummaryWriter(folder) as writer:
            for step in range(count):
                began = time.perf_counter_ns()
                writer.nowait.add_scalar("queue/depth", step, step)
                times.append(time.perf_counter_ns() - began)
                if step % 10 == 9:
                    await asyncio.sleep(0.001)
        return times

    times = sorted(asyncio.run(log()))
    return {
        "nowait.add_scalar, p50": times[count // 2] / 1e3,
        "nowait.add_scalar, p99": times[count * 99 // 100] / 1e3,
    }


CASES: list[tuple[Callable[[Path, int], Times], int, int]] = [
    # what to run, how often a round, how many values of an event
    (torch_scalars, 5_000, 1),
    (async_scalars, 50_000, 1),
    (sync_scalars, 50_000, 1),
    (logged_numbers, 2_000, 100),
    (nowait_calls, 10_000, 1),
]


def checked(case: Callable[[Path, int], Times], count: int, values: int) -> Times:
    """Run a case in a new directory, and count what it wrote."""
    with tempfile.TemporaryDirectory() as name:
        times = case(Path(name), count)
        found = sum(len(event.summary.value) for event in run_events(name)["."])
    if found != count * values:
        raise SystemExit(f"{case.__name__} wrote {found} values of {count * values}")
    return times


def measure(rounds: int) -> list[Row]:
    """Run all cases in turns; return a row for each thing they measure."""
    samples: dict[str, list[float]] = {}
    for _ in range(rounds):
        for case, count, values in CASES:
            for name, microseconds in checked(case, count, values).items():
                samples.setdefault(name, []).append(microseconds)
    torch = {
        "caller": statistics.median(samples["torch, caller"]),
        "to the end": statistics.median(samples["torch, to the end"]),
        "a number": statistics.median(samples["torch, to the end"]),
    }
    rows = []
    for name, times in samples.items():
        median = statistics.median(times)
        reference = torch.get(name.rpartition(", ")[2])
        rows.append(Row(name, median, min(times), max(times), reference / median if reference else None))
    return rows


def main() -> None:
    """Print the table, and write the figures where asked to."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # torch's import warns of what has nothing to do with this
    rows = measure(options.rounds)
    print(f"{'microseconds':32}{'median':>10}{'least':>10}{'most':>10}{'x torch':>10}")
    for row in rows:
        ratio = "" if row.per_torch is None else f"{row.per_torch:.0f}"
        print(f"{row.what:32}{row.median:10.2f}{row.least:10.2f}{row.most:10.2f}{ratio:>10}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    main()
