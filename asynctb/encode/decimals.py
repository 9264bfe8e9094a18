"""Matrices as tab-separated text, digit by digit in numpy: `repr` would hold the GIL for a microsecond a number.

A number is written with as many significant digits as bring back the same bits, 9 for a float32 and 17 for a float64,
trailing zeros left out: `-1.25e-3`. What parses the 9 digits as a float64, and rounds that, comes to the same float32:
they are within a fifth of the float32's reach, where the shortest digits may be at its very edge.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from asynctb.encode.arrays import Array

__all__ = ["tsv"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Chars = npt.NDArray[np.uint8]

SLICE = 1 << 16  # numbers at a time: what is made of them on the way stays in the cache
SINGLE, DOUBLE = 9, 17  # significant digits that bring back a float32, a float64
SMALLEST, LARGEST = 1e-250, 1e250  # beyond, powers of ten overflow on the way; numbers from there are rare
MOST = 330  # more than any exponent of ten
SPLIT = float((1 << 27) + 1)  # multiplied by it, a float64 falls into two halves of 26 bits


def tsv(matrix: Array) -> list[bytes]:
    """Return the text of a matrix of finite numbers, a row a line, in pieces."""
    digits = SINGLE if matrix.dtype.kind == "f" and matrix.dtype.itemsize <= 4 else DOUBLE
    rows = max(1, SLICE // matrix.shape[1])
    return [_text(matrix[start : start + rows], digits) for start in range(0, len(matrix), rows)]


def _text(matrix: Array, digits: int) -> bytes:
    values = matrix.astype(np.float64, order="C").ravel()
    sizes = np.abs(values)
    odd = np.flatnonzero((sizes < SMALLEST) | (sizes > LARGEST))  # zeros too
    sizes[odd] = 1.0
    numbers, powers = _scaled(sizes, digits)
    numbers[odd] = powers[odd] = 0
    places = -(-digits // 3) * 3
    # A sign, the digits and a point, an exponent, and what comes behind: zeros are what stays out.
    chars = np.zeros((len(values), 1 + places + 1 + 5 + 1), np.uint8)
    chars[:, 0] = np.signbit(values) * np.uint8(ord("-"))
    _put_digits(chars[:, 1 : places + 2], numbers * 10 ** (places - digits), places)
    chars[:, places + 2 : -1] = np.take(_tables().exponents, powers + MOST, axis=0)
    chars[:, -1] = ord("\t")
    chars[matrix.shape[1] - 1 :: matrix.shape[1], -1] = ord("\n")
    for place in odd[values[odd] != 0]:
        text = repr(float(values[place])).encode()
        chars[place, :-1] = np.frombuffer(text.ljust(chars.shape[1] - 1, b"\0"), np.uint8)
    written: Chars = chars[chars != 0]
    return written.tobytes()


def _scaled(sizes: Floats, digits: int) -> tuple[Integers, Integers]:
    """Return the significant digits of each number as an integer, and the power of ten of the first of them."""
    times = _times_power if digits == DOUBLE else _times_power_roughly
    powers = np.floor(np.log10(sizes)).astype(np.int64)
    numbers = times(sizes, digits - 1 - powers)
    too_many, too_few = numbers >= 10**digits, numbers < 10 ** (digits - 1)  # where log10 was off, or rounding carried
    wrong = np.flatnonzero(too_many | too_few)
    powers[wrong] += np.where(too_many[wrong], 1, -1)
    numbers[wrong] = times(sizes[wrong], digits - 1 - powers[wrong])
    return numbers, powers


def _times_power_roughly(sizes: Floats, powers: Integers) -> Integers:
    """Return products with powers of ten, rounded to integers that are wrong by less than a millionth."""
    return np.rint(sizes * np.take(_tables().high, powers + MOST)).astype(np.int64)


def _times_power(sizes: Floats, powers: Integers) -> Integers:
    """Return the same from twice as many bits (Dekker's product)."""
    high = np.take(_tables().high, powers + MOST)
    product = sizes * high
    size_1, size_2 = _halves(sizes)
    high_1, high_2 = _halves(high)
    rest = size_1 * high_1 - product + size_1 * high_2 + size_2 * high_1 + size_2 * high_2
    whole = np.floor(product)
    rest += product - whole + sizes * np.take(_tables().low, powers + MOST)
    return whole.astype(np.int64) + np.rint(rest).astype(np.int64)


def _halves(values: Floats) -> tuple[Floats, Floats]:
    blown_up = SPLIT * values
    first = blown_up - (blown_up - values)
    return first, values - first


def _put_digits(chars: Chars, numbers: Integers, places: int) -> None:
    """Fill in `d.ddd`, three digits at a time from the last; trailing zeros, and a point before them, stay out."""
    threes = _tables().threes
    trailing = np.ones(len(numbers), np.bool_)
    for start in range(places - 2, 3, -3):
        rest = numbers // 1000
        three = numbers - rest * 1000
        chars[:, start : start + 3] = np.take(threes, three + 1000 * trailing, axis=0)
        trailing &= three == 0
        numbers = rest
    first = np.take(threes, numbers + 1000 * trailing, axis=0)
    chars[:, 0] = np.maximum(first[:, 0], ord("0"))
    chars[:, 2:4] = first[:, 1:]
    chars[:, 1] = (first[:, 1] != 0) * np.uint8(ord("."))


class _Tables(NamedTuple):
    """What is looked up."""

    high: Floats
    """Powers of ten from -MOST on."""
    low: Floats
    """What each lacks."""
    exponents: Chars
    """The text of each, nothing for the power of 0."""
    threes: Chars
    """Three digits, of each number below 1,000; and then without their trailing zeros."""


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    powers = range(-MOST, MOST + 1)
    high = [float(f"1e{power}") for power in powers]
    low = [_lack(power, near) for power, near in zip(powers, high, strict=True)]
    exponents = [f"e{power}" if power else "" for power in powers]
    threes = [f"{number:03}" for number in range(1000)]
    return _Tables(
        np.array(high),
        np.array(low),
        _chars(exponents, 5),
        _chars([*threes, *(each.rstrip("0") for each in threes)], 3),
    )


def _lack(power: int, near: float) -> float:
    from fractions import Fraction  # with `decimal` in its train, for the first embedding alone

    exact = Fraction(10) ** power
    return float(exact - Fraction(near)) if 0 < near < math.inf else 0.0


def _chars(texts: list[str], width: int) -> Chars:
    return np.array(texts, f"S{width}").view(np.uint8).reshape(len(texts), width)
