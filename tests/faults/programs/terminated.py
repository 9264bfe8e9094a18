"""Logs until a signal ends it: `terminated.py LOGDIR SHARED KIND`. SHARED counts the adds that have returned."""

import asyncio
import mmap
import sys
import time
from collections.abc import Iterator

import uvloop

import asynctb

log_dir, shared, kind = sys.argv[1:]


def steps() -> Iterator[int]:
    """Count what is logged, where the test can see it."""
    with open(shared, "r+b") as file, mmap.mmap(file.fileno(), 8) as counts:
        step = 0
        while True:
            yield step
            step += 1
            counts[:] = step.to_bytes(8, "little")


async def log() -> None:
    """Log without a pause, but for moments in which the loop is held."""
    async with asynctb.AsyncSummaryWriter(log_dir) as writer:
        for step in steps():
            await writer.add_scalar("a", step, step)
            if step % 7 == 0:
                time.sleep(0.001)  # noqa: ASYNC251 - the loop is to be held


def log_from_a_script() -> None:
    """The same, without a loop."""
    writer = asynctb.SummaryWriter(log_dir)
    for step in steps():
        writer.add_scalar("a", step, step)
        if step % 7 == 0:
            time.sleep(0.001)


if __name__ == "__main__":
    asynctb.flush_on_signal()
    if kind == "script":
        log_from_a_script()
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop if kind == "uvloop" else None) as runner:
            runner.run(log())
