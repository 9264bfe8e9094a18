"""Pixels as a PNG file, by zlib itself, outside the GIL; in parts, for joining megabytes is done with the GIL held.

Pillow's PNG encoder releases the GIL as well, but takes two to six times as long for files of about the same size: it
tries five filters on every row, and searches for repetitions where there are none.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from asynctb.encode.arrays import Array
from asynctb.yielding import give_way

__all__ = ["LEVEL", "SIGNATURE", "chunk", "deflated", "header", "png"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Measured in milliseconds and KB, on images of 512x512 but for the last two:
#                        level 3      level 4      level 6      level 9      Pillow's default
# noise                   6, 787       6, 787       6, 787       6, 787       31, 788
# a noisy photo           8, 418       8, 418       8, 418       8, 418       64, 413
# gradients              16, 131      12, 128      37,  94     240,  79       50,  95
# even ramps            1.6,  12     2.7,   9     3.1,   7       8,   5      6.6,   6
# 800x600 plots           5,  83       7,  78      11,  76      75,  70       16,  82
# an Atari frame        0.4, 1.3     0.7, 1.0     0.8, 0.9     1.2, 0.5      0.5, 0.8
LEVEL = 4
SAMPLE = 1 << 15  # bytes of an image by which it is decided how to compress it
SLICE = 1 << 16  # bytes compressed at a time, in up to a millisecond; zlib's output is copied with the GIL held
BANDS, BAND = 8, 4  # the sample has at least so many pieces of so many rows
WORTH = 0.95  # how small the search for repetitions must make what a search for runs makes, in a third of the time
NONE, SUB, UP = range(3)
COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}


def png(pixels: Array, level: int = LEVEL) -> list[bytes]:
    """Return pixels (H, W, C), grey, grey and alpha, RGB or RGBA, as the parts of a PNG file."""
    return [SIGNATURE, *header(pixels), *chunk(b"IDAT", *deflated(pixels, level)), *chunk(b"IEND")]


def header(pixels: Array) -> list[bytes]:
    """Return the first chunk, which has the image's size and type."""
    height, width, channels = pixels.shape
    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return chunk(b"IHDR", sides + bytes((8, COLOUR_TYPE[channels], 0, 0, 0)))


def chunk(kind: bytes, *content: bytes) -> list[bytes]:
    """Return a chunk in parts: its length, its kind, its content, its checksum."""
    check = zlib.crc32(kind)
    for part in content:
        check = zlib.crc32(part, check)
    return [sum(map(len, content)).to_bytes(4, "big"), kind, *content, check.to_bytes(4, "big")]


def deflated(pixels: Array, level: int) -> list[bytes]:
    """Return the compressed pixels in parts: the content of a PNG's IDAT."""
    rows = np.ascontiguousarray(pixels).reshape(len(pixels), -1)
    way, strategy = _best(rows, pixels.shape[2], level)
    return _compressed(_filtered(rows, pixels.shape[2], way), level, strategy)


def _best(rows: Array, channels: int, level: int) -> tuple[int, int]:
    """Return the filter and the strategy that do best with a sample of an image.

    Photos and noise have no repetitions worth a search, and plots and sprites are best as they are.
    """
    bands = [_filtered(band, channels, way) for way in (NONE, SUB, UP) for band in _bands(rows)]
    count = len(bands) // 3
    plain, sub, up = (np.concatenate(bands[number * count : (number + 1) * count]) for number in range(3))
    way, differences = min(((SUB, sub), (UP, up)), key=lambda one: _sum(one[1]))
    runs = _size(differences, level, zlib.Z_RLE)
    searched = _size(differences, level, zlib.Z_DEFAULT_STRATEGY)
    as_it_is = _size(plain, level, zlib.Z_DEFAULT_STRATEGY)
    if min(searched, as_it_is) > WORTH * runs:
        return way, zlib.Z_RLE
    return (NONE if as_it_is <= searched else way), zlib.Z_DEFAULT_STRATEGY


def _bands(rows: Array) -> Iterator[Array]:
    """Return a few pieces of an image, spread evenly, or all of a small one."""
    number = max(BANDS, SAMPLE // (BAND * rows.shape[1]))
    step = max(BAND, len(rows) // number)
    return (rows[top : top + BAND] for top in range(0, len(rows), step))


def _filtered(rows: Array, channels: int, way: int) -> Array:
    """Return rows of bytes as differences from what is to the left, or above; each with its filter in front."""
    out = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
    out[:, 0] = way
    body = out[:, 1:]
    if way == NONE:
        body[:] = rows
    elif way == SUB:
        body[:, :channels] = rows[:, :channels]
        np.subtract(rows[:, channels:], rows[:, :-channels], out=body[:, channels:])
    else:
        body[0] = rows[0]
        np.subtract(rows[1:], rows[:-1], out=body[1:])
    return out


def _sum(differences: Array) -> int:
    return int(np.abs(differences.view(np.int8), dtype=np.int16).sum())


def _size(data: Array, level: int, strategy: int) -> int:
    return sum(map(len, _compressed(data, level, strategy)))


def _compressed(data: Array, level: int, strategy: int) -> list[bytes]:
    compressor = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, strategy)
    view = data.data.cast("B", (data.size,)) if data.flags.c_contiguous else data.tobytes()
    slices = (view[start : start + SLICE] for start in range(0, len(view), SLICE))
    parts = []
    for each in slices:
        parts.append(compressor.compress(each))
        give_way()
    return [*parts, compressor.flush()]
