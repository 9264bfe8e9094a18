"""What costs too much to encode at the call: how its arrays are taken from their owner, and encoded in a thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from asynctb.encode.arrays import Held, snapshot
from asynctb.entry import Draft, Encode, Entry, Record

__all__ = ["NEVER", "Prepare", "draft"]

NEVER = -1  # no array is as small

Prepare: TypeAlias = Callable[..., Encode]
"""Checks arrays that nobody else can change; raises `EncodeError`. What it returns makes the payload of them."""


def draft(
    tags: Sequence[str],
    plugin: str,
    sources: Sequence[Held],
    prepare: Prepare,
    *,
    at_once: int = NEVER,
    least: int = 0,
) -> Entry:
    """Return an entry of arrays that are still in their owner's hands.

    Those of `at_once` bytes or fewer are encoded right here: it costs less than to have a thread do it. `least` is how
    many bytes its encoding holds whatever the arrays' sizes.
    """

    def take() -> Encode:
        return prepare(*(snapshot(source) for source in sources))

    size = max(least, sum(source.nbytes for source in sources))
    far = any(source.far for source in sources)
    if size <= at_once and not far:
        return Record(tuple(tags), take()(), plugin, media=True)
    return Draft(tuple(tags), size, take, plugin, far=far)
