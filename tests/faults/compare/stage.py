"""What a program stands on: its arguments, its writer, a way to pause, and the report that it leaves."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.faults.compare.board import Board
from tests.faults.compare.writers import KINDS, Writer, make, run_plain

Main = Callable[["Stage"], Awaitable[None]]


class Stage:
    """One run of a program."""

    def __init__(self, writer: str, folder: str, *args: str, in_loop: bool = False) -> None:
        self.kind = KINDS[writer]
        self.name = writer
        self.folder = Path(folder)
        self.logs = self.folder / "logs"
        self.args = args
        self.board = Board(self.folder / "board")
        self.in_loop = in_loop or self.kind.awaited
        self.report: dict[str, Any] = {}
        self._writers: list[Writer] = []
        self._healed = False

    def open_here(self, *, ready: bool = True) -> Writer:
        """Make a writer."""
        writer = Writer(make(self.kind, self.logs), self.board)
        self._writers.append(writer)
        if ready:
            self.board.ready()
        return writer

    async def open(self) -> Writer:
        """Make a writer whose file is open."""
        writer = self.open_here(ready=False)
        if self.kind.awaited:
            await writer.raw.__aenter__()
        self.board.ready()
        return writer

    async def pause(self, seconds: float) -> None:
        """Let time pass: without holding a loop if there is one."""
        if self.in_loop:
            await asyncio.sleep(seconds)
        else:
            time.sleep(seconds)  # noqa: ASYNC251 - nothing else runs here

    async def attempt(self, call: Callable[..., Awaitable[None]], *args: Any, **options: Any) -> None:
        """Make a call that the fault may fail: what it raises is the result, and the program goes on."""
        try:
            await call(*args, **options)
        except Exception as error:
            self.report.setdefault("raised", f"{type(error).__name__} from {self.board.running}")
            self.report["refused"] = self.report.get("refused", 0) + 1
        else:
            if self._healed:
                self.report["dead"] = False

    def healed(self) -> None:
        """The fault is over: a writer whose every later call raises is dead."""
        self._healed = self.report["dead"] = True

    def leave(self) -> None:
        """Leave the report; the program does nothing more."""
        self.report["dropped"] = sum(writer.dropped for writer in self._writers)
        (self.folder / "report").write_text(json.dumps(self.report))
        self.board.done()


def play(main: Main, *, in_loop: bool = False) -> None:
    """Run a program: in an event loop if its writer is awaited, or if it says so."""
    stage = Stage(*sys.argv[1:], in_loop=in_loop)

    async def whole() -> None:
        await main(stage)
        if not stage.board.moments[1]:
            stage.leave()

    if stage.in_loop:
        asyncio.run(whole())
    else:
        run_plain(whole())
