"""Pixels as files: PNG, and by Pillow JPEG.

Pillow's JPEG encoder holds the GIL, for 13 ms with an image of 1920x1080; so it gets strips, which JPEG provides for,
and gives way between them. Pillow is imported when the first is made: that takes a tenth of a second.
"""

from __future__ import annotations

from operator import index
from typing import Any, NamedTuple

import numpy as np

from asynctb.encode.arrays import Array
from asynctb.encode.pixels import on_white
from asynctb.encode.png import png
from asynctb.errors import EncodeError
from asynctb.yielding import GivingWay

__all__ = ["QUALITY", "Format", "jpeg"]

PNG_SIDE, JPEG_SIDE = (1 << 31) - 1, 65500  # libjpeg's own bound
QUALITY = 90
STRIP = 1 << 17  # pixels of JPEG that take about a millisecond


class Format(NamedTuple):
    """A kind of file, and how well it is made."""

    name: str
    quality: int
    compress_level: int

    @classmethod
    def of(cls, tag: str, name: Any, quality: Any, compress_level: Any) -> Format:
        """Check what a user wants; raises `EncodeError`."""
        if not isinstance(name, str) or name not in ("png", "jpeg"):
            raise EncodeError(tag, 'the format "png" or "jpeg"', name)
        quality = _whole(tag, "a JPEG quality", quality, 1, 95)
        return cls(name, quality, _whole(tag, "a PNG compress_level", compress_level, 0, 9))

    def check_sides(self, tag: str, height: int, width: int) -> None:
        """Refuse what no such file can hold; raises `EncodeError`."""
        side = PNG_SIDE if self.name == "png" else JPEG_SIDE
        if not 1 <= min(height, width) <= max(height, width) <= side:
            raise EncodeError(tag, f"height and width of the {self.name} image from 1 to {side}", (height, width))

    def channels(self, pixels: int) -> int:
        """How many channels the file has, of pixels with so many."""
        return 3 if self.name == "jpeg" else pixels

    def parts(self, pixels: Array) -> list[bytes]:
        """Return pixels (H, W, C) as the parts of a file."""
        return jpeg(pixels, self.quality) if self.name == "jpeg" else png(pixels, self.compress_level)


def _whole(tag: str, what: str, number: Any, least: int, most: int) -> int:
    try:
        whole = index(number)
    except TypeError:
        whole = least - 1
    if isinstance(number, bool) or not least <= whole <= most:
        raise EncodeError(tag, f"{what} from {least} to {most}", number)
    return whole


# JPEG: each strip is a restart interval, whose bytes depend on no other


def jpeg(pixels: Array, quality: int) -> list[bytes]:
    """Return pixels (H, W, C) as the parts of a JPEG file in colour; what is transparent is laid on white."""
    height, width = pixels.shape[:2]
    blocks = max(1, STRIP // (16 * width))  # rows of blocks in a strip; one has 16 rows, for colours have half as many
    strips = [_strip(on_white(pixels[top : top + 16 * blocks]), quality) for top in range(0, height, 16 * blocks)]
    parts = [_head(strips[0], height, -(-width // 16) * blocks)]
    for number, strip in enumerate(strips):
        parts += strip[_place(strip, 0xDA, after=True) : -2], bytes((0xFF, 0xD0 + number % 8))  # RST0 to RST7
    return [*parts[:-1], b"\xff\xd9"]  # EOI


def _strip(pixels: Array, quality: int) -> bytes:
    from PIL import Image

    file = GivingWay()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue()


def _head(strip: bytes, height: int, interval: int) -> bytes:
    """Return all that stands before the first strip's body, with the height of all, and the interval of restarts."""
    start, frame = _place(strip, 0xDA), _place(strip, 0xC0)
    sized = strip[: frame + 5] + height.to_bytes(2, "big") + strip[frame + 7 : start]
    restarts = b"\xff\xdd\x00\x04" + interval.to_bytes(2, "big")  # DRI
    return sized + restarts + strip[start : _place(strip, 0xDA, after=True)]


def _place(file: bytes, marker: int, after: bool = False) -> int:
    """Return where a segment of a JPEG file begins, or ends."""
    place = 2
    while True:
        end = place + 2 + int.from_bytes(file[place + 2 : place + 4], "big")
        if file[place + 1] == marker:
            return end if after else place
        place = end
