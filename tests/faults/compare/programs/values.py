"""What programs do that TensorBoard does not like: `values.py ... nan | tag | no-steps | clock | closed | pickle`."""

import os
import pickle
import time

from tests.faults.compare.stage import Stage, play
from tests.faults.compare.writers import Writer


async def main(stage: Stage) -> None:
    how = stage.args[0]
    if how == "clock":
        await stepped_back(stage)
        return
    writer = await stage.open()
    if how == "no-steps":
        for _ in range(100):
            await writer.add(None)
    elif how == "pickle":
        await stage.attempt(copied, stage, writer)
    else:
        for step in range(10):
            await writer.add(step)
        await offend(stage, writer, how)
        for step in range(10, 20):
            await stage.attempt(writer.add, step)
    await stage.attempt(writer.close)


async def offend(stage: Stage, writer: Writer, how: str) -> None:
    if how == "nan":
        await stage.attempt(writer.add, 0, tag="bad", walltime=float("nan"))
    elif how == "tag":
        await stage.attempt(writer.add, 0, tag="\udcff")
    else:
        await writer.close()


async def copied(stage: Stage, writer: Writer) -> None:
    """Log with a copy, as a worker does that is handed a writer."""
    stage.board.phase("pickle")
    copy = Writer(pickle.loads(pickle.dumps(writer.raw)), stage.board)
    for step in range(10):
        await copy.add(step)
    await copy.close()


async def stepped_back(stage: Stage) -> None:
    """A run is resumed an hour earlier than it began."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)  # noqa: ASYNC222 - nothing else runs here
        now = time.time
        time.time = lambda: now() - 3600
    writer = await stage.open()
    for step in range(10, 20) if pid else range(10):
        await writer.add(step)
    await writer.close()
    if not pid:
        os._exit(0)


if __name__ == "__main__":
    play(main)
