"""What the backlog holds, and the batches in which it goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from asynctb.entry import OVERHEAD, Assets
from asynctb.eventbatch import Columns, Points
from asynctb.pipeline.places import Place

__all__ = ["NUMBER", "Batch", "Item", "batch_of", "batch_of_numbers", "kinds_of"]

NUMBER = "add_scalar"  # the method that adds numbers of curves

Item: TypeAlias = tuple[str | Assets, bytes | Place, int | None, float, int, str]
"""Run or assets, payload or the place it comes to, step, wall time, bytes of the bound that it holds, and the method.

A plain tuple, of what holds nothing else: the garbage collector need not look at it.
"""


class Batch(NamedTuple):
    """Events and assets to be written next, and what settles once they are."""

    events: Mapping[str, Columns | Points]
    entries: int
    """How many entries it holds, those that came to nothing included."""
    size: int
    withdrawn: int = 0
    failed: int = 0
    assets: Sequence[tuple[Assets, bytes]] = ()
    items: Collection[Item] = ()
    """What it was made of, unless all of it are numbers of curves."""

    def parted(self, held_up: Callable[[str | Assets], bool]) -> tuple[Batch, Batch]:
        """Return what of it is done with, and what is not: its entries for runs and files that are held up."""
        held = [*map(held_up, self.events), *(held_up(assets) for assets, _ in self.assets)]
        if not any(held):
            return self, NOTHING
        if all(held):  # the usual failure, in which not every entry has to be looked at
            return NOTHING, self
        done: list[Item] = []
        left: list[Item] = []
        for item in self.items:
            (left if item[1] != b"" and held_up(item[0]) else done).append(item)
        return batch_of(done)._replace(withdrawn=self.withdrawn, failed=self.failed), batch_of(left)

    def kinds(self) -> Counter[str]:
        """Return how many entries of which method it holds."""
        return kinds_of(self.items) if self.items else Counter({NUMBER: self.entries})


NOTHING = Batch({}, 0, 0)


def kinds_of(items: Collection[Item]) -> Counter[str]:
    """Return how many items of which method these are."""
    return Counter(item[-1] for item in items)


def batch_of_numbers(points: Points) -> Batch:
    """Return numbers of the writer's own run as a batch."""
    return Batch({"": points}, len(points), points.size + OVERHEAD * len(points))


def batch_of(items: Collection[Item]) -> Batch:
    """Return items as a batch, in their order within each run; those whose payload is empty come to nothing.

    Their places must have been put into the items' stead by what they hold.
    """
    if not items:
        return NOTHING
    runs, whats, steps, wall_times, costs, _ = zip(*items, strict=True)
    if set(map(type, runs)) == {str} and runs.count("") == len(runs) and all(whats):
        return Batch({"": (wall_times, steps, whats)}, len(items), sum(costs), items=items)
    events: dict[str, tuple[list[float], list[int | None], list[bytes]]] = {}
    assets: list[tuple[Assets, bytes]] = []
    for run, what, step, wall_time in zip(runs, whats, steps, wall_times, strict=True):
        if not isinstance(run, str):
            assets += [(run, what)] if what else []
        elif what:
            columns = events.get(run) or events.setdefault(run, ([], [], []))
            columns[0].append(wall_time)
            columns[1].append(step)
            columns[2].append(what)
    return Batch(events, len(items), sum(costs), assets=assets, items=items)
