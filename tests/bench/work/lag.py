"""What an event loop feels: how late a coroutine wakes up that sleeps for a millisecond, idle and beside a load."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.case import Figures
from tests.bench.entrants import awaited, make
from tests.bench.work.payloads import Call, of

__all__ = ["PARTS", "beside"]

TICK = 0.001  # seconds that the ticker sleeps
SCALARS = 1000  # a second
PAUSES = {"image": 0.2, "histogram": 0.1, "text": 0.05, "video": 0.5}  # seconds between two of each
# How many parts in a hundred thousand of the ticks are later: finer towards the end, where it matters.
PARTS = sorted({round(10 ** (exponent / 8)) for exponent in range(41)} | {50_000}, reverse=True)
Log = Callable[[Call, int], Awaitable[bool]]


def beside(entrant: str, folder: Path, mixed: bool, seconds: float, small: bool = False) -> Figures:
    """Return the lags of a loop, idle and then beside 1,000 scalars a second, with or without media."""
    return asyncio.run(_beside(entrant, folder, _load(mixed, small), seconds))


def _load(mixed: bool, small: bool) -> dict[str, Call]:
    if not mixed:
        return {}
    height, width, side, values = (108, 192, 32, 10_000) if small else (1080, 1920, 256, 1_000_000)
    image = np.random.default_rng(0).integers(0, 256, (3, height, width), dtype=np.uint8)
    return {
        "image": lambda writer, step: writer.add_image("input", image, step),
        "histogram": of("add_histogram", {"size": values}),
        "text": of("add_text", {"size": 64 << 10}),
        "video": of("add_video", {"frames": 30, "side": side}),
    }


async def _beside(entrant: str, folder: Path, load: dict[str, Call], seconds: float) -> Figures:
    idle = await _ticks(time.perf_counter() + seconds / 3)
    writer = make(entrant, folder)
    if awaited(entrant):
        await writer.__aenter__()
    log = _way(entrant, writer)
    for call in load.values():  # what a first call imports and sets up is not what the loop feels ever after
        await log(call, 0)
    end = time.perf_counter() + seconds
    ticking = asyncio.create_task(_ticks(end))
    counts = await asyncio.gather(_scalars(log, end), *(_repeated(log, load[name], PAUSES[name], end) for name in load))
    lags = await ticking
    closed = writer.close()
    if awaited(entrant):
        await closed
    return {"count": sum(counts), **dict(zip(["scalars", *load], counts, strict=True)), **_told(idle, lags)}


def _told(idle: list[float], lags: list[float]) -> Figures:
    quiet, loaded = (np.sort(np.maximum(each, 0)) for each in (idle, lags))
    figures: Figures = {}
    for name, part in {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}.items():
        figures[name], figures[f"idle {name}"] = _at(loaded, part), _at(quiet, part)
        figures[f"added {name}"] = max(0.0, figures[name] - figures[f"idle {name}"])
    figures["curve"] = [_at(loaded, 1 - later / 1e5) for later in PARTS]
    figures["idle curve"] = [_at(quiet, 1 - later / 1e5) for later in PARTS]
    return figures


def _at(ordered: Any, part: float) -> float:
    return float(ordered[min(len(ordered) - 1, int(part * len(ordered)))])


def _way(entrant: str, writer: Any) -> Log:
    """Return how a coroutine logs with an entrant; it says whether that was accepted."""

    async def awaiting(call: Call, step: int) -> bool:
        await call(writer, step)
        return True

    async def inline(call: Call, step: int) -> bool:
        call(writer, step)
        return True

    async def not_waiting(call: Call, step: int) -> bool:
        return bool(call(writer.nowait, step))

    async def in_thread(call: Call, step: int) -> bool:
        await asyncio.to_thread(call, writer, step)
        return True

    return {"await": awaiting, "nowait": not_waiting, "torch-thread": in_thread}.get(entrant, inline)


async def _ticks(end: float) -> list[float]:
    """Sleep a millisecond at a time, and return how late each time was."""
    lags: list[float] = []
    while (began := time.perf_counter()) < end:
        await asyncio.sleep(TICK)
        lags.append(time.perf_counter() - began - TICK)
    return lags


async def _scalars(log: Log, end: float) -> int:
    """Log as many scalars as are due, a thousand a second; those that a stall has held up come after it."""
    began, step, accepted = time.perf_counter(), 0, 0

    def call(writer: Any, step: int) -> Any:
        return writer.add_scalar("loss/train", step * 0.5, step)

    while (now := time.perf_counter()) < end:
        while step < (now - began) * SCALARS:
            accepted += await log(call, step)
            step += 1
        await asyncio.sleep(TICK)
    return accepted


async def _repeated(log: Log, call: Call, pause: float, end: float) -> int:
    step = accepted = 1
    while time.perf_counter() < end:
        accepted += await log(call, step)
        step += 1
        await asyncio.sleep(pause)
    return accepted
