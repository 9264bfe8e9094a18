"""Summaries and events that are messages already, whoever made them: checked, and stored as the bytes that they are.

What of them this version does not know stays, since nothing is encoded anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from google.protobuf.message import DecodeError

from asynctb.encode.wire import summary as summary_payload
from asynctb.entry import Draft, Encode, Entry, Record
from asynctb.errors import EncodeError
from asynctb.proto import event_pb2, summary_pb2

__all__ = ["event", "is_message", "own_time", "parsed", "serialized", "size_of", "summary"]

AT_ONCE = 64 << 10  # bytes up to which it costs less to look at a message than to have a thread do it
PLUGINS = {"simple_value": "scalars", "image": "images", "histo": "histograms", "audio": "audio"}
WALL_TIME, STEP = 1, 2  # fields of Event
SKIP = {1: 8, 5: 4}  # bytes of a fixed-width field's value, by wire type
DELIMITED = 2  # the wire type of a length and as many bytes


def summary(message: Any, stepped: bool, run: str = "") -> Entry:
    """Return a summary's event; raises `EncodeError` for what is none.

    With a step, a small one's tags take part in the rule of steps; without, the event has no step, as torch's.
    """
    size = size_of("Summary", message)
    if size > AT_ONCE:
        return Draft((), size, partial(_take_summary, message), "", run)
    wire = serialized("Summary", message)
    found = parsed(summary_pb2.Summary, wire, message)
    tags, plugin = _tags(found) if stepped else ((), "")
    return Record(tags, summary_payload(wire), plugin, run)


def event(message: Any, stepped: bool, run: str = "") -> Entry:
    """Return an event without its wall time, and without its step if there is another; `EncodeError` for what is none.

    An event that holds nothing is refused: there is nothing to store.
    """
    size = size_of("Event", message)
    if size > AT_ONCE:
        return Draft((), size, partial(_take_event, message, stepped), "", run)
    found, what = _what(message, stepped)
    tags, plugin = _tags(found.summary) if stepped else ((), "")
    return Record(tags, what, plugin, run)


def own_time(message: Any) -> tuple[float, int]:
    """Return an event's own wall time and step; raises `EncodeError` for what is no event."""
    found = parsed(event_pb2.Event, serialized("Event", message), message)
    return found.wall_time, found.step


def is_message(name: str, value: Any) -> bool:
    """Tell whether a value is a protobuf message of this name, of any library."""
    descriptor = getattr(value, "DESCRIPTOR", None)
    return getattr(descriptor, "name", None) == name and callable(getattr(value, "SerializeToString", None))


def size_of(name: str, value: Any) -> int:
    """Return about how many bytes a message has in wire form; raises `EncodeError` for what is no such message."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return len(value)
    other = getattr(getattr(value, "DESCRIPTOR", None), "name", name) != name
    if other or not callable(getattr(value, "SerializeToString", None)):
        raise EncodeError(name.lower(), f"{_a(name)} message, or one in wire form", value)
    return int(value.ByteSize()) if hasattr(value, "ByteSize") else 0


def serialized(name: str, value: Any) -> bytes:
    """Return a message in wire form; raises `EncodeError` for what has none."""
    size_of(name, value)
    wire = value if isinstance(value, (bytes, bytearray, memoryview)) else value.SerializeToString()
    if not isinstance(wire, (bytes, bytearray, memoryview)):
        raise EncodeError(name.lower(), f"{_a(name)} whose SerializeToString() gives bytes", wire)
    return bytes(wire)


def _take_summary(message: Any) -> Encode:
    wire = serialized("Summary", message)
    parsed(summary_pb2.Summary, wire, message)
    return partial(summary_payload, wire)


def _take_event(message: Any, stepped: bool) -> Encode:
    _, what = _what(message, stepped)
    return lambda: what


def _what(message: Any, stepped: bool) -> tuple[event_pb2.Event, bytes]:
    wire = serialized("Event", message)
    found = parsed(event_pb2.Event, wire, message)
    dropped = {WALL_TIME, STEP} if stepped else {WALL_TIME}
    what = b"".join(wire[start:end] for number, start, end in _fields(wire) if number not in dropped)
    if not what:
        raise EncodeError("event", "an Event that holds something", message)
    return found, what


def parsed(kind: Any, wire: bytes, given: Any, tag: str = "") -> Any:
    """Read a message of ours; raises `EncodeError`, under its name unless there is a tag."""
    name = kind.DESCRIPTOR.name
    try:
        return kind.FromString(wire)
    except DecodeError as error:
        raise EncodeError(tag or name.lower(), f"{_a(name)} in wire form", given) from error


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _tags(found: summary_pb2.Summary) -> tuple[tuple[str, ...], str]:
    """Return the tags that a summary has a point of, and their dashboard; none if they are of several."""
    plugins = {_plugin(value) for value in found.value}
    if len(plugins) != 1 or "hparams" in plugins:  # whose records stand beside all steps
        return (), ""
    return tuple(value.tag for value in found.value), plugins.pop()


def _plugin(value: summary_pb2.Summary.Value) -> str:
    return value.metadata.plugin_data.plugin_name or PLUGINS.get(value.WhichOneof("value") or "", "")


def _fields(wire: bytes) -> Iterator[tuple[int, int, int]]:
    """Give the fields of a message that protobuf has parsed: their numbers, where they begin, and where they end."""
    at = 0
    while at < len(wire):
        start = at
        key, at = _varint(wire, at)
        at = _end(wire, at, key)
        yield key >> 3, start, at


def _end(wire: bytes, at: int, key: int) -> int:
    kind = key & 7
    if kind == 0:
        return _varint(wire, at)[1]
    if kind == DELIMITED:
        size, at = _varint(wire, at)
        return at + size
    if kind in SKIP:
        return at + SKIP[kind]
    while True:  # a group, long out of use, which ends where its own end stands
        inner, at = _varint(wire, at)
        if inner & 7 == 4:
            return at
        at = _end(wire, at, inner)


def _varint(wire: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = wire[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
