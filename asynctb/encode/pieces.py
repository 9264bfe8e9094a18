"""Payloads around large arrays: put together in one copy, by numpy, outside the GIL.

Python joins bytes while it holds the GIL, and a message in a message is a copy for each: of 16 MiB that held up the
event loop for 25 ms at a time, this does so for less than one.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from asynctb.encode.arrays import Array
from asynctb.encode.tags import encode_tag
from asynctb.encode.tensors import metadata, tensor_head
from asynctb.encode.wire import delimited, varint

__all__ = ["Piece", "field", "joined", "payload", "tensor_value"]

Piece: TypeAlias = bytes | Array
"""Bytes, or an array that stands for its elements, little-endian and in C order."""


def field(header: bytes, pieces: Sequence[Piece]) -> list[Piece]:
    """Return a length-delimited field of what the pieces make."""
    return [header + varint(_size(pieces)), *pieces]


def joined(pieces: Iterable[Piece]) -> bytes:
    """Return the bytes of all pieces."""
    pieces = list(pieces)
    only_bytes = [piece for piece in pieces if isinstance(piece, bytes)]
    if len(only_bytes) == len(pieces):
        return b"".join(only_bytes)  # it gives the GIL away from a mebibyte on, but only with nothing but bytes
    # The one object of Python that can be filled through a view and then be had as bytes without a copy.
    whole = io.BytesIO(bytes(_size(pieces)))
    _fill(np.frombuffer(whole.getbuffer(), np.uint8), pieces)
    return whole.getvalue()


def _fill(room: Array, pieces: Iterable[Piece]) -> None:
    for piece in pieces:
        array = np.frombuffer(piece, np.uint8) if isinstance(piece, bytes) else piece
        there = room[: array.nbytes].view(array.dtype.newbyteorder("<"))
        there.reshape(array.shape)[...] = array
        room = room[array.nbytes :]


def payload(values: Iterable[Piece]) -> bytes:
    """Return the payload of a summary event from its values, each already a field of `Summary`."""
    return joined(field(b"\x2a", list(values)))  # Event.summary


def tensor_value(tag: str, array: Array, plugin: str, content: bytes = b"", **fields: Any) -> list[Piece]:
    """Return one value of a summary that holds an array's tensor; as `tensors.value`, without a copy."""
    name = delimited(b"\x0a", encoded) if (encoded := encode_tag(tag)) else b""  # Value.tag
    tensor = field(b"\x42", [tensor_head(array), array])  # Value.tensor
    return field(b"\x0a", [name, *tensor, metadata(plugin, content, **fields)])  # Summary.value


def _size(pieces: Iterable[Piece]) -> int:
    return sum(len(piece) if isinstance(piece, bytes) else piece.nbytes for piece in pieces)
