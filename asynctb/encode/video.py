"""Videos for TensorBoard's Images dashboard: animated GIF, or animated PNG without loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from asynctb.encode.animations import CENTISECONDS, MILLISECONDS, Clock, apng, gif
from asynctb.encode.arrays import Array, as_number, held
from asynctb.encode.drafts import draft
from asynctb.encode.image import PLUGIN, payload
from asynctb.encode.pixels import check_shape, levels, on_white, tiled
from asynctb.encode.tags import encode_tag
from asynctb.entry import Encode, Entry
from asynctb.errors import EncodeError

__all__ = ["video"]

DIMS = "NTCHW"
CHANNELS = (1, 3, 4)
WANTED = f"a video: an array of real numbers with the dimensions {DIMS}"


class _Format(NamedTuple):
    name: str
    clock: Clock
    side: int


FORMATS = {
    "gif": _Format("gif", CENTISECONDS, (1 << 16) - 1),
    "apng": _Format("apng", MILLISECONDS, (1 << 31) - 1),
}


def video(tag: str, vid: Any, fps: Any, format: Any = "gif") -> Entry:
    """Return a video; a batch of several is shown as a grid."""
    encode_tag(tag)
    if not isinstance(format, str) or format not in FORMATS:
        raise EncodeError(tag, 'the format "gif" or "apng"', format)
    made = FORMATS[format]
    rate = _rate(tag, fps, made.clock)
    if isinstance(shape := getattr(vid, "shape", None), tuple):
        _check(tag, shape, made)

    def prepare(array: Array) -> Encode:
        _check(tag, array.shape, made)
        return lambda: _of_frames(tag, _frames(array), rate, made)

    return draft([tag], PLUGIN, [held(tag, vid, WANTED)], prepare)


def _rate(tag: str, fps: Any, clock: Clock) -> float:
    rate = as_number(tag, fps)
    slowest = clock.per_second / clock.longest
    if not (math.isfinite(rate) and rate >= slowest):
        raise EncodeError(tag, f"fps: a finite number of frames a second, {slowest:.4f} or more", fps)
    return rate


def _check(tag: str, shape: Sequence[int], made: _Format) -> None:
    check_shape(tag, shape, DIMS, CHANNELS)
    rows, columns = _grid(shape[0])
    height, width = rows * shape[3], columns * shape[4]
    if max(height, width) > made.side:
        raise EncodeError(tag, f"height and width of the {made.name} up to {made.side}", (height, width))


def _grid(number: int) -> tuple[int, int]:
    """Return rows and columns of a grid of videos, both powers of two, as torch counts them."""
    bits = number.bit_length()
    rows = 1 << (bits - 1) // 2
    return rows, (1 << (number - 1).bit_length()) // rows


def _frames(array: Array) -> Array:
    batch = levels(array).transpose(0, 1, 3, 4, 2)
    return tiled(batch, *_grid(len(batch)))


def _of_frames(tag: str, frames: Array, rate: float, made: _Format) -> bytes:
    if made.name == "gif" and frames.shape[3] == 4:
        frames = on_white(frames)  # a GIF's pixels are there or not there: no alpha
    file = gif(frames, rate) if made.name == "gif" else apng(frames, rate)
    _, height, width, channels = frames.shape
    return payload(tag, height, width, channels, file)
