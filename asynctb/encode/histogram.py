"""Histograms: how many values lie in each of many buckets, as torch and TensorFlow lay them out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from asynctb.encode.arrays import Array, as_array, as_number, held
from asynctb.encode.buckets import count, default_edges
from asynctb.encode.drafts import draft
from asynctb.encode.tags import encode_tag
from asynctb.encode.wire import delimited, summary
from asynctb.entry import Encode, Entry, Tell
from asynctb.errors import EncodeError
from asynctb.proto import summary_pb2
from asynctb.yielding import give_way

__all__ = ["histogram", "histogram_raw"]

PLUGIN = "histograms"
AT_ONCE = 32 << 10  # bytes of values that are counted in less time than a thread takes to be woken
# numpy's rules beside "tensorflow", but for "stone", which takes minutes for many values, and warns
NAMES = ("auto", "doane", "fd", "rice", "scott", "sqrt", "sturges")
NOT_FINITE = "asynctb: the histogram %r leaves out %d of %d values, which are not finite. (Said once for this tag.)"


def histogram(tag: str, values: Any, bins: Any, max_bins: int | None, tell: Tell) -> Entry:
    """Return a histogram of finite values; what is not finite is left out, and told."""
    encode_tag(tag)
    edges_of = _rule(tag, bins)
    cap = _cap(tag, max_bins)

    def prepare(array: Array) -> Encode:
        numbers = array.ravel(order="K")
        _check_some_are_finite(tag, numbers)
        if edges_of is None:
            return lambda: _payload(tag, *_by_default(tag, numbers, tell), cap)
        finite = _finite(tag, numbers, tell)
        _check_range(tag, finite)
        found = partial(_by_edges, finite, edges_of)
        return lambda: _payload(tag, *found(), cap)

    return draft([tag], PLUGIN, [held(tag, values)], prepare, at_once=AT_ONCE)


def histogram_raw(
    tag: str, low: Any, high: Any, num: Any, total: Any, sum_squares: Any, limits: Any, counts: Any
) -> Entry:
    """Return a histogram that was counted elsewhere."""
    encode_tag(tag)
    head = summary_pb2.HistogramProto(
        min=as_number(tag, low),
        max=as_number(tag, high),
        num=as_number(tag, num),
        sum=as_number(tag, total),
        sum_squares=as_number(tag, sum_squares),
    )

    def prepare(right: Array, inside: Array) -> Encode:
        for name, array in (("bucket_limits", right), ("bucket_counts", inside)):
            if array.ndim != 1:
                raise EncodeError(tag, f"{name}: a list of numbers", array)
        if len(right) != len(inside):
            raise EncodeError(tag, f"as many bucket_counts as bucket_limits ({len(right)})", len(inside))
        return lambda: _event(tag, head, right, inside)

    sources = [
        held(tag, limits, "bucket_limits: a list of numbers"),
        held(tag, counts, "bucket_counts: a list of numbers"),
    ]
    return draft([tag], PLUGIN, sources, prepare, at_once=AT_ONCE)


# What is asked for

Edges = Callable[[Array], "Array | int"]
"""The edges of the buckets, or how many of equal width, for finite values."""


def _rule(tag: str, bins: Any) -> Edges | None:
    """Return how the buckets are laid out; None for the default, which has a faster way than edges."""
    if isinstance(bins, str):
        if bins not in ("tensorflow", *NAMES):
            raise EncodeError(tag, f"bins: 'tensorflow', {', '.join(map(repr, NAMES))}, a number, or edges", bins)
        return None if bins == "tensorflow" else partial(_named_edges, bins)
    if isinstance(bins, (int, np.integer)) and not isinstance(bins, bool):
        if not 0 < bins <= MOST:
            raise EncodeError(tag, f"a number of bins between 1 and {MOST}", bins)
        return lambda values: int(bins)
    edges = as_array(tag, bins, "bins: a rule's name, a number, or edges").astype(np.float64)
    fits = edges.ndim == 1 and 2 <= len(edges) <= MOST + 1
    if not fits or not np.isfinite(edges).all() or not (np.diff(edges) >= 0).all():
        raise EncodeError(tag, f"edges of bins: 2 to {MOST + 1} finite numbers that rise", bins)
    return lambda values: edges


MOST = 10_000  # bins; TensorBoard shows some 30 of them, and the rules below ask for as many as there is memory for


def _named_edges(name: str, values: Array) -> Array | int:
    """Return the edges that one of numpy's rules gives, or MOST bins where outliers make it ask for more."""
    if name == "fd" or (name == "auto" and not _auto_is_bounded()):
        low, first, third, high = np.percentile(values, [0, 25, 75, 100])
        width = 2 * (third - first) * len(values) ** (-1 / 3)  # Freedman and Diaconis, as in numpy
        if width > 0 and (high - low) / width > MOST:
            return MOST
    return np.histogram_bin_edges(values, name)


@lru_cache(maxsize=1)
def _auto_is_bounded() -> bool:
    """Tell whether numpy's "auto" keeps its head before an outlier: newer versions do."""
    return len(np.histogram_bin_edges([0.0, 1.0, 2.0, 3.0, 1000.0], "auto")) < 100


def _cap(tag: str, max_bins: Any) -> int | None:
    if max_bins is None:
        return None
    if isinstance(max_bins, bool) or not isinstance(max_bins, (int, np.integer)) or max_bins < 1:
        raise EncodeError(tag, "max_bins: an integer of at least 1, or None", max_bins)
    return int(max_bins)


def _check_range(tag: str, values: Array) -> None:
    if not math.isfinite(float(values.max()) - float(values.min())):
        raise EncodeError(tag, "values whose range is within float64, for these bins", values)


def _check_some_are_finite(tag: str, values: Array) -> None:
    if not values.size:
        raise EncodeError(tag, "at least one value", values)
    # The first one tells it nearly always: looking at all costs the caller a third of what its copy does.
    if values.dtype.kind == "f" and not np.isfinite(values[0]) and not np.isfinite(values).any():
        raise EncodeError(tag, "at least one finite value", values)


def _finite(tag: str, values: Array, tell: Tell) -> Array:
    if values.dtype.kind != "f":
        return values
    good = np.isfinite(values)
    left_out = values.size - int(np.count_nonzero(good))
    if not left_out:
        return values
    tell(("histogram", tag), NOT_FINITE, tag, left_out, values.size)
    return values[good]


# What is stored

SLICE = 1 << 17  # values counted at a time: their copies stay in the cache, and no step of it holds the GIL for long
ROW = 1 << 13  # values whose squares are added up at a time: for more, OpenBLAS has threads of its own
LARGEST = float(np.finfo(np.float64).max)
FEW = 10  # bins where a rule asks for more than there are floats between the least value and the greatest


class Tally(NamedTuple):
    """What is said of values as a whole."""

    num: int
    low: float
    high: float
    total: float
    squares: float
    """The sum of their squares."""


Found = tuple[Tally, Array, Array]
"""What is said of the values, how many of them each bucket has, and the edges of the buckets."""


def _by_default(tag: str, values: Array, tell: Tell) -> Found:
    """Count by the default buckets what is finite, in one pass."""
    counts, edges, tallies = np.zeros(1, np.intp), default_edges(), list[Tally]()
    with np.errstate(all="ignore"):  # squares may be beyond float64: then their sum is infinite
        for piece in _slices(values):
            numbers = piece if piece.dtype.kind == "f" else _doubles(piece)
            total, squares = _sums(numbers)
            if not math.isfinite(total):  # a finite sum tells that all are
                numbers = numbers[np.isfinite(numbers)]
                total, squares = _sums(numbers)
            if numbers.size:
                inside, low, high = count(numbers)
                counts = counts + inside
                tallies.append(Tally(numbers.size, low, high, total, squares))
    tally = _joined(tallies)
    if tally.num < values.size:
        tell(("histogram", tag), NOT_FINITE, tag, values.size - tally.num, values.size)
    return tally, counts, edges


def _by_edges(values: Array, edges_of: Edges) -> Found:
    """Count finite values by edges that depend on them."""
    with np.errstate(all="ignore"):  # also a rule's own arithmetic may go beyond float64
        counts, edges = _counted(values, edges_of)
        pieces = _slices(values)
        tally = _joined([Tally(each.size, float(each.min()), float(each.max()), *_sums(each)) for each in pieces])
    return tally, counts, edges


def _sums(values: Array) -> tuple[float, float]:
    """Return the sum of the values and that of their squares."""
    doubles = _doubles(values)
    rows = [doubles[start : start + ROW] for start in range(0, doubles.size, ROW)]
    return float(doubles.sum()), _sum([float(row.dot(row)) for row in rows])


def _joined(tallies: Sequence[Tally]) -> Tally:
    nums, lows, highs, totals, squares = zip(*tallies, strict=True)
    return Tally(sum(nums), min(lows), max(highs), _sum(totals), _sum(squares))


def _payload(tag: str, tally: Tally, counts: Array, edges: Array, cap: int | None) -> bytes:
    head = summary_pb2.HistogramProto(
        min=tally.low, max=tally.high, num=tally.num, sum=tally.total, sum_squares=tally.squares
    )
    counts, limits = _capped(*_support(counts, edges), cap)
    return _event(tag, head, limits, counts)


def _slices(values: Array) -> Iterator[Array]:
    for start in range(0, values.size, SLICE):
        if start:  # what is counted at the call has one slice, and nobody to give way to
            give_way()
        yield values[start : start + SLICE]


def _doubles(values: Array) -> Array:
    return values.astype(np.float64, copy=False)


def _sum(parts: Sequence[float]) -> float:
    try:
        return math.fsum(parts)
    except (OverflowError, ValueError):  # beyond float64, perhaps both ways
        return sum(parts)


def _counted(values: Array, edges_of: Edges) -> tuple[Array, Array]:
    numbers = _doubles(values)
    try:
        edges = edges_of(numbers)
        found = np.histogram(numbers if isinstance(edges, int) else numbers.clip(edges[0], edges[-1]), edges)
    except (ValueError, IndexError):  # the latter from numpy before 2
        found = None
    # A rule whose own arithmetic has gone beyond float64 may give edges that nothing lies between.
    if found is None or found[0].sum() != numbers.size:
        return np.histogram(numbers, _few_edges(float(numbers.min()), float(numbers.max())))
    return found


def _few_edges(low: float, high: float) -> Array:
    room = max(0.5, 1e-9 * max(abs(low), abs(high)))
    halves = np.linspace(low / 2 - room / 2, high / 2 + room / 2, FEW + 1)  # their differences are within float64
    return np.clip(2 * halves, -LARGEST, LARGEST)


def _support(counts: Array, edges: Array) -> tuple[Array, Array]:
    """Return the buckets from the first to the last that holds a value, by their right limits.

    An empty one comes before them: its right limit is the left one of the first.
    """
    used = np.flatnonzero(counts)
    first, last = int(used[0]), int(used[-1]) + 1
    return np.concatenate(([0], counts[first:last])), edges[first : last + 1]


def _capped(counts: Array, limits: Array, cap: int | None) -> tuple[Array, Array]:
    """Join neighbours until there are at most `cap` buckets, the empty one before them not counted."""
    buckets = len(counts) - 1
    if cap is None or buckets <= cap:
        return counts, limits
    starts = np.arange(0, buckets, -(-buckets // cap))
    joined = np.add.reduceat(counts[1:], starts)
    return np.concatenate((counts[:1], joined)), np.concatenate((limits[starts], limits[-1:]))


def _event(tag: str, head: summary_pb2.HistogramProto, limits: Array, counts: Array) -> bytes:
    # HistogramProto.bucket_limit and bucket, whose packed form is the array's bytes
    lists = [delimited(*field) for field in ((b"\x32", _packed(limits)), (b"\x3a", _packed(counts))) if field[1]]
    name = summary_pb2.Summary.Value(tag=tag).SerializeToString()
    histo = delimited(b"\x2a", b"".join((head.SerializeToString(), *lists)))
    return summary(delimited(b"\x0a", name + histo))


def _packed(numbers: Array) -> bytes:
    return numbers.astype("<f8").tobytes()
