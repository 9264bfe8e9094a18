"""Adds that wait for room: each knows how to wait, in a coroutine or in a thread, and how it ended."""

from __future__ import annotations

import asyncio
import enum
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from asynctb.entry import Entry, wire_size
from asynctb.pipeline.places import Place

__all__ = ["Add", "LoopTurn", "Outcome", "ThreadTurn", "Turn", "wake"]


class Add(NamedTuple):
    """One call of an `add_*`: entries that are accepted together or not at all."""

    method: str
    entries: Sequence[Entry]
    step: int | None
    wall_time: float

    @property
    def size(self) -> int:
        """How many bytes of the writer's bound it needs."""
        return sum(map(wire_size, self.entries))

    @property
    def media(self) -> bool:
        """Whether it is shed before scalars are."""
        return any(entry.media for entry in self.entries)


class Outcome(enum.Enum):
    """How an add stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DROPPED = "dropped"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Turn:
    """An add and its outcome, which only the backlog sets."""

    def __init__(self, add: Add) -> None:
        self.add = add
        self.size = add.size
        self.count = len(add.entries)
        self.outcome = Outcome.WAITING
        self.places: Sequence[Place] = ()

    def wake(self) -> None:
        """Let the add go on; called once it is no longer waiting, by any thread."""
        raise NotImplementedError


class LoopTurn(Turn):
    """Waits in a coroutine."""

    def __init__(self, add: Add, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(add)
        self.loop = loop
        self.future: asyncio.Future[None] = loop.create_future()

    def wake(self) -> None:
        if not self.future.done():
            self.future.set_result(None)


class ThreadTurn(Turn):
    """Waits in a thread."""

    def __init__(self, add: Add) -> None:
        super().__init__(add)
        # A bare lock: Ctrl-C in an Event's wait may leave the Event's own lock broken.
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def wake(self) -> None:
        with suppress(RuntimeError):  # awake already
            self._asleep.release()

    def wait(self, timeout: float) -> None:
        """Wait until woken, or for so many seconds."""
        if self._asleep.acquire(timeout=timeout):
            self._asleep.release()


def wake(turns: Iterable[Turn]) -> None:
    """Wake turns in their order: those of a loop together, with one call to it if this is another thread."""
    by_loop: dict[asyncio.AbstractEventLoop, list[LoopTurn]] = {}
    for turn in turns:
        if isinstance(turn, LoopTurn):
            by_loop.setdefault(turn.loop, []).append(turn)
        else:
            turn.wake()
    for loop, mine in by_loop.items():
        if asyncio._get_running_loop() is loop:
            _wake_all(mine)
        else:
            with suppress(RuntimeError):  # closed: nobody is waiting there any more
                loop.call_soon_threadsafe(_wake_all, mine)


def _wake_all(turns: Iterable[LoopTurn]) -> None:
    for turn in turns:
        turn.wake()
