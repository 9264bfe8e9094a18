"""One of the runs that follow one another in a folder: it logs at a frozen clock, says so, and waits to be killed."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

MEGABYTES = 60
PIECE = 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind", choices=["async", "sync"])
    parser.add_argument("steps", type=int, nargs=2, help="the first, and where they end")
    parser.add_argument("--clock", type=float, help="what it shows all the time")
    parser.add_argument("--purge-step", type=int)
    parser.add_argument("--tags", nargs="+", default=["a"])
    parser.add_argument("--big", action="store_true", help="add a record of 60 MB behind them")
    parser.add_argument("--pieces", action="store_true", help="on a disk that takes 60 MB piece by piece, not at once")
    parser.add_argument("--ends", action="store_true", help="end by itself instead")
    options = parser.parse_args()
    if options.clock is not None:
        time.time = lambda: options.clock
    if options.pieces:
        take_pieces()
    asyncio.run(log_async(options)) if options.kind == "async" else log_sync(options)


async def log_async(options: argparse.Namespace) -> None:
    from asynctb import AsyncSummaryWriter  # behind the change of the clock

    async with AsyncSummaryWriter(options.folder, purge_step=options.purge_step) as writer:
        for tag, step in points(options):
            await writer.add_scalar(tag, step, step)
        await writer.flush()
        print("logged", flush=True)
        if options.big:
            await writer.add_tensor("big", big(), options.steps[1])
        if not options.ends:
            await asyncio.sleep(60)


def log_sync(options: argparse.Namespace) -> None:
    from asynctb import SummaryWriter

    with SummaryWriter(options.folder, purge_step=options.purge_step) as writer:
        for tag, step in points(options):
            writer.add_scalar(tag, step, step)
        writer.flush()
        print("logged", flush=True)
        if options.big:
            writer.add_tensor("big", big(), options.steps[1])
        if not options.ends:
            time.sleep(60)


def take_pieces() -> None:
    from asynctb.storage.files import PosixFiles

    whole = PosixFiles.write_at

    def write_at(self: PosixFiles, fd: int, data: memoryview, offset: int) -> int:
        time.sleep(0.01 if offset > PIECE else 0)
        return whole(self, fd, data[:PIECE], offset)

    PosixFiles.write_at = write_at  # type: ignore[method-assign]


def points(options: argparse.Namespace) -> Iterator[tuple[str, int]]:
    return ((tag, step) for step in range(*options.steps) for tag in options.tags)


def big() -> np.ndarray:
    return np.arange(MEGABYTES * 250_000, dtype=np.float32)


if __name__ == "__main__":
    main()
