"""What an `add_*` wants stored, as values. Encoders make them; the pipeline alone acts on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

__all__ = [
    "Asset",
    "Assets",
    "Draft",
    "Encode",
    "Entry",
    "Farewell",
    "Merge",
    "Record",
    "Tell",
    "pack",
    "unpack",
    "wire_size",
]

Encode: TypeAlias = Callable[[], bytes]
"""Makes the wire form of an event's payload, or the packed contents of assets; runs in an encoder thread."""

Merge: TypeAlias = Callable[[bytes, bytes], bytes]
"""Makes a file's new content from what it holds, whatever that is, and what comes to it; never raises."""

Tell: TypeAlias = Callable[..., None]
"""Tells the user something, once for each key: called with the key, a message for `logging`, and its arguments."""


class Asset(NamedTuple):
    """A file beside the event files, which is replaced as a whole."""

    path: str
    """Below the log directory, with forward slashes."""
    merge: Merge | None = None
    """How what comes is joined with what the file holds; None to replace that."""


Assets: TypeAlias = tuple[Asset, ...]
"""Files that are stored in this order: where one can have no place, those behind it are not stored either.

They are one entry, so that they are accepted, withdrawn and dropped together.
"""


def pack(contents: Sequence[Sequence[bytes]]) -> bytes:
    """Return the contents of several files, each given in pieces, as the payload of one entry."""
    sizes = b" ".join(b"%d" % sum(map(len, pieces)) for pieces in contents)
    return b"".join([sizes, b"\n", *(piece for pieces in contents for piece in pieces)])


def unpack(payload: bytes) -> list[memoryview]:
    """Return the files' contents again."""
    head = payload.index(b"\n")
    view, start, contents = memoryview(payload), head + 1, []
    for size in map(int, payload[:head].split()):
        contents.append(view[start : start + size])
        start += size
    return contents


class Record(NamedTuple):
    """One event of one run, short of its step and wall time, which it gets when it is accepted."""

    tags: tuple[str, ...]
    """The tags it holds a point of: they take their step together. Empty for events without a step axis."""
    what: bytes
    """The event's payload (a summary, a graph) in wire form, with its field header."""
    plugin: str
    """The dashboard that it is for; a tag that changes it vanishes from TensorBoard."""
    run: str | Assets = ""
    """Where it is stored: in a sub-run, a relative path with forward slashes, or in the writer's own run, the empty
    one; or in files of its own, whose contents are its payload."""
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
    run: str | Assets = ""
    media: bool = True
    far: bool = False
    """Whether taking it may have to wait for a device, whatever its size."""
    slow: bool = False
    """Whether taking it runs other people's Python: to draw a figure, or to trace a model."""
    taken: Callable[[], None] | None = None
    """What its caller's thread does once it has been taken."""


class Farewell(NamedTuple):
    """What is stored when the writer is closed; a later one of the same run takes its place."""

    run: str
    record: Callable[[bool], Record]
    """Makes it, given whether all went well until then."""

    @property
    def media(self) -> bool:
        """Never shed: it takes no room before its time."""
        return False


Entry: TypeAlias = Record | Draft | Farewell

OVERHEAD = 200
"""Bytes that an accepted record costs in memory beyond its payload: its framing and the objects that carry it."""


def wire_size(entry: Entry) -> int:
    """How many bytes of the writer's bound an entry takes."""
    if isinstance(entry, Farewell):
        return OVERHEAD
    return (len(entry.what) if isinstance(entry, Record) else entry.size) + OVERHEAD
