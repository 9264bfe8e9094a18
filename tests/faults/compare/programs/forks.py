"""Fork with a writer in hand, and log on both sides: `forks.py ... fork|flush|load|multiprocessing <count>`."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from tests.faults.compare.stage import Stage, play
from tests.faults.compare.writers import Writer, run_plain

PATIENCE = 4.0  # seconds after which a child that has not ended never will


async def main(stage: Stage) -> None:
    how, count = stage.args[0], int(stage.args[1])
    writer = await stage.open()
    for step in range(100):
        await writer.add(step)
    if how == "load":
        under_load(stage, writer, count)
    elif how == "multiprocessing":
        child = multiprocessing.get_context("fork").Process(target=child_of_multiprocessing, args=(writer, count))
        child.start()
        wait(stage, {child.pid or 0})
    else:
        pid = forked(lambda: add(writer, count, 1, flush=how == "flush"))
        for step in range(100, 200):
            await writer.add(step)
        wait(stage, {pid})
    await writer.close()


def under_load(stage: Stage, writer: Writer, count: int) -> None:
    """Fork children while another thread logs."""
    stop = threading.Event()

    def log() -> None:
        step = 100
        while not stop.is_set():
            run_plain(writer.add(step))
            step += 1

    thread = threading.Thread(target=log, daemon=True)
    thread.start()
    pids = set()
    for number in range(count):
        pids.add(forked(lambda number=number: add(writer, 5, 1 + number)))  # type: ignore[misc]
        time.sleep(0.02)
    stop.set()
    thread.join()
    wait(stage, pids)


def add(writer: Writer, count: int, slot: int, *, flush: bool = False) -> None:
    for step in range(count):
        run_plain(writer.add(step, slot))
    if flush:
        run_plain(writer.flush())


def child_of_multiprocessing(writer: Writer, count: int) -> None:
    add(writer, count, 1)


def forked(work: Callable[[], None]) -> int:
    """Do something in a child, which then ends as a program does."""
    pid = os.fork()
    if pid == 0:
        work()
        sys.exit(0)
    return pid


def wait(stage: Stage, pids: set[int]) -> None:
    """Wait for children, and end those that hang."""
    stage.report["children"] = len(pids)
    deadline = time.monotonic() + PATIENCE
    while pids and time.monotonic() < deadline:
        pids -= {pid for pid in pids if os.waitpid(pid, os.WNOHANG)[0]}
        time.sleep(0.01)
    stage.report["children_hung"] = len(pids)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    play(main)
