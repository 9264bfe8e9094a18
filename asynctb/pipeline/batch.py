"""What the backlog holds, and the batches in which it goes out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from asynctb.encode.wire import float32
from asynctb.entry import Assets
from asynctb.eventbatch import Columns, Points
from asynctb.pipeline.places import Place

__all__ = ["Batch", "Item", "batch_of"]

Item: TypeAlias = tuple[str | Assets | bytes, bytes | Place | float, int | None, float, int, str]
"""Run or assets, payload or the place it comes to, step, wall time, bytes of the bound that it holds, and the method.

Of a number of the writer's own run: what its payload begins with, and the number. A plain tuple, of what holds nothing
else: one is made for every scalar, and the garbage collector need not look at it.
"""


class Batch(NamedTuple):
    """Events and assets to be written next, and what settles once they are."""

    events: Mapping[str, Columns]
    methods: Sequence[str]
    size: int
    withdrawn: int = 0
    failed: int = 0
    assets: Sequence[tuple[Assets, bytes]] = ()
    items: Collection[Item] = ()

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
            run = "" if isinstance(item[0], bytes) else item[0]
            (left if item[1] != b"" and held_up(run) else done).append(item)
        return batch_of(done)._replace(withdrawn=self.withdrawn, failed=self.failed), batch_of(left)

    @property
    def entries(self) -> int:
        """How many entries it holds, those that came to nothing included."""
        return len(self.methods)


NOTHING = Batch({}, (), 0)


def batch_of(items: Collection[Item]) -> Batch:
    """Return items as a batch, in their order within each run; those whose payload is empty come to nothing.

    Their places must have been put into the items' stead by what they hold.
    """
    if not items:
        return NOTHING
    runs, whats, steps, wall_times, costs, methods = zip(*items, strict=True)
    kinds = set(map(type, runs))
    if kinds == {bytes}:
        return Batch({"": (wall_times, steps, Points(runs, whats))}, methods, sum(costs), items=items)
    if kinds == {str} and runs.count("") == len(runs) and all(whats):
        return Batch({"": (wall_times, steps, whats)}, methods, sum(costs), items=items)
    events: dict[str, tuple[list[float], list[int | None], list[bytes]]] = {}
    assets: list[tuple[Assets, bytes]] = []
    for run, what, step, wall_time in zip(runs, whats, steps, wall_times, strict=True):
        if isinstance(run, bytes):
            what = run + float32(what)
            run = ""
        if not isinstance(run, str):
            assets += [(run, what)] if what else []
        elif what:
            columns = events.get(run) or events.setdefault(run, ([], [], []))
            columns[0].append(wall_time)
            columns[1].append(step)
            columns[2].append(what)
    return Batch(events, methods, sum(costs), assets=assets, items=items)
