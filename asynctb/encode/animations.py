"""Frames as animated GIF and animated PNG: only what changes from frame to frame is stored.

The containers are ours, and so are the palettes; a GIF's compression is Pillow's. Pillow's own way to an animated GIF
looks for the best palette of every frame, which takes a quarter of a second for one of 256x256, and compares all
frames as RGB.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from asynctb.encode.arrays import Array
from asynctb.encode.palettes import Indexed, Scratch, indexed, lzw
from asynctb.encode.png import LEVEL, SIGNATURE, chunk, deflated, header

__all__ = ["CENTISECONDS", "MILLISECONDS", "Clock", "apng", "gif"]

FOREVER = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"


class Clock(NamedTuple):
    """How a format counts the time for which a frame is shown."""

    per_second: int
    least: int
    """What browsers show for as long as it says; anything shorter they show for a tenth of a second."""
    longest: int = (1 << 16) - 1

    def starts(self, frames: int, rate: float) -> list[int]:
        """Return when each frame begins, and when the last ends: rounded each by itself, so that none drifts."""
        return [round(self.per_second * number / rate) for number in range(frames + 1)]

    def shown(self, frames: int, rate: float) -> list[tuple[int, int]]:
        """Return the frames to show, each with its duration: without those that would be shown for less than `least`.

        All together last as long as all frames would; only a video shorter than `least` gets longer.
        """
        starts = self.starts(frames, rate)
        kept = [0]
        for number in range(1, frames):
            if starts[number] - starts[kept[-1]] >= self.least:
                kept.append(number)
        if len(kept) > 1 and starts[-1] - starts[kept[-1]] < self.least:
            kept.pop()
        ends = [*(starts[number] for number in kept[1:]), max(starts[-1], self.least)]
        return [(number, end - starts[number]) for number, end in zip(kept, ends, strict=True)]


CENTISECONDS = Clock(100, 2)
MILLISECONDS = Clock(1000, 11)


class Patch(NamedTuple):
    """A rectangle of a frame, from which all else is unchanged."""

    left: int
    top: int
    pixels: Array
    duration: int


def patches(frames: Array, rate: float, clock: Clock) -> Iterator[Patch]:
    """Return what changes, and for how long it is shown; frames that are the same are one."""
    before, patch = None, None
    for number, duration in clock.shown(len(frames), rate):
        left, top, pixels = _changed(before, frames[number])
        before = frames[number]
        if patch is not None and not pixels.size and patch.duration + duration <= clock.longest:
            patch = patch._replace(duration=patch.duration + duration)
            continue
        if patch is not None:
            yield patch
        # A frame that only goes on for longer than can be said is said again, by one pixel of it.
        patch = Patch(left, top, pixels if pixels.size else before[:1, :1], duration)
    assert patch is not None
    yield patch


def _changed(before: Array | None, frame: Array) -> tuple[int, int, Array]:
    if before is None:
        return 0, 0, frame
    differs = (before != frame).reshape(len(frame), -1)
    rows = np.flatnonzero(differs.any(axis=1))
    columns = np.flatnonzero(differs.any(axis=0)) // frame.shape[2]
    if not rows.size:
        return 0, 0, frame[:0]
    return columns[0], rows[0], frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


# GIF


def gif(frames: Array, rate: float) -> list[bytes]:
    """Return frames (T, H, W, 1 or 3) as the parts of a GIF that loops for ever, each with colours of its own."""
    height, width = frames.shape[1:3]
    screen = _short(width) + _short(height) + b"\x70\x00\x00"  # 8 bits a colour, and no palette of its own
    parts = [b"GIF89a", screen, FOREVER]
    scratch = Scratch()
    for patch in patches(frames, rate, CENTISECONDS):
        parts += _gif_frame(patch, indexed(np.ascontiguousarray(patch.pixels), scratch))
    return [*parts, b"\x3b"]


def _gif_frame(patch: Patch, image: Indexed) -> list[bytes]:
    height, width = image.indices.shape
    # What follows is drawn over it.
    control = b"\x21\xf9\x04\x04" + _short(patch.duration) + b"\x00\x00"
    bits = max(1, (len(image.palette) - 1).bit_length())
    palette = image.palette.tobytes().ljust(3 << bits, b"\0")
    place = b"".join(map(_short, (patch.left, patch.top, width, height)))
    return [control, b"\x2c", place, bytes((0x80 | bits - 1,)), palette, lzw(image.indices)]


def _short(number: int) -> bytes:
    return int(number).to_bytes(2, "little")


# Animated PNG


def apng(frames: Array, rate: float) -> list[bytes]:
    """Return frames (T, H, W, 1, 3 or 4) as the parts of an animated PNG that loops for ever, without loss."""
    shown = list(patches(frames, rate, MILLISECONDS))
    parts = [SIGNATURE, *header(frames[0]), *chunk(b"acTL", _long(len(shown)), _long(0))]
    sequence = 0
    for number, patch in enumerate(shown):
        parts += chunk(b"fcTL", _long(sequence), _control(patch))
        data = deflated(patch.pixels, LEVEL)
        parts += chunk(b"fdAT", _long(sequence + 1), *data) if number else chunk(b"IDAT", *data)
        sequence += 2 if number else 1
    return [*parts, *chunk(b"IEND")]


def _control(patch: Patch) -> bytes:
    height, width = patch.pixels.shape[:2]
    time = patch.duration.to_bytes(2, "big") + MILLISECONDS.per_second.to_bytes(2, "big")
    # What follows is drawn over it; and it replaces what it covers, its alpha included.
    return b"".join(map(_long, (width, height, patch.left, patch.top))) + time + b"\x00\x00"


def _long(number: int) -> bytes:
    return int(number).to_bytes(4, "big")
