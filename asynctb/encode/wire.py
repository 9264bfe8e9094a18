"""The protobuf wire format of what is logged most: events and scalar summaries, to the same byte as protobuf's own.

A scalar event through protobuf's objects costs more than all the rest of an add. Everything rarer goes through
`asynctb.proto`. Field numbers are those of `event.proto` and `summary.proto`; a property test holds the two equal.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence

__all__ = ["FLOAT", "delimited", "event", "float32", "float32s", "summary", "varint"]

FLOAT = 4  # bytes of a number
_FLOAT = struct.Struct("<f")
_WALL_TIME = struct.Struct("<Bd")
_DOUBLE_FIELD_1 = 0x09  # Event.wall_time
_VARINT_FIELD_2 = b"\x10"  # Event.step
_SUMMARY_FIELD_5 = b"\x2a"  # Event.summary
_UNSIGNED = 1 << 64


def varint(number: int) -> bytes:
    """Return the varint of an int64; negative numbers take ten bytes, as protobuf's do."""
    if 0 <= number < 0x80:
        return bytes((number,))
    if 0 <= number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    rest = number % _UNSIGNED
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def delimited(header: bytes, body: bytes) -> bytes:
    """Return a length-delimited field: its header byte, its length, its body."""
    return header + varint(len(body)) + body


def float32(value: float) -> bytes:
    """Return the four bytes of a float field; what is beyond float32's range becomes infinite, as a C cast makes it."""
    try:
        return _FLOAT.pack(value)
    except OverflowError:
        return _FLOAT.pack(math.copysign(math.inf, value))


def float32s(heads: Sequence[bytes]) -> Callable[[Sequence[float]], bytes]:
    """Return what joins heads and floats, a float behind each head; it raises OverflowError beyond float32's range."""
    layout = struct.Struct("<" + "".join(f"{len(head)}sf" for head in heads))
    empty: list[bytes | float] = [piece for head in heads for piece in (head, 0.0)]

    def join(values: Sequence[float]) -> bytes:
        pieces = empty.copy()
        pieces[1::2] = values
        try:
            return layout.pack(*pieces)
        except struct.error as error:  # what it says of an integer that no float can hold
            raise OverflowError from error

    return join


def summary(values: bytes) -> bytes:
    """Return the payload of a summary event from its values, each already a field of `Summary`."""
    return _SUMMARY_FIELD_5 + varint(len(values)) + values


def event(wall_time: float, step: int | None, what: bytes) -> bytes:
    """Return an `Event`. A step of None and a step of 0 are the same on the wire: proto3 omits what is zero."""
    head = _WALL_TIME.pack(_DOUBLE_FIELD_1, wall_time) if wall_time or math.copysign(1, wall_time) < 0 else b""
    if step:
        return head + _VARINT_FIELD_2 + varint(step) + what
    return head + what
