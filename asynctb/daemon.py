"""Threads of our own, which never hold up the end of the program.

The loop's default executor may be busy with the user's work for seconds, and the interpreter joins every thread of
every `ThreadPoolExecutor` before it exits: a stuck disk would stick the program.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

__all__ = ["DaemonExecutor"]

P = ParamSpec("P")
T = TypeVar("T")
_Task = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class Looks:
    """What an idle thread does by itself every few moments, while that is wanted."""

    def __init__(self, every: float) -> None:
        self.every = every
        self.on = False
        # Gives the call, which tells whether more of them are wanted: a thread keeps nothing of its user's alive.
        self.call: Callable[[], Callable[[], bool] | None] = lambda: None

    def look(self) -> None:
        """Make the call."""
        self.on = False  # first: whoever sets it meanwhile is not overruled
        call = self.call()
        if call is not None and call():
            self.on = True


class DaemonExecutor(Executor):
    """Runs calls in the order they came, on at most `workers` daemon threads, each begun when first needed.

    Calls may come from any thread, and from a signal handler or a finalizer that interrupts another call: no lock is
    held, and each step is one that nothing can interrupt.
    """

    def __init__(self, name: str, workers: int = 1, looks: Looks | None = None) -> None:
        self._looks = looks
        self._names = [f"{name}-{number}" for number in range(workers)] if workers > 1 else [name]
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._begin()

    def _begin(self) -> None:
        self._threads: list[threading.Thread] = []
        self._unused = deque(self._names)  # of threads that have not begun
        self._idle: deque[None] = deque()  # one for each thread that waits for work

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call in a thread; raises RuntimeError where the interpreter lets no thread begin any more."""
        if sys.is_finalizing():
            raise RuntimeError("the interpreter is at its end: its threads stand still, and none can begin")
        future: Future[T] = Future()
        self._tasks.put((future, fn, args, kwargs))
        try:
            self._ensure_thread()
        except RuntimeError:
            future.cancel()
            raise
        return future

    @property
    def unused(self) -> bool:
        """Whether no thread has begun."""
        return not self._threads

    @property
    def called(self) -> int:
        """How many calls there are that no thread has come to."""
        return self._tasks.qsize()

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:
        """Let the threads end once they have done what was submitted; waits for nobody unless told to."""
        threads = self._threads
        self._begin()
        for _ in threads:
            self._tasks.put(None)
        if wait:
            for thread in threads:
                thread.join()

    def __del__(self) -> None:
        """Let the threads end, once they are done: a call that came behind the shutdown may have begun one."""
        for _ in self._threads:
            self._tasks.put(None)  # and no name of this module, which may be gone at the interpreter's end

    def _ensure_thread(self) -> None:
        """Begin a thread unless one waits for work, or all have begun."""
        with suppress(IndexError):
            self._idle.pop()
            return
        try:
            name = self._unused.popleft()
        except IndexError:
            return
        thread = None
        try:
            args = self._tasks, self._idle, self._looks
            thread = threading.Thread(target=_work, args=args, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        except BaseException as error:
            # There is no thread, be it for want of one or for Ctrl-C: the next call may begin it.
            if thread is None or thread.ident is None:
                self._threads = [other for other in self._threads if other is not thread]
                self._unused.appendleft(name)
            if not isinstance(error, RuntimeError) or not self._threads:
                raise


def _work(tasks: SimpleQueue[_Task | None], idle: deque[None], looks: Looks | None) -> None:
    while (task := _next(tasks, idle, looks)) is not None:
        future, fn, args, kwargs = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
        del task, future, fn, args, kwargs  # an idle thread keeps nothing of the user's alive


def _next(tasks: SimpleQueue[_Task | None], idle: deque[None], looks: Looks | None) -> _Task | None:
    with suppress(Empty):
        return tasks.get_nowait()
    idle.append(None)
    while looks is not None and looks.on:
        with suppress(Empty):
            return tasks.get(timeout=looks.every)
        looks.look()
        if not looks.on:
            with suppress(Empty):
                return tasks.get(timeout=looks.every)
            looks.look()  # once more, for whoever saw that it was on
    return tasks.get()
