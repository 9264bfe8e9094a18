"""Threads of several processes open one directory in one and the same second, again and again, and log to it.

Each thread's writers go on with the steps of its tag, and it prints the names of their files in the order of its
writers.
"""

import asyncio
import json
import multiprocessing
import sys
import threading
from functools import partial
from typing import Any

import asynctb.settings
from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.storage.local import LocalStorage

WRITERS, STEPS = 3, 10
TOO_LONG = 30.0


async def log_async(log_dir: str, tag: str, steps: range) -> str:
    async with AsyncSummaryWriter(log_dir) as writer:
        for step in steps:
            await writer.add_scalar(tag, step, step)
        return writer._pipeline.storage.path("").name


def log(log_dir: str, tag: str, steps: range) -> str:
    with SummaryWriter(log_dir) as writer:
        for step in steps:
            writer.add_scalar(tag, step, step)
        writer.flush()
        return writer._pipeline.storage.path("").name


def be_thread(log_dir: str, tag: str, barrier: Any, names: Any) -> None:
    mine = []
    for number in range(WRITERS):
        steps = range(number * STEPS, (number + 1) * STEPS)
        barrier.wait(TOO_LONG)
        mine.append(asyncio.run(log_async(log_dir, tag, steps)) if number % 2 else log(log_dir, tag, steps))
    names.put((tag, mine))


def be_process(log_dir: str, threads: int, number: int, barrier: Any, names: Any) -> None:
    tags = [f"{number}/{thread}" for thread in range(threads)]
    crowd = [threading.Thread(target=be_thread, args=(log_dir, tag, barrier, names)) for tag in tags]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()


if __name__ == "__main__":
    log_dir, processes, threads, second = sys.argv[1], *map(int, sys.argv[2:])
    asynctb.settings.LocalStorage = partial(LocalStorage, clock=lambda: float(second))  # type: ignore[attr-defined]
    context = multiprocessing.get_context("fork")
    barrier, names = context.Barrier(processes * threads), context.SimpleQueue()
    crowd = [
        context.Process(target=be_process, args=(log_dir, threads, number, barrier, names))
        for number in range(processes)
    ]
    for process in crowd:
        process.start()
    print(json.dumps(dict(names.get() for _ in range(processes * threads))))
    for process in crowd:
        process.join()
        assert process.exitcode == 0
