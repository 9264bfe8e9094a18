"""Accepted entries in their order, and the room for more. Thread-safe, and knows no event loop.

It is memory under a lock rather than an `asyncio.Queue`: entries come from any thread, from signal handlers and from
finalizers, they outlive their loop, and at interpreter exit there is none.

Ctrl-C may strike between any two steps here. So how many entries wait is read off the container that holds them, never
counted beside it; the bytes they hold are counted, and put right whenever nothing waits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from asynctb.encode.arrays import INT64_MAX
from asynctb.entry import OVERHEAD, Entry, Farewell, Record, wire_size
from asynctb.eventbatch import POINT
from asynctb.pipeline.batch import Batch, kinds_of
from asynctb.pipeline.farewells import Farewells
from asynctb.pipeline.ledger import Ledger
from asynctb.pipeline.line import Line
from asynctb.pipeline.outgoing import ROW, Outgoing, Taken
from asynctb.pipeline.places import Claims, Place, encoded
from asynctb.pipeline.sections import Sections
from asynctb.pipeline.steps import Notice, Series, Steps
from asynctb.pipeline.tickets import Ticket
from asynctb.pipeline.turns import Add, Outcome, Turn, wake

__all__ = ["MAX_ENTRIES", "Backlog"]

T = TypeVar("T")
pack = POINT.pack

MAX_ENTRIES = 2000  # entries unwritten at which patient adds wait: a kill must not cost more
MEDIA_SHARE = 0.75  # of the bound, from which media are dropped so that scalars still find room


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
        self._ample = self._limit(media=True)  # bytes below which everything is let in
        self._on_ready = on_ready
        self._on_notice = on_notice
        self._sections = Sections(self._call)
        self._out = Outgoing(steps.curves)
        self._taken = 0  # entries in batches that are being written
        self._free = MAX_ENTRIES * ROW  # bytes of rows up to which a number is let in without another look
        self._line = Line()
        self._ledger = Ledger()
        self._closed = False
        self.farewells = Farewells()
        self.pending_bytes = 0
        # How many entries must have come for `on_ready` to be called; it sets another number, or is called again.
        self.call_at = 1
        # Set while the storage has been failing for longer than adds may wait for it.
        self.impatient = False

    # Coming in

    def offer(
        self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float, patient: bool
    ) -> Sequence[Place] | None:
        """Accept an add if there is room for it now; return the places it took, or None if it was not accepted.

        A patient add can wait instead, so for it there is room only up to MAX_ENTRIES.
        """
        if self.interrupted():
            return self._interrupt(Add(method, entries, step, wall_time))
        places = self._locked(lambda: self._take_in(method, entries, step, wall_time, patient))
        self._call()
        return places

    def offer_number(self, series: Series, number: float, step: int | None, wall_time: float) -> bool:
        """Accept the next number of a known curve; False where there is more to it than that.

        It is an `offer` without what a curve's next point needs not: nothing is checked, encoded or told here.
        """
        sections = self._sections
        try:
            with sections.lock:
                if sections.inside:
                    return False
                sections.inside = 1  # before anything is called, or a signal handler may come in between
                try:
                    rows = self._out.rows
                    if self._closed or len(rows) >= self._free or self.pending_bytes + series.cost > self._ample:
                        return False
                    if step is None and self._steps.auto:
                        step = series.last + 1
                    if step is None or not series.last < step <= INT64_MAX:
                        return False
                    series.last = step
                    rows += pack(wall_time, step, number, series.number)
                    self.pending_bytes += series.cost
                finally:
                    sections.inside = 0
        finally:
            if sections.aside:
                sections.let_in()
        if len(rows) >= self.call_at * ROW:
            self._call()
        return True

    def enqueue(self, turn: Turn) -> None:
        """Let a patient add in, put it in line, or drop it, as the bounds and the policy say: see its outcome."""
        self._locked(lambda: self._admit(turn))
        self._call()

    def refuse(self, entries: Sequence[Entry]) -> None:
        """Count an impatient add that found no room."""
        reason = "closed" if self._closed else "storage" if self.impatient else "full"
        self._locked(lambda: self._ledger.drop(reason, len(entries)))

    def withdraw(self, turn: Turn) -> None:
        """Take an add out of the line again: it was cancelled. If it has been accepted meanwhile, it stays so."""
        self._locked(lambda: self._line.leave(turn, Outcome.WITHDRAWN))

    def drop(self, turn: Turn, reason: str) -> None:
        """Drop an add that is in line, and count it."""
        if self._locked(lambda: self._line.leave(turn, Outcome.DROPPED)):
            self._locked(lambda: self._ledger.drop(reason, turn.count))

    def shed(self) -> None:
        """Drop all adds in line: the storage has been failing for too long for anyone to wait for it."""
        self.impatient = True
        turns = self._locked(lambda: self._line.empty(Outcome.DROPPED))
        self._locked(lambda: self._ledger.drop("storage", sum(turn.count for turn in turns)))
        wake(turns)

    def close(self) -> None:
        """Accept nothing more but what is in line already."""
        self._closed = True

    def say_farewell(self, wall_time: float) -> None:
        """Accept what was to be stored at the end, whatever the room: it is little, and nothing follows it.

        To be called behind a closed door: a farewell that comes in later, out of the line, is said then.
        """
        if self.interrupted():
            for add in self.farewells.said(wall_time):
                self._sections.put_aside(partial(self._accept, *add))
            self.farewells.clear()
        else:
            self._locked(lambda: self._take_leave(wall_time))
        self._call()

    def turn_away(self) -> None:
        """Let nobody wait in line any longer: there will be no more room."""
        turns = self._locked(lambda: self._line.empty(Outcome.CLOSED))
        wake(turns)

    # Going out: one thread at a time

    def take(self) -> Taken | None:
        """Return what can be written next, in order, or None: nothing has come, or the first place is still empty."""
        taken = self._locked(self._take)
        return taken if taken.entries else None

    def settle(self, batch: Batch, lost: int, passed: int | None = None) -> None:
        """Count a batch as done with, give its room to those in line, and wake those who waited for it.

        `lost` of its entries had no file to go to. Behind it so many more entries than before are settled in an
        unbroken row from the first on, which are its own unless told: for those who wait for all before something.
        """
        turns, tickets = self._locked(lambda: self._settle(batch, lost, batch.entries if passed is None else passed))
        wake(turns)
        for ticket in tickets:
            ticket.resolve()

    def ticket(self) -> Ticket:
        """Return a ticket that is done once all that has been accepted by now is written."""
        ticket = Ticket()
        if not self._locked(lambda: self._ledger.issue(ticket, self.pending)):
            ticket.resolve()
        return ticket

    def fail_tickets(self, error: BaseException) -> None:
        """Tell all who wait for entries to be written that the storage is failing."""
        for ticket in self._locked(self._ledger.tickets.withdraw):
            ticket.resolve(error)

    # What there is

    @property
    def accepted(self) -> int:
        """How many entries have been accepted, ever."""
        return self._ledger.settled + self.pending - self._ledger.withdrawn

    @property
    def written(self) -> int:
        """How many entries have been written, ever."""
        return self._ledger.written

    @property
    def dropped(self) -> Counter[str]:
        """How many entries have been dropped, by reason."""
        return self._ledger.dropped

    @property
    def pending(self) -> int:
        """How many accepted entries are not written yet."""
        return len(self._out) + self._taken

    @property
    def ready(self) -> bool:
        """Whether something can be written now that is not being written."""
        return len(self._out) > 0 and not self._out.blocked

    @property
    def blocked(self) -> bool:
        """Whether the first place is still empty, so that nothing behind it can be written yet."""
        return self._out.blocked

    @property
    def stalled(self) -> bool:
        """Whether nothing can be written until an add goes on that has not yet given away its value."""
        return self._locked(self._out.stalled)

    @property
    def waiting(self) -> bool:
        """Whether adds are in line for room."""
        return len(self._line) > 0

    def give_up_untaken(self) -> None:
        """Leave empty the places of adds that will never go on: the process is at its end."""
        for item in self._locked(self._out.all):
            if isinstance(item[1], Place) and item[1].untaken:
                item[1].give_up()

    def kinds(self) -> Counter[str]:
        """Return how many entries of which method are waiting; without those that are being written."""
        return kinds_of(self._locked(self._out.all))

    # Steps of coming in; the lock is held

    def _take_in(
        self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float, patient: bool
    ) -> Sequence[Place] | None:
        if self._closed:
            return None
        if not self._fits(sum(map(wire_size, entries)), len(entries), patient, entries[0].media):
            return None
        return self._accept(method, entries, step, wall_time)

    def _fits(self, size: int, count: int, patient: bool, media: bool) -> bool:
        pending = self.pending
        line = self._line
        if not pending and not line.size:
            return True  # alone, whatever its size
        if patient and (line.size or pending + count > MAX_ENTRIES):
            return False
        # Those in line came first: their room is not given away.
        return self.pending_bytes + line.size + size <= self._limit(media)

    def _limit(self, media: bool) -> float:
        return self._max_bytes * MEDIA_SHARE if media and self._drop else self._max_bytes

    def _admit(self, turn: Turn) -> None:
        self._line.first()  # or those who have left stand in the way
        add = turn.add
        full = self.pending_bytes + self._line.size + turn.size > self._limit(add.media)
        if self._closed:
            turn.outcome = Outcome.CLOSED
        elif self._fits(turn.size, turn.count, True, add.media):
            turn.places = self._accept(*add)
            turn.outcome = Outcome.ACCEPTED
        elif self.impatient or (self._drop and full):
            turn.outcome = Outcome.DROPPED
            self._ledger.drop("storage" if self.impatient else "full", turn.count)
        else:
            self._line.join(turn)

    def _accept(self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float) -> Sequence[Place]:
        places = Claims()
        for entry in entries:
            if isinstance(entry, Farewell):
                # Kept before the look at the door, which a signal handler may close in between: then it is said there.
                self.farewells.keep(method, entry)
                if not self._closed or not self.farewells.take_back(entry.run):
                    continue
                entry = entry.record(self.farewells.well)
            stamped = self._steps.stamp(entry, step)
            if isinstance(entry, Record):
                cost = len(entry.what) + OVERHEAD
                self._out.add((entry.run, entry.what, stamped, wall_time, cost, method))
            else:
                place = Place(entry, self._filled, places)
                cost = place.cost
                places.append(place)
                self._out.add_place((entry.run, place, stamped, wall_time, cost, method))
            self.pending_bytes += cost
        return places

    def _take_leave(self, wall_time: float) -> None:
        for add in self.farewells.said(wall_time):
            self._accept(*add)
        self.farewells.clear()  # last: if Ctrl-C is before it they are said twice, of which readers take the first

    # Steps of going out; the lock is held

    def _take(self) -> Taken:
        taken = self._out.take(self.pending_bytes)
        self._taken += taken.entries
        return taken

    def _filled(self, place: Place) -> None:
        self._locked(lambda: self._fill(place))
        self._call()

    def _fill(self, place: Place) -> None:
        self.pending_bytes += self._out.fill(place)

    def _settle(self, batch: Batch, lost: int, passed: int) -> tuple[list[Turn], list[Ticket]]:
        self._taken -= batch.entries
        self.pending_bytes -= batch.size
        self._ledger.settle(batch, lost, passed)
        if not self.pending:
            self.pending_bytes = 0  # Ctrl-C between two counts may have left them apart
        return self._grant(), self._ledger.due()

    def _grant(self) -> list[Turn]:
        granted: list[Turn] = []
        while (turn := self._line.first()) is not None:
            pending = self.pending
            roomy = pending + turn.count <= MAX_ENTRIES and self.pending_bytes + turn.size <= self._max_bytes
            if pending and not roomy:
                break
            turn.places = self._accept(*turn.add)
            self._line.leave(turn, Outcome.ACCEPTED)  # last: its thread may be looking at the outcome by itself
            granted.append(turn)
        return granted

    # Sections, and what interrupts one: the add of a signal handler, a finalizer or a log handler

    def _locked(self, section: Callable[[], T]) -> T:
        try:
            return self._sections.run(lambda: self._measured(section))
        finally:
            if self._steps.notices and not self.interrupted():
                self._tell()

    def _measured(self, section: Callable[[], T]) -> T:
        result = section()
        self._free = 0 if self._line.size else (MAX_ENTRIES - self._taken - len(self._out.head)) * ROW
        return result

    def put_off(self, call: Callable[[], object]) -> bool:
        """Make a call once the critical section ends that the caller interrupts; False if it interrupts none."""
        return self._sections.put_off(call)

    def interrupted(self) -> bool:
        """Tell whether the caller interrupts a critical section of its own thread, which it must not wait for."""
        return self._sections.interrupted()

    def _interrupt(self, add: Add) -> Sequence[Place] | None:
        # It cannot wait, and counts may be half changed: it comes in as soon as the section that it interrupts ends.
        if self._closed:
            return None
        settled = add._replace(entries=[encoded(entry) for entry in add.entries])
        self._sections.put_aside(partial(self._accept, *settled))
        return ()

    def _tell(self) -> None:
        while self._steps.notices:
            try:
                notice = self._steps.notices.pop()
            except IndexError:
                return  # another thread was quicker
            with suppress(Exception):  # for want of memory: what is told of must not be lost for it
                self._on_notice(notice)

    def _call(self) -> None:
        if len(self._out) >= self.call_at and not self._out.blocked:
            self._on_ready()
