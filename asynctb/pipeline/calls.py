"""What the writer's task is called for, and how."""

from __future__ import annotations

import asyncio
import enum

__all__ = ["Call", "Calls"]


class Call(enum.Enum):
    """Why the task is called."""

    ARRIVED = "entries have arrived"
    FLUSH = "somebody waits for them"


class Calls(asyncio.Queue[Call]):
    """A queue whose one reader may be thrown away as it waits, with a loop that is closed.

    asyncio's own `get` wants that loop to clean up. A garbage collector, which comes to the coroutines in any order,
    then says on stderr that the loop is closed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._came = asyncio.Event()

    def put_nowait(self, item: Call) -> None:
        """Add a call, on the loop."""
        super().put_nowait(item)
        self._came.set()

    async def get(self) -> Call:
        """Wait for a call, and return it."""
        while self.empty():
            self._came.clear()
            await self._came.wait()
        return self.get_nowait()
