"""Accepted entries in their order, and the room for more. Thread-safe, and knows no event loop.

It is a deque under a lock rather than an `asyncio.Queue`: entries come from any thread, from signal handlers and from
finalizers, they outlive their loop, and at interpreter exit there is none.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from asynctb.entry import OVERHEAD, Entry, Record, wire_size
from asynctb.eventbatch import Columns
from asynctb.pipeline.places import Place
from asynctb.pipeline.steps import Notice, Steps
from asynctb.pipeline.turns import Add, Outcome, Turn, wake

__all__ = ["MAX_ENTRIES", "Backlog", "Batch"]

MAX_ENTRIES = 2000  # entries unwritten at which patient adds wait: a kill must not cost more
MEDIA_SHARE = 0.75  # of the bound, from which media are dropped so that scalars still find room
BATCH_BYTES = 8 << 20  # written at a time, so that room comes back in pieces

Item = tuple[str, "bytes | Place", int | None, float, int, str]
"""Run, payload or the place it will come to, step, wall time, bytes of the bound that it holds, and the method."""


class Batch(NamedTuple):
    """Events to be written next, and what settles once they are."""

    events: Mapping[str, Columns]
    methods: Sequence[str]
    size: int
    withdrawn: int = 0
    failed: int = 0

    @property
    def entries(self) -> int:
        """How many entries it holds, those that came to nothing included."""
        return len(self.methods)


class Backlog:
    """What has been accepted and is not yet written."""

    def __init__(
        self,
        steps: Steps,
        max_bytes: int,
        *,
        drop: bool,
        on_ready: Callable[[], None],
        on_notice: Callable[[Notice], None],
    ) -> None:
        self._steps = steps
        self._max_bytes = max_bytes
        self._drop = drop
        self._on_ready = on_ready
        self._on_notice = on_notice
        self._lock = threading.RLock()
        self._inside = 0  # how deep the lock's thread is in critical sections: an add that comes in then interrupts one
        self._interrupting: deque[Add] = deque()
        self._section = _Section(self, self._lock)
        self._items: deque[Item] = deque()
        self._head: deque[Item] = deque()  # taken over by the writer, waiting for a place to be filled
        self._places = 0  # how many places there are in both
        self._turns: deque[Turn] = deque()
        self._turns_size = 0
        self._tickets: deque[tuple[int, Future[None]]] = deque()
        self._counted = 0  # entries that came in, ever; the marks of flushes are such counts
        self._settled = 0
        self._withdrawn = 0
        self._closed = False
        self.written = 0
        self.pending_bytes = 0
        self.dropped: Counter[str] = Counter()
        # How many entries must be pending for `on_ready` to be called; it sets another number, or is called again.
        self.call_at = 1
        # Whether the first place in line is still empty, so that nothing behind it can be written yet.
        self.blocked = False
        # Set while the storage has been failing for longer than adds may wait for it.
        self.impatient = False

    # Coming in

    def offer(
        self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float, patient: bool
    ) -> Sequence[Place] | None:
        """Accept an add if there is room for it now; return the places it took, or None if it was not accepted.

        A patient add can wait instead, so for it there is room only up to MAX_ENTRIES.
        """
        with self._lock:
            if self._inside:
                return self._interrupt(Add(method, entries, step, wall_time))
            self._inside = 1
            try:
                places = self._take_in(method, entries, step, wall_time, patient)
            finally:
                self._inside = 0
        if self._interrupting or self._steps.notices:
            self._let_in()
        if self._counted - self._settled >= self.call_at and places is not None:
            self._call()
        return places

    def enqueue(self, turn: Turn) -> None:
        """Let a patient add in, put it in line, or drop it, as the bounds and the policy say: see its outcome."""
        with self._section:
            turn.outcome = self._admit(turn)
        self._call()

    def refuse(self, entries: Sequence[Entry]) -> None:
        """Count an impatient add that found no room."""
        with self._section:
            self._count_drop("closed" if self._closed else "storage" if self.impatient else "full", len(entries))

    def withdraw(self, turn: Turn) -> None:
        """Take an add out of the line again: it was cancelled. If it has been accepted meanwhile, it stays so."""
        with self._section:
            self._leave(turn, Outcome.WITHDRAWN)

    def drop(self, turn: Turn, reason: str) -> None:
        """Drop an add that is in line, and count it."""
        with self._section:
            if self._leave(turn, Outcome.DROPPED):
                self._count_drop(reason, turn.count)

    def shed(self) -> None:
        """Drop all adds in line: the storage has been failing for too long for anyone to wait for it."""
        with self._section:
            self.impatient = True
            turns = [turn for turn in self._turns if self._leave(turn, Outcome.DROPPED)]
            self._turns.clear()
            self._count_drop("storage", sum(turn.count for turn in turns))
        wake(turns)

    def close(self) -> None:
        """Accept nothing more but what is in line already."""
        with self._section:
            self._closed = True

    def reopen(self) -> None:
        """Accept again."""
        with self._section:
            self._closed = False

    # Going out: one thread at a time

    def take(self) -> Batch | None:
        """Return what can be written next, in order, or None: nothing has come, or the first place is still empty."""
        with self._lock:
            items, self._items = self._items, deque()
            large = self.pending_bytes > BATCH_BYTES
        head = self._head
        head += items
        if not head:
            return None
        if large or self._places:
            return self._take_one_by_one()
        batch = _batch(head)
        head.clear()
        return batch

    def _take_one_by_one(self) -> Batch | None:
        ready: list[Item] = []
        size = withdrawn = failed = 0
        head = self._head
        while head and size < BATCH_BYTES:
            item = head[0]
            if isinstance(place := item[1], Place):
                if self._is_blocked_by(place):
                    break
                self._places -= 1
                failed += self._tell_failed(item[-1], place.error)
                withdrawn += not (place.what or place.error)
                item = (item[0], place.what, *item[2:4], place.cost, item[-1])
            head.popleft()
            ready.append(item)
            size += item[-2]
        return _batch(ready)._replace(withdrawn=withdrawn, failed=failed) if ready else None

    def settle(self, batch: Batch, lost: int) -> None:
        """Count a batch as done with, give its room to those in line, and wake those who waited for it.

        `lost` of its entries had no file to go to.
        """
        with self._section:
            self._settled += batch.entries
            self._withdrawn += batch.withdrawn
            self.written += batch.entries - batch.withdrawn - batch.failed - lost
            self.pending_bytes -= batch.size
            self._count_drop("encode", batch.failed)
            self._count_drop("path", lost)
            turns = self._grant()
            tickets = self._due()
        wake(turns)
        for ticket in tickets:
            _resolve(ticket, None)

    def ticket(self) -> Future[None]:
        """Return a future that is done once all that has been accepted by now is written."""
        ticket: Future[None] = Future()
        with self._section:
            if self._settled >= self._counted:
                ticket.set_result(None)
            else:
                self._tickets.append((self._counted, ticket))
        return ticket

    def fail_tickets(self, error: BaseException) -> None:
        """Tell all who wait for entries to be written that the storage is failing."""
        with self._section:
            tickets = [ticket for _, ticket in self._tickets]
            self._tickets.clear()
        for ticket in tickets:
            _resolve(ticket, error)

    def _tell_failed(self, method: str, error: Exception | None) -> bool:
        if error is not None:
            self._on_notice(("asynctb: what %s was given could not be encoded, and is dropped: %r", (method, error)))
        return error is not None

    # What there is

    @property
    def accepted(self) -> int:
        """How many entries have been accepted, ever."""
        return self._counted - self._withdrawn

    @property
    def pending(self) -> int:
        """How many accepted entries are not written yet."""
        return self._counted - self._settled

    @property
    def ready(self) -> bool:
        """Whether something can be written now."""
        return bool(self._items or self._head) and not self.blocked

    @property
    def waiting(self) -> bool:
        """Whether adds are in line for room."""
        return any(turn.outcome is Outcome.WAITING for turn in self._turns)

    def first_place(self) -> Place | None:
        """Return the place that everything else waits for, if there is one. For the writer's thread."""
        data = self._head[0][1] if self._head else None
        return data if isinstance(data, Place) and not data.done else None

    def kinds(self) -> Counter[str]:
        """Return how many entries of which method are waiting; without those handed to the storage."""
        with self._lock:
            items = self._items.copy()
        return Counter(item[-1] for item in (*self._head.copy(), *items))

    def _call(self) -> None:
        if self.pending >= self.call_at and not self.blocked:
            self._on_ready()

    # Steps of the above; the lock is held

    def _take_in(
        self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float, patient: bool
    ) -> Sequence[Place] | None:
        entry = entries[0]
        if len(entries) != 1 or type(entry) is not Record:
            size = sum(map(wire_size, entries))
            if self._closed or not self._fits(size, len(entries), patient, entry.media):
                return None
            return self._accept(method, entries, step, wall_time)
        # The hottest path: one record, without a step that could be saved.
        _, what, _, run, media = entry
        cost = len(what) + OVERHEAD
        if self._closed or not self._fits(cost, 1, patient, media):
            return None
        self._items.append((run, what, self._steps.stamp(entry, step), wall_time, cost, method))
        self.pending_bytes += cost
        self._counted += 1
        return ()

    def _fits(self, size: int, count: int, patient: bool, media: bool) -> bool:
        pending = self._counted - self._settled
        if not pending and not self._turns:
            return True  # alone, whatever its size
        if patient and (self._turns or pending + count > MAX_ENTRIES):
            return False
        # Those in line came first: their room is not given away.
        return self.pending_bytes + self._turns_size + size <= self._limit(media)

    def _limit(self, media: bool) -> float:
        return self._max_bytes * MEDIA_SHARE if media and self._drop else self._max_bytes

    def _admit(self, turn: Turn) -> Outcome:
        if self._closed:
            return Outcome.CLOSED
        add = turn.add
        if self._fits(turn.size, turn.count, True, add.media):
            turn.places = self._accept(*add)
            return Outcome.ACCEPTED
        full = self.pending_bytes + self._turns_size + turn.size > self._limit(add.media)
        if self.impatient or (self._drop and full):
            self._count_drop("storage" if self.impatient else "full", turn.count)
            return Outcome.DROPPED
        self._turns.append(turn)
        self._turns_size += turn.size
        return Outcome.WAITING

    def _grant(self) -> list[Turn]:
        granted: list[Turn] = []
        while self._turns:
            turn = self._turns[0]
            if turn.outcome is Outcome.WAITING:
                pending = self._counted - self._settled
                roomy = pending + turn.count <= MAX_ENTRIES and self.pending_bytes + turn.size <= self._max_bytes
                if pending and not roomy:
                    break
                self._turns_size -= turn.size
                turn.places = self._accept(*turn.add)
                turn.outcome = Outcome.ACCEPTED
                granted.append(turn)
            self._turns.popleft()
        return granted

    def _accept(self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float) -> Sequence[Place]:
        places: list[Place] = []
        for entry in entries:
            stamped = self._steps.stamp(entry, step)
            if isinstance(entry, Record):
                cost = len(entry.what) + OVERHEAD
                self._items.append((entry.run, entry.what, stamped, wall_time, cost, method))
            else:
                place = Place(entry, self._filled)
                cost = place.cost
                places.append(place)
                self._places += 1
                self._items.append((entry.run, place, stamped, wall_time, cost, method))
            self.pending_bytes += cost
            self._counted += 1
        return places

    def _filled(self, place: Place) -> None:
        with self._section:
            cost = len(place.what) + OVERHEAD
            self.pending_bytes += cost - place.cost
            place.cost = cost
        if self.blocked:
            self.blocked = False
            self._call()

    def _is_blocked_by(self, place: Place) -> bool:
        self.blocked = not place.done
        if self.blocked and place.done:  # filled between the two: nobody else will say so
            self.blocked = False
        return self.blocked

    def _due(self) -> list[Future[None]]:
        due: list[Future[None]] = []
        while self._tickets and self._tickets[0][0] <= self._settled:
            due.append(self._tickets.popleft()[1])
        return due

    def _leave(self, turn: Turn, outcome: Outcome) -> bool:
        if turn.outcome is not Outcome.WAITING:
            return False
        turn.outcome = outcome
        self._turns_size -= turn.size
        return True

    def _count_drop(self, reason: str, count: int) -> None:
        if count:
            self.dropped[reason] += count

    # Adds that interrupt: from a signal handler, a finalizer or a log handler, in the middle of a critical section

    def _interrupt(self, add: Add) -> Sequence[Place] | None:
        # It cannot wait, and counts may be half changed: it comes in as soon as the section that it interrupts ends.
        if self._closed:
            return None
        self._interrupting.append(add._replace(entries=[_encoded(entry) for entry in add.entries]))
        return ()

    def _let_in(self) -> None:
        """Accept the adds that interrupted a section, and say what is to be said, now that the lock is free."""
        while self._interrupting:
            with self._lock:
                self._inside += 1
                try:
                    if self._interrupting:
                        self._accept(*self._interrupting.popleft())
                finally:
                    self._inside -= 1
            self._call()
        while self._steps.notices:
            try:
                notice = self._steps.notices.pop()
            except IndexError:
                return  # another thread was quicker
            self._on_notice(notice)


class _Section:
    """A critical section of a backlog: its lock, the mark that it is taken, and what comes once it is free again."""

    __slots__ = ("_backlog", "_lock")

    def __init__(self, backlog: Backlog, lock: threading.RLock) -> None:
        self._backlog = backlog
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.acquire()
        self._backlog._inside += 1

    def __exit__(self, *_: object) -> None:
        backlog = self._backlog
        backlog._inside -= 1
        self._lock.release()
        if not backlog._inside and (backlog._interrupting or backlog._steps.notices):
            backlog._let_in()


def _batch(items: Iterable[Item]) -> Batch:
    runs, whats, steps, wall_times, costs, methods = zip(*items, strict=True)
    if runs.count("") == len(runs) and all(whats):
        return Batch({"": (wall_times, steps, whats)}, methods, sum(costs))
    events: dict[str, tuple[list[float], list[int | None], list[bytes]]] = {}
    for run, what, step, wall_time in zip(runs, whats, steps, wall_times, strict=True):
        if what:
            columns = events.get(run) or events.setdefault(run, ([], [], []))
            columns[0].append(wall_time)
            columns[1].append(step)
            columns[2].append(what)
    return Batch(events, methods, sum(costs))


def _encoded(entry: Entry) -> Record:
    if isinstance(entry, Record):
        return entry
    return Record(entry.tags, entry.take()(), entry.plugin, entry.run, entry.media)


def _resolve(ticket: Future[None], error: BaseException | None) -> None:
    if ticket.set_running_or_notify_cancel():
        if error is None:
            ticket.set_result(None)
        else:
            ticket.set_exception(error)
