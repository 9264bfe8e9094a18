"""What has been accepted, in its order, as far as it can go out. Not thread-safe: its user holds the lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import NamedTuple

from asynctb.entry import OVERHEAD
from asynctb.pipeline.batch import Item
from asynctb.pipeline.places import Place

__all__ = ["Outgoing", "Taken"]

BATCH_BYTES = 8 << 20  # written at a time, so that room comes back in pieces


class Taken(NamedTuple):
    """Items that go out together, and what became of those whose bytes were made meanwhile."""

    items: Collection[Item] = ()
    withdrawn: int = 0
    failed: Sequence[tuple[str, Exception]] = ()
    """The methods of those that could not be encoded, and why."""


class Outgoing:
    """Items in their order. Where the first is a place that is still empty, nothing behind it can go out."""

    def __init__(self) -> None:
        self.items: deque[Item] = deque()
        self.head: deque[Item] = deque()  # taken over by the writer, waiting for a place to be filled
        self._places = 0  # how many items are places
        # Whether the first place is still empty.
        self.blocked = False

    def __len__(self) -> int:
        return len(self.items) + len(self.head)

    def all(self) -> list[Item]:
        """Return all items."""
        return [*self.head, *self.items]

    def stalled(self) -> bool:
        """Tell whether the first item is a place whose value is still its caller's."""
        first = next(iter(self.head or self.items), None)
        return first is not None and isinstance(first[1], Place) and first[1].untaken and not first[1].orphaned

    def add_place(self, item: Item) -> None:
        """Append an item that is a place."""
        self._places += 1
        self.items.append(item)

    def take(self, size: int) -> Taken:
        """Take out what can be written next, of items that have `size` bytes together."""
        if not (self._places or size > BATCH_BYTES or self.head):
            # As a whole, so that adds wait for nothing that takes its time.
            taken, self.items = self.items, deque()
            return Taken(taken)
        self.head += self.items
        self.items.clear()
        return self._filled()

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
                if place.error is not None:
                    failed.append((item[-1], place.error))
                withdrawn += not (place.what or place.error)
                item = (item[0], place.what, item[2], item[3], place.cost, item[-1])
            items.append(item)
            head.popleft()
            size += item[-2]
        return Taken(items, withdrawn, failed)

    def _is_blocked_by(self, place: Place) -> bool:
        if place.orphaned:
            place.give_up()
        self.blocked = not place.done
        return self.blocked
