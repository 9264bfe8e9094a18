"""The end of the process, and its forks: the pipelines that still have something to write then."""

from __future__ import annotations

import atexit
import os
import sys
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from asynctb.pipeline.core import Pipeline

__all__ = ["Forked", "exiting", "finish", "put_off", "remember", "unwatch", "watch", "write_all"]


class Forked(Protocol):
    """What has to begin anew in a forked child."""

    def after_fork(self) -> None:
        """Begin anew."""


_all: weakref.WeakSet[Forked] = weakref.WeakSet()
_watched: set[Pipeline] = set()
ONE_ENDING = 60.0  # seconds between two waits in vain from which they are not of one ending
LAST_CHANCE = 0.5  # seconds for what could be written at once, though an encoder took all of the time before it
_in_vain = 0.0  # seconds waited for disks that did not get done
_in_vain_at = -ONE_ENDING
_hooked_in: int | None = None  # the process whose end we are called at
_finalizer: Any = None  # multiprocessing's, where that is in use
_exiting_in: int | None = None  # the process that is at its end


def remember(forked: Forked) -> None:
    """Have something begin anew in forked children, for as long as it lives."""
    _all.add(forked)
    _hook()  # early: a handler that is registered while others run at exit is never called


def finish(pipeline: Pipeline) -> None:
    """Write what a pipeline has pending, for as long as the end of a loop or of the process may be held up for it.

    Whoever is held up in vain in one ending, of the loop and then of the process, of this writer and the next, shares
    one `exit_timeout`, and the last chance that may follow it.
    """
    global _in_vain, _in_vain_at
    began = time.monotonic()
    if began - _in_vain_at > ONE_ENDING:
        _in_vain = 0.0
    left = max(0.0, pipeline.options.exit_timeout - _in_vain)
    if not pipeline.backlog.blocked and pipeline.health.failing is None:
        left = max(left, min(LAST_CHANCE, pipeline.options.exit_timeout + LAST_CHANCE - _in_vain))
    try:
        pipeline.drain.finish(left)
    finally:  # also where Ctrl-C has ended it
        if pipeline.backlog.pending:
            _in_vain_at = time.monotonic()
            _in_vain += _in_vain_at - began


def write_all(timeout: float, *, sync: bool, last: bool) -> None:
    """Write what all pipelines have pending, for so many seconds at most, and log what is left.

    `last` says that the process ends right after: what has not even been taken from its caller holds nothing up then.
    """
    deadline = time.monotonic() + timeout
    pipelines = list(_watched)
    for pipeline in pipelines:
        pipeline.start_writing(last=last)
    for pipeline in pipelines:
        pipeline.write_until(deadline, sync=sync)


def put_off(call: Callable[[], object]) -> bool:
    """Have a call made as soon as the critical section ends that the caller interrupts; False if it interrupts none.

    A signal handler cannot wait for what the interrupted section keeps from others.
    """
    return any(pipeline.backlog.put_off(call) for pipeline in list(_watched))


def exiting() -> bool:
    """Tell whether the process is at its end."""
    return _exiting_in == os.getpid()


def watch(pipeline: Pipeline) -> None:
    """Have a pipeline finished when the process ends; it is kept alive until then, or until `unwatch`."""
    _watched.add(pipeline)
    _hook()


def unwatch(pipeline: Pipeline) -> None:
    """Leave a pipeline out again: it has ended."""
    _watched.discard(pipeline)


def _hook() -> None:
    global _hooked_in, _finalizer
    if _hooked_in != os.getpid():
        _hooked_in = os.getpid()
        atexit.unregister(_finish_all)
        atexit.register(_finish_all)
    # A child of multiprocessing may leave through os._exit and run no atexit, but its finalizers; those from before
    # it was set up are gone.
    util = sys.modules.get("multiprocessing.util")
    if util is not None and (_finalizer is None or not _finalizer.still_active()):
        _finalizer = util.Finalize(None, _finish_all, exitpriority=100)


def _finish_all() -> None:
    """Write what is pending, in all pipelines at once."""
    global _exiting_in
    _exiting_in = os.getpid()
    pipelines = list(_watched)
    try:
        _finish_each(pipelines)
    except KeyboardInterrupt:
        # The program has ended already, perhaps by another Ctrl-C. Only one more has this wait end early.
        _finish_each(pipelines)
        raise


def _finish_each(pipelines: list[Pipeline]) -> None:
    for pipeline in pipelines:
        pipeline.start_finishing()
    for pipeline in pipelines:
        pipeline.finish_and_tell()


def _after_fork() -> None:
    _watched.clear()
    for forked in list(_all):
        forked.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
