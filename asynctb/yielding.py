"""Giving way between pieces of work of up to a millisecond, so that whoever waits is held up for no longer.

A busy thread keeps its core for some 3 ms before the system lets another have it that has just woken up: the event
loop's, on a machine that has nothing else free. That is its doing also where nobody holds the GIL.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any
from zlib import crc32

__all__ = ["GivingWay", "give_way"]

IDLE = bytes(1 << 17)
HEADER = 1 << 10  # bytes of which not even a palette has more

give_way: Callable[[], object] = getattr(os, "sched_yield", lambda: time.sleep(0))
"""Let a thread go first that waits for this one's core; without one it takes a microsecond."""


class GivingWay(BytesIO):
    """A file for those of Pillow's encoders that hold the GIL: others get it with each block written, 64 KB or less.

    A thread that waits for the GIL asks for it after 5 ms only, and until then gets it from nobody who takes it back
    before that thread has woken up. What `crc32` does here takes a tenth of a millisecond, outside the GIL; encoders
    know no clock, or it would be a sleep.
    """

    def write(self, block: Any) -> int:
        """Take a block, and give way if it is one of many pixels."""
        if len(block) > HEADER:
            crc32(IDLE)
            give_way()
        return super().write(block)
