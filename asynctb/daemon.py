"""Threads of our own, which never hold up the end of the program.

The loop's default executor may be busy with the user's work for seconds, and the interpreter joins every thread of
every `ThreadPoolExecutor` before it exits: a stuck disk would stick the program.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

__all__ = ["DaemonExecutor"]

P = ParamSpec("P")
T = TypeVar("T")
_Task = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class DaemonExecutor(Executor):
    """Runs calls in the order they came, on at most `workers` daemon threads, each begun when first needed."""

    def __init__(self, name: str, workers: int = 1) -> None:
        self._name = name
        self._workers = workers
        self._threads: list[threading.Thread] = []
        # A SimpleQueue may be put into from a signal handler or a finalizer, even one that interrupts another put.
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call in a thread; raises RuntimeError where the interpreter lets no thread begin any more."""
        if sys.is_finalizing():
            raise RuntimeError("the interpreter is at its end: its threads stand still, and none can begin")
        future: Future[T] = Future()
        self._ensure_thread()
        self._tasks.put((future, fn, args, kwargs))
        return future

    def holds(self, ident: int) -> bool:
        """Tell whether a thread is one of this executor's."""
        return any(thread.ident == ident for thread in self._threads)

    def shutdown(self, wait: bool = False, *, cancel_futures: bool = False) -> None:
        """Let the threads end once they have done what was submitted; waits for nobody unless told to."""
        threads, self._threads = self._threads, []
        for _ in threads:
            self._tasks.put(None)
        if wait:
            for thread in threads:
                thread.join()

    def _ensure_thread(self) -> None:
        if len(self._threads) < self._workers and (not self._threads or self._tasks.qsize()):
            name = f"{self._name}-{len(self._threads)}" if self._workers > 1 else self._name
            thread = threading.Thread(target=_work, args=(self._tasks,), name=name, daemon=True)
            self._threads.append(thread)
            try:
                thread.start()
            except RuntimeError:
                self._threads.remove(thread)
                if not self._threads:
                    raise


def _work(tasks: SimpleQueue[_Task | None]) -> None:
    while (task := tasks.get()) is not None:
        future, fn, args, kwargs = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
        del task, future, fn, args, kwargs  # an idle thread keeps nothing of the user's alive
