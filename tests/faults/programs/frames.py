"""Coroutines that each have a frame in hand and log it, all at once; tells how much memory that took at most."""

import asyncio
import json
import sys
import threading
import time

import numpy as np

from asynctb import AsyncSummaryWriter

log_dir, frames, max_bytes = sys.argv[1], *map(int, sys.argv[2:])
# One frame for all: what the program itself holds is its own affair, and any copy of it shows.
FRAME = np.random.default_rng(1).integers(0, 256, (256, 256, 3), np.uint8)


def rss() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


class Peaks(threading.Thread):
    """Looks all the time at how much is pending, and at how much memory the process has."""

    def __init__(self, writer: AsyncSummaryWriter) -> None:
        super().__init__(daemon=True)
        self.writer = writer
        self.pending = self.rss = 0
        self.over = False

    def run(self) -> None:
        while not self.over:
            self.pending = max(self.pending, self.writer.stats.pending_bytes)
            self.rss = max(self.rss, rss())
            time.sleep(0.0005)


async def main() -> None:
    async with AsyncSummaryWriter(log_dir, max_bytes=max_bytes) as writer:
        for step in range(20):  # threads, buffers and imports that a first image brings
            await writer.add_image("warm", FRAME, step, dataformats="HWC")
        await writer.flush()
        go = asyncio.Event()

        async def log(step: int) -> None:
            await go.wait()
            await writer.add_image("frame", FRAME, step, dataformats="HWC")

        tasks = [asyncio.create_task(log(step)) for step in range(frames)]
        await asyncio.sleep(0)
        before, peaks = rss(), Peaks(writer)
        peaks.start()
        go.set()
        await asyncio.gather(*tasks)
        await writer.flush()
        peaks.over = True
        peaks.join()
        dropped = dict(writer.stats.dropped)
    print(json.dumps({"pending": peaks.pending, "grown": peaks.rss - before, "dropped": dropped}))


asyncio.run(main())
