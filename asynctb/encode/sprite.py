"""Small images, one for each point of an embedding, in one large image: the Projector's sprite.

TensorBoard finds an image by counting the sprite's columns and rows in images, and expects as many of one as of the
other. What has no image in it stays black, or clear.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from asynctb.encode.arrays import Array
from asynctb.encode.pixels import levels
from asynctb.encode.png import png
from asynctb.entry import Encode, Tell
from asynctb.errors import EncodeError

__all__ = ["IMAGES", "Sprite", "sprite"]

IMAGES = "images as an (N, C, H, W) array of real numbers, with 1, 3 or 4 channels"
MOST = 8192  # pixels of a side that TensorBoard shows
SHRUNK = (
    "asynctb: the images of embedding %r are shrunk from %d x %d to %d x %d pixels: TensorBoard shows no sprite of "
    "more than %d pixels a side. (Said once for this tag.)"
)


class Sprite(NamedTuple):
    """A sprite to be made."""

    width: int
    """Of a single image, in pixels of the sprite."""
    height: int
    encode: Encode


def sprite(tag: str, images: Array, count: int, tell: Tell) -> Sprite:
    """Return the sprite of so many images; raises `EncodeError` for what is none, and for more than fit."""
    if images.ndim != 4 or images.shape[1] not in (1, 3, 4) or 0 in images.shape:
        raise EncodeError(tag, IMAGES, images)
    if len(images) != count:
        raise EncodeError(tag, f"{count} images, one for each row of the matrix", images)
    _, _, height, width = images.shape
    columns = math.isqrt(count - 1) + 1
    # By whole images, and both sides by the same share.
    share = min(1.0, MOST // columns / max(width, height))
    small_width, small_height = round(width * share), round(height * share)
    if not (small_width and small_height):
        raise EncodeError(tag, f"images that a sprite of {MOST} pixels a side has room for", images)
    if share < 1:
        tell(("sprite", tag), SHRUNK, tag, width, height, small_width, small_height, MOST)

    def encode() -> bytes:
        return b"".join(png(_arranged(images, columns, small_width, small_height)))

    return Sprite(small_width, small_height, encode)


def _arranged(images: Array, columns: int, width: int, height: int) -> Array:
    """Return the images row by row, as pixels of a sprite."""
    canvas = np.zeros((columns * height, columns * width, images.shape[1]), np.uint8)
    for row in range(math.ceil(len(images) / columns)):
        strip = images[row * columns : (row + 1) * columns]
        pixels = _pixels(strip).transpose(2, 0, 3, 1).reshape(images.shape[2], -1, images.shape[1])
        if (height, width) != images.shape[2:]:
            pixels = _resized(pixels, len(strip) * width, height)
        canvas[row * height : (row + 1) * height, : pixels.shape[1]] = pixels
    return canvas


def _pixels(images: Array) -> Array:
    """Return 8-bit samples: of floats between 0 and 1, of integers as they are, of truth values black and white."""
    if images.dtype.kind != "f":
        return levels(images)
    with np.errstate(over="ignore", invalid="ignore"):
        # As float64, in which torch multiplies those of a sprite; then the fraction is cut off.
        scaled = np.multiply(images, 255.0, dtype=np.float64).clip(0, 255)
    numbers: Array = np.nan_to_num(scaled, copy=False)
    return numbers.astype(np.uint8)


def _resized(pixels: Array, width: int, height: int) -> Array:
    """Return a row of images in another size: each pixel is a mean of what it covers, and of no neighbouring image."""
    from PIL import Image

    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    return np.asarray(image.resize((width, height), Image.Resampling.BOX)).reshape(height, width, -1)
