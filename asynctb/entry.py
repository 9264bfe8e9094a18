"""What an `add_*` wants stored, as values. Encoders make them; the pipeline alone acts on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

__all__ = ["Draft", "Encode", "Entry", "Record", "wire_size"]

Encode: TypeAlias = Callable[[], bytes]
"""Makes the wire form of an event's payload; runs in an encoder thread."""


class Record(NamedTuple):
    """One event of one run, short of its step and wall time, which it gets when it is accepted."""

    tags: tuple[str, ...]
    """The tags it holds a point of: they take their step together. Empty for events without a step axis."""
    what: bytes
    """The event's payload (a summary, a graph) in wire form, with its field header."""
    plugin: str
    """The dashboard that it is for; a tag that changes it vanishes from TensorBoard."""
    run: str = ""
    """The sub-run, as a relative path with forward slashes; empty for the writer's own run."""
    media: bool = False
    """Whether it is shed first when there is little room."""


class Draft(NamedTuple):
    """A record whose payload costs too much to make at the call: it keeps its place while a thread makes it."""

    tags: tuple[str, ...]
    size: int
    """About how many bytes its value occupies until it is written."""
    take: Callable[[], Encode]
    """Checks the value and takes it from the caller; raises `EncodeError`. What it returns touches the copy only."""
    plugin: str
    run: str = ""
    media: bool = True


Entry: TypeAlias = Record | Draft

OVERHEAD = 200
"""Bytes that an accepted record costs in memory beyond its payload: its framing and the objects that carry it."""


def wire_size(entry: Entry) -> int:
    """How many bytes of the writer's bound an entry takes."""
    return (len(entry.what) if isinstance(entry, Record) else entry.size) + OVERHEAD
