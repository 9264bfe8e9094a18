"""The threads that copy and encode what is heavy, shared by all writers of a process."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Sequence
from typing import Any

from asynctb.daemon import DaemonExecutor
from asynctb.pipeline.crew import Crew
from asynctb.pipeline.places import Place

__all__ = ["give_up", "hurry", "take", "take_here"]

COPY_IN_PLACE = 256 << 10  # bytes up to which copying on the loop costs less than a thread


def _begin() -> None:
    global _crew, _copier, _artist, _drawing  # one set of threads a process, and a new one in every child
    _crew = Crew()
    # Adds wait for their copies: those stand in line behind nobody's video, and behind nobody's figure or model.
    _copier = DaemonExecutor("asynctb-copy")
    _artist = DaemonExecutor("asynctb-draw")
    # What draws and traces keeps its state for the whole process: matplotlib does, and torch's tracer.
    _drawing = threading.RLock()


_crew: Crew
_copier: DaemonExecutor
_artist: DaemonExecutor
_drawing: Any  # a threading.RLock, which is no type
_begin()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin)


async def take(places: Sequence[Place]) -> None:
    """Take the values of accepted drafts from their caller, large ones in a thread, and have them encoded.

    Raises `EncodeError` for a bad one; then, and when it is cancelled, none of the places will hold anything.
    """
    try:
        for place in places:
            taken = place.taken
            if place.slow or place.far or place.size > COPY_IN_PLACE:
                # Encoding follows in the threads by itself: this coroutine may never be resumed.
                thread = _artist if place.slow else _copier
                await asyncio.get_running_loop().run_in_executor(thread, _take_and_encode, place)
            else:
                _take_and_encode(place)
            if taken is not None:
                taken()
    except BaseException:
        give_up(places)
        raise


def take_here(places: Sequence[Place]) -> None:
    """Take the values of accepted drafts from their caller, in place, and have them encoded; raises as `take`."""
    try:
        for place in places:
            taken = place.taken
            _take_and_encode(place)
            if taken is not None:
                taken()
    except BaseException:
        give_up(places)
        raise


def give_up(places: Sequence[Place]) -> None:
    """Leave all places empty that are not filled."""
    for place in places:
        place.give_up()


def hurry() -> None:
    """Have what is waiting encoded with all cores: somebody waits for it."""
    _crew.hurry()


def _take_and_encode(place: Place) -> None:
    if place.slow:
        with _drawing:
            place.take()
    else:
        place.take()
    _crew.submit(place)
