"""The threads that encode. One core is left to the program that is watched, unless it waits for them."""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress

from asynctb.daemon import DaemonExecutor
from asynctb.pipeline.places import Place

__all__ = ["Crew"]

MOST = 4  # threads: encoders spend their time outside the GIL, but each takes memory
LATE = 0.25  # seconds that a place may wait before the last core is used for it as well


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew:
    """Encodes what is in the places that it is given, those that came first first."""

    def __init__(self, cores: int | None = None) -> None:
        cores = cores or _cores()
        self._waiting: deque[tuple[float, Place]] = deque()
        self._workers = DaemonExecutor("asynctb-encode", max(1, min(MOST, cores - 1)))
        self._relief = DaemonExecutor("asynctb-relief") if 1 < cores <= MOST else None
        self._relieved = False
        self._hurried = 0.0  # what was waiting then is urgent

    def submit(self, place: Place) -> None:
        """Have a place filled: by a thread, or where none can begin at once."""
        self._waiting.append((time.monotonic(), place))
        try:
            # The same call whatever the place is: whoever is free takes those whose turn it is.
            self._workers.submit(self._work)
            self._call_relief()
        except RuntimeError:  # the interpreter is at its end and lets no thread begin
            self._work()

    def hurry(self) -> None:
        """Use all cores for what is waiting now: somebody waits for it."""
        if self._waiting:
            self._hurried = time.monotonic()
            self._call_relief()

    def _work(self) -> None:
        # All there are, not one for each call: Ctrl-C may have struck between a place and the call for it.
        while self._encode_next():
            pass

    def _encode_next(self) -> bool:
        """Fill the place that came first; False if nothing waits."""
        try:
            _, place = self._waiting.popleft()
        except IndexError:
            return False
        self._call_relief()
        place.encode()
        return True

    def _call_relief(self) -> None:
        if self._relief is not None and self._late and not self._relieved:
            try:
                self._relieved = True
                self._relief.submit(self._relieve)
            except BaseException as error:
                self._relieved = False
                if not isinstance(error, RuntimeError):  # no thread can begin: those that have begun go on
                    raise

    def _relieve(self) -> None:
        try:
            while self._late and self._encode_next():
                pass
        finally:
            self._relieved = False

    @property
    def _late(self) -> bool:
        """Whether something has been waiting for too long, or somebody for it."""
        with suppress(IndexError):
            since, _ = self._waiting[0]
            return since <= self._hurried or time.monotonic() - since > LATE
        return False
