"""Log until the disk is full, and on; then let it have room again, and go on logging.

Arguments: the log directory, the writer's colour, and how the disk is full: `limit`, of the size of files, or `full`,
by a file beside the log directory.
"""

import asyncio
import inspect
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from asynctb import AsyncSummaryWriter, StorageError, SummaryWriter

log_dir, colour, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
FULL = 30_001  # bytes that find room
ROOM = 40_000  # bytes of memory for those that do not
PIECE = 4096


class Told(logging.Handler):
    """What the package logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def limit() -> Callable[[], object]:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def fill() -> Callable[[], object]:
    ballast = log_dir.parent / "ballast"
    with ballast.open("wb", 0) as file:
        try:
            while file.write(b"\0" * PIECE):
                pass
        except OSError:
            os.truncate(ballast, max(0, file.tell() - FULL))
    return ballast.unlink


async def done(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result


async def main() -> None:
    told = Told()
    logging.getLogger("asynctb").addHandler(told)
    options: dict[str, Any] = {"max_bytes": ROOM, "on_storage_error": "raise"}
    writer = SummaryWriter(log_dir, **options) if colour == "script" else AsyncSummaryWriter(log_dir, **options)
    accepted: list[int] = []

    async def add(steps: range) -> float:
        begin = time.monotonic()
        for step in steps:
            before = sum(writer.stats.dropped.values())
            await done(writer.add_scalar("a", 1.0, step))
            if sum(writer.stats.dropped.values()) == before:
                accepted.append(step)
        return time.monotonic() - begin

    await add(range(100))
    await done(writer.flush())
    heal = {"limit": limit, "full": fill}[how]()
    waited = await add(range(100, 4000))
    error = None
    try:
        await done(writer.flush())
    except StorageError as unwritten:
        error = unwritten.errno, unwritten.unwritten
    expected = writer.stats.pending + sum(writer.stats.dropped.values())
    heal()
    begin = time.monotonic()
    while writer.stats.pending:
        await asyncio.sleep(0.01)
    healed = time.monotonic() - begin
    await add(range(5000, 5100))
    await done(writer.close())
    dropped = dict(writer.stats.dropped)
    report = {"waited": waited, "error": error, "expected": expected, "healed": healed, "dropped": dropped}
    print(json.dumps({**report, "accepted": accepted, "told": told.lines}))


if colour == "uvloop":
    import uvloop

    uvloop.run(main())
else:
    asyncio.run(main())
