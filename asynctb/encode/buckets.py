"""Counting values by torch's default buckets, which TensorFlow had first: each a tenth wider than the one before."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate, repeat, takewhile
from operator import mul

import numpy as np
import numpy.typing as npt

from asynctb.encode.arrays import Array

__all__ = ["count", "default_edges"]

SMALLEST, GROWTH, LARGEST = 1e-12, 1.1, 1e20


@lru_cache(maxsize=1)
def default_edges() -> npt.NDArray[np.float64]:
    """Return the edges of the default buckets, 774 on each side of 0."""
    powers = accumulate(repeat(GROWTH), mul, initial=SMALLEST)
    positive = np.array(list(takewhile(lambda edge: edge < LARGEST, powers)))
    return np.concatenate((-positive[::-1], [0.0], positive))


@lru_cache(maxsize=1)
def _inner_edges() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Return the edges between two buckets, for float64 and for float32.

    No float32 is an edge: in its place stands the next above, which has the same values below it. So they need not be
    converted to be counted.
    """
    edges = default_edges()[1:-1]
    nearest = edges.astype(np.float32)
    return edges, np.where(nearest < edges, np.nextafter(nearest, np.float32(np.inf)), nearest)


def count(values: Array) -> npt.NDArray[np.intp]:
    """Count finite floats by the default buckets; those beyond the outermost edges count in the outermost buckets.

    Sorted, they need one search an edge instead of one a value; numpy sorts with the processor's vector instructions.
    """
    wide, single = _inner_edges()
    ranked = np.sort(values if values.dtype.itemsize >= 4 else values.astype(np.float32))
    below = np.searchsorted(ranked, wide if ranked.dtype.itemsize == 8 else single)
    return np.diff(below, prepend=0, append=values.size)
