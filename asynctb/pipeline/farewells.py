"""What is to be stored when the writer is closed. Not thread-safe: its user holds the lock."""

from __future__ import annotations

from asynctb.entry import Farewell
from asynctb.pipeline.turns import Add

__all__ = ["Farewells"]


class Farewells:
    """The last farewell of each run."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, Farewell]] = {}
        # Whether they tell of a good end.
        self.well = True

    def keep(self, method: str, farewell: Farewell) -> None:
        """Keep one, instead of an earlier one of its run."""
        self._of[farewell.run] = method, farewell

    def take_back(self, run: str) -> bool:
        """Keep a run's no longer; False if it is not there, for it has been said."""
        return self._of.pop(run, None) is not None

    def said(self, wall_time: float) -> list[Add]:
        """Return what is to be stored now, of all runs."""
        return [Add(method, [farewell.record(self.well)], None, wall_time) for method, farewell in self._of.values()]

    def clear(self) -> None:
        """Keep none any longer: all have been said."""
        self._of.clear()
