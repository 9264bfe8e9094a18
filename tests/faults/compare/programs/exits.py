"""Add, and leave in one of the ways in which programs end, without `close()`: `exits.py ... <way> <count> <pause>`."""

import os
import signal
import sys

from tests.faults.compare.slow import Gate, install
from tests.faults.compare.stage import Stage, play


async def main(stage: Stage) -> None:
    way, count, pause = stage.args[0], int(stage.args[1]), float(stage.args[2])
    gate = Gate()
    if way == "stuck":
        install(stage.logs, gate)
    writer = await stage.open()
    gate.seconds = 3600.0
    for step in range(count):
        await writer.add(step)
    await stage.pause(pause)
    stage.leave()
    if way == "exit":
        sys.exit(0)
    if way == "exception":
        raise LookupError("meant to happen")
    signals = {"ctrl-c": signal.SIGINT, "sigterm": signal.SIGTERM}
    if way in signals:
        os.kill(os.getpid(), signals[way])
        await stage.pause(10)
    if way == "os._exit":
        os._exit(0)


if __name__ == "__main__":
    play(main)
