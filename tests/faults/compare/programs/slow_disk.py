"""Log from a coroutine to a disk that needs 0.2 s for each write, and see how long the event loop is held."""

import asyncio
import time

from tests.faults.compare.slow import Gate, install
from tests.faults.compare.stage import Stage, play

TICK = 0.005


async def main(stage: Stage) -> None:
    gate = Gate()
    install(stage.logs, gate)
    writer = await stage.open()
    gate.seconds = 0.2
    probe = asyncio.create_task(watch(stage))
    for step in range(30):
        await writer.add(step)
        await stage.pause(0.01)
    probe.cancel()
    await writer.close()


async def watch(stage: Stage) -> None:
    report = stage.report
    report["lag"] = report["held"] = 0.0
    while True:
        began = time.perf_counter()
        await asyncio.sleep(TICK)
        late = time.perf_counter() - began - TICK
        report["lag"], report["held"] = max(report["lag"], late), report["held"] + late


if __name__ == "__main__":
    play(main, in_loop=True)
