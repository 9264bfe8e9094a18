"""What a flush waits for: until everything accepted before it is written, or the storage fails."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Ticket", "Tickets"]


class Ticket:
    """Waited for by one thread or one coroutine, resolved once by whoever took it from the backlog.

    It holds no lock while it waits or is resolved, as a `concurrent.futures.Future` does: a signal handler's add that
    interrupts the one must never wait for the other.
    """

    def __init__(self) -> None:
        self._asleep = threading.Lock()
        self._asleep.acquire()
        self._callbacks: deque[Callable[[], None]] = deque()
        self.done = False
        self.error: BaseException | None = None

    def resolve(self, error: BaseException | None = None) -> None:
        """Let the wait end, with an error if it was in vain."""
        self.error = error
        self.done = True
        with suppress(RuntimeError):  # awake already
            self._asleep.release()
        self._call_back()

    def wait(self, timeout: float) -> bool:
        """Wait in a thread, for so many seconds at most; tell whether it is done."""
        if not self.done and self._asleep.acquire(timeout=timeout):
            self._asleep.release()
        return self.done

    def result(self) -> None:
        """Raise the error, if there is one."""
        if self.error is not None:
            raise self.error

    async def written(self) -> None:
        """Wait in a coroutine until it is done, and raise the error, if there is one."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def end() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(_set, future)

        self._callbacks.append(end)
        if self.done:
            self._call_back()
        await future
        self.result()

    def _call_back(self) -> None:
        while self._callbacks:
            with suppress(IndexError):  # another thread was quicker
                self._callbacks.popleft()()


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Tickets:
    """Tickets that wait, each for so many entries to settle. Not thread-safe: its user holds the lock."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Ticket]] = deque()

    def issue(self, ticket: Ticket, count: int) -> None:
        """Let a ticket wait until `count` entries have settled, which is no less than for those before it."""
        self._waiting.append((count, ticket))

    def due(self, settled: int) -> list[Ticket]:
        """Return those whose wait ends, now that so many entries have settled."""
        due: list[Ticket] = []
        while self._waiting and self._waiting[0][0] <= settled:
            due.append(self._waiting.popleft()[1])
        return due

    def withdraw(self) -> list[Ticket]:
        """Return all, which wait no longer."""
        tickets = [ticket for _, ticket in self._waiting]
        self._waiting.clear()
        return tickets
