"""What has been accepted, in its order, as far as it can go out. Not thread-safe: its user holds the lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from asynctb.entry import OVERHEAD
from asynctb.eventbatch import POINT, Points
from asynctb.pipeline.batch import Batch, Item, batch_of, batch_of_numbers
from asynctb.pipeline.places import Place
from asynctb.pipeline.steps import Curves

__all__ = ["ROW", "Outgoing", "Taken"]

ROW = POINT.size  # bytes of a row
ITEM = 0xFFFFFFFF  # instead of a curve, in the row of what is no number of one
GONE: Item = ("", b"", None, 0.0, 0, "")  # in the place of what has been taken over
AT_ONCE = 4096  # entries looked at one by one while the lock is held, which takes some milliseconds
BATCH_BYTES = 8 << 20  # written at a time, so that room comes back in pieces


class Items(NamedTuple):
    """Items by the numbers that their rows have. The first ones are forgotten when they have gone out."""

    first: int
    each: list[Item]


class Taken(NamedTuple):
    """What goes out together, and what became of what was encoded meanwhile."""

    curves: Curves
    rows: bytes | bytearray = b""
    items: Items = Items(0, [])
    """Those of the rows."""
    filled: Sequence[Item] = ()
    """All that goes out, where there are no rows."""
    withdrawn: int = 0
    failed: Sequence[tuple[str, Exception]] = ()
    """The methods of those that could not be encoded, and why."""

    @property
    def entries(self) -> int:
        """How many entries these are."""
        return len(self.rows) // ROW or len(self.filled)

    def batch(self) -> Batch:
        """Return them as a batch."""
        if self.rows and not self.items.each:
            return batch_of_numbers(Points(self.rows, self.curves.head))
        return batch_of(self.each())._replace(withdrawn=self.withdrawn, failed=len(self.failed))

    def each(self) -> Sequence[Item]:
        """Return them one by one."""
        return [*_unpacked(self.rows, self.items, self.curves)] if self.rows else self.filled


class Outgoing:
    """Entries in their order. Where the first is a place that is still empty, nothing behind it can go out."""

    def __init__(self, curves: Curves) -> None:
        self._curves = curves
        # What has come, in its order, a row for each: a curve's number, or which of the items it is. As the rows are
        # one container, Ctrl-C finds each entry there or not.
        self.rows = bytearray()
        self._items = Items(0, [])
        self.head: deque[Item] = deque()  # taken over by the writer, waiting for a place to be filled
        self._places = 0  # how many items are places
        # Whether the first place is still empty.
        self.blocked = False

    def __len__(self) -> int:
        return len(self.rows) // ROW + len(self.head)

    def all(self) -> list[Item]:
        """Return all entries."""
        return [*self.head, *_unpacked(self.rows, self._items, self._curves)]

    def stalled(self) -> bool:
        """Tell whether the first item is a place whose value is still its caller's."""
        # Under no name: in the traceback of Ctrl-C it would live on, and rows that are looked at cannot grow.
        first = self.head[0] if self.head else next(_unpacked(self.rows, self._items, self._curves), None)
        return first is not None and isinstance(first[1], Place) and first[1].untaken and not first[1].orphaned

    def add(self, item: Item) -> None:
        """Append what is no number of a curve."""
        first, each = self._items
        each.append(item)
        self.rows += POINT.pack(0.0, first + len(each) - 1, 0.0, ITEM)

    def add_place(self, item: Item) -> None:
        """Append an item that is a place."""
        self._places += 1
        self.add(item)

    def take(self, size: int) -> Taken:
        """Take out what can be written next, of entries that have `size` bytes together."""
        rows, items = self.rows, self._items
        if self._places or self.head or (items.each and size > BATCH_BYTES):
            if not self.head:
                self._refill(size)
            return self._filled()
        # As they are, so that adds wait for nothing that takes its time.
        if size <= BATCH_BYTES:
            taken = Taken(self._curves, rows, items)  # before it is let go of, as there may be no memory for it
            self.rows, self._items = bytearray(), Items(0, [])
        else:
            taken = Taken(self._curves, rows[: self._share(size)])
            del rows[: len(taken.rows)]
        return taken

    def _share(self, size: int) -> int:
        """Return how many bytes of rows hold about as much as a batch does."""
        return ROW * max(1, len(self.rows) // ROW * BATCH_BYTES // max(size, BATCH_BYTES))

    def _refill(self, size: int) -> None:
        """Take over about as much as a batch holds, and no more than can be looked at while adds wait for the lock."""
        rows = self.rows[: min(self._share(size), ROW * AT_ONCE)]
        unpacked = [*_unpacked(rows, self._items, self._curves)]
        self.head += unpacked
        del self.rows[: len(rows)]
        self._forget(rows)

    def _forget(self, rows: bytes | bytearray) -> None:
        """Have the items of rows that are no more live no longer than they are needed."""
        if not self.rows:
            self._items = Items(0, [])
            return
        (first, each), gone = self._items, 0
        for _, number, _, curve in POINT.iter_unpack(rows):
            if curve == ITEM:
                each[number - first] = GONE
                gone = number - first + 1
        if gone > len(each) // 2:  # more seldom than that, or moving the others would be the larger part
            self._items = Items(first + gone, each[gone:])

    def fill(self, place: Place) -> int:
        """Note that no more will come to a place; return how many bytes it holds more than before."""
        if place.done:
            return 0
        place.done = True
        before, place.cost = place.cost, len(place.what) + OVERHEAD
        self.blocked = False  # or somebody finds out anew that it is
        return place.cost - before

    def _filled(self) -> Taken:
        """Take what can be written one by one, each place's payload in its stead, as far as a batch goes."""
        items: list[Item] = []
        failed: list[tuple[str, Exception]] = []
        size = withdrawn = 0
        head = self.head
        while head and size < BATCH_BYTES:
            item = head[0]
            if isinstance(place := item[1], Place):
                if self._is_blocked_by(place):
                    break
                self._places -= 1
                what, error = place.what, place.error  # one look: what was given up may be filled all the same
                if error is not None:
                    failed.append((item[-1], error))
                withdrawn += not (what or error)
                item = (item[0], what, item[2], item[3], place.cost, item[-1])
            items.append(item)
            head.popleft()
            size += item[-2]
        if not head and not self.rows:
            self._places = 0  # Ctrl-C may have struck down the add of one that was counted already
        return Taken(self._curves, filled=items, withdrawn=withdrawn, failed=failed)

    def _is_blocked_by(self, place: Place) -> bool:
        if place.orphaned:
            place.give_up()
        self.blocked = not place.done
        return self.blocked


def _unpacked(rows: bytes | bytearray, items: Items, curves: Curves) -> Iterator[Item]:
    for wall_time, step, number, curve in POINT.iter_unpack(rows):
        yield items.each[step - items.first] if curve == ITEM else curves.item(curve, number, step, wall_time)
