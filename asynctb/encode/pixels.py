"""Pictures as bytes from 0 to 255, rows first and channels last, of arrays of any kind and in any order of dimensions.

The arithmetic runs in the memory order that the array has, and the one copy that reorders is of bytes, not of floats.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from asynctb.encode.arrays import Array
from asynctb.errors import EncodeError, Shape
from asynctb.yielding import give_way

__all__ = ["check_shape", "coloured", "levels", "on_white", "picture", "pictures", "rgb", "rows_last", "tiled"]

CHANNELS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGBA"}
COLUMNS = 8  # of a grid, as in torch
BAND = 1 << 18  # bytes that are copied at a time
BLOCK = 1 << 17  # floats that are scaled at a time: what they become on the way stays in the processor's cache


def check_shape(tag: str, shape: Sequence[int], dims: str, channels: Sequence[int] = tuple(CHANNELS)) -> None:
    """Refuse a shape that has not the dimensions that these letters name; raises `EncodeError`."""
    if len(shape) != len(dims):
        raise EncodeError(tag, f"an array of the {len(dims)} dimensions {dims}", Shape(shape))
    if 0 in shape:
        raise EncodeError(tag, f"at least one element in each of the dimensions {dims}", Shape(shape))
    if "C" in dims and shape[dims.index("C")] not in channels:
        raise EncodeError(tag, f"{', '.join(map(str, channels))} channels in dimension C of {dims}", Shape(shape))


def levels(array: Array) -> Array:
    """Return values as 0 to 255, in the memory order that they have.

    Floats and booleans count from 0 to 1, integers from 0 to 255; what is outside is clipped, and NaN is 0. Floats are
    scaled in float32 and truncated, as in torch.
    """
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind == "f":
        return _of_floats(array)
    if array.dtype.kind == "b":
        return np.multiply(array, 255, dtype=np.uint8)
    clipped = np.maximum(array, 0) if array.dtype.kind == "i" else array
    # 255 is no int8, so numpy would not compare the two.
    return (np.minimum(clipped, 255) if array.dtype.itemsize > 1 else clipped).astype(np.uint8)


def _of_floats(array: Array) -> Array:
    flat = array.ravel(order="K")
    if array.size and not np.may_share_memory(flat, array):  # it is not in one piece
        return _of_floats(array.copy(order="K"))
    out = np.empty_like(array, np.uint8)
    levels = out.ravel(order="K")
    scaled = np.empty(min(BLOCK, flat.size), np.float32)
    with np.errstate(all="ignore"):  # float64 beyond float32 becomes infinite, and is clipped
        for start in range(0, flat.size, BLOCK):
            block = flat[start : start + BLOCK]
            part = np.multiply(block, 255, out=scaled[: block.size], dtype=np.float32, casting="same_kind")
            np.fmax(part, 0, out=part)  # of NaN and a number, the number
            np.minimum(part, 255, out=part)
            levels[start : start + BLOCK] = part.astype(np.uint8)
            give_way()
    return out


def rows_last(array: Array, dims: str) -> Array:
    """Return a view of an array with its dimensions in the order NHWC, or HWC where it has no N."""
    order = [dims.index(letter) for letter in "NHWC" if letter in dims]
    view = array.transpose(order)
    return view if "C" in dims else view[..., None]


def picture(array: Array, dims: str) -> Array:
    """Return an array as one picture (H, W, C) with 2 to 4 channels; a batch becomes a grid of at most 8 columns."""
    view = rows_last(levels(array), dims)
    if view.ndim == 4:
        columns = min(len(view), COLUMNS)
        (view,) = tiled(view[:, None], math.ceil(len(view) / columns), columns)
    return coloured(view)


def pictures(array: Array, dims: str) -> Sequence[Array]:
    """Return each picture (H, W, C) of a batch; an array without the dimension N is a batch of one."""
    view = rows_last(levels(array), dims)
    return [coloured(each) for each in (view if view.ndim == 4 else view[None])]


def coloured(view: Array) -> Array:
    """Return pixels in C order, those of one channel as RGB."""
    return rgb(view) if view.shape[-1] == 1 else _contiguous(view)


def rgb(grey: Array) -> Array:
    """Return pixels of one channel with three; `np.repeat` would hold the GIL."""
    return _contiguous(np.broadcast_to(grey, (*grey.shape[:-1], 3)))


def _contiguous(view: Array) -> Array:
    """Return an array in C order."""
    if view.flags.c_contiguous or view.size <= BAND:
        return np.ascontiguousarray(view)
    out = np.empty_like(view, order="C", subok=False)
    rows = max(1, BAND * len(view) // view.size)
    for top in range(0, len(view), rows):
        out[top : top + rows] = view[top : top + rows]
        give_way()
    return out


def tiled(batch: Array, rows: int, columns: int) -> Array:
    """Return frames (T, H, W, C) that show those of a batch (N, T, H, W, C) side by side, and zeros where none is."""
    number, frames, height, width, channels = batch.shape
    canvas = np.zeros((frames, rows, height, columns, width, channels), np.uint8)
    places = canvas.transpose(1, 3, 0, 2, 4, 5)
    whole, rest = divmod(number, columns)
    places[:whole] = batch[: whole * columns].reshape(whole, columns, *batch.shape[1:])
    if rest:
        places[whole, :rest] = batch[whole * columns :]
    return canvas.reshape(frames, rows * height, columns * width, channels)


def on_white(pixels: Array) -> Array:
    """Return pixels (..., C) as RGB: alpha, the last of an even number of channels, lets white paper through."""
    if pixels.shape[-1] == 3:
        return pixels
    if pixels.shape[-1] == 1:
        return rgb(pixels)
    alpha = pixels[..., -1:].astype(np.uint16)
    mixed = pixels[..., :-1] * alpha + 255 * (255 - alpha) + 127
    return on_white((mixed // 255).astype(np.uint8))
