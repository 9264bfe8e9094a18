"""The file thread, in place of a writer's task whose loop is held up by somebody's computation."""

from __future__ import annotations

import time
from contextlib import suppress

from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.drain import Drain
from asynctb.pipeline.health import Health

__all__ = ["StandIn"]

AWAKE = 1.0  # seconds after the last entry for which it goes on looking


class StandIn:
    """Looks for entries that nobody comes for, and writes them. Failures are left for the task to find, and to tell."""

    def __init__(self, backlog: Backlog, drain: Drain, health: Health) -> None:
        self._backlog = backlog
        self._drain = drain
        self._health = health
        self._waited_with: int | None = None  # how many were written when something was found waiting
        self._accepted = 0
        self._last_came = 0.0

    def look(self) -> bool:
        """Write what has been waiting since the last look; tell whether to look again."""
        if not self._waiting():
            self._waited_with = None
        elif self._waited_with == self._backlog.written:
            with suppress(Exception):
                self._drain()
            self._waited_with = None
        else:
            self._waited_with = self._backlog.written
        return self._is_awake()

    def _waiting(self) -> bool:
        return self._drain.opened and self._drain.needed and self._health.failing is None

    def _is_awake(self) -> bool:
        now, accepted = time.monotonic(), self._backlog.accepted
        if accepted != self._accepted:
            self._accepted, self._last_came = accepted, now
        return now - self._last_came < AWAKE
