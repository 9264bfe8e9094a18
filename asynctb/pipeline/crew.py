"""The threads that encode. One core is left to the program that is watched, unless it waits for them."""

from __future__ import annotations

import os
import sys
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
        first = self._workers.unused
        self._waiting.append((time.monotonic(), place))
        try:
            # The same call whatever the place is: whoever is free takes those whose turn it is.
            if not self._called_for:
                self._workers.submit(self._work)
        except RuntimeError:  # the interpreter is at its end and lets no thread begin
            place.encode()
            return
        if not first and self._relief is not None and self._relief.unused:
            self._begin_relief(self._relief)  # early: at the end of the process, when it is needed, no thread may begin
        self._call_relief()

    def hurry(self) -> None:
        """Use all cores for what is waiting now: somebody waits for it."""
        if self._waiting:
            self._hurried = time.monotonic()
            self._call_relief()

    @property
    def _called_for(self) -> bool:
        """Whether there are calls enough for what waits. The relief takes some without one: they must not pile up."""
        workers = self._workers
        return workers.called >= len(self._waiting) and not workers.unused and not sys.is_finalizing()

    def _work(self) -> None:
        # The last one goes on for as long as something waits: Ctrl-C may have struck between a place and its call.
        while self._encode_next() and not self._workers.called:
            pass

    def _encode_next(self) -> bool:
        """Fill the place that came first; False if nothing waits."""
        try:
            _, place = self._waiting.popleft()
        except IndexError:
            return False
        try:
            self._call_relief()
        finally:
            place.encode()
        return True

    def _call_relief(self) -> None:
        if self._relief is not None and self._late and not self._relieved:
            self._begin_relief(self._relief)

    def _begin_relief(self, relief: DaemonExecutor) -> None:
        try:
            self._relieved = True
            relief.submit(self._relieve)
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
        self._call_relief()  # for whoever has begun to wait since the last look

    @property
    def _late(self) -> bool:
        """Whether something has been waiting for too long, or somebody for it."""
        with suppress(IndexError):
            since, _ = self._waiting[0]
            return since <= self._hurried or time.monotonic() - since > LATE
        return False
