"""What ordinary threads do with a pipeline: they may wait."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

from asynctb.notices import heard
from asynctb.pipeline import encoders
from asynctb.pipeline.core import LOOK, Pipeline
from asynctb.pipeline.health import PATIENCE, STUCK_AFTER
from asynctb.pipeline.turns import Add, Outcome, ThreadTurn

__all__ = ["close", "flush", "open_file", "open_next_file", "wait_till_over", "wait_turn"]


def open_file(pipeline: Pipeline) -> None:
    """Open the event file; raises `StorageError`."""
    try:
        pipeline.drain.open()
    except OSError as error:
        raise pipeline.not_opened(error) from error


def open_next_file(pipeline: Pipeline) -> None:
    """Open it for an add, where all together wait no longer for a disk that does not answer than for a write.

    Raises `StorageError`.
    """
    if pipeline.drain.opened:
        return
    if pipeline.opening is None or pipeline.opening.done():
        try:
            pipeline.opening = pipeline.storage.submit(pipeline.drain.open)
        except RuntimeError:  # the interpreter is at its end and lets no thread begin
            open_file(pipeline)
            return
        pipeline.patient_until = time.monotonic() + STUCK_AFTER + PATIENCE
    try:
        pipeline.opening.result(max(0.0, pipeline.patient_until - time.monotonic()))
    except OSError as error:
        raise pipeline.not_opened(error) from error


def wait_turn(pipeline: Pipeline, add: Add) -> Outcome:
    """Let an add in, waiting for room as the policy allows."""
    turn = ThreadTurn(add)
    pipeline.backlog.enqueue(turn)
    try:
        encoders.hurry()
        while turn.outcome is Outcome.WAITING:
            pipeline.drivers.call_for_room()
            turn.wait(LOOK)
            if turn.outcome is Outcome.WAITING and pipeline.drivers.driven:
                pipeline.drivers.call()  # in case Ctrl-C has struck down the call that would have made room
            elif turn.outcome is Outcome.WAITING:
                pipeline.drain.finish_or_fail(LOOK)
                pipeline.backlog.drop(turn, "storage")
        encoders.take_here(turn.places)
    except BaseException:
        pipeline.withdraw(turn)
        raise
    if turn.outcome is Outcome.DROPPED:
        pipeline.reports.dropped()
    return turn.outcome


def flush(pipeline: Pipeline, sync: bool, timeout: float | None) -> None:
    """Wait until all that has been accepted is written, and synced if asked; raises OSError."""
    ticket = pipeline.request_flush()
    if pipeline.backlog.interrupted():
        return  # from a signal handler in the midst of an add: it is on its way, and waiting would be for ever
    deadline = None if timeout is None else time.monotonic() + min(timeout, threading.TIMEOUT_MAX / 2)
    while not ticket.done:
        left = LOOK if deadline is None else min(LOOK, deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError("the flush took longer than its timeout")
        if pipeline.opening and not pipeline.opening.done() and time.monotonic() > pipeline.patient_until:
            raise TimeoutError("the event file is still being opened")
        if not ticket.wait(left) and not pipeline.drivers.driven:
            pipeline.drain.finish_or_fail(left)
    ticket.result()
    if sync:
        _sync(pipeline, deadline)
    heard()


def _sync(pipeline: Pipeline, deadline: float | None) -> None:
    try:
        syncing = pipeline.storage.submit_sync()
    except RuntimeError:  # the interpreter is at its end and lets no thread begin
        pipeline.storage.sync()
        return
    syncing.result(None if deadline is None else max(0.0, deadline - time.monotonic()))


def close(pipeline: Pipeline, timeout: float | None) -> None:
    """Close without a loop, waiting for so many seconds at most."""
    pipeline.end()
    wait_till_over(pipeline, timeout)


def wait_till_over(pipeline: Pipeline, timeout: float | None) -> None:
    """Wait until the files are closed, unless the caller is among those who are waited for."""
    interrupts = pipeline.backlog.interrupted() or pipeline.drain.interrupted()
    if not pipeline.drivers.waits_for_itself() and not interrupts:
        with suppress(TimeoutError):
            pipeline.over.result(timeout)
