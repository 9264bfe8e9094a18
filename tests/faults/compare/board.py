"""A page of memory that a program shares with those who watch it, and with its children; it survives a SIGKILL."""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path

MOMENTS = struct.Struct("<3d")  # ready, done, the longest add in seconds
PHASE = struct.Struct("32s")
COUNT = struct.Struct("<Q")
SLOTS = 64
_COUNTS = MOMENTS.size + PHASE.size
SIZE = _COUNTS + SLOTS * COUNT.size


class Board:
    """Moments, the call that runs, and counts of what was accepted: a slot for each thread or process that adds."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(SIZE))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), SIZE)

    def ready(self) -> None:
        """The writer is there, and the program begins."""
        self._moment(0, time.monotonic())

    def done(self) -> None:
        """The program does nothing more; what follows is the end of its process."""
        self.phase("exit")
        self._moment(1, time.monotonic())

    def longest(self, seconds: float) -> None:
        """An add took this long."""
        if seconds > self.moments[2]:
            self._moment(2, seconds)

    def phase(self, name: str) -> None:
        """A call begins."""
        PHASE.pack_into(self._page, MOMENTS.size, name.encode())

    def added(self, slot: int) -> None:
        """An add has returned."""
        at = _COUNTS + slot * COUNT.size
        COUNT.pack_into(self._page, at, COUNT.unpack_from(self._page, at)[0] + 1)

    @property
    def moments(self) -> tuple[float, float, float]:
        """When it was ready and when done, 0 if never; and the longest add."""
        ready, done, longest = MOMENTS.unpack_from(self._page)
        return ready, done, longest

    @property
    def running(self) -> str:
        """The call that runs, or ran last."""
        name: bytes = PHASE.unpack_from(self._page, MOMENTS.size)[0]
        return name.rstrip(b"\0").decode()

    @property
    def counts(self) -> list[int]:
        """What was accepted, slot by slot."""
        return [COUNT.unpack_from(self._page, _COUNTS + slot * COUNT.size)[0] for slot in range(SLOTS)]

    def _moment(self, index: int, value: float) -> None:
        struct.pack_into("<d", self._page, 8 * index, value)
