"""The pipeline: takes entries in from anywhere and sees them stored, in order.

The backlog holds what was accepted, the drain writes it, the driver decides when. Whatever becomes of the driver's task
or of its loop, the same drain writes what is left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import anyio

from asynctb.entry import Entry
from asynctb.errors import StorageError, WriterClosed, WrongLoop
from asynctb.notices import Notices, heard, on_our_thread
from asynctb.pipeline import encoders, exits
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.drain import Drain
from asynctb.pipeline.driver import NEVER, Call, Driver
from asynctb.pipeline.health import Health
from asynctb.pipeline.options import Options, Stats
from asynctb.pipeline.reports import OUT_OF_TIME, Reports
from asynctb.pipeline.steps import Notice, Steps
from asynctb.pipeline.tickets import Ticket
from asynctb.pipeline.turns import Add, LoopTurn, Outcome, ThreadTurn
from asynctb.storage.local import LocalStorage

__all__ = ["Pipeline"]

LOOK = 1.0  # seconds between two looks whether there is still someone to wait for


class Pipeline:
    """One writer's."""

    def __init__(self, storage: LocalStorage, options: Options, steps: Steps, notices: Notices) -> None:
        self.options = options
        self.notices = notices
        self.storage = storage
        self.steps = steps
        self._begin()
        exits.remember(self)

    def _begin(self) -> None:
        options = self.options
        self.backlog = Backlog(
            self.steps, options.max_bytes, drop=options.overflow == "drop", on_ready=self._arrived, on_notice=self._say
        )
        self.health = Health(self.backlog, self.notices, self.storage.log_dir)
        self.drain = Drain(self.backlog, self.storage, self.health, self.notices)
        self.reports = Reports(
            self.backlog, self.drain, self.storage, self.health, self.notices, options.on_storage_error
        )
        self.closed = False
        # Whether a thread's adds need to look at nothing else before they are accepted; and the thread of its loop.
        self.running = False
        self.starting = False
        self.runner: Any = None
        # Done once the files are closed for good.
        self.over: Future[None] = Future()
        self._closing = False
        self._ended = False
        self._abandoned = False
        # The loop on which an awaited add needs to look at nothing else before it is accepted, or None.
        self.ready_on: asyncio.AbstractEventLoop | None = None
        self._driver: Driver | None = None

    # Adds, from any thread

    def offer_now(self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float) -> bool:
        """Accept an add or drop it, at once; tell which. Copies in place."""
        places = self.backlog.offer(method, entries, step, wall_time, False)
        if places is None:
            self.backlog.refuse(entries)
            self.reports.dropped()
            return False
        encoders.take_here(places)
        return True

    def stats(self) -> Stats:
        """Return the figures of this moment."""
        backlog = self.backlog
        return Stats(
            accepted=backlog.accepted,
            written=backlog.written,
            pending=backlog.pending,
            pending_bytes=backlog.pending_bytes,
            dropped=dict(backlog.dropped),
            last_error=self.health.last_error,
        )

    # In a thread, which may wait

    def open_here(self) -> None:
        """Open the event file; raises `StorageError`."""
        try:
            self.drain.open()
        except OSError as error:
            self._let_go()
            raise self.reports.cannot_open(error) from error

    def wait_in_thread(self, add: Add) -> Outcome:
        """Let a thread's add in, waiting for room as the policy allows."""
        turn = ThreadTurn(add)
        self.backlog.enqueue(turn)
        try:
            while turn.outcome is Outcome.WAITING:
                self._call_for_room()
                turn.wait(LOOK)
                if turn.outcome is Outcome.WAITING and self.driven:
                    self._call(Call.ARRIVED)  # in case Ctrl-C has struck down the call that would have made room
                elif turn.outcome is Outcome.WAITING:
                    self.drain.finish(LOOK)
                    self.backlog.drop(turn, "storage")
            encoders.take_here(turn.places)
        except BaseException:
            self.backlog.withdraw(turn)
            encoders.give_up(turn.places)
            raise
        if turn.outcome is Outcome.DROPPED:
            self.reports.dropped()
        return turn.outcome

    def flush_in_thread(self, sync: bool, timeout: float | None) -> None:
        """Wait until all that has been accepted is written, and synced if asked; raises OSError."""
        ticket = self._request_flush()
        if self.backlog.interrupted():
            return  # from a signal handler in the midst of an add: it is on its way, and waiting would be for ever
        deadline = None if timeout is None else time.monotonic() + timeout
        while not ticket.done:
            left = LOOK if deadline is None else min(LOOK, deadline - time.monotonic())
            if left <= 0:
                raise TimeoutError("the flush took longer than its timeout")
            if not ticket.wait(left) and not self.driven:
                self.drain.finish(left)
        ticket.result()
        if sync:
            self._sync_in_thread(deadline)
        heard()

    def _sync_in_thread(self, deadline: float | None) -> None:
        try:
            syncing = self.storage.submit_sync()
        except RuntimeError:  # the interpreter is at its end and lets no thread begin
            self.storage.sync()
            return
        syncing.result(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def waits_for_itself(self) -> bool:
        """Tell whether the caller is on one of the threads that do the work, so that it must not wait for it."""
        driver = self._driver
        on_loop = driver is not None and asyncio._get_running_loop() is driver.loop
        return on_loop or on_our_thread()

    # On the loop

    async def attach(self) -> None:
        """Make sure that the running loop is this pipeline's, that its task runs and its file is open.

        Raises `WrongLoop`, `WriterClosed` and, when the directory cannot be opened, `StorageError`.
        """
        if self.closed:
            raise WriterClosed("this writer is closed")
        loop = self._own_loop()
        driver = self._driver_on(loop)
        while not self.drain.opened:
            try:
                await (driver.has_opened() if driver.alive else self.storage.run(self.drain.open))
            except OSError as error:
                self._let_go()
                raise self.reports.cannot_open(error) from error
            driver = self._driver_on(loop)
        if driver.alive and not self.closed:
            self.ready_on = loop

    def _let_go(self) -> None:
        """Keep no thread for a file that could not be opened, unless something waits for it."""
        if not self.backlog.pending and self.drain.let_go(for_good=False):
            exits.unwatch(self)

    def _driver_on(self, loop: asyncio.AbstractEventLoop) -> Driver:
        driver = self._driver
        if driver is None or driver.loop is not loop or (not driver.alive and not _ending()):
            driver = self._adopt(loop)
        return driver

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        loop = running_loop()
        theirs = self._driver.loop if self._driver is not None else loop
        if theirs is not loop and not theirs.is_closed():
            raise WrongLoop(
                "this writer belongs to another event loop, which is still open: make a writer for each loop"
            )
        return loop

    def _adopt(self, loop: asyncio.AbstractEventLoop) -> Driver:
        exits.watch(self)
        self._driver = Driver(
            loop,
            self.backlog,
            self.drain,
            self.storage,
            self.health,
            self.options,
            self.notices,
            on_end=self._wind_down,
        )
        return self._driver

    async def wait_turn(self, add: Add) -> None:
        """Let a coroutine's add in, waiting for room as the policy allows; raises `WriterClosed`."""
        turn = LoopTurn(add, asyncio.get_running_loop())
        self.backlog.enqueue(turn)
        try:
            while turn.outcome is Outcome.WAITING:
                self._call_for_room()
                await self._woken(turn)
            if turn.outcome is Outcome.CLOSED:
                raise WriterClosed("this writer is closed")
            await encoders.take(turn.places)
        except BaseException:
            self.backlog.withdraw(turn)
            encoders.give_up(turn.places)
            raise
        if turn.outcome is Outcome.DROPPED:
            self.reports.dropped()

    async def _woken(self, turn: LoopTurn) -> None:
        if self.driven:
            await turn.future
            return
        # The task has ended, so the loop is about to: nothing else would end this wait for certain.
        done, _ = await asyncio.wait({turn.future}, timeout=LOOK)
        if not done:
            self.backlog.drop(turn, "storage")

    async def flush(self, sync: bool, timeout: float | None) -> None:
        """Wait until all that has been accepted is written, and synced if asked; raises OSError."""
        self._own_loop()
        async with asyncio.timeout(timeout if self.backlog.pending or sync or not self.drain.opened else None):
            await self.attach()
            await self._request_flush().written()
            if sync:
                await self.storage.run_sync()

    def end_badly(self) -> None:
        """Have what is stored at the end tell of a failure."""
        self.backlog.well = False

    async def close(self, timeout: float | None) -> None:
        """Write what is pending as far as the time allows, and end; raises `StorageError` for what is left.

        Under anyio's cancellation it goes on until then; cancelled by asyncio itself, it goes on in the file thread.
        """
        if self._closing:
            with anyio.move_on_after(timeout, shield=True):
                await asyncio.shield(asyncio.wrap_future(self.over))
            return
        self._own_loop()
        self._closing = True
        try:
            with anyio.move_on_after(timeout, shield=True):
                await self._write_the_rest()
            await self._stop_driver()
        except StorageError as error:  # its file cannot be opened, for what was added by `nowait`
            if self.options.on_storage_error == "raise":
                raise
            self.notices.say("asynctb: %s", error)
            return
        finally:
            self._end()
        self.reports.unwritten()

    async def close_quietly(self, timeout: float | None) -> None:
        """Close, and leave it to the caller to report what is left."""
        with suppress(StorageError):
            await self.close(timeout)

    def close_here(self, timeout: float | None) -> None:
        """Close without a loop, in a thread that may wait, unless it is one that does the work."""
        self._end()
        self.wait_till_over(timeout)

    def wait_till_over(self, timeout: float | None) -> None:
        """Wait in a thread until the files are closed, for so many seconds at most."""
        interrupts = self.backlog.interrupted() or self.drain.interrupted()
        if not self.waits_for_itself() and not interrupts:
            with suppress(TimeoutError):
                self.over.result(timeout)

    def close_door(self) -> None:
        """Accept nothing more but what is in line already."""
        self.closed = True
        self.running = False
        self.ready_on = None
        self.backlog.close()
        if not self._abandoned:  # then nobody knows how it ended
            self.backlog.say_farewell(time.time())

    async def _write_the_rest(self) -> None:
        if not self.closed and (self.drain.opened or self.backlog.pending):
            await self.attach()
        self.close_door()
        if not self.drain.opened:
            return
        with suppress(OSError):
            # Those in line when the door closed still come in, as room is made for them.
            while self.backlog.pending or self.backlog.waiting:
                await self._request_flush().written()
            await self.storage.run_sync()
        await self.storage.run(self._last_words)

    async def _stop_driver(self) -> None:
        if self._driver is not None and self._driver.loop is running_loop():
            self._driver.stop()
            # The loop may be closed right after this: a task must not be found pending then.
            await asyncio.wait({self._driver.task}, timeout=LOOK)

    # Ends

    def _wind_down(self) -> None:
        """Write what is left, waiting for it: the task has been cancelled, and its loop may be about to close."""
        self.ready_on = None
        if self.drain.opened and self.backlog.pending:
            exits.finish(self)

    def abandon(self) -> None:
        """End with nobody to wait for it: the writer was dropped unclosed. May run in a finalizer, in any thread."""
        self._abandoned = True
        self._end()

    def _end(self) -> None:
        """See that the files get closed, in their thread, and that nobody waits in line for ever."""
        self.close_door()
        self._closing = True
        driver = self._driver
        if driver is not None and driver.alive:
            with suppress(RuntimeError):  # its loop is closed
                driver.loop.call_soon_threadsafe(driver.stop)
        if self._ended:
            return
        if not self.backlog.pending and self.drain.let_go(for_good=True):
            self._ended = True
            exits.unwatch(self)
            self.over.set_result(None)
            return
        try:
            self.storage.submit(self._last_words)
        except RuntimeError:  # too late for threads
            self._last_words()
        self.backlog.turn_away()

    def _last_words(self) -> None:
        """In the file thread: try once more what is left, and close the files."""
        if self._ended:
            return
        self._ended = True
        self.drain.end(self.options.exit_timeout)
        exits.unwatch(self)
        if self._abandoned:
            self.reports.left_over("a writer was dropped unclosed")
        self.backlog.turn_away()
        self.backlog.fail_tickets(self.health.last_error or OUT_OF_TIME)
        self.over.set_result(None)

    def start_finishing(self) -> None:
        """Begin to write what is pending: the process is about to end."""
        # From now on an add is written before it returns: nobody knows how many moments are left.
        if self._driver is not None:
            self._driver.retire()
            self._driver.discard()
        self.ready_on = None
        if self.backlog.pending:
            self.drain.submit_alone()

    def finish_and_tell(self) -> None:
        """Write what is pending, for as long as there is time, and log what is left."""
        self.backlog.give_up_untaken()
        if self.backlog.pending:
            exits.finish(self)
        if not self._ended:
            self.reports.left_over("at exit")
        heard()

    def after_fork(self) -> None:
        """In a child: forget what the parent has to write, and begin anew, unless closed."""
        closed = self.closed
        self.storage.after_fork()
        self._begin()
        if closed:
            self.close_door()

    @property
    def in_use(self) -> bool:
        """Whether there is something to close."""
        return not self.closed and (self.driven or self.drain.opened or self.backlog.pending > 0)

    # Small parts

    @property
    def driven(self) -> bool:
        return self._driver is not None and self._driver.alive

    def _request_flush(self) -> Ticket:
        ticket = self.backlog.ticket()
        if not ticket.done:
            if self.health.hopeless:
                self.backlog.fail_tickets(self.health.last_error or OUT_OF_TIME)
            else:
                self._call(Call.FLUSH)
        return ticket

    def _call_for_room(self) -> None:
        # A task that lingers for company is told that there is company enough; one that is writing will see by itself.
        if self._driver is not None and self.backlog.call_at < NEVER:
            self._call(Call.ARRIVED)

    def _arrived(self) -> None:
        self._call(Call.ARRIVED)

    def _call(self, call: Call) -> None:
        """Have what is pending written: by the task, or where there is none by the file thread, or at once."""
        driver = self._driver
        if driver is not None and driver.call(call):
            return
        if not self.drain.opened:
            exits.watch(self)  # it waits for a loop to open its file, or for the end of the process
        elif exits.exiting():
            exits.finish(self)
        else:
            self.backlog.call_at = NEVER  # until the file thread begins
            if not self.drain.submit_alone(self._be_called_again):
                self._be_called_again()
                self.drain.alone()

    def _be_called_again(self) -> None:
        self.backlog.call_at = 1

    def _say(self, notice: Notice) -> None:
        message, args = notice
        self.notices.say(message, *args)


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
