"""Add until killed: `kills.py ... <events a second, or 0>`; `flushed`: flush first; `busy`: in a loop that computes."""

import os
import signal
import time

from tests.faults.compare.stage import Stage, play


async def main(stage: Stage) -> None:
    how = stage.args[0]
    writer = await stage.open()
    if how in ("flushed", "busy"):
        for step in range(50):
            await writer.add(step)
        if how == "flushed":
            await writer.flush()
        else:
            compute(seconds=0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    step, rate = 0, int(how)
    while True:
        await writer.add(step)
        step += 1
        if rate:
            await stage.pause(1 / rate)


def compute(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))


if __name__ == "__main__":
    play(main)
