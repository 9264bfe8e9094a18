"""The ways out of a program of asyncio that closes no writer."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextlib import suppress

from asynctb import AsyncSummaryWriter
from tests.faults.programs.leaving import (
    CTRL_C,
    Plan,
    alog,
    first_half,
    log_nowait,
    made,
    new_loop,
    press_ctrl_c,
    press_ctrl_c_soon,
    run,
    second_half,
    way_out,
)


@way_out()
def the_main_coroutine_returns() -> None:
    run(alog(made(AsyncSummaryWriter)))


@way_out()
def the_main_coroutine_returns_and_its_writer_lives_on() -> None:
    writers = made(AsyncSummaryWriter)
    Plan.kept.append(writers)
    run(alog(writers))


@way_out(1)
def an_exception_leaves_the_main_coroutine() -> None:
    async def work() -> None:
        await alog(made(AsyncSummaryWriter))
        raise LookupError("meant to happen")

    run(work())


@way_out(1)
def an_exception_and_the_writer_lives_on() -> None:
    async def work() -> None:
        Plan.kept.append(writers := made(AsyncSummaryWriter))
        await alog(writers)
        raise LookupError("meant to happen")

    run(work())


@way_out(3)
def sys_exit_in_a_coroutine() -> None:
    async def work() -> None:
        await alog(made(AsyncSummaryWriter))
        sys.exit(3)

    run(work())


@way_out(CTRL_C)
def ctrl_c() -> None:
    async def work() -> None:
        await alog(made(AsyncSummaryWriter))
        press_ctrl_c()
        await asyncio.sleep(60)

    run(work())


@way_out(CTRL_C)
def ctrl_c_twice() -> None:
    async def work() -> None:
        writers = made(AsyncSummaryWriter)
        await alog(writers, first_half)
        press_ctrl_c_soon()
        try:
            await asyncio.sleep(60)
        finally:
            await alog(writers, second_half)
            press_ctrl_c()
            await asyncio.sleep(60)

    run(work())


@way_out()
def adds_in_a_finally_block_when_all_tasks_have_been_cancelled() -> None:
    tasks: list[object] = []

    async def late(writers: list[tuple[AsyncSummaryWriter, int]]) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await alog(writers, second_half)

    async def work() -> None:
        writers = made(AsyncSummaryWriter)
        tasks.append(asyncio.create_task(late(writers)))
        await asyncio.sleep(0)
        await alog(writers, first_half)

    run(work())


@way_out(1)
def owner_and_writer_tasks_are_cancelled_together() -> None:
    async def work() -> None:
        await alog(made(AsyncSummaryWriter))
        for task in asyncio.all_tasks():
            task.cancel()
        await asyncio.sleep(60)

    run(work())


@way_out(1)
def a_block_is_left_by_cancellation() -> None:
    async def work() -> None:
        (writer, count), *others = made(AsyncSummaryWriter)
        async with writer:
            await alog([(writer, count), *others])
            for task in asyncio.all_tasks():
                task.cancel()
            await asyncio.sleep(60)

    run(work())


@way_out()
def the_loop_is_stopped() -> None:
    writers, loop = made(AsyncSummaryWriter), new_loop()

    async def work() -> None:
        await alog(writers)
        loop.stop()
        await asyncio.sleep(60)

    with suppress(RuntimeError):
        loop.run_until_complete(work())


@way_out()
def the_loop_is_left_open() -> None:
    writers, loop = made(AsyncSummaryWriter), new_loop()
    Plan.kept += [writers, loop]
    loop.run_until_complete(alog(writers))


@way_out()
def the_loop_is_closed_over_the_writer() -> None:
    writers, loop = made(AsyncSummaryWriter), new_loop()
    loop.run_until_complete(alog(writers))
    loop.close()


@way_out()
def the_loop_is_closed_over_a_writer_that_lives_on() -> None:
    Plan.kept.append(writers := made(AsyncSummaryWriter))
    loop = new_loop()
    loop.run_until_complete(alog(writers))
    loop.close()


@way_out()
def the_writer_is_closed_and_the_loop_right_after() -> None:
    writers, loop = made(AsyncSummaryWriter), new_loop()
    loop.run_until_complete(alog(writers))
    for writer, _ in writers:
        loop.run_until_complete(writer.close())
    loop.close()


@way_out()
def two_runs_with_one_writer() -> None:
    writers = made(AsyncSummaryWriter)
    run(alog(writers, first_half))
    run(alog(writers, second_half))


@way_out()
def a_sudden_end_behind_the_run() -> None:
    Plan.kept.append(writers := made(AsyncSummaryWriter))
    run(alog(writers))
    os._exit(0)


@way_out()
def nowait_after_the_loop_has_closed() -> None:
    Plan.kept.append(writers := made(AsyncSummaryWriter))
    run(alog(writers, first_half))
    log_nowait(writers, second_half)


@way_out()
def nowait_in_a_thread_while_the_loop_ends() -> None:
    Plan.kept.append(writers := made(AsyncSummaryWriter))
    thread = threading.Thread(target=log_nowait, args=(writers, second_half))

    async def work() -> None:
        await alog(writers, first_half)
        thread.start()

    run(work())


@way_out()
def nowait_and_no_loop_ever() -> None:
    Plan.kept.append(writers := made(AsyncSummaryWriter))
    log_nowait(writers)
