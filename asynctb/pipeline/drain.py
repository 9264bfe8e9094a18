"""From the backlog to the storage: the one way that entries are written, whoever calls for it."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from asynctb.eventbatch import Points, frame_events, frame_points
from asynctb.notices import Notices
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.batch import Batch, kinds_of
from asynctb.pipeline.health import STUCK, STUCK_AFTER, Health
from asynctb.pipeline.outgoing import Taken
from asynctb.storage.local import LocalStorage

__all__ = ["Drain"]

NOT_ENCODED = "asynctb: what %s was given could not be encoded, and is dropped: %r"
STRETCH = 0.25  # seconds after which a drain returns although there is more: its caller tells it from a stuck write
ENCODING = 0.005  # seconds between two looks at an encoder that the end of the process waits for


class Drain:
    """Writes batches in the file thread, and remembers those that the storage has taken but not yet written."""

    def __init__(self, backlog: Backlog, storage: LocalStorage, health: Health, notices: Notices) -> None:
        self._backlog = backlog
        self._storage = storage
        self._health = health
        self._notices = notices
        # What is left of each, and how many entries are settled since that wait for it to be counted as passed.
        self._handed: list[tuple[Batch, int]] = []
        self._unmade: Taken | None = None
        # One thread may open the file in the moment in which another ends it all.
        self._life = threading.RLock()
        self._writing = threading.Lock()
        self._since = math.inf  # when the write began that has not returned
        self.opened = False
        # Whether the files are closed for good: what is pending then stays so.
        self.ended = False

    @property
    def needed(self) -> bool:
        """Whether there is something that could be written now."""
        return not self.ended and (self._backlog.ready or self._owing or self._unmade is not None)

    @property
    def _owing(self) -> bool:
        """Whether something is still to be written, or to be counted, that the storage has taken."""
        return self._storage.owes or bool(self._handed)

    def open(self) -> None:
        """Open the event file, unless all is over; raises OSError."""
        if self.opened:
            return
        with self._life:
            if not self.opened and not self.ended:
                self._storage.open()
                self.opened = True

    def interrupted(self) -> bool:
        """Tell whether the caller interrupts an opening of its own thread, which the end would wait for."""
        return bool(self._life._is_owned())  # type: ignore[attr-defined]

    def let_go(self, *, for_good: bool) -> bool:
        """Keep no thread for a file that is not open; False if it is, or is just being opened."""
        if self.interrupted() or not self._life.acquire(blocking=False):
            return False
        try:
            if not self.opened:
                self.ended = self.ended or for_good
                self._storage.close()
            return not self.opened
        finally:
            self._life.release()

    def __call__(self) -> None:
        """Write what is ready; raises what the storage raises, which keeps what could not be written."""
        # It is the file thread that writes; but where none can begin any more, each does whom the end meets.
        if self.ended or not self._writing.acquire(timeout=ENCODING):
            return
        try:
            self._since = time.monotonic()
            self._write()
        finally:
            self._since = math.inf
            self._writing.release()

    def _write(self) -> None:
        self.open()
        until = time.monotonic() + STRETCH
        failure: OSError | None = None
        while time.monotonic() < until:
            # What could not even be made into a batch, for want of memory, comes again.
            taken = self._unmade = self._unmade or self._backlog.take()
            if taken is None and (failure or not self._owing):
                break
            if taken is not None:
                batch = taken.batch()
                self._storage.take(_framed(batch), batch.assets)
                self._handed.append((batch, 0))
                self._unmade = None
                self._tell(taken)
            try:
                self._storage.push()
            except OSError as error:
                self._settle()
                if self._storage.held_up(""):
                    raise
                failure = error  # of a sub-run, or of files beside it: what else there is does not wait for them
            else:
                failure = None
                self._backlog.impatient = False  # before room is granted: who is let in now may wait for more
                self._settle()
        if failure is not None:
            raise failure

    def _tell(self, taken: Taken) -> None:
        for failure in taken.failed:
            with suppress(Exception):  # memory may be what there was too little of
                self._notices.say(NOT_ENCODED, *failure)

    def _settle(self) -> None:
        """Count what the storage has written by now, and give its room back."""
        # First what may want for memory: no batch is let go of before it is sorted.
        handed = [(batch.parted(self._storage.held_up), early) for batch, early in self._handed]
        lost, self._handed = self._lost(), []
        for (done, left), early in handed:
            mine = min(lost, done.entries)
            lost -= mine
            early += done.entries
            passed = 0
            if left.entries:
                self._handed.append((left, early))
            elif self._handed:
                before, more = self._handed[-1]
                self._handed[-1] = before, more + early
            else:
                passed = early
            self._backlog.settle(done, mine, passed)

    def alone(self) -> None:
        """Write what is ready where no task does; a failure is noted, and nobody waits for it to heal."""
        try:
            self()
        except Exception as error:
            self._health.fail_alone(error)
        else:
            self._health.heal()

    def submit_alone(self, before: Callable[[], None] = lambda: None) -> bool:
        """Have the file thread write what is ready; False where the interpreter lets no thread begin any more."""

        def call() -> None:
            before()
            self.alone()

        with suppress(RuntimeError):
            self._storage.submit(call)
            return True
        return False

    def finish(self, timeout: float) -> None:
        """Write all that is accepted, waiting for it so many seconds at most; then what is left stays pending.

        So does what waits for an add that would have to go on: its coroutine cannot while its loop is held up by this.
        """
        deadline = time.monotonic() + timeout
        while self._backlog.pending and not self.ended and (left := deadline - time.monotonic()) > 0:
            if self._backlog.stalled or not self._finish_once(left):
                return

    def finish_or_fail(self, timeout: float) -> None:
        """Write as `finish`, and note a write that has not returned for long, where no task does."""
        self.finish(timeout)
        since = self._since
        if time.monotonic() - since > STUCK_AFTER:
            self._health.fail_alone(TimeoutError(STUCK), stuck=True)
            if self._since != since:
                self.submit_alone()  # it has returned in between: what the next comes to counts

    def end(self, timeout: float) -> None:
        """In the file thread: write all that is accepted, unless the storage fails or encoders take too long.

        Then close the files for good.
        """
        deadline = time.monotonic() + timeout
        self.alone()
        while self._backlog.pending and self._health.failing is None and time.monotonic() < deadline:
            if sys.is_finalizing() and not self._backlog.ready:
                break  # a finalizer has called: encoders stand still by now
            time.sleep(0 if self._backlog.ready else ENCODING)
            self.alone()
        # Who opens it may stand still for good by now, at the interpreter's end.
        held = self._life.acquire(timeout=STRETCH)
        try:
            self.ended = True
            self._storage.close()
        finally:
            if held:
                self._life.release()

    def kinds(self) -> Counter[str]:
        """Return how many entries of which method are pending."""
        unmade = kinds_of(self._unmade.each()) if self._unmade else Counter()
        return sum((batch.kinds() for batch, _ in self._handed), self._backlog.kinds() + unmade)

    def _finish_once(self, timeout: float) -> bool:
        """Write in the file thread, or here where there is none; tell whether doing it again makes sense."""
        try:
            future = self._storage.submit(self.alone)
        except RuntimeError:
            self.alone()
        else:
            with suppress(TimeoutError):
                future.result(timeout)
            if not future.done():
                return False
        if self._health.failing is not None:
            return False
        if self._backlog.pending and not self._backlog.ready:
            time.sleep(ENCODING)
        return True

    def _lost(self) -> int:
        if lost := self._storage.take_lost():
            message = "asynctb: entries dropped, as their paths can have no file below %s: %d"
            self._notices.sometimes("path", message, self._storage.log_dir, lost)
        return lost


def _framed(batch: Batch) -> dict[str, bytes]:
    return {
        run: frame_points(events) if isinstance(events, Points) else frame_events(*events)
        for run, events in batch.events.items()
    }
