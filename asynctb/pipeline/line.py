"""The line of adds that wait for room, first come, first served. Not thread-safe: its user holds the lock."""

from __future__ import annotations

from collections import deque

from asynctb.pipeline.turns import Outcome, Turn

__all__ = ["Line"]


class Line:
    """Turns in their order. One that left keeps its place until that comes to the front: leaving costs nothing."""

    def __init__(self) -> None:
        self._turns: deque[Turn] = deque()
        # How many bytes of the writer's bound those in line need together.
        self.size = 0
        self._waiting = 0

    def __len__(self) -> int:
        return max(0, self._waiting)

    def join(self, turn: Turn) -> None:
        """Put an add at the end of the line."""
        self._turns.append(turn)
        self.size += turn.size
        self._waiting += 1

    def leave(self, turn: Turn, outcome: Outcome) -> bool:
        """Settle how an add ends that is in line; False if it had ended already."""
        if turn.outcome is not Outcome.WAITING:
            return False
        turn.outcome = outcome
        self.size -= turn.size
        self._waiting -= 1
        return True

    def first(self) -> Turn | None:
        """Return the add that has waited longest."""
        while self._turns:
            if self._turns[0].outcome is Outcome.WAITING:
                return self._turns[0]
            self._turns.popleft()
        self.size = self._waiting = 0  # Ctrl-C between two counts may have left them apart
        return None

    def empty(self, outcome: Outcome) -> list[Turn]:
        """Let all adds in line end alike; return them."""
        turns = [turn for turn in self._turns if self.leave(turn, outcome)]
        self._turns.clear()
        return turns
