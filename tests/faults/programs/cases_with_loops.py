"""A test file as users have it, with a loop of its own for each test and writers that live longer than one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter

FOLDER = Path(os.environ.get("LOGS", "."))
TESTS, STEPS = 20, 30

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture
def run() -> Iterator[Run]:
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(scope="session")
def left_open() -> AsyncSummaryWriter:
    """Give a writer that nobody closes."""
    return AsyncSummaryWriter(FOLDER / "left open")


@pytest.fixture(scope="session")
def closed() -> Iterator[AsyncSummaryWriter]:
    """Give a writer that is closed on a loop of its own."""
    yield (writer := AsyncSummaryWriter(FOLDER / "closed"))
    asyncio.run(writer.close())


async def log(*writers: AsyncSummaryWriter, number: int) -> None:
    for writer in writers:
        for step in range(STEPS):
            await writer.add_scalar("a", step, number * STEPS + step)


@pytest.mark.parametrize("number", range(TESTS))
def test_logs(run: Run, left_open: AsyncSummaryWriter, closed: AsyncSummaryWriter, number: int) -> None:
    """Log to those two, and to one that ends with the test."""
    run(log(left_open, closed, number=number))
    run(log(AsyncSummaryWriter(FOLDER / "own" / str(number)), number=number))
