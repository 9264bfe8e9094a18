"""Adds what a thread encodes, with a scalar behind each, and ends without closing anything: one writer a kind."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.entry import Draft, Encode

IMAGE = np.random.default_rng(0).random((3, 128, 128), dtype=np.float32)
LABELS = IMAGE[:1].repeat(128, 0)[:, None]
VIDEO = IMAGE[None, None, :, :32, :32].repeat(4, 1)
ADDS: dict[str, Callable[[Any, int], Any]] = {
    "image": lambda writer, step: writer.add_image("heavy", IMAGE, step),
    "text": lambda writer, step: writer.add_text("heavy", "word " * 100_000, step),
    "video": lambda writer, step: writer.add_video("heavy", VIDEO, step),
    "embedding": lambda writer, step: writer.add_embedding(IMAGE[0], label_img=LABELS, tag=str(step)),
}
EXIT_TIMEOUT = 60  # seconds: a deadlock at exit is told from a slow machine by them

kept: list[object] = []


def main(way: str, folder: str, count: str, *kinds: str) -> None:
    WAYS_OUT[way](Path(folder), int(count), kinds)


def log(folder: Path, count: int, kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        writer = SummaryWriter(folder / kind, exit_timeout=EXIT_TIMEOUT)
        kept.append(writer)
        for step in range(count):
            ADDS[kind](writer, step)
            writer.add_scalar("light", step, step)


async def alog(folder: Path, count: int, kinds: tuple[str, ...]) -> None:
    for kind in kinds:
        writer = AsyncSummaryWriter(folder / kind, exit_timeout=EXIT_TIMEOUT)
        kept.append(writer)
        for step in range(count):
            await ADDS[kind](writer, step)
            await writer.add_scalar("light", step, step)


def asyncio_run_ends(folder: Path, count: int, kinds: tuple[str, ...]) -> None:
    asyncio.run(alog(folder, count, kinds))


def the_loop_is_left_open(folder: Path, count: int, kinds: tuple[str, ...]) -> None:
    loop = asyncio.new_event_loop()
    kept.append(loop)
    loop.run_until_complete(alog(folder, count, kinds))


def a_forked_child_returns(folder: Path, count: int, kinds: tuple[str, ...]) -> None:
    child = multiprocessing.get_context("fork").Process(target=log, args=(folder, count, kinds))
    child.start()
    child.join()
    assert child.exitcode == 0


def a_drawing_takes_too_long(folder: Path, count: int, _: tuple[str, ...]) -> None:
    """The loop ends while a figure is drawn, for longer than `exit_timeout`; scalars were accepted behind it."""

    def draw() -> Encode:
        time.sleep(3)
        return lambda: b""

    async def work() -> None:
        writer = AsyncSummaryWriter(folder, exit_timeout=1)
        kept.append(writer)
        await writer.add_scalar("light", -1, -1)
        figure = Draft(("figure",), 10, draw, "images", slow=True)
        drawing = asyncio.ensure_future(writer._accept("add_figure", [figure], 0, 1.0))
        kept.append(drawing)
        await asyncio.sleep(0.1)
        for step in range(count):
            await writer.add_scalar("light", step, step)

    asyncio.run(work())


WAYS_OUT: dict[str, Callable[[Path, int, tuple[str, ...]], None]] = {
    "the script ends": log,
    "asyncio.run ends": asyncio_run_ends,
    "the loop is left open": the_loop_is_left_open,
    "a forked child returns": a_forked_child_returns,
    "a drawing takes too long": a_drawing_takes_too_long,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
