"""Each tag's own clock: its last step, and the dashboard its points go to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count

from asynctb.encode.arrays import INT64_MAX
from asynctb.encode.wire import FLOAT, float32
from asynctb.entry import OVERHEAD, Draft, Record
from asynctb.pipeline.batch import NUMBER, Item

__all__ = ["Curves", "Notice", "Series", "Steps"]


Notice = tuple[str, tuple[object, ...]]
"""What to tell the user: a message for `logging`, and the message's arguments."""

BACKWARDS = (
    "asynctb: step %d of tag %r%s does not come after its last step %d. TensorBoard's default loader shows only rising "
    "steps: give each clock a tag or a run of its own. (Said once for this tag.)"
)
OTHER_PLUGIN = (
    "asynctb: tag %r%s went from the %r to the %r dashboard: TensorBoard shows a tag in one of them only. "
    "(Said once for this tag.)"
)


class Series:
    """One tag of one run."""

    __slots__ = ("cost", "head", "last", "number", "plugin", "tag", "told_plugin", "told_step")

    def __init__(self, tag: str, last: int, plugin: str) -> None:
        self.tag = tag
        self.last = last
        self.plugin = plugin
        # What the payload of each of its numbers begins with, and how many bytes of the bound one takes, where known.
        self.head = b""
        self.cost = 0
        self.number = 0  # among the writer's curves
        self.told_step = self.told_plugin = False

    def record(self, number: float) -> Record:
        """Return a number as an ordinary entry."""
        return Record((self.tag,), self.head + float32(number), self.plugin)


class Curves(dict[str, Series]):
    """The tags of the writer's own run whose next number needs no look but at its step."""

    def __init__(self, main: Mapping[str, Series]) -> None:
        super().__init__()
        self._main = main
        self._numbers = count()  # of itself, as several threads may learn at once
        self._numbered: dict[int, Series] = {}

    def learn(self, tag: str, head: Callable[[str], bytes], plugin: str) -> None:
        """Have a tag among them if it has a point; `head` gives what the payload of each of its numbers begins with."""
        series = self._main.get(tag) if isinstance(tag, str) else None
        if series is not None and series.plugin == plugin:
            series.head = head(tag)
            series.cost = len(series.head) + FLOAT + OVERHEAD
            number = next(self._numbers)
            self._numbered[number] = series  # before another thread, which has learnt it too, may add by this number
            series.number = number
            self[tag] = series

    def head(self, number: int) -> bytes:
        """Return what the payload of each number of a curve begins with."""
        return self._numbered[number].head

    def item(self, number: int, value: float, step: int, wall_time: float) -> Item:
        """Return a number of a curve as an ordinary item."""
        series = self._numbered[number]
        return "", series.head + float32(value), step, wall_time, series.cost, NUMBER


class Steps:
    """Gives entries their steps, in the order in which they are accepted. Not thread-safe: its user holds the lock."""

    def __init__(self, auto_step: bool = True, purge_step: int | None = None) -> None:
        self.auto = auto_step
        # What a tag's step is one more than, before it has any.
        self._before = -1 if purge_step is None else purge_step - 1
        main: dict[str, Series] = {}
        self._runs: dict[object, dict[str, Series]] = {"": main}
        self.curves = Curves(main)
        self.notices: list[Notice] = []

    def runs(self) -> list[str]:
        """Return the sub-runs whose tags have had points."""
        return [run for run in list(self._runs) if isinstance(run, str) and run]

    def stamp(self, entry: Record | Draft, step: int | None) -> int | None:
        """Return the entry's step and remember it for each of its tags.

        None becomes one more than the largest last step among them, or stays None without `auto_step` and for events
        without a step axis.
        """
        if not entry.tags:
            return step
        run = self._runs.get(entry.run)
        if run is None:
            run = self._runs[entry.run] = {}
        if step is None:
            if not self.auto:
                return None
            step = self._next(run, entry.tags)
        for tag in entry.tags:
            series = run.get(tag)
            if series is None:
                run[tag] = Series(tag, step, entry.plugin)
                continue
            if step <= series.last or series.plugin != entry.plugin:
                self._notice(entry, tag, step, series)
            series.last = step
        return step

    def _next(self, run: dict[str, Series], tags: Sequence[str]) -> int:
        last = max((series.last for tag in tags if (series := run.get(tag))), default=self._before)
        return min(last + 1, INT64_MAX)

    def _notice(self, entry: Record | Draft, tag: str, step: int, series: Series) -> None:
        where = f" in run {entry.run!r}" if entry.run else ""
        if step <= series.last and not series.told_step:
            series.told_step = True
            self.notices.append((BACKWARDS, (step, tag, where, series.last)))
        if series.plugin != entry.plugin and not series.told_plugin:
            series.told_plugin = True
            self.notices.append((OTHER_PLUGIN, (tag, where, series.plugin, entry.plugin)))
