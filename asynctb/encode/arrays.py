"""Whatever the user has, as numbers: Python's, numpy's, torch's, jax's, or anything with `__array__` or `__dlpack__`.

All by what a value can do, never by importing its library. The only place that knows how other libraries hold numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from asynctb.errors import EncodeError

__all__ = ["Array", "Held", "as_array", "as_number", "as_step", "as_wall_time", "held", "is_meta", "snapshot"]

Array: TypeAlias = npt.NDArray[Any]

ONE_NUMBER = "one real number"
NUMPY_NUMBER = (float, np.floating, np.integer, np.bool_)
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
NUMBERS = "an array of real numbers"
REAL, COMPLEX = "biuf", "c"  # numpy's letters for the kinds of numbers
COSTLY = 32 << 10  # bytes from which a conversion is nothing for the event loop
CONVERTED = ("torch.bfloat16", "torch.float8", "torch.complex32", "bfloat16", "float8")


def as_number(tag: str, value: Any) -> float:
    """Return a scalar as a float.

    Takes Python and numpy numbers, numeric text (as torch does), and any array or tensor with exactly one element, on
    any device, with or without gradient; numpy's masked number is NaN. Raises `EncodeError` for everything else: text
    that is no number, complex values, numpy's times, several elements or none, tensors on the meta device, integers
    beyond float64.
    """
    kind = type(value)
    if kind is float:
        return value  # type: ignore[no-any-return]
    try:
        if kind is int or kind is bool or (isinstance(value, NUMPY_NUMBER) and kind is not np.timedelta64):
            return float(value)
        return float(_single(tag, value))
    except EncodeError:
        raise
    except Exception as error:
        # The value's own library may raise anything here: what the user needs to know is which tag it was.
        raise EncodeError(tag, ONE_NUMBER, value) from error


def _single(tag: str, value: Any) -> Any:
    """Return the one element of whatever `value` is, as something that `float()` takes; raises if it is not one."""
    if isinstance(value, (int, str, bytes)):
        return value
    if is_meta(value):
        raise EncodeError(tag, f"{ONE_NUMBER} (a tensor on the meta device has none)", value)
    if callable(getattr(value, "item", None)):
        return _element(tag, value, value)
    if callable(getattr(value, "__array__", None)) or isinstance(value, (list, tuple)):
        return _element(tag, np.asarray(value), value)
    if callable(getattr(value, "__dlpack__", None)):
        return _element(tag, np.from_dlpack(value), value)
    if isinstance(value, complex) or not callable(getattr(value, "__float__", None)):
        raise EncodeError(tag, ONE_NUMBER, value)
    return value  # Decimal, Fraction and the like


def _element(tag: str, array: Any, value: Any) -> Any:
    """Return the one element of what has `item()`; `value` is what the user gave for it."""
    if is_time(array):
        raise EncodeError(tag, f"{ONE_NUMBER} (a time is one in a unit only)", value)
    element = math.nan if is_masked(array) else array.item()
    if isinstance(element, (int, float, str, bytes)) or callable(getattr(element, "__float__", None)):
        return element
    raise EncodeError(tag, ONE_NUMBER, value)


def is_masked(value: Any) -> bool:
    """Tell whether numpy holds a one-element array's number to be missing; what `item()` gives then means nothing."""
    mask = getattr(value, "mask", None) if isinstance(value, np.ndarray) else None
    return mask is not None and value.size == 1 and bool(np.any(mask))


def is_meta(value: Any) -> bool:
    """Tell whether a tensor has a shape but no data, so that reading it would give noise."""
    return getattr(getattr(value, "device", None), "type", None) == "meta"


def is_time(value: Any) -> bool:
    """Tell whether a value is numpy's datetime64 or timedelta64, which become integers in some of their units only."""
    return getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M")


def as_step(tag: str, step: Any) -> int | None:
    """Return a global step as an int64, or None for none given.

    Truncates like `int()`, which torch applies; one-element arrays count as their element. Raises `EncodeError` for
    NaN, infinities, what is no number, and what does not fit 64 bits.
    """
    if type(step) is not int:
        if step is None:
            return None
        try:
            if is_time(step):
                raise TypeError("a time is no step")
            step = int(step.item() if callable(getattr(step, "item", None)) else step)
        except Exception as error:
            raise EncodeError(tag, "a global step: an integer or None", step) from error
    if not INT64_MIN <= step <= INT64_MAX:
        raise EncodeError(tag, "a global step within int64", step)
    return step  # type: ignore[no-any-return]


def as_wall_time(tag: str, walltime: Any) -> float:
    """Return a wall time in seconds since the epoch; raises `EncodeError` unless it is a finite real number.

    TensorBoard's default reader stops at a NaN wall time for good, and leaves out events at an infinite one.
    """
    if isinstance(walltime, (str, bytes)):
        raise EncodeError(tag, "a wall time in seconds", walltime)
    seconds = as_number(tag, walltime)
    if not math.isfinite(seconds):
        raise EncodeError(tag, "a finite wall time in seconds", walltime)
    return seconds


class Held(NamedTuple):
    """An array that is still in the hands of whoever passed it."""

    tag: str
    value: Any
    wanted: str
    nbytes: int
    """About how many bytes a copy of it takes."""
    far: bool
    """Whether taking it may cost more than a copy of that size: it is on a device, or in a form that numpy lacks."""
    kinds: str = REAL
    """The kinds of numbers that it may have."""


def held(tag: str, value: Any, wanted: str = NUMBERS, kinds: str = REAL) -> Held:
    """Look at an array without reading it. Lists of numbers are read here, and raise: nothing is gained by waiting."""
    if isinstance(value, (list, tuple)) and _holds_arrays(value):
        items: Sequence[Any] = value
        each = [held(tag, item, wanted, kinds) for item in items]
        size, far = sum(one.nbytes for one in each), any(one.far for one in each)
        return Held(tag, [one.value for one in each], wanted, size, far, kinds)
    if isinstance(value, (list, tuple, *NUMPY_NUMBER, int, complex)):
        value = as_array(tag, value, wanted, kinds)
    nbytes = _nbytes(value)
    return Held(tag, value, wanted, nbytes, _is_far(value, nbytes), kinds)


def snapshot(source: Held) -> Array:
    """Return an array that its owner can no longer change; raises `EncodeError` as `as_array`."""
    array = as_array(source.tag, source.value, source.wanted, source.kinds)
    return array if isinstance(source.value, list) else array.copy(order="K")


def as_array(tag: str, value: Any, wanted: str = NUMBERS, kinds: str = REAL) -> Array:
    """Return numbers as a numpy array, without a copy where the value allows it.

    Takes numpy's arrays, tensors on any device, with or without gradient, nested lists of numbers or of any of these,
    Pillow's images, and what has `__array__` or `__dlpack__`. What numpy has no type for (bfloat16, float8) is widened
    to float32; what a masked array of floats holds to be missing becomes NaN. Raises `EncodeError` for everything else:
    tensors on the meta device, integers that are masked, text, times, complex numbers unless `kinds` has them, nested
    lists that make no rectangle.
    """
    try:
        array = _converted(tag, value, wanted, kinds)
        # Asked only of what may be one: numpy imports `ma` at this word, and a child forked meanwhile would hang at it.
        if type(array) is not np.ndarray and np.ma.isMaskedArray(array):
            array = _without_mask(tag, array, wanted)
        array = np.asarray(array)  # a matrix's own arithmetic is not an array's
        if _is_foreign(array.dtype):
            array = array.astype(np.float32)
        if array.dtype.kind == "O" and not any(item is None for item in array.flat):
            array = array.astype(np.float64)  # Python integers of many digits, Decimal, Fraction
    except EncodeError:
        raise
    except Exception as error:
        # The value's own library may raise anything here: what the user needs to know is which tag it was.
        raise EncodeError(tag, wanted, value) from error
    if array.dtype.kind not in kinds:
        raise EncodeError(tag, wanted, value)
    return array.astype(np.float64) if array.dtype.itemsize > 8 and array.dtype.kind == "f" else array


def _is_foreign(kind: np.dtype[Any]) -> bool:
    """Tell whether a type is none of numpy's, but of `ml_dtypes`, which jax uses: bfloat16, float8, int4."""
    return kind.names is None and (kind.kind == "V" or (kind.kind == "f" and kind.itemsize < 2))


def _converted(tag: str, value: Any, wanted: str, kinds: str) -> Array:
    if isinstance(value, np.ndarray):
        return value
    if is_meta(value):
        raise EncodeError(tag, f"{wanted} (a tensor on the meta device has none)", value)
    if callable(getattr(value, "detach", None)):
        return _from_torch(value)
    if isinstance(value, (list, tuple)):
        return _from_list(tag, value, wanted, kinds)
    if callable(getattr(value, "__array__", None)) or not callable(getattr(value, "__dlpack__", None)):
        return np.asarray(value)
    return np.from_dlpack(value)


def _from_list(tag: str, items: Sequence[Any], wanted: str, kinds: str) -> Array:
    if _holds_arrays(items):
        return np.stack([as_array(tag, item, wanted, kinds) for item in items])
    return np.asarray(items)


def _from_torch(tensor: Any) -> Array:
    tensor = tensor.detach()
    if getattr(tensor, "is_quantized", False):
        tensor = tensor.dequantize()
    if callable(getattr(tensor, "to_dense", None)) and str(getattr(tensor, "layout", "")) != "torch.strided":
        tensor = tensor.to_dense()
    to_numpy: Callable[..., Array] = partial(tensor.numpy, force=True) if hasattr(tensor, "is_neg") else tensor.numpy
    try:
        return to_numpy()
    except TypeError:  # a type that numpy does not have
        return _from_torch(tensor.cfloat() if tensor.is_complex() else tensor.float())


def _without_mask(tag: str, array: Array, wanted: str) -> Array:
    if not np.ma.is_masked(array):
        return np.ma.getdata(array)
    if array.dtype.kind != "f":
        raise EncodeError(tag, f"{wanted} (what is masked among integers has no value: fill it)", array)
    return np.ma.filled(array, np.nan)


def _holds_arrays(items: Sequence[Any]) -> bool:
    """Tell whether a nested list is one of arrays or tensors rather than of numbers, by its first items."""
    first = items[0] if items else None
    if isinstance(first, (list, tuple)):
        nested: Sequence[Any] = first
        return _holds_arrays(nested)
    return hasattr(first, "detach") or getattr(first, "shape", ()) != ()


def _nbytes(value: Any) -> int:
    with suppress(Exception):  # a sparse tensor's raises
        if isinstance(value.nbytes, int):
            return int(value.nbytes)
    # A tensor's shape, or a Pillow image's width and height.
    sides = getattr(value, "shape", getattr(value, "size", None))
    return 4 * math.prod(sides) if isinstance(sides, tuple) else 0


def _is_far(value: Any, nbytes: int) -> bool:
    device = getattr(value, "device", None)
    kind = getattr(device, "type", getattr(device, "platform", "cpu"))
    on_a_device = isinstance(kind, str) and kind != "cpu"
    return on_a_device or (nbytes > COSTLY and _must_be_converted(value))


def _must_be_converted(value: Any) -> bool:
    kind, layout = str(getattr(value, "dtype", "")), str(getattr(value, "layout", "torch.strided"))
    return kind == "object" or kind.startswith(CONVERTED) or layout != "torch.strided"
