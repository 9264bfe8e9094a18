"""Pixels as indices into at most 256 colours, and these as GIF's compression."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from asynctb.encode.arrays import Array
from asynctb.yielding import GivingWay, give_way

__all__ = ["Indexed", "Scratch", "indexed", "lzw"]

COLOURS = 256
STRIP = 1 << 16  # pixels that one call into Pillow may look at with the GIL held


class Indexed(NamedTuple):
    """Pixels by the number of their colour."""

    indices: Array
    """Bytes (H, W)."""
    palette: Array
    """RGB (n, 3), n up to 256."""


class Scratch:
    """A table of all colours, made when it is needed, in which whoever uses it sets whatever he reads."""

    @cached_property
    def table(self) -> Array:
        """A byte for each code."""
        return np.zeros(1 << 24, np.uint8)  # it takes memory only where it is touched


def indexed(pixels: Array, scratch: Scratch) -> Indexed:
    """Return pixels (H, W, 1 or 3) in 256 colours: their very own if there are no more."""
    if pixels.shape[2] == 1:
        return Indexed(pixels[..., 0], np.repeat(np.arange(COLOURS, dtype=np.uint8), 3).reshape(-1, 3))
    codes = _colours(pixels)
    return _near(pixels) if codes is None else _exact(pixels, codes, scratch.table)


def _codes(pixels: Array) -> Array:
    """Return each colour as one number."""
    four = np.zeros((*pixels.shape[:2], 4), np.uint8)
    four[..., :3] = pixels
    codes: Array = four.view("<u4")[..., 0]
    return codes


def _colours(pixels: Array) -> Array | None:
    """Return the codes of all colours, in order, if they are few enough."""
    found = np.zeros(0, np.uint32)
    rows = max(1, STRIP // pixels.shape[1])
    for top in range(0, len(pixels), rows):
        few = _of_strip(pixels[top : top + rows])
        found = found if few is None else np.union1d(found, few)
        if few is None or len(found) > COLOURS:
            return None
    return found


def _of_strip(strip: Array) -> Array | None:
    from PIL import Image

    # Pillow gives up at the first colour too many: nothing is quicker where there are thousands.
    counted: Any = Image.fromarray(strip).getcolors(COLOURS)
    return None if counted is None else np.array([r | g << 8 | b << 16 for _, (r, g, b) in counted], np.uint32)


def _exact(pixels: Array, codes: Array, number: Array) -> Indexed:
    number[codes] = np.arange(len(codes))
    return Indexed(number[_codes(pixels)], _codes_to_rgb(codes))


def _codes_to_rgb(codes: Array) -> Array:
    return np.ascontiguousarray(codes.astype("<u4")).view(np.uint8).reshape(-1, 4)[:, :3]


def _near(pixels: Array) -> Indexed:
    """Return pixels in the 256 colours of Pillow's fast octree, with its error diffused.

    For 30 frames of 256x256 that takes 60 ms (renders) to 190 ms (noise), Pillow's median cut 4 to 6 seconds. The
    octree alone leaves bands in gradients, a palette for all frames does not suit each, and an ordered pattern on top
    shows; blurred as by the eye, its diffused error is the least of all these, also against median cut.
    """
    from PIL import Image

    image = Image.fromarray(pixels)
    few = image.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    give_way()
    diffused = image.quantize(palette=few, dither=Image.Dither.FLOYDSTEINBERG)
    give_way()
    palette = np.array(few.getpalette(), np.uint8).reshape(-1, 3)
    return Indexed(np.asarray(diffused), palette)


def lzw(indices: Array) -> bytes:
    """Return indices as the image data of a GIF, with the byte before and the byte behind."""
    from PIL import Image

    file = GivingWay()
    # A grey image's values are stored as they are, after a palette of 256 greys and ten bytes of place and size.
    Image.fromarray(indices).save(file, "GIF", optimize=False, interlace=0)
    return file.getvalue()[13 + 3 * COLOURS + 10 : -1]
