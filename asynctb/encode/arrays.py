"""Whatever the user has, as numbers: Python's, numpy's, torch's, jax's, or anything with `__array__` or `__dlpack__`.

All by what a value can do, never by importing its library. The only place that knows how other libraries hold numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from asynctb.errors import EncodeError

__all__ = ["as_number", "as_step", "as_wall_time", "is_meta"]

ONE_NUMBER = "one real number"
NUMPY_NUMBER = (float, np.floating, np.integer, np.bool_)
INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1


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
