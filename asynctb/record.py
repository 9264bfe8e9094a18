"""TFRecord framing: the byte format of event files. Pure: a parser that asks for bytes, a framer that gives them.

A record is the length of its body (8 bytes), the length's checksum (4), the body, and the body's checksum (4), all
little-endian. The checksum is CRC-32C, rotated and shifted ("masked") as TensorFlow's `lib/hash/crc32c.h` defines.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from asynctb.errors import CorruptRecord

with warnings.catch_warnings():
    # It warns where it has only its Python fallback, which `-W error` would make the end of the import.
    warnings.simplefilter("ignore", RuntimeWarning)
    import google_crc32c

__all__ = [
    "MAX_RECORD",
    "SLOW_CRC",
    "Parser",
    "count_records",
    "frame",
    "frame_large",
    "masked_crc",
    "masked_crcs",
    "masked_crcs_apart",
    "parse",
    "record_head",
    "whole_records",
]

_crc32c: Callable[[bytes], int] = google_crc32c.value
_extend_crc32c: Callable[[int, bytes], int] = google_crc32c.extend
SLOW_CRC = google_crc32c.implementation == "python"  # thousands of times slower, and holding the GIL

MASK_DELTA = 0xA282EAD8  # TensorFlow's: a checksum stored inside checksummed data is not mistaken for its own
CASTAGNOLI = 0x82F63B78  # the polynomial of CRC-32C, its bits reversed
MANY, SHORT = 64, 128  # bodies from which, and bytes up to which, tables are quicker than as many calls
AT_ONCE = 256  # bodies whose contributions stay in the processor's cache
LENGTH = struct.Struct("<Q")
CRC = struct.Struct("<I")
SLICE = 1 << 22  # bytes of a long body checked at a time, which holds the GIL for less than a millisecond
HEAD_SIZE = LENGTH.size + CRC.size
MAX_RECORD = 1 << 31  # no writer makes larger ones: protobuf stops there, and a flipped bit must not ask for more

Parser = Generator[int, bytes, bytes]
"""Yields how many bytes it needs next, is sent exactly that many, and returns a record's body."""


def masked_crc(data: bytes) -> int:
    """Return the masked CRC-32C of `data`, as it stands in the file."""
    crc = _crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF


def masked_crcs(bodies: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Return the masked checksums of bodies of one length, each a row."""
    count, size = bodies.shape
    if count < MANY or not 0 < size <= SHORT:
        pieces = bodies.tobytes()
        crcs = np.array([_crc32c(pieces[n * size : (n + 1) * size]) for n in range(count)], "<u4")
    else:
        crcs = np.concatenate([_crcs(bodies[first : first + AT_ONCE]) for first in range(0, count, AT_ONCE)])
    return _masked(crcs)


def _masked(crcs: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return (crcs >> np.uint32(15) | crcs << np.uint32(17)) + np.uint32(MASK_DELTA)  # modulo 2**32, as arrays count


def masked_crcs_apart(
    cells: npt.NDArray[np.uint8], after: npt.NDArray[np.int32], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint32]:
    """Return the masked checksums of bodies of many lengths, each a row whose bytes need not stand together.

    `after` tells of each cell how many bytes of its body follow it. Cells that are none of it are zero.
    """
    longest = int(sizes.max())
    tables = _contributions(longest)
    pieces = [slice(first, first + AT_ONCE) for first in range(0, len(sizes), AT_ONCE)]
    # The tables have the first of so many bytes first; what follows it are all the others.
    parts = [tables.take(cells[rows] + (longest - 1 - after[rows]) * np.int32(256)) for rows in pieces]
    crcs = np.concatenate([np.bitwise_xor.reduce(each, axis=1) for each in parts]) ^ _crcs_of_zeros(longest)[sizes]
    return _masked(crcs)


@lru_cache(maxsize=64)
def _crcs_of_zeros(longest: int) -> npt.NDArray[np.uint32]:
    return np.array([_crc32c(bytes(size)) for size in range(longest + 1)], np.uint32)


def _crcs(bodies: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Return checksums, of many bodies at once: the exclusive or of what each byte at its place contributes."""
    size = bodies.shape[1]
    parts = _contributions(size).take(bodies + np.arange(0, 256 * size, 256, dtype=np.int32))
    crcs: npt.NDArray[np.uint32] = np.bitwise_xor.reduce(parts, axis=1) ^ np.uint32(_crc32c(bytes(size)))
    return crcs


@lru_cache(maxsize=64)
def _contributions(size: int) -> npt.NDArray[np.uint32]:
    """Return what each value of each byte of so many contributes to their checksum, beyond what a zero does.

    A checksum is linear: the tables of "slicing-by-N" CRC (Kounavis and Berry, 2005), one for each place.
    """
    last = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        last = np.where(last & 1, last >> 1 ^ np.uint32(CASTAGNOLI), last >> 1).astype(np.uint32)
    tables = [last]
    while len(tables) < size:
        tables.append(tables[-1] >> np.uint32(8) ^ last[tables[-1] & np.uint32(0xFF)])
    return np.concatenate(tables[::-1])


@lru_cache(maxsize=4096)
def record_head(length: int) -> bytes:
    """Return what stands before a body of `length` bytes."""
    # Scalars of one tag differ in length only when their step gains a digit, so the same heads return for ever.
    packed = LENGTH.pack(length)
    return packed + CRC.pack(masked_crc(packed))


def frame(body: bytes, _pack: struct.Struct = CRC) -> bytes:
    """Return `body` as one whole record."""
    crc = _crc32c(body)
    return record_head(len(body)) + body + _pack.pack(((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF)


def frame_large(*pieces: bytes) -> bytes:
    """Return the pieces of a body as one whole record, in one copy.

    Python gives the GIL away while it joins a mebibyte or more, but not while it adds two; and a checksum never does.
    """
    crc = 0
    for piece in pieces:
        for start in range(0, len(piece), SLICE):
            crc = _extend_crc32c(crc, piece[start : start + SLICE])
    masked = ((crc >> 15 | crc << 17) + MASK_DELTA) & 0xFFFFFFFF
    return b"".join((record_head(sum(map(len, pieces))), *pieces, CRC.pack(masked)))


def _ends(data: bytes) -> Iterator[int]:
    """Yield where each record of well-formed data ends."""
    end = 0
    while end < len(data):
        end += HEAD_SIZE + LENGTH.unpack_from(data, end)[0] + CRC.size
        yield end


def whole_records(data: bytes, size: int) -> int:
    """Return how many of the first `size` bytes of framed records belong to records that are whole by then."""
    return max((end for end in _ends(data) if end <= size), default=0)


def count_records(data: bytes) -> int:
    """Return how many framed records there are."""
    return sum(1 for _ in _ends(data))


def one_record(offset: int = 0, max_record: int = MAX_RECORD) -> Parser:
    """Parse one record that begins at `offset` of its stream; raises `CorruptRecord`."""
    head = yield HEAD_SIZE
    (length,) = LENGTH.unpack_from(head)
    if CRC.unpack_from(head, LENGTH.size) != (masked_crc(head[: LENGTH.size]),):
        raise CorruptRecord(offset, "the checksum of its length does not fit")
    if length > max_record:
        raise CorruptRecord(offset, f"its length of {length} bytes is above {max_record}")
    body = yield length
    tail = yield CRC.size
    if CRC.unpack(tail) != (masked_crc(body),):
        raise CorruptRecord(offset, "the checksum of its body does not fit")
    return body


def parse(chunks: Iterable[bytes], max_record: int = MAX_RECORD) -> Iterator[bytes]:
    """Yield the body of each whole record in a stream cut anywhere; a torn last record is left out.

    Raises `CorruptRecord` at the first record that is not one.
    """
    buffer = bytearray()
    offset = 0
    parser = one_record(offset, max_record)
    needed = next(parser)
    for chunk in chunks:
        buffer += chunk
        while len(buffer) >= needed:
            asked = bytes(buffer[:needed])
            del buffer[:needed]
            offset += needed
            try:
                needed = parser.send(asked)
            except StopIteration as done:
                yield done.value
                parser = one_record(offset, max_record)
                needed = next(parser)
