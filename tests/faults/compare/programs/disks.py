"""Log to a disk that fails: `disks.py ... full | healed | hiccup | folder | file`."""

import errno
import resource
import shutil

from tests.faults.compare.slow import Gate, install
from tests.faults.compare.stage import Stage, play
from tests.faults.compare.writers import Writer

FULL = 64 << 10  # bytes of a file, and no more: an unprivileged process's full disk, which fails with EFBIG


async def main(stage: Stage) -> None:
    how, gate = stage.args[0], Gate()
    if how == "hiccup":
        install(stage.logs, gate)
    writer = await stage.open()
    if how in ("full", "healed"):
        await fill(stage, writer, heals=how == "healed")
    elif how == "hiccup":
        await log(stage, writer, range(20), 0.001)
        await stage.pause(0.2)
        gate.error = errno.EIO
        await log(stage, writer, range(20, 300), 0.001)
        await stage.pause(0.7)
        stage.healed()
        await log(stage, writer, range(300, 500), 0.001)
    else:
        await lose(stage, writer, how)
    await stage.attempt(writer.flush)
    await stage.attempt(writer.close)


async def fill(stage: Stage, writer: Writer, *, heals: bool) -> None:
    """Log until the disk is full and beyond; then, perhaps, there is room again."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, most))
    await log(stage, writer, range(2_500), 0)
    if heals:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        await stage.pause(1)
        stage.healed()
    await log(stage, writer, range(2_500, 5_000), 0)


async def lose(stage: Stage, writer: Writer, how: str) -> None:
    """Log on when the file, or the whole log directory, is deleted. What stood there is not counted."""
    for step in range(100):
        await writer.add(step, tag="deleted")
    await writer.flush()
    if how == "folder":
        shutil.rmtree(stage.logs)
    else:
        for file in stage.logs.iterdir():
            file.unlink()
    await log(stage, writer, range(500), 0.001)


async def log(stage: Stage, writer: Writer, steps: range, pause: float) -> None:
    for step in steps:
        await stage.attempt(writer.add, step)
        if pause:
            await stage.pause(pause)


if __name__ == "__main__":
    play(main)
