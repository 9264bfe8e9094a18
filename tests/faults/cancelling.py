"""A writer, a disk, and tasks that are cancelled at any step; and what must be true of them in the end."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable, Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import numpy as np

from asynctb import AsyncSummaryWriter, StorageError, WriterClosed
from tests.contract.disk import Disk
from tests.readback.events import run_events

SMALL = np.zeros(1000, np.uint8)
LARGE = np.zeros(300_000, np.uint8)  # so large that it is copied in a thread
TOO_LONG = 20.0
KINDS = ("scalar", "log", "small", "large", "two runs")


class CancelledWork:
    """Adds, flushes and closes as tasks of one loop. Each add has a number of its own for a wall time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, log_dir: Path) -> None:
        self.loop = loop
        self.log_dir = log_dir
        self.disk = Disk()
        self.writer = AsyncSummaryWriter(log_dir, max_bytes=400_000, auto_step=False)
        loop.run_until_complete(self.writer.__aenter__())
        self.disk.under(self.writer)
        self.tasks: list[asyncio.Task[None]] = []
        self.kinds: list[str] = []  # of the adds, by number
        self.returned: set[int] = set()
        self.failed = False
        self.cancels = 0

    # What can be done

    def add(self, kind: str, patience: float | None = None) -> None:
        """Begin an add; with `patience`, under an anyio scope that cancels it after so many seconds."""
        number = len(self.kinds)
        self.kinds.append(kind)
        self._begin(self._add(kind, number, patience))

    def flush(self, patience: float | None = None) -> None:
        self._begin(self._report(self.writer.flush, patience))

    def close(self, patience: float | None = None) -> None:
        self._begin(self._report(self.writer.close, patience))

    def cancel(self, which: int) -> None:
        """Cancel a task, counted from the last that was begun, if it is not done."""
        open_tasks = [task for task in self.tasks if not task.done()]
        if open_tasks:
            self.cancels += open_tasks[-1 - which % len(open_tasks)].cancel()

    def go_on(self, turns: int, seconds: float = 0.0) -> None:
        """Let the loop turn so often, and then for so long."""

        async def turn() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            if seconds:
                await asyncio.sleep(seconds)

        self.loop.run_until_complete(turn())

    def hold(self) -> None:
        """Hold up the writes that come from now on."""
        self.disk.release()
        self.disk.hold()

    def fail(self, most: int) -> None:
        """Have writes fail, and the first of them go short."""
        self.failed = True
        self.disk.most = most
        self.disk.fail(errno.ENOSPC)

    def heal(self) -> None:
        self.disk.heal()

    # What must be true

    def check(self) -> None:
        """Heal, end, and compare the files with what the tasks were told."""
        self.disk.heal()
        self.loop.run_until_complete(asyncio.wait_for(self._end(), TOO_LONG))
        deadline = time.monotonic() + TOO_LONG
        while not self.writer._pipeline.over.done():
            assert time.monotonic() < deadline, "a cancelled close never ended"
            time.sleep(0.001)
        for task in self.tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        self._check_files()

    async def _end(self) -> None:
        if self.tasks:
            await asyncio.wait(self.tasks)
        await self._report(self.writer.close, None)

    def _check_files(self) -> None:
        stats = self.writer.stats
        # A last try may have met a failing disk, which leaves a part of a record; nothing else may.
        runs = run_events(self.log_dir, prefix=self.failed)
        main = [round(event.wall_time) - 1 for event in runs["."] if event.summary.value]
        stored = [number for number in main if self.kinds[number] != "two runs"]
        twins = [
            [round(event.wall_time) - 1 for event in runs.get(f"two_{key}", []) if event.summary.value] for key in "kl"
        ]
        assert twins[0] == twins[1] or (self.failed and stats.pending), "half of an add is stored"
        for numbers in (stored, *twins):
            assert all(first < second for first, second in pairwise(numbers)), f"out of order or twice: {numbers}"
        entries = len(stored) + sum(map(len, twins))
        assert entries == stats.written
        assert stats.accepted == stats.written + stats.pending
        assert self.failed or not (stats.pending or stats.dropped), f"{stats}"
        missing = self.returned - set(stored) - set(twins[0])
        assert len(missing) <= stats.pending + sum(stats.dropped.values()), f"accepted, and not there: {missing}"

    # Small parts

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.append(self.loop.create_task(work))

    async def _add(self, kind: str, number: int, patience: float | None) -> None:
        wall_time = float(number + 1)
        adds = {
            "scalar": lambda: self.writer.add_scalar("a", 1.0, number, wall_time),
            "log": lambda: self.writer.log({"b": 1.0, "c": 2.0}, number, wall_time),
            "small": lambda: self.writer.add_tensor("small", SMALL, number, wall_time),
            "large": lambda: self.writer.add_tensor("large", LARGE, number, wall_time),
            "two runs": lambda: self.writer.add_scalars("two", {"k": 1.0, "l": 2.0}, number, wall_time),
        }
        with anyio.CancelScope() if patience is None else anyio.move_on_after(patience) as scope:
            try:
                await adds[kind]()
                self.returned.add(number)
            except WriterClosed:
                return
        self.cancels += scope.cancelled_caught

    async def _report(self, work: Callable[[], Coroutine[Any, Any, None]], patience: float | None) -> None:
        with anyio.CancelScope() if patience is None else anyio.move_on_after(patience) as scope:
            try:
                await work()
            except (StorageError, WriterClosed) as error:
                if isinstance(error, StorageError) and not self.failed:
                    raise
        self.cancels += scope.cancelled_caught
