"""The writers that are compared: where each comes from, and one way to use them all.

A program is written once, as a coroutine. With a writer that is not awaited nothing in it ever suspends, so it is run
as plain code, without an event loop.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tests.faults.compare.board import Board

T = TypeVar("T")


class Kind(NamedTuple):
    """One writer."""

    title: str
    package: str
    module: str
    name: str = "SummaryWriter"
    awaited: bool = False

    @property
    def installed(self) -> bool:
        """Whether it can be run here."""
        return importlib.util.find_spec(self.package) is not None

    @property
    def version(self) -> str:
        """The version of its package."""
        return importlib.metadata.version(self.package)


KINDS = {
    "torch": Kind("torch", "torch", "torch.utils.tensorboard"),
    "tensorboardX": Kind("tensorboardX", "tensorboardX", "tensorboardX"),
    "sync": Kind("SummaryWriter", "asynctb", "asynctb"),
    "async": Kind("AsyncSummaryWriter", "asynctb", "asynctb", "AsyncSummaryWriter", awaited=True),
}
OURS = [name for name, kind in KINDS.items() if kind.package == "asynctb"]


class Writer:
    """A writer under observation: what it has accepted is on the board, which survives the process."""

    def __init__(self, raw: Any, board: Board) -> None:
        self.raw = raw
        self._board = board

    async def add(self, step: int | None, slot: int = 0, tag: str = "", **options: Any) -> None:
        """Add a scalar under the slot's tag, or under one that is not counted."""
        self._board.phase("add_scalar")
        began = time.perf_counter()
        await _done(self.raw.add_scalar(tag or tag_of(slot), float(step or 0), step, **options))
        self._board.longest(time.perf_counter() - began)
        if not tag:
            self._board.added(slot)

    async def flush(self) -> None:
        self._board.phase("flush")
        await _done(self.raw.flush())

    async def close(self) -> None:
        self._board.phase("close")
        await _done(self.raw.close())

    async def call(self, method: str, *args: Any, **options: Any) -> None:
        """Call any other method."""
        self._board.phase(method)
        await _done(getattr(self.raw, method)(*args, **options))

    @property
    def dropped(self) -> int:
        """How many entries the writer says it has dropped."""
        stats = getattr(self.raw, "stats", None)
        return sum(stats.dropped.values()) if stats else 0


def make(kind: Kind, logs: Path) -> Any:
    """Import the writer, and make one with its defaults."""
    return getattr(importlib.import_module(kind.module), kind.name)(str(logs))


def tag_of(slot: int) -> str:
    """Return the tag under which a slot of the board counts."""
    return f"slot{slot}"


def run_plain(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("a plain program has nothing to wait for")


async def _done(result: Any) -> None:
    if inspect.isawaitable(result):
        await result
