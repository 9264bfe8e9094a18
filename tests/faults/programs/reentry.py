"""Everything that can interrupt a program logs to the writer that it interrupts, all at once, while its disk fails.

A timer's signal handler, finalizers and weakref callbacks (the collector runs at nearly every allocation), and a log
handler on the root logger, which hears asynctb's own messages and asyncio's. The main program logs all the while. It
tells how many calls each made, and how many of `nowait` returned False.
"""

import asyncio
import errno
import gc
import json
import logging
import signal
import sys
import time
import weakref
from collections import Counter
from types import FrameType
from typing import Any

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.contract.disk import Disk

LOG_DIR, COLOUR, SECONDS = sys.argv[1], sys.argv[2], float(sys.argv[3])
calls: Counter[str] = Counter()
handling = False
writer: Any


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.me = self
        weakref.finalize(self, add, "weakref").atexit = False

    def __del__(self) -> None:
        add("finalizer")


class Handler(logging.Handler):
    """Logs each message to the writer."""

    def emit(self, record: logging.LogRecord) -> None:
        calls["heard"] += 1
        add("log handler")


def add(tag: str) -> None:
    """Add as an interruption may: a signal handler does not know what it interrupts."""
    if isinstance(writer, SummaryWriter):
        calls[tag] += 1
        writer.add_scalar(tag, 1.0)
    elif writer.nowait.add_scalar(tag, 1.0):
        calls[tag] += 1
    else:
        calls["refused"] += 1


def on_signal(number: int, frame: FrameType | None) -> None:
    global handling
    if not handling:
        handling = True
        add("signal")
        handling = False


def interrupt() -> None:
    logging.getLogger().addHandler(Handler())
    logging.getLogger("asyncio").setLevel(logging.DEBUG)
    gc.set_threshold(1)
    signal.signal(signal.SIGALRM, on_signal)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)


def leave_alone() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    gc.set_threshold(700, 10, 10)
    gc.collect()
    time.sleep(0.2)  # until all that is to be said has been
    logging.getLogger().handlers.clear()


def goes_on(disk: Disk, passed: float) -> bool:
    """Let the disk fail from a third of the time on, until something was dropped for it; tell whether to go on."""
    failing, dropped = "write_at" in disk._errors, "storage" in writer.stats.dropped
    if not failing and not dropped and passed > 1 / 3:
        disk.fail(errno.ENOSPC)
    elif failing and dropped and passed > 2 / 3:
        disk.heal()
    return passed < 1 or not dropped


def work_in_a_script(disk: Disk) -> None:
    begun = time.monotonic()
    while goes_on(disk, (time.monotonic() - begun) / SECONDS):
        Cycle()
        calls["main"] += 1
        writer.add_scalar("main", 1.0)
        writer.add_scalar("back", 1.0, -calls["main"])  # what asynctb has something to say to
        calls["back"] += 1


async def work_on_a_loop(disk: Disk) -> None:
    begun = time.monotonic()
    while goes_on(disk, (time.monotonic() - begun) / SECONDS):
        Cycle()
        calls["main"] += 1
        await writer.add_scalar("main", 1.0)
        await writer.log({"log": 1.0})
        calls["log"] += 1
        if calls["main"] % 50 == 0:
            await asyncio.sleep(0)


def tell() -> None:
    stats = writer.stats
    told = {"accepted": stats.accepted, "written": stats.written, "dropped": dict(stats.dropped), "calls": dict(calls)}
    print(json.dumps(told))


def main() -> None:
    global writer
    writer = SummaryWriter(LOG_DIR, max_bytes=20_000)
    disk = Disk()
    disk.under(writer)
    interrupt()
    work_in_a_script(disk)
    disk.heal()
    writer.flush()
    leave_alone()
    writer.close()
    tell()


async def main_async() -> None:
    global writer
    async with AsyncSummaryWriter(LOG_DIR, max_bytes=20_000, on_storage_error="log") as writer:
        disk = Disk()
        disk.under(writer)
        interrupt()
        await work_on_a_loop(disk)
        disk.heal()
        await writer.flush()
        leave_alone()
    tell()


if COLOUR == "sync":
    main()
else:
    asyncio.run(main_async(), debug=COLOUR == "debug")
