"""Any `add_*`: what a call costs the caller, and what it costs until the file is closed."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from tests.bench.case import Figures
from tests.bench.entrants import awaited, make
from tests.bench.work.adding import each
from tests.bench.work.payloads import PAYLOADS, of

__all__ = ["calls"]


def calls(entrant: str, folder: Path, method: str, count: int, **options: Any) -> Figures:
    """Call a method `count` times; seconds a call."""
    call = of(_variant(entrant, method), options)
    if awaited(entrant):
        return asyncio.run(_awaited(entrant, folder, call, count))
    writer = make(entrant, folder)
    began = time.perf_counter()
    for step in range(count):
        call(writer, step)
    added = time.perf_counter()
    writer.close()
    return each(count, began, added)


async def _awaited(entrant: str, folder: Path, call: Any, count: int) -> Figures:
    async with make(entrant, folder) as writer:
        began = time.perf_counter()
        for step in range(count):
            await call(writer, step)
        added = time.perf_counter()
        await writer.close()
        return each(count, began, added)


def _variant(entrant: str, method: str) -> str:
    own = f"{method} of {entrant.partition('-')[0]}"
    return own if own in PAYLOADS else method
