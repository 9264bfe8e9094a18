"""Event loops of either kind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

import pytest

__all__ = ["NewLoop", "loop_factory"]

NewLoop: TypeAlias = Callable[[], asyncio.AbstractEventLoop]


def loop_factory(name: str) -> NewLoop:
    """Return what makes uvloop's loops, if that is the name, and asyncio's for any other."""
    if name != "uvloop":
        return asyncio.new_event_loop
    factory: NewLoop = pytest.importorskip("uvloop").new_event_loop
    return factory
