"""A strict parser of event files, written from the format alone.

A record is `<u64 length> <u32 masked CRC32C of those 8 bytes> <body> <u32 masked CRC32C of the body>`, little-endian;
a file is records and nothing else. TensorBoard's readers stop at the first fault without a word; this one raises.
"""

import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import google_crc32c
from google.protobuf.message import DecodeError

from tests.readback.imports import module

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

PathLike: TypeAlias = str | os.PathLike[str]

LENGTH = struct.Struct("<Q")
CRC = struct.Struct("<I")
HEAD = LENGTH.size + CRC.size
MASK_DELTA = 0xA282EAD8  # so that a checksum stored in checksummed data is not mistaken for its own


class EventFileError(Exception):
    """The file is not records from its first byte to its last."""


class TornTail(EventFileError):
    """The file ends inside the record at `offset`; `records` are the whole ones before it."""

    def __init__(self, path: PathLike, offset: int, records: list[bytes]) -> None:
        super().__init__(f"{os.fspath(path)}: the record at byte {offset} is cut off, after {len(records)} whole ones")
        self.path, self.offset, self.records = path, offset, records


class BadRecord(EventFileError):
    """The record at `offset` is wrong whatever may follow it."""

    def __init__(self, path: PathLike, offset: int, why: str) -> None:
        super().__init__(f"{os.fspath(path)}: the record at byte {offset} is bad: {why}")
        self.path, self.offset, self.why = path, offset, why


def read_records(path: PathLike, *, prefix: bool = False) -> list[bytes]:
    """Return the bodies of all records; `prefix` takes a torn tail as the end, and nothing else that is wrong."""
    return [body for _, body in _records(path, prefix)]


def events(path: PathLike, *, prefix: bool = False) -> "list[Event]":
    """Return all events of a file; a body that is no Event is a `BadRecord`."""
    return [_event(path, offset, body) for offset, body in _records(path, prefix)]


def run_events(logdir: PathLike, *, prefix: bool = False) -> "dict[str, list[Event]]":
    """Return the events of each run, its files in name order; as in TensorBoard the log directory itself is run '.'."""
    return {run: [e for path in paths for e in events(path, prefix=prefix)] for run, paths in run_files(logdir).items()}


def run_files(logdir: PathLike) -> dict[str, list[Path]]:
    """Return the event files of each run by TensorBoard's rule for their names; linked directories are not entered."""
    found = {os.path.relpath(folder, logdir): _event_files(Path(folder), names) for folder, _, names in os.walk(logdir)}
    return {run: paths for run, paths in sorted(found.items()) if paths}


def masked_crc(data: bytes) -> int:
    """Return the CRC32C of `data`, masked as the format stores it."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def _event_files(folder: Path, names: list[str]) -> list[Path]:
    return [folder / name for name in sorted(names) if "tfevents" in name and not name.endswith(".profile-empty")]


def _records(path: PathLike, prefix: bool) -> list[tuple[int, bytes]]:
    """Return offset and body of each record."""
    data = Path(path).read_bytes()
    found: list[tuple[int, bytes]] = []
    offset = 0
    while offset < len(data):
        try:
            body = _body(data, offset)
        except EOFError:
            if prefix:
                return found
            raise TornTail(path, offset, [body for _, body in found]) from None
        except ValueError as wrong:
            raise BadRecord(path, offset, str(wrong)) from None
        found.append((offset, body))
        offset += HEAD + len(body) + CRC.size
    return found


def _body(data: bytes, offset: int) -> bytes:
    """Return the body of the record at `offset`."""
    (length,) = LENGTH.unpack(_checked(data, offset, LENGTH.size, "length"))
    return _checked(data, offset + HEAD, length, "body")


def _checked(data: bytes, start: int, size: int, name: str) -> bytes:
    """Return the `size` bytes at `start`, which their checksum must follow."""
    end = start + size  # a length is only compared, so that no false one sizes a buffer
    if end + CRC.size > len(data):
        raise EOFError(name)
    part = data[start:end]
    if CRC.unpack_from(data, end)[0] != masked_crc(part):
        raise ValueError(f"the checksum of its {name} does not match")
    return part


def _event(path: PathLike, offset: int, body: bytes) -> "Event":
    try:
        return module("tensorboard.compat.proto.event_pb2").Event.FromString(body)
    except DecodeError as error:
        raise BadRecord(path, offset, f"it is not an Event: {error}") from error
