"""A long life: many scalars to one writer, many writers one after the other, or many runs of one writer.

Tells how much memory, how many threads and how many descriptors the process had after a tenth of it, at most after
that, and at the end.
"""

import asyncio
import gc
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from asynctb import AsyncSummaryWriter, SummaryWriter

LOG_DIR, WHAT, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
TAGS = [f"tag{number}" for number in range(10)]


class Looks:
    """At the process, some twenty times in all."""

    def __init__(self) -> None:
        self.warm: dict[str, int] = {}
        self.most: dict[str, int] = {}

    def look(self, number: int) -> None:
        if number % max(1, COUNT // 20) == 0 and number >= COUNT // 10:
            now = figures()
            self.warm = self.warm or now
            self.most = {name: max(now[name], self.most.get(name, 0)) for name in now}


def figures() -> dict[str, int]:
    """Count what the process has now; threads that are ending count as long as they are there."""
    with open("/proc/self/statm") as statm:
        rss = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    gc.collect()
    return {
        "rss": rss,
        "objects": len(gc.get_objects()),
        "threads": threading.active_count(),
        "fds": len(os.listdir("/proc/self/fd")),
    }


looks = Looks()


def add_scalars() -> None:
    with SummaryWriter(LOG_DIR) as writer:
        for step in range(COUNT):
            writer.add_scalar(TAGS[step % 10], 0.5, step)
            looks.look(step)
        writer.flush()
        looks.look(COUNT)
        assert (writer.stats.written, dict(writer.stats.dropped)) == (COUNT, {})


async def add_scalars_async() -> None:
    async with AsyncSummaryWriter(LOG_DIR) as writer:
        for step in range(COUNT):
            await writer.add_scalar(TAGS[step % 10], 0.5, step)
            looks.look(step)
        await writer.flush()
        looks.look(COUNT)
        assert (writer.stats.written, dict(writer.stats.dropped)) == (COUNT, {})


def open_writers() -> None:
    for number in range(COUNT):
        writer = SummaryWriter(Path(LOG_DIR) / str(number))
        writer.add_scalar("a", 1.0, number)
        writer.add_text("t", "é" * 20_000)  # so long that a thread encodes it
        writer.close()
        shutil.rmtree(Path(LOG_DIR) / str(number))
        looks.look(number)


async def open_writers_async() -> None:
    for number in range(COUNT):
        async with AsyncSummaryWriter(Path(LOG_DIR) / str(number)) as writer:
            await writer.add_scalar("a", 1.0, number)
            await writer.add_text("t", "é" * 20_000)
        shutil.rmtree(Path(LOG_DIR) / str(number))
        looks.look(number)


def open_runs() -> None:
    with SummaryWriter(LOG_DIR) as writer:
        for number in range(COUNT):
            writer.add_scalars("runs", {f"run{number}": 1.0}, number)
            looks.look(number)
        writer.flush()
        looks.look(COUNT)
        assert (writer.stats.written, dict(writer.stats.dropped)) == (COUNT, {})


LIVES: dict[str, Callable[[], object]] = {
    "scalars": add_scalars,
    "scalars, async": lambda: asyncio.run(add_scalars_async()),
    "writers": open_writers,
    "writers, async": lambda: asyncio.run(open_writers_async()),
    "runs": open_runs,
}
LIVES[WHAT]()
looks.look(0)
print(json.dumps({"warm": looks.warm, "most": looks.most, "end": figures()}))
