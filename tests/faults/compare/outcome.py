"""What one run of one writer came to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One run. What was not measured is None."""

    accepted: int = 0  # adds that returned, but for those that the writer says it has dropped
    stored: int = 0  # of these, how many a reader finds
    twice: int = 0
    dropped: int = 0  # counted by the writer itself
    told: bool = False  # somebody was told: by an exception, or by a line on stderr
    raised: str | None = None  # what, and from which call
    refused: int = 0  # how many calls raised
    dead: bool = False  # every call after the fault was over raised
    hung: str | None = None  # in which call
    children: int = 0
    children_hung: int = 0
    ways: int = 0  # how many ways out of the log directory were tried
    escaped: int = 0
    shown: int | None = None  # points in that of TensorBoard's loaders that shows fewer
    longest: float = 0.0  # seconds of an add
    lag: float | None = None  # seconds for which the event loop was held at most
    held: float | None = None  # and in all
    delay: float | None = None  # seconds from the program's last line to the end of its process

    @property
    def lost(self) -> int:
        """How many accepted adds no reader finds."""
        return self.accepted - self.stored
