"""Where pictures come from: arrays, lists of arrays, Pillow's images and lists of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from asynctb.encode.arrays import Array, Held, as_array, held
from asynctb.encode.pixels import check_shape
from asynctb.errors import EncodeError, Shape

__all__ = ["dimensions", "source"]

LAYOUTS = ("HW", "CHW", "NCHW")
MANY = 50  # pictures that take about a millisecond to look at, be they ever so small
# What is shown of Pillow's modes: numbers keep their type, all else becomes bytes. RGB where nothing is said.
SHOWN = {"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA"} | {mode: mode for mode in ("L", "LA", "RGBA", "I")}
SHOWN["F"] = "L"  # its floats are levels, by Pillow's own convention


def dimensions(tag: str, dataformats: Any) -> str:
    """Return the letters of a `dataformats` as capitals: H and W, perhaps C, perhaps N and C, in any order."""
    if isinstance(dataformats, str) and sorted(dataformats.upper()) in map(sorted, LAYOUTS):
        return dataformats.upper()
    raise EncodeError(tag, "dataformats: the letters of HW, CHW or NCHW in any order", dataformats)


def source(tag: str, value: Any, dims: str) -> tuple[Held, str]:
    """Return pictures that are still in their owner's hands, and the letters of their dimensions.

    Pillow's images have dimensions of their own. Where a shape is known without reading it, it is checked.
    """
    wanted = f"an image: an array of real numbers with the dimensions {dims}, or a Pillow image"
    if _is_pillow(value):
        return _deferred(tag, [value], wanted, lambda: _pixels(tag, value, wanted)), "HWC"
    if isinstance(value, (list, tuple)) and value and all(map(_is_pillow, value)):
        return _deferred(tag, value, wanted, lambda: _stacked(tag, value, wanted)), "NHWC"
    if isinstance(value, (list, tuple)) and any(getattr(each, "shape", ()) != () for each in value):
        return _deferred(tag, value, wanted, lambda: _batch(tag, value, wanted)), dims
    if isinstance(shape := getattr(value, "shape", None), tuple):
        check_shape(tag, shape, dims)
    return held(tag, value, wanted), dims


class _Deferred:
    """What becomes an array when it is asked for: not at the call, where large lists would hold the loop."""

    def __init__(self, make: Callable[[], Array]) -> None:
        self._make = make

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self._make()


def _deferred(tag: str, values: Sequence[Any], wanted: str, make: Callable[[], Array]) -> Held:
    each = [held(tag, value, wanted) for value in values]
    # A Pillow image has tiles as long as it is in its file: decoding it is as slow as what comes from a device.
    far = len(each) > MANY or any(one.far or getattr(one.value, "tile", None) for one in each)
    return Held(tag, _Deferred(make), wanted, sum(one.nbytes for one in each), far)


def _batch(tag: str, values: Sequence[Any], wanted: str) -> Array:
    arrays = [as_array(tag, value, wanted) for value in values]
    for array in arrays:
        if array.shape != arrays[0].shape:
            raise EncodeError(tag, f"images that all have the shape {arrays[0].shape}", Shape(array.shape))
    return np.stack(arrays)


# Pillow's images


def _is_pillow(value: Any) -> bool:
    return callable(getattr(value, "getbands", None)) and callable(getattr(value, "convert", None))


def _stacked(tag: str, images: Sequence[Any], wanted: str) -> Array:
    same = len({_shown(image) for image in images}) == 1
    return _batch(tag, [_pixels(tag, image, wanted, None if same else "RGBA") for image in images], wanted)


def _pixels(tag: str, image: Any, wanted: str, mode: str | None = None) -> Array:
    """Return an image's pixels (H, W, C) whatever its mode; raises `EncodeError` if its file cannot be read."""
    try:
        if image.mode.startswith("I;16"):
            image = _high_bytes(image)
        pixels: Array = np.asarray(image.convert(mode or _shown(image)))
    except Exception as error:
        # Plugins for a hundred formats raise what they like.
        raise EncodeError(tag, wanted, image) from error
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _shown(image: Any) -> str:
    if image.mode in ("P", "L", "RGB") and "transparency" in image.info:
        return "RGBA"
    return SHOWN.get(image.mode, "L" if image.mode.startswith("I;16") else "RGB")


def _high_bytes(image: Any) -> Any:
    """Return 16 bits of grey as 8: Pillow's own conversion clips them in some of its versions."""
    from PIL import Image

    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
