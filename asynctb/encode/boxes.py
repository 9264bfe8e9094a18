"""An image with labelled boxes drawn on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from asynctb.encode.arrays import Array, as_number, held
from asynctb.encode.drafts import draft
from asynctb.encode.files import QUALITY, Format
from asynctb.encode.image import PLUGIN, grid_sides, payload
from asynctb.encode.pictures import dimensions, source
from asynctb.encode.pixels import check_shape, picture
from asynctb.encode.png import LEVEL
from asynctb.encode.tags import encode_tag
from asynctb.entry import Encode, Entry
from asynctb.errors import EncodeError, Shape

__all__ = ["image_with_boxes"]

WANTED = "boxes: an array (N, 4) of finite numbers, xmin, ymin, xmax, ymax"
MOST = 1 << 62  # bytes: as good as an infinity, which is no integer
FAR_TOO_LARGE = 1 << 40  # pixels of a side: no file has as many, and an infinity would be no integer
FAR = 1 << 20  # pixels from where on a corner is out of sight; Pillow's own integers end at 2**31


def image_with_boxes(
    tag: str,
    img: Any,
    boxes: Any,
    rescale: Any,
    dataformats: Any,
    labels: Any,
    format: Any = "png",
    quality: Any = QUALITY,
    level: Any = LEVEL,
) -> Entry:
    """Return an image with boxes drawn on it, and then rescaled."""
    encode_tag(tag)
    file = Format.of(tag, format, quality, level)
    scale = _scale(tag, rescale)
    texts = _texts(tag, labels)
    held_image, dims = source(tag, img, dimensions(tag, dataformats))
    if isinstance(shape := getattr(boxes, "shape", None), tuple):
        _check(tag, shape, texts)

    def prepare(array: Array, corners: Array) -> Encode:
        check_shape(tag, array.shape, dims)
        height, width = (int(min(side * scale, FAR_TOO_LARGE)) for side in grid_sides(array.shape, dims))
        file.check_sides(tag, height, width)
        places = _corners(tag, corners, texts)
        return lambda: _drawn(tag, picture(array, dims), places, texts, (width, height), file)

    sources = [held_image, held(tag, boxes, WANTED)]
    return draft([tag], PLUGIN, sources, prepare, least=int(min(held_image.nbytes * scale * scale, MOST)))


def _scale(tag: str, rescale: Any) -> float:
    scale = as_number(tag, rescale)
    if not (math.isfinite(scale) and scale > 0):
        raise EncodeError(tag, "rescale: a finite number above 0", rescale)
    return scale


def _texts(tag: str, labels: Any) -> list[str] | None:
    if labels is None or isinstance(labels, str):
        return None if labels is None else [labels]
    try:
        return ["" if label is None else str(label) for label in labels]
    except TypeError as error:
        raise EncodeError(tag, "labels: a text for each box", labels) from error


def _check(tag: str, shape: Sequence[int], texts: list[str] | None) -> None:
    if len(shape) != 2 or shape[1] != 4:
        raise EncodeError(tag, WANTED, Shape(shape))
    if texts is not None and len(texts) != shape[0]:
        raise EncodeError(tag, f"as many labels as boxes, {shape[0]}", texts)


def _corners(tag: str, corners: Array, texts: list[str] | None) -> Array:
    if corners.shape == (0,):  # an empty list
        corners = corners.reshape(0, 4)
    _check(tag, corners.shape, texts)
    if not np.isfinite(corners).all():
        raise EncodeError(tag, WANTED, corners)
    return np.clip(corners.astype(np.float64), -FAR, FAR)


def _drawn(
    tag: str, pixels: Array, corners: Array, texts: list[str] | None, size: tuple[int, int], file: Format
) -> bytes:
    from PIL import Image, ImageDraw, ImageFont

    canvas = Image.fromarray(pixels)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default()
    for number, corner in enumerate(corners.tolist()):
        _box(pen, font, corner, texts[number] if texts else "")
    if canvas.size != size:
        canvas = canvas.resize(size, Image.Resampling.LANCZOS)
    return payload(tag, size[1], size[0], file.channels(pixels.shape[2]), file.parts(np.asarray(canvas)))


def _box(pen: Any, font: Any, corner: Sequence[float], text: str) -> None:
    """Draw one box as torch does: red, two pixels wide, its label in black on red in the lower left corner."""
    left, top, right, bottom = corner
    pen.line([(left, top), (left, bottom), (right, bottom), (right, top), (left, top)], fill="Red", width=2)
    if not text:
        return
    try:
        x0, y0, x1, y1 = font.getbbox(text)
    except UnicodeEncodeError:  # without FreeType, Pillow's font has Latin 1 only
        text = text.encode("latin-1", "replace").decode("latin-1")
        x0, y0, x1, y1 = font.getbbox(text)
    width, height = x1 - x0, y1 - y0
    margin = math.ceil(0.05 * height)
    pen.rectangle([(left, bottom - height - 2 * margin), (left + width, bottom)], fill="Red")
    pen.text((left + margin, bottom - height - margin), text, fill="black", font=font)
