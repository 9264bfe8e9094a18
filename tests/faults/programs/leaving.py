"""What every way out needs: what the program was told, and logging in all of its writers."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

from asynctb import AsyncSummaryWriter, SummaryWriter

TAG = "accepted"
CTRL_C = -signal.SIGINT

Way: TypeAlias = Callable[[], object]
Part: TypeAlias = Callable[[int], range]
Writer = TypeVar("Writer", AsyncSummaryWriter, SummaryWriter)


class WayOut(NamedTuple):
    """What a program does, and the exit status it ends with."""

    do: Way
    status: int


WAYS_OUT: dict[str, WayOut] = {}


def way_out(status: int = 0) -> Callable[[Way], Way]:
    def remember(do: Way) -> Way:
        WAYS_OUT[do.__name__.replace("_", " ")] = WayOut(do, status)
        return do

    return remember


class Plan:
    """What the program was told, and what it keeps until its end."""

    folder = Path()
    exit_timeout = 5.0
    counts: tuple[int, ...] = ()
    loop = "asyncio"
    kept: list[object] = []  # noqa: RUF012


def new_loop() -> asyncio.AbstractEventLoop:
    if Plan.loop == "asyncio":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()


# Logging in all of a program's writers: TAG, with the steps of `range(count)` in their order


def made(kind: type[Writer]) -> list[tuple[Writer, int]]:
    return [(kind(Plan.folder / str(count), exit_timeout=Plan.exit_timeout), count) for count in Plan.counts]


def all_steps(count: int) -> range:
    return range(count)


def first_half(count: int) -> range:
    return range(count // 2)


def second_half(count: int) -> range:
    return range(count // 2, count)


async def alog(writers: list[tuple[AsyncSummaryWriter, int]], part: Part = all_steps) -> None:
    for writer, count in writers:
        for step in part(count):
            await writer.add_scalar(TAG, step, step)


def log_nowait(writers: list[tuple[AsyncSummaryWriter, int]], part: Part = all_steps) -> None:
    for writer, count in writers:
        for step in part(count):
            assert writer.nowait.add_scalar(TAG, step, step)


def log(writers: list[tuple[SummaryWriter, int]], part: Part = all_steps) -> None:
    for writer, count in writers:
        for step in part(count):
            writer.add_scalar(TAG, step, step)


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def press_ctrl_c_soon() -> None:
    threading.Timer(0.05, press_ctrl_c).start()


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """As `asyncio.run`, on the kind of loop that was asked for."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(coroutine)
