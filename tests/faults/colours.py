"""One story for both writers: on asyncio, on uvloop, and as a script that knows of no loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeAlias

from asynctb import AsyncSummaryWriter, StorageError, SummaryWriter
from tests.loops import loop_factory

Writer: TypeAlias = AsyncSummaryWriter | SummaryWriter
COLOURS = ["asyncio", "uvloop", "script"]


async def done(result: Any) -> Any:
    """Return what a call gave, awaited where it is to be."""
    return await result if inspect.isawaitable(result) else result


def play(colour: str, story: Coroutine[Any, Any, Any]) -> Any:
    """Run a story on the loop of its colour; a script's writer has one of its own, and may block this one."""
    with asyncio.Runner(loop_factory=loop_factory(colour)) as runner:
        return runner.run(story)


async def opened(colour: str, log_dir: Path, tries: int = 1, **options: Any) -> Writer:
    """Open a writer of a colour, as often as may be needed on a disk that fails."""
    make: Callable[..., Writer] = SummaryWriter if colour == "script" else AsyncSummaryWriter
    for left in reversed(range(tries)):
        try:
            writer = make(log_dir, **options)
            return await writer.__aenter__() if isinstance(writer, AsyncSummaryWriter) else writer
        except StorageError:
            if not left:
                raise
    raise AssertionError("no tries")


def dropped(writer: Writer) -> int:
    """Return how many entries found no room, for whatever reason, or had none from the first."""
    return sum(writer.stats.dropped.values())
