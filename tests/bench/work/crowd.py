"""Many tasks with one writer: what a scalar costs then, how long an add takes, and whether each gets its share."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from tests.bench.case import Figures
from tests.bench.entrants import awaited, make

__all__ = ["tasks"]


class _Progress:
    """How far each task is, and how far each was when half of all was done."""

    def __init__(self, tasks: int, count: int) -> None:
        self.done = [0] * tasks
        self.half: list[int] = []
        self._left = count // 2
        self.times: list[float] = []

    def note(self, task: int, began: float) -> None:
        self.times.append(time.perf_counter() - began)
        self.done[task] += 1
        self._left -= 1
        if not self._left:
            self.half = list(self.done)


def tasks(entrant: str, folder: Path, tasks: int, count: int) -> Figures:
    """Add `count` scalars from so many tasks, each under its own tag; seconds a scalar."""
    return asyncio.run(_tasks(entrant, folder, tasks, count))


async def _tasks(entrant: str, folder: Path, tasks: int, count: int) -> Figures:
    each = max(2, count // tasks)
    writer = make(entrant, folder)
    if awaited(entrant):
        await writer.__aenter__()
    progress = _Progress(tasks, each * tasks)
    add = _awaiting if entrant == "await" else _inline
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for task in range(tasks):
            group.create_task(add(writer, task, each, progress))
    closed = writer.close()
    if awaited(entrant):
        await closed
    total = (time.perf_counter() - began) / (each * tasks)
    ordered = sorted(progress.times)
    return {
        "count": each * tasks,
        "total": total,
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[len(ordered) * 99 // 100],
        "max": ordered[-1],
        "least share": min(progress.half) / (each / 2),
        "most share": max(progress.half) / (each / 2),
    }


async def _awaiting(writer: Any, task: int, each: int, progress: _Progress) -> None:
    tag = f"task{task}"
    for step in range(each):
        began = time.perf_counter()
        await writer.add_scalar(tag, step * 0.5, step)
        progress.note(task, began)


async def _inline(writer: Any, task: int, each: int, progress: _Progress) -> None:
    """What is not awaited gives no turn away by itself: so each task does after each add."""
    tag = f"task{task}"
    for step in range(each):
        began = time.perf_counter()
        writer.add_scalar(tag, step * 0.5, step)
        progress.note(task, began)
        await asyncio.sleep(0)
