"""Who writes: the task on the present loop, and where there is none the file thread, or whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from asynctb.errors import WrongLoop
from asynctb.notices import on_our_thread
from asynctb.pipeline import exits
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.calls import Call
from asynctb.pipeline.drain import Drain
from asynctb.pipeline.driver import NEVER, Driver

__all__ = ["Drivers"]

LOOK = 1.0  # seconds that the end of a task is waited for
New: TypeAlias = Callable[[asyncio.AbstractEventLoop], Driver]


class Drivers:
    """Of one pipeline: one driver at a time, each on another loop than the one before, which is closed."""

    def __init__(
        self, backlog: Backlog, drain: Drain, new: New, watch: Callable[[], None], finish: Callable[[], None]
    ) -> None:
        self._backlog = backlog
        self._drain = drain
        self._new = new
        self._watch = watch
        self._finish = finish
        self.latest: Driver | None = None

    @property
    def driven(self) -> bool:
        """Whether there is a task that answers."""
        return self.latest is not None and self.latest.alive

    def own_loop(self) -> asyncio.AbstractEventLoop:
        """Return the running loop; raises `WrongLoop` if there is none, or if another one is the pipeline's."""
        loop = running_loop()
        theirs = self.latest.loop if self.latest is not None else loop
        if theirs is not loop and not theirs.is_closed():
            raise WrongLoop(
                "this writer belongs to another event loop, which is still open: make a writer for each loop"
            )
        return loop

    def on(self, loop: asyncio.AbstractEventLoop) -> Driver:
        """Return the driver on a loop, a new one where there is none or where it has ended."""
        driver = self.latest
        if driver is None or driver.loop is not loop or (not driver.alive and not _ending()):
            self._watch()
            driver = self.latest = self._new(loop)
        return driver

    def waits_for_itself(self) -> bool:
        """Tell whether the caller is on one of the threads that do the work, so that it must not wait for it."""
        driver = self.latest
        on_loop = driver is not None and asyncio._get_running_loop() is driver.loop
        return on_loop or on_our_thread()

    # Calls

    def call(self, call: Call = Call.ARRIVED) -> None:
        """Have what is pending written: by the task, or where there is none by the file thread, or at once."""
        driver = self.latest
        if driver is not None and driver.call(call):
            return
        if not self._drain.ended:
            self._watch()  # what has no task is finished at the end of the process, if not before
        if not self._drain.opened:
            return  # it waits for a loop to open its file
        if exits.exiting() and not on_our_thread():
            self._finish()
        else:  # also where an encoder, for which the end of the process waits, has filled a place
            self._call_file_thread()

    def _call_file_thread(self) -> None:
        self._backlog.call_at = NEVER  # until the file thread begins
        try:
            called = self._drain.submit_alone(self._be_called_again)
        except BaseException:
            self._be_called_again()  # Ctrl-C has struck before the call was on its way
            raise
        if not called:
            self._be_called_again()
            self._drain.alone()

    def call_for_room(self) -> None:
        """Have room made for those in line."""
        # A task that lingers for company is told that there is company enough; one that is writing will see by itself.
        if self.latest is not None and self._backlog.call_at < NEVER:
            self.call()

    def _be_called_again(self) -> None:
        self._backlog.call_at = 1

    # Ends

    async def stop(self) -> None:
        """On its loop: end the task, and wait for it: the loop may be closed next, and must find no task pending."""
        if self.latest is not None and self.latest.loop is running_loop():
            self.latest.stop()
            await asyncio.wait({self.latest.task}, timeout=LOOK)

    def stop_from_anywhere(self) -> None:
        """End the task, if there is one."""
        driver = self.latest
        if driver is not None and driver.alive:
            with suppress(RuntimeError):  # its loop is closed
                driver.loop.call_soon_threadsafe(driver.stop)

    def retire(self) -> None:
        """Let no task answer any more: the process is about to end."""
        if self.latest is not None:
            self.latest.retire()
            self.latest.discard()


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running asyncio loop; raises `WrongLoop` where there is none, as under trio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise WrongLoop(
            "AsyncSummaryWriter is awaited on an asyncio loop (asyncio or uvloop), and none is running here; "
            "under trio use SummaryWriter, or the writer's .nowait"
        ) from None


def _ending() -> bool:
    """Tell whether the current task is being cancelled, as all are at the end of `asyncio.run`."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
