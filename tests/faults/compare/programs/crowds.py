"""Many at once: `crowds.py ... threads|processes|shared <how many> <adds each>`."""

import os
import threading
import time
from collections.abc import Callable

from tests.faults.compare.stage import Stage, play
from tests.faults.compare.writers import Writer, run_plain


async def main(stage: Stage) -> None:
    how, many, count = stage.args[0], int(stage.args[1]), int(stage.args[2])
    if how == "processes":
        in_processes(stage, many, count)
    elif how == "threads":
        stage.open_here().raw.close()  # what is slow the first time is done
        at_whole_second()
        in_threads(many, lambda slot: alone(stage, slot, count))
    else:
        writer = await stage.open()
        in_threads(many, lambda slot: add(writer, slot, count))
        await writer.close()


def in_processes(stage: Stage, many: int, count: int) -> None:
    """Each process imports its own; then all make their writers within one second."""
    stage.logs.mkdir()  # who makes it is another race
    pids = []
    for slot in range(many):
        pid = os.fork()
        if pid == 0:
            __import__(stage.kind.module)
            stage.board.added(many + slot)
            while sum(stage.board.counts[many : 2 * many]) < many:
                time.sleep(0.005)
            at_whole_second()
            alone(stage, slot, count)
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    stage.report["uncounted"] = list(range(many, 2 * many))


def in_threads(many: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(slot,)) for slot in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def alone(stage: Stage, slot: int, count: int) -> None:
    """Log with a writer of one's own."""
    writer = stage.open_here()
    add(writer, slot, count)
    run_plain(writer.close())


def add(writer: Writer, slot: int, count: int) -> None:
    for step in range(count):
        run_plain(writer.add(step, slot))


def at_whole_second() -> None:
    time.sleep(1 - time.time() % 1 + 0.02)


if __name__ == "__main__":
    play(main)
