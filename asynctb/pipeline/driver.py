"""The writer's task: it decides when to write. Soon for company, at once in a crowd, again after a failure."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress

from asynctb.notices import Notices
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.calls import Call, Calls
from asynctb.pipeline.drain import Drain
from asynctb.pipeline.health import PATIENCE, STUCK, STUCK_AFTER, Health
from asynctb.pipeline.options import Options
from asynctb.storage.local import LocalStorage

__all__ = ["NEVER", "Driver"]

LINGER = 0.025  # seconds that a first entry waits for company: half of what an accepted scalar may take to the file
# In a flood, batches of a few dozen would cost more than the entries in them.
GAP = 0.002  # seconds between two batches, unless somebody waits or
CROWD = 1000  # entries have come
FIRST_RETRY, LAST_RETRY = 0.05, 0.5  # seconds between a failed write and the next try, doubling
LOOK = 0.05  # seconds between two looks at a place that nobody may ever fill
NEVER = 1 << 62


class Driver:
    """One task on one loop. Calls come through an `asyncio.Queue`; entries stay in the backlog, which outlives it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        backlog: Backlog,
        drain: Drain,
        storage: LocalStorage,
        health: Health,
        options: Options,
        notices: Notices,
        on_end: Callable[[], None],
    ) -> None:
        self.loop = loop
        self._backlog = backlog
        self._drain = drain
        self._storage = storage
        self._health = health
        self._options = options
        self._notices = notices
        self._on_end = on_end
        self._calls = Calls()
        self._next_sync = loop.time() + options.flush_secs
        self._next_batch = loop.time()
        self._syncing: asyncio.Task[None] | None = None
        self._answers = True
        self._stopped = False
        backlog.call_at = NEVER
        # Done when the attempt to open the file is over, one way or another: None, or why it failed.
        self._opened: asyncio.Future[OSError | None] = loop.create_future()
        # In a context of its own: it would keep alive the variables of whoever happened to log first.
        self.task = contextvars.Context().run(loop.create_task, self._run(), name="asynctb writer")
        # Should the loop be closed over it, nothing is lost, and the writer's ResourceWarning says what to do.
        self.task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.task.add_done_callback(self._give_up_opening)

    @property
    def alive(self) -> bool:
        """Whether calls are answered."""
        return self._answers and not self.task.done()

    async def has_opened(self) -> None:
        """Return when the attempt to open the file is over; raises OSError if it failed, or does not end."""
        async with asyncio.timeout(STUCK_AFTER + PATIENCE):
            failure = await asyncio.shield(self._opened)
        if failure is not None:
            raise failure

    def _give_up_opening(self, _: asyncio.Task[None]) -> None:
        if not self._opened.done():
            self._opened.set_result(None)  # whoever waited looks again

    def call(self, call: Call) -> bool:
        """Call the task, from any thread; False if it is too late for that."""
        self._be_called_at(NEVER)
        try:
            self._storage.rouse()
            return self.alive and self._schedule(call)
        except BaseException:
            self._be_called_at(1)  # Ctrl-C has struck before the call was on its way
            raise

    def _schedule(self, call: Call) -> bool:
        if asyncio._get_running_loop() is self.loop and asyncio.current_task(self.loop) is not None:
            # The loop is awake. Not the queue itself: a signal handler may interrupt the task in the midst of its get.
            self.loop.call_soon(self._calls.put_nowait, call)
            return True
        # Under a signal handler the loop may be asleep, and only this wakes it.
        with suppress(RuntimeError):  # closed
            self.loop.call_soon_threadsafe(self._calls.put_nowait, call)
            return True
        return False

    def _be_called_at(self, count: int) -> None:
        self._backlog.call_at = count
        if not self._answers:  # retired by another thread in between
            self._backlog.call_at = 1

    def retire(self) -> None:
        """Answer no more calls; from any thread."""
        self._answers = False
        self._backlog.call_at = 1

    def discard(self) -> None:
        """Throw the task away if its loop runs no more: the interpreter may crash on it in its last clean-up."""
        if not self.loop.is_running() and not self.task.done():
            for task in (self.task, self._syncing):
                coroutine = None if task is None or task.done() else task.get_coro()
                if coroutine is not None:
                    with suppress(RuntimeError):  # it may want to call its loop
                        coroutine.close()

    def stop(self) -> None:
        """End the task, without a last drain: whoever stops it sees to that."""
        self._stopped = True
        for task in (self.task, self._syncing):
            if task is not None:
                task.cancel()

    # The task

    async def _run(self) -> None:
        try:
            if await self._open():
                while True:
                    await self._next_call()
                    await self._store()
                    self._sync_when_due()
        finally:
            self.retire()
            if not self._stopped:
                self._on_end()  # and no await from here on: the loop may be at its end

    async def _open(self) -> bool:
        failure = None
        try:
            await self._storage.run(self._drain.open)
        except OSError as error:
            self._health.last_error = failure = error
        except RuntimeError:  # the interpreter is at its end and lets no thread begin: others write where they stand
            self._opened.set_result(None)
            return False
        self._opened.set_result(failure)
        return failure is None

    async def _next_call(self) -> None:
        """Wait until there is something to write and, unless somebody waits for it, for company."""
        self._be_called_at(1)
        call = None
        if not self._drain.needed:
            call = await self._called(self._until_sync())
        if call is not Call.FLUSH and not self._backlog.waiting:
            self._be_called_at(self._options.max_queue)
            if self._backlog.ready and self._backlog.pending < self._options.max_queue:
                call = await self._called(LINGER)
        if call is not Call.FLUSH and not self._backlog.waiting and (left := self._next_batch - self.loop.time()) > 0:
            self._be_called_at(CROWD)
            await self._called(left)
        self._be_called_at(NEVER)
        while not self._calls.empty():
            self._calls.get_nowait()

    async def _called(self, timeout: float | None) -> Call | None:
        try:
            async with asyncio.timeout(timeout):
                return await self._calls.get()
        except TimeoutError:
            return None

    async def _store(self) -> None:
        """Write what is ready, and go on trying while the storage fails."""
        delay = FIRST_RETRY
        while self._drain.needed or self._backlog.blocked:
            if await self._drained():
                return
            await self._pause(delay)
            delay = min(2 * delay, LAST_RETRY)

    async def _drained(self) -> bool:
        watchdog = self.loop.call_later(STUCK_AFTER, self._get_stuck)
        try:
            await self._storage.run(self._drain)
        except Exception as error:
            self._fail(error)
            return False
        finally:
            watchdog.cancel()
            self._health.stuck = False
        self._health.heal()
        self._next_batch = self.loop.time() + GAP
        return True

    def _get_stuck(self) -> None:
        self._health.stuck = True
        self._fail(TimeoutError(STUCK))

    def _fail(self, error: BaseException) -> None:
        if self._health.fail(error):
            self.loop.call_later(PATIENCE, self._health.lose_patience, error)

    async def _pause(self, seconds: float) -> None:
        deadline = self.loop.time() + seconds
        while (left := deadline - self.loop.time()) > 0:
            if await self._called(left) is Call.FLUSH:
                return

    # Syncing, beside the writing

    def _sync_when_due(self) -> None:
        due = self._storage.unsynced and self.loop.time() >= self._next_sync
        if due and (self._syncing is None or self._syncing.done()):
            self._next_sync = self.loop.time() + self._options.flush_secs
            self._syncing = contextvars.Context().run(self.loop.create_task, self._sync(), name="asynctb sync")

    def _until_sync(self) -> float | None:
        if self._backlog.blocked:
            return LOOK  # what is waited for may have been orphaned
        return max(0.01, self._next_sync - self.loop.time()) if self._storage.unsynced else None

    async def _sync(self) -> None:
        try:
            await self._storage.run_sync()
        except OSError as error:
            self._health.last_error = error
            self._notices.sometimes("sync", "asynctb: could not sync %s: %s", self._storage.log_dir, error)
