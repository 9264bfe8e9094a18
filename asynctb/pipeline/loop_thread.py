"""A thread with an event loop, for writers whose users have none."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["LoopThread"]

T = TypeVar("T")

LOOK = 0.05  # seconds between two looks whether a loop still runs


class LoopThread:
    """A daemon thread with an event loop."""

    def __init__(self) -> None:
        self._starting = False
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._main, name="asynctb-loop", daemon=True)

    def start(self) -> bool:
        """Begin the thread, if it has not begun; tell whether it runs coroutines."""
        starting, self._starting = self._starting, True
        if not starting:
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is at its end and lets none begin
                self._ready.set()
        elif self._thread.ident is None:
            return False  # a signal handler's add has interrupted the very start
        self._ready.wait()
        return self._loop is not None and self._thread.is_alive()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine on the loop and return its result.

        Raises TimeoutError, and `CancelledError` if another thread has stopped the loop before it came to that.
        """
        assert self._loop is not None
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # closed
            coroutine.close()
            raise CancelledError from None
        return self._result(future, timeout)

    def call(self, function: Callable[[], object]) -> None:
        """Call a function on the loop, and return when it has; nothing happens if another thread stops the loop."""
        assert self._loop is not None
        called: Future[None] = Future()

        def call() -> None:
            try:
                function()
            finally:
                called.set_result(None)

        with suppress(RuntimeError, CancelledError):  # closed
            self._loop.call_soon_threadsafe(call)
            self._result(called)

    def _result(self, future: Future[T], timeout: float | None = None) -> T:
        """Wait for what comes of a loop that another thread may stop: then it may never come."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LOOK if deadline is None else min(LOOK, deadline - time.monotonic())
            try:
                return future.result(max(0.0, left))
            except TimeoutError:
                if future.done() or (deadline is not None and time.monotonic() >= deadline):
                    raise
            if not self._thread.is_alive() and not future.done():
                raise CancelledError

    def stop(self) -> None:
        """Let the loop end, cancelling what still runs on it; waits for nobody."""
        if self._loop is not None and self._stopped is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._stopped.set)

    def _main(self) -> None:
        try:
            runner = asyncio.Runner()
            # There is no loop where no descriptor is left, nor where the program's own policy makes none in this
            # thread: then the file thread does without one.
            with suppress(Exception):
                runner.get_loop()
                with runner:
                    runner.run(self._until_stopped())
        finally:  # whatever it was, nobody waits for it for ever
            self._ready.set()

    async def _until_stopped(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        self._ready.set()
        await self._stopped.wait()
