"""What the backlog holds, and the batches in which it goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from asynctb.entry import Assets
from asynctb.eventbatch import Columns
from asynctb.pipeline.places import Place

__all__ = ["Batch", "Item", "batch_of"]

Item: TypeAlias = tuple[str | Assets, bytes | Place, int | None, float, int, str]
"""Run or assets, payload or the place it comes to, step, wall time, bytes of the bound that it holds, and the method.

A plain tuple: one is made for every scalar.
"""


class Batch(NamedTuple):
    """Events and assets to be written next, and what settles once they are."""

    events: Mapping[str, Columns]
    methods: Sequence[str]
    size: int
    withdrawn: int = 0
    failed: int = 0
    assets: Sequence[tuple[Assets, bytes]] = ()
    items: Sequence[Item] = ()

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
            (left if item[1] and held_up(item[0]) else done).append(item)
        return batch_of(done)._replace(withdrawn=self.withdrawn, failed=self.failed), batch_of(left)

    @property
    def entries(self) -> int:
        """How many entries it holds, those that came to nothing included."""
        return len(self.methods)


NOTHING = Batch({}, (), 0)


def batch_of(items: Sequence[Item]) -> Batch:
    """Return items as a batch, in their order within each run; those whose payload is empty come to nothing.

    Their places must have been put into the items' stead by what they hold.
    """
    if not items:
        return NOTHING
    runs, whats, steps, wall_times, costs, methods = zip(*items, strict=True)
    if runs.count("") == len(runs) and all(whats):
        return Batch({"": (wall_times, steps, whats)}, methods, sum(costs), items=items)
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
    return Batch(events, methods, sum(costs), assets=assets, items=items)
