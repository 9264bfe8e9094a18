"""The pipeline: takes entries in from anywhere and sees them stored, in order.

The backlog holds what was accepted, the drain writes it, the driver decides when. Whatever becomes of the driver's task
or of its loop, the same drain writes what is left. What coroutines do with it is in `on_loop`, what threads do in
`in_thread`; here is what both have in common.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

from asynctb.entry import Entry
from asynctb.errors import StorageError
from asynctb.notices import Notices, heard
from asynctb.pipeline import encoders, exits
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.calls import Call
from asynctb.pipeline.drain import Drain
from asynctb.pipeline.driver import Driver
from asynctb.pipeline.drivers import Drivers
from asynctb.pipeline.health import Health
from asynctb.pipeline.loop_thread import LoopThread
from asynctb.pipeline.options import Options, Stats
from asynctb.pipeline.reports import OUT_OF_TIME, Reports
from asynctb.pipeline.stand_in import StandIn
from asynctb.pipeline.steps import Notice, Steps
from asynctb.pipeline.tickets import Ticket
from asynctb.pipeline.turns import Turn
from asynctb.storage.local import LocalStorage

__all__ = ["LOOK", "Pipeline"]

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
        options, storage, notices = self.options, self.storage, self.notices
        self.backlog = Backlog(
            self.steps, options.max_bytes, drop=options.overflow == "drop", on_ready=self._arrived, on_notice=self._say
        )
        self.health = Health(self.backlog, notices, storage.log_dir)
        self.drain = Drain(self.backlog, storage, self.health, notices)
        self.stand_in = StandIn(self.backlog, self.drain, self.health)
        self.reports = Reports(self.backlog, self.drain, storage, self.health, notices, options.on_storage_error)
        self.drivers = Drivers(
            self.backlog, self.drain, self._new_driver, partial(exits.watch, self), partial(exits.finish, self)
        )
        self.closed = False
        self.closing = False
        # Whether a thread's adds need to look at nothing else before they are accepted; and the thread of its loop.
        self.running = False
        self.starting = False
        self.runner: LoopThread | None = None
        # The file thread's latest attempt to open the file for an add, and until when all who need it wait for that.
        self.opening: Future[None] | None = None
        self.patient_until = 0.0
        # The loop on which an awaited add needs to look at nothing else before it is accepted, or None.
        self.ready_on: asyncio.AbstractEventLoop | None = None
        # Done once the files are closed for good.
        self.over: Future[None] = Future()
        self._ending = threading.Lock()  # held from then on, so that only one thread ends it all
        self._abandoned = False

    def _new_driver(self, loop: asyncio.AbstractEventLoop) -> Driver:
        return Driver(
            loop,
            self.backlog,
            self.drain,
            self.storage,
            self.health,
            self.options,
            self.notices,
            on_end=self._wind_down,
        )

    # From any thread

    def offer_now(self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float) -> bool:
        """Accept an add or drop it, at once; tell which. Copies in place."""
        places = self.backlog.offer(method, entries, step, wall_time, False)
        if places is None:
            self.backlog.refuse(entries)
            self.reports.dropped()
            return False
        encoders.take_here(places)
        return True

    def withdraw(self, turn: Turn) -> None:
        """Take back an add whose caller was cancelled: what is accepted of it and encoded stays so."""
        self.backlog.withdraw(turn)
        encoders.give_up(turn.places)

    def request_flush(self) -> Ticket:
        """Have all that has been accepted written now; return what to wait for."""
        ticket = self.backlog.ticket()
        if not ticket.done:
            if self.health.hopeless:
                self.backlog.fail_tickets(self.health.last_error or OUT_OF_TIME)
            else:
                encoders.hurry()
                self.drivers.call(Call.FLUSH)
        return ticket

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

    def attach_here(self) -> None:
        """In a callback of the loop: have its task run, unless closed; the file is open."""
        if not self.closed:
            self.drivers.on(asyncio.get_running_loop())

    def not_opened(self, error: OSError) -> StorageError:
        """Return what is raised where the event file cannot be opened; keep no thread for it that nothing waits for."""
        if not self.backlog.pending and self.drain.let_go(for_good=False):
            exits.unwatch(self)
        return self.reports.cannot_open(error)

    @property
    def in_use(self) -> bool:
        """Whether there is something to close."""
        return not self.closed and (self.drivers.driven or self.drain.opened or self.backlog.pending > 0)

    def _arrived(self) -> None:
        self.drivers.call()

    def _say(self, notice: Notice) -> None:
        message, args = notice
        self.notices.say(message, *args)

    # The writer's end

    def end_badly(self) -> None:
        """Have what is stored at the end tell of a failure."""
        self.backlog.farewells.well = False

    def close_door(self) -> None:
        """Accept nothing more but what is in line already."""
        self.closed = True
        self.running = False
        self.ready_on = None
        self.backlog.close()
        if not self._abandoned:  # then nobody knows how it ended
            self.backlog.say_farewell(time.time())

    def abandon(self) -> None:
        """End with nobody to wait for it: the writer was dropped unclosed. May run in a finalizer, in any thread."""
        self._abandoned = True
        self.end()

    def end(self) -> None:
        """See that the files get closed, in their thread, and that nobody waits in line for ever."""
        self.close_door()
        self.closing = True
        encoders.hurry()
        self.drivers.stop_from_anywhere()
        if self._ending.locked():
            return
        if not self.backlog.pending and self.drain.let_go(for_good=True):
            if self._ending.acquire(blocking=False):
                exits.unwatch(self)
                self.over.set_result(None)
            return
        try:
            self.storage.submit(self.say_last_words)
        except RuntimeError:  # too late for threads
            self.say_last_words()
        self.backlog.turn_away()

    def say_last_words(self) -> None:
        """In the file thread: try once more what is left, and close the files."""
        if not self._ending.acquire(blocking=False):
            return
        try:
            self.drain.end(self.options.exit_timeout)
            if self._abandoned:
                self.reports.left_over("a writer was dropped unclosed")
        finally:  # whatever it was, nobody waits for it for ever
            exits.unwatch(self)
            self.backlog.turn_away()
            self.backlog.fail_tickets(self.health.last_error or OUT_OF_TIME)
            self.over.set_result(None)

    # The end of its loop, and of the process

    def _wind_down(self) -> None:
        """Write what is left, waiting for it: the task has been cancelled, and its loop may be about to close."""
        self.ready_on = None
        if self.drain.opened and self.backlog.pending:
            encoders.hurry()
            exits.finish(self)

    def start_finishing(self) -> None:
        """Begin to write what is pending: the process is about to end."""
        # From now on an add is written before it returns: nobody knows how many moments are left.
        self.drivers.retire()
        self.ready_on = None
        self._start_writing()

    def finish_and_tell(self) -> None:
        """Write what is pending, for as long as there is time, and log what is left."""
        self.backlog.give_up_untaken()
        if self.backlog.pending:
            exits.finish(self)
        if not self.over.done():  # also where its last words hang at the disk
            self.reports.left_over("at exit")
        heard()

    def start_writing(self, *, last: bool) -> None:
        """Begin to write what is pending, in the file thread: a signal may be about to end the process."""
        if last:
            self.backlog.give_up_untaken()
        self._start_writing()

    def _start_writing(self) -> None:
        if self.backlog.pending:
            encoders.hurry()
            self.drain.submit_alone()

    def write_until(self, deadline: float, *, sync: bool) -> None:
        """Write what is pending, and sync it if asked, until then at most; log what is left."""
        if self.drain.interrupted():
            return  # its file is being opened by the very thread that would wait for it
        self.drain.finish(deadline - time.monotonic())
        if sync and self.drain.opened:
            with suppress(OSError, RuntimeError):  # not in time, or failing; or there are no threads any more
                self.storage.submit_sync().result(max(0.0, deadline - time.monotonic()))
        self.reports.left_over("at a signal")

    def after_fork(self) -> None:
        """In a child: forget what the parent has to write, and begin anew, unless closed."""
        closed = self.closed
        self.storage.after_fork()
        self._begin()
        if closed:
            self.close_door()
