"""Scalars: what each costs the caller, and what each costs until the file is closed."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import psutil

from tests.bench.case import Figures
from tests.bench.entrants import awaited, make

__all__ = ["each", "keys", "nowait_calls", "scalars"]

PAUSE = 1000  # adds of nowait after which its loop has a turn, as a program's would


def scalars(entrant: str, folder: Path, count: int, tags: int = 1) -> Figures:
    """Add `count` scalars, under so many tags in turns; seconds a scalar."""
    names = [f"group{number % 10}/metric{number}" for number in range(tags)]
    steps = max(1, count // tags)
    if awaited(entrant):
        return asyncio.run(_awaited(entrant, folder, steps, names))
    writer = make(entrant, folder)
    began = time.perf_counter()
    for step in range(steps):
        for name in names:
            writer.add_scalar(name, step * 0.5, step)
    added = time.perf_counter()
    writer.close()
    return each(steps * tags, began, added)


async def _awaited(entrant: str, folder: Path, steps: int, names: list[str]) -> Figures:
    add = {"await": _await, "log": _log, "nowait": _nowait}[entrant]
    async with make(entrant, folder) as writer:
        began = time.perf_counter()
        await add(writer, steps, names)
        added = time.perf_counter()
        await writer.close()
        return each(steps * len(names), began, added)


async def _await(writer: Any, steps: int, names: list[str]) -> None:
    for step in range(steps):
        for name in names:
            await writer.add_scalar(name, step * 0.5, step)


async def _log(writer: Any, steps: int, names: list[str]) -> None:
    for step in range(steps):
        await writer.log(dict.fromkeys(names, step * 0.5), step)


async def _nowait(writer: Any, steps: int, names: list[str]) -> None:
    added = 0
    for step in range(steps):
        for name in names:
            writer.nowait.add_scalar(name, step * 0.5, step)
            added += 1
            if not added % PAUSE:
                await asyncio.sleep(0)


def each(count: int, began: float, added: float) -> Figures:
    """Return seconds of each, of those that have just been closed."""
    return {"count": count, "caller": (added - began) / count, "total": (time.perf_counter() - began) / count}


def nowait_calls(entrant: str, folder: Path, count: int) -> Figures:
    """Time single calls of nowait on the loop's thread, ten a millisecond; seconds a call."""

    async def main() -> list[float]:
        times: list[float] = []
        async with make(entrant, folder) as writer:
            for step in range(count):
                began = time.perf_counter()
                writer.nowait.add_scalar("queue/depth", step, step)
                times.append(time.perf_counter() - began)
                if step % 10 == 9:
                    await asyncio.sleep(0.001)
        return times

    times = asyncio.run(main())
    tenth = max(1, count // 10)
    first, last, ordered = sorted(times[:tenth]), sorted(times[-tenth:]), sorted(times)
    return {
        "count": count,
        "p50": ordered[count // 2],
        "p99": ordered[count * 99 // 100],
        "max": ordered[-1],
        "p50 of the first tenth": first[tenth // 2],
        "p50 of the last tenth": last[tenth // 2],
    }


def keys(entrant: str, folder: Path, count: int, keys: int) -> Figures:
    """Call add_scalars with so many keys; seconds a key, and the files and threads that are there for it."""
    numbers = {f"key{number}": number * 0.5 for number in range(keys)}
    process = psutil.Process()
    if awaited(entrant):
        return asyncio.run(_keys_awaited(entrant, folder, count, numbers))
    writer = make(entrant, folder)
    writer.add_scalar("warm", 0.0, 0)
    writer.flush()
    before = process.num_fds(), process.num_threads()
    began = time.perf_counter()
    for step in range(count):
        writer.add_scalars("curves", numbers, step)
    added = time.perf_counter()
    writer.flush()
    held = _held(process, before)
    writer.close()
    return {**each(count * keys, began, added), **held, "count": count * keys + 1}


async def _keys_awaited(entrant: str, folder: Path, count: int, numbers: dict[str, float]) -> Figures:
    process = psutil.Process()
    async with make(entrant, folder) as writer:
        await writer.add_scalar("warm", 0.0, 0)
        await writer.flush()
        before = process.num_fds(), process.num_threads()
        began = time.perf_counter()
        for step in range(count):
            await writer.add_scalars("curves", numbers, step)
        added = time.perf_counter()
        await writer.flush()
        held = _held(process, before)
        await writer.close()
        return {**each(count * len(numbers), began, added), **held, "count": count * len(numbers) + 1}


def _held(process: psutil.Process, before: tuple[int, int]) -> Figures:
    return {"files": process.num_fds() - before[0], "threads": process.num_threads() - before[1]}
