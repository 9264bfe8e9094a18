"""What a program that is to die leaves behind of itself: a page of memory that it shares with a file.

Each accepted event is stamped with its moment. A canary, a thread that sleeps 1 ms and writes one byte beside the logs,
stamps each of its rounds with what the machine took beyond the millisecond: where the machine stands still, so does the
time that the writer can be held to.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from pathlib import Path

__all__ = ["Page"]

ACCEPTED, FLUSHED, BLOCKED, DYING, DIED, ROUNDS, STAMPS = range(7)  # places on the page
MOST, ROUND = 4096, 0.001  # stamps kept, of events and of rounds each; seconds of a round
SIZE = (STAMPS + 3 * MOST) * 8
WAKES, DELAYS = STAMPS + MOST, STAMPS + 2 * MOST


class Page:
    """One program's. Each of its numbers is stored by one instruction, so that no kill finds the half of one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.write_bytes(bytes(SIZE))
        with path.open("r+b") as file:
            self._numbers = memoryview(mmap.mmap(file.fileno(), SIZE)).cast("d")

    # In the program

    def accept(self) -> int:
        """Note that an add has returned; return how many have."""
        accepted = int(self._numbers[ACCEPTED])
        self._numbers[STAMPS + accepted % MOST] = time.monotonic()
        self._numbers[ACCEPTED] = accepted + 1
        return accepted + 1

    def flush(self) -> None:
        """Note that all that was accepted is flushed."""
        self._numbers[FLUSHED] = self._numbers[ACCEPTED]

    def block(self) -> None:
        """Note that the loop gets no turn from now on."""
        self._numbers[BLOCKED] = time.monotonic()

    def watch(self, canary: Path) -> None:
        """Start the canary; where the page is told so, it ends the program through `os._exit`."""
        fd = os.open(canary, os.O_CREAT | os.O_RDWR)
        threading.Thread(target=self._watch, args=(fd,), daemon=True).start()

    def _watch(self, fd: int) -> None:
        while True:
            before = time.monotonic()
            time.sleep(ROUND)
            os.pwrite(fd, b"x", 0)
            now = time.monotonic()
            rounds = int(self._numbers[ROUNDS])
            self._numbers[WAKES + rounds % MOST] = now
            self._numbers[DELAYS + rounds % MOST] = now - before - ROUND
            self._numbers[ROUNDS] = rounds + 1
            if self._numbers[DYING]:
                self.die()
                os._exit(0)

    # Around its death

    def have_it_exit(self) -> None:
        """Have the program end through `os._exit`."""
        self._numbers[DYING] = 1

    def die(self) -> None:
        """Note that the program has no moment left."""
        self._numbers[DIED] = time.monotonic()

    @property
    def accepted(self) -> int:
        """How many adds have returned."""
        return int(self._numbers[ACCEPTED])

    @property
    def flushed(self) -> int:
        """How many of them were flushed."""
        return int(self._numbers[FLUSHED])

    @property
    def blocked(self) -> float:
        """The moment from which the loop got no turn, or 0."""
        return self._numbers[BLOCKED]

    @property
    def died(self) -> float:
        """The moment of death."""
        return self._numbers[DIED]

    def stamp(self, event: int) -> float:
        """Return the moment at which an event was accepted."""
        assert self.accepted - MOST <= event < self.accepted, "its stamp is not kept"
        return self._numbers[STAMPS + event % MOST]

    def age(self, event: int, at: float) -> float:
        """Return how old an event was at a moment, in seconds in which the machine ran."""
        born = self.stamp(event)
        return at - born - sum(self.delays(born, at))

    def worst(self, at: float) -> float:
        """Return the longest that the machine kept the canary waiting before a moment."""
        return max(self.delays(0.0, at), default=0.0)

    def delays(self, since: float, at: float) -> list[float]:
        """Return how long the canary had to wait in each of its rounds, as far as that was between two moments."""
        found, last = [], 0.0
        rounds = int(self._numbers[ROUNDS])
        for number in range(max(0, rounds - MOST), rounds):
            last = self._numbers[WAKES + number % MOST]
            due = last - self._numbers[DELAYS + number % MOST]
            found.append(max(0.0, min(last, at) - max(due, since)))
        if rounds:
            found.append(max(0.0, at - max(last, since) - ROUND))  # the round that never ended
        return found
