"""The threads that encode what is heavy, shared by all writers of a process."""

from __future__ import annotations

import os

from asynctb.daemon import DaemonExecutor
from asynctb.pipeline.places import Place

__all__ = ["copier", "encode"]

# Encoders spend their time outside the GIL, so one a core is worth having; more would only take memory.
_WORKERS = min(4, os.cpu_count() or 1)


def _begin() -> None:
    global _encoders, _copier  # one set of threads a process, and a new one in every child
    _encoders = DaemonExecutor("asynctb-encode", _WORKERS)
    _copier = DaemonExecutor("asynctb-copy")


_encoders: DaemonExecutor
_copier: DaemonExecutor
_begin()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin)


def encode(place: Place) -> None:
    """Fill a place in an encoder thread, or here where the interpreter lets no thread begin any more."""
    try:
        _encoders.submit(place.encode)
    except RuntimeError:
        place.encode()


def copier() -> DaemonExecutor:
    """Return the thread that copies large values: adds wait for it, so it stands in line behind nobody's video."""
    return _copier
