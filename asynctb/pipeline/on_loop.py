"""What coroutines do with a pipeline: they await it on its loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import anyio

from asynctb.errors import StorageError, WriterClosed
from asynctb.pipeline import encoders
from asynctb.pipeline.core import LOOK, Pipeline
from asynctb.pipeline.turns import Add, LoopTurn, Outcome

__all__ = ["attach", "close", "close_quietly", "flush", "wait_turn"]


async def attach(pipeline: Pipeline) -> None:
    """Make sure that the running loop is the pipeline's, that its task runs and its file is open.

    Raises `WrongLoop`, `WriterClosed` and, when the directory cannot be opened, `StorageError`.
    """
    if pipeline.closed:
        raise WriterClosed("this writer is closed")
    loop = pipeline.drivers.own_loop()
    driver = pipeline.drivers.on(loop)
    while not pipeline.drain.opened:
        try:
            await (driver.has_opened() if driver.alive else pipeline.storage.run(pipeline.drain.open))
        except OSError as error:
            raise pipeline.not_opened(error) from error
        driver = pipeline.drivers.on(loop)
    if driver.alive and not pipeline.closed:
        pipeline.storage.look_with(pipeline.stand_in.look)
        pipeline.ready_on = loop


async def wait_turn(pipeline: Pipeline, add: Add) -> None:
    """Let an add in, waiting for room as the policy allows; raises `WriterClosed`."""
    turn = LoopTurn(add, asyncio.get_running_loop())
    pipeline.backlog.enqueue(turn)
    try:
        encoders.hurry()
        while turn.outcome is Outcome.WAITING:
            pipeline.drivers.call_for_room()
            await _woken(pipeline, turn)
        if turn.outcome is Outcome.CLOSED:
            raise WriterClosed("this writer is closed")
        await encoders.take(turn.places)
    except BaseException:
        pipeline.withdraw(turn)
        raise
    if turn.outcome is Outcome.DROPPED:
        pipeline.reports.dropped()


async def _woken(pipeline: Pipeline, turn: LoopTurn) -> None:
    if pipeline.drivers.driven:
        await turn.future
        return
    # The task has ended, so the loop is about to: nothing else would end this wait for certain.
    done, _ = await asyncio.wait({turn.future}, timeout=LOOK)
    if not done:
        pipeline.backlog.drop(turn, "storage")


async def flush(pipeline: Pipeline, sync: bool, timeout: float | None) -> None:
    """Wait until all that has been accepted is written, and synced if asked; raises OSError."""
    pipeline.drivers.own_loop()
    there_is_something = pipeline.backlog.pending or sync or not pipeline.drain.opened
    async with asyncio.timeout(timeout if there_is_something else None):
        await attach(pipeline)
        await pipeline.request_flush().written()
        if sync:
            await pipeline.storage.run_sync()


async def close(pipeline: Pipeline, timeout: float | None) -> None:
    """Write what is pending as far as the time allows, and end; raises `StorageError` for what is left.

    Under anyio's cancellation it goes on until then; cancelled by asyncio itself, it goes on in the file thread.
    """
    if pipeline.closing:
        with anyio.move_on_after(timeout, shield=True):
            await asyncio.shield(asyncio.wrap_future(pipeline.over))
        return
    pipeline.drivers.own_loop()
    pipeline.closing = True
    try:
        with anyio.move_on_after(timeout, shield=True):
            await _write_the_rest(pipeline)
        await pipeline.drivers.stop()
    except StorageError as error:  # its file cannot be opened, for what was added by `nowait`
        if pipeline.options.on_storage_error == "raise":
            raise
        pipeline.notices.say("asynctb: %s", error)
        return
    finally:
        pipeline.end()
    pipeline.reports.unwritten()


async def close_quietly(pipeline: Pipeline, timeout: float | None) -> None:
    """Close, and leave it to the caller to report what is left."""
    with suppress(StorageError):
        await close(pipeline, timeout)


async def _write_the_rest(pipeline: Pipeline) -> None:
    if not pipeline.closed and (pipeline.drain.opened or pipeline.backlog.pending):
        await attach(pipeline)
    pipeline.close_door()
    if not pipeline.drain.opened:
        return
    with suppress(OSError):
        # Those in line when the door closed still come in, as room is made for them.
        while pipeline.backlog.pending or pipeline.backlog.waiting:
            await pipeline.request_flush().written()
        await pipeline.storage.run_sync()
    await pipeline.storage.run(pipeline.say_last_words)
