"""Histograms count every finite value once, in the bucket that it belongs to."""

import math
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from asynctb.encode.buckets import count, default_edges
from asynctb.encode.histogram import AT_ONCE, FEW, LARGEST, MOST, NAMES, SLICE, histogram, histogram_raw
from asynctb.entry import Draft, Entry, Record
from asynctb.errors import EncodeError
from asynctb.proto import event_pb2, summary_pb2
from tests.inputs import DOUBLES, TEXTS, holds

KINDS = st.sampled_from(["f2", "f4", "f8", "i1", "i4", "i8", "u1", "u8", "b1"])
SHAPES = nst.array_shapes(max_dims=3, max_side=20)
ARRAYS = KINDS.flatmap(lambda kind: nst.arrays(kind, SHAPES))
EDGES = default_edges()
AT_EDGES = np.concatenate([EDGES, np.nextafter(EDGES, -np.inf), np.nextafter(EDGES, np.inf), [-0.0, 5e-324, -5e-324]])


def untold(key: object, message: str, *args: object) -> None:
    """Take what is to be told to the user, where nothing should be."""
    pytest.fail(message % args)


def quiet(key: object, message: str, *args: object) -> None:
    """Take what is told to the user, where that is not the point."""


def made(values: Any, bins: Any = "tensorflow", max_bins: int | None = None, tell: Any = quiet) -> Any:
    """Return the histogram that is stored for values."""
    return proto(histogram("t", values, bins, max_bins, tell))


def proto(entry: Entry) -> summary_pb2.HistogramProto:
    """Read an entry's histogram."""
    assert isinstance(entry, (Record, Draft))
    what = entry.what if isinstance(entry, Record) else entry.take()()
    (value,) = event_pb2.Event.FromString(what).summary.value
    assert value.tag == "t"
    return value.histo


def finite(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return what of an array is counted, as float64."""
    numbers = array.astype(np.float64).ravel()
    return numbers[np.isfinite(numbers)]


@holds(300)
@given(ARRAYS)
def test_default_buckets_hold_what_numpy_counts(array: np.ndarray[Any, Any]) -> None:
    """By the default buckets, counts and limits are those of a search among all edges, the ends closed off."""
    numbers = finite(array)
    if not numbers.size:
        return
    inside = numbers.clip(EDGES[0], EDGES[-1])
    expected, _ = np.histogram(inside, EDGES)
    used = np.flatnonzero(expected)
    histo = made(array)
    assert list(histo.bucket) == [0, *expected[used[0] : used[-1] + 1]]
    assert list(histo.bucket_limit) == list(EDGES[used[0] : used[-1] + 2])


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_values_at_the_edges_are_in_their_own_bucket(kind: str) -> None:
    """A value that is an edge, or as near to one as its type can be, is counted on its side of it."""
    values = AT_EDGES.astype(kind)
    assert list(count(values).counts) == list(
        np.histogram(values.astype(np.float64).clip(EDGES[0], EDGES[-1]), EDGES)[0]
    )


@holds(200)
@given(
    st.lists(st.sampled_from([0, 1, 700, 773, 774, 775, 900, 1547]), max_size=6),
    nst.arrays("f8", st.integers(0, 50), elements=st.floats(-1e21, 1e21)),
)
def test_doubles_near_an_edge_are_on_their_side_of_it(near: list[int], others: np.ndarray[Any, Any]) -> None:
    """Float64 values that become an edge when they are rounded to float32 are counted by what they are."""
    edges = EDGES[near]
    around = [edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf), edges * (1 + 1e-9), edges * (1 - 1e-9)]
    values = np.concatenate([*around, others])
    if values.size:
        assert list(count(values).counts) == list(np.histogram(values.clip(EDGES[0], EDGES[-1]), EDGES)[0])


@holds()
@given(ARRAYS, st.one_of(st.just("tensorflow"), st.integers(1, 50), st.sampled_from(NAMES)), st.integers(1, 60))
def test_counts_add_up(array: np.ndarray[Any, Any], bins: Any, cap: int) -> None:
    """Whatever the bins and the cap, all finite values are in the buckets, once, and the limits rise."""
    numbers = finite(array)
    if not numbers.size or not math.isfinite(float(numbers.max()) - float(numbers.min())):
        return
    histo = made(array, bins, cap)
    assert sum(histo.bucket) == histo.num == numbers.size
    assert len(histo.bucket) == len(histo.bucket_limit) <= cap + 1
    assert histo.bucket[0] == 0
    assert list(histo.bucket_limit) == sorted(histo.bucket_limit)
    assert (histo.min, histo.max) == (numbers.min(), numbers.max())


@holds()
@given(st.lists(DOUBLES.filter(lambda number: abs(number) < 1e150), min_size=1, max_size=50))
def test_sums_are_those_of_float64(numbers: list[float]) -> None:
    """The sum and the sum of squares are right to double precision, relative to what is added up."""
    histo = made(numbers)
    size, squares = math.fsum(map(abs, numbers)), math.fsum(number * number for number in numbers)
    assert abs(histo.sum - math.fsum(numbers)) <= 1e-14 * size
    assert abs(histo.sum_squares - squares) <= 1e-14 * squares


def test_many_values_are_summed_exactly() -> None:
    """The sum of many float32 is that of their float64 values, across slices."""
    values = np.full(3 * SLICE + 5, 0.1, np.float32)
    histo = made(values)
    assert histo.sum == pytest.approx(float(values[0]) * values.size, rel=1e-14)
    assert sum(histo.bucket) == values.size


def test_what_is_not_finite_is_found_in_any_slice() -> None:
    """One NaN among many values is left out, and told; infinities of both signs are."""
    said: list[tuple[Any, ...]] = []
    values = np.ones(2 * SLICE + 5)
    values[-1], values[3], values[SLICE] = math.nan, math.inf, -math.inf
    histo = made(values, tell=lambda *what: said.append(what))
    assert histo.num == histo.sum == histo.sum_squares == values.size - 3
    assert (histo.min, histo.max) == (1, 1)
    assert len(said) == 1


def test_squares_beyond_float64_are_infinite() -> None:
    """What cannot be summed is infinite, without a word."""
    histo = made([1e308, 1e308], tell=untold)
    assert histo.sum == histo.sum_squares == math.inf
    assert list(histo.bucket) == [0, 2]


@pytest.mark.parametrize("cap", [1, 2, 3, 7, 100])
def test_a_cap_joins_neighbours(cap: int) -> None:
    """Capped buckets are those without a cap, joined in order: every limit is one of theirs, and so is its count."""
    values = np.arange(1000.0)
    whole, capped = made(values, 90), made(values, 90, cap)
    below = dict(zip(whole.bucket_limit, np.cumsum(whole.bucket), strict=True))
    assert [below[limit] for limit in capped.bucket_limit] == list(np.cumsum(capped.bucket))
    assert len(capped.bucket) <= cap + 1


def test_values_beyond_given_edges_count_in_the_outermost() -> None:
    """Nothing is lost beyond the first and the last edge."""
    assert list(made([-5, 0.5, 1.5, 9, 9], [0, 1, 2]).bucket) == [0, 2, 3]


def test_what_is_not_finite_is_left_out_and_told() -> None:
    """NaN and infinities are in no bucket and in no sum; how many there were is told, under the tag."""
    said: list[tuple[Any, ...]] = []
    histo = made([1, math.nan, 2, math.inf, -math.inf], tell=lambda *what: said.append(what))
    assert (histo.num, histo.min, histo.max, histo.sum) == (2, 1, 2, 3)
    ((key, message, *args),) = said
    assert key == ("histogram", "t")
    assert "'t' leaves out 3 of 5 values" in message % tuple(args)


CLOSE = [[1.0], [1.0, np.nextafter(1, 2)], [1e300, 1e300], [-0.0, 5e-324], [LARGEST], [-LARGEST], [LARGEST, 0.0]]


@pytest.mark.parametrize("values", CLOSE)
@pytest.mark.parametrize("bins", [FEW, 1000, *NAMES])
def test_values_that_are_close(values: list[float], bins: Any) -> None:
    """Where there are fewer floats than bins between the least and the greatest value, nothing is lost."""
    assert sum(made(values, bins).bucket) == len(values)


@pytest.mark.parametrize("bins", ["auto", "fd"])
def test_outliers_do_not_take_all_memory(bins: str) -> None:
    """A rule that asks for a bin a thousandth of a millionth of the range wide gets as many as are of use."""
    values = np.concatenate([np.random.default_rng(0).standard_normal(1000), [1e9]])
    assert len(made(values, bins).bucket) <= MOST + 1


def test_few_values_are_counted_at_once_and_many_in_a_thread() -> None:
    """What takes less time than a thread needs to wake is a record already."""
    assert isinstance(histogram("t", np.zeros(AT_ONCE // 8), "tensorflow", None, untold), Record)
    assert isinstance(histogram("t", np.zeros(AT_ONCE), "tensorflow", None, untold), Draft)


def test_the_values_may_change_once_taken() -> None:
    """What the thread counts is a copy."""
    values = np.ones(AT_ONCE)
    draft = histogram("t", values, "tensorflow", None, untold)
    assert isinstance(draft, Draft)
    encode = draft.take()
    values[:] = 7
    (value,) = event_pb2.Event.FromString(encode()).summary.value
    assert (value.histo.min, value.histo.max) == (1, 1)


def test_sums_beyond_float64_in_both_directions() -> None:
    """Slices whose sums are infinite with either sign are no reason to lose the histogram."""
    values = np.concatenate([np.full(SLICE, 1e308), np.full(SLICE, -1e308)])
    assert math.isnan(made(values).sum)


def test_large_raw_ones_are_made_in_a_thread() -> None:
    """A million buckets are nothing for the event loop; their lists are taken like any array."""
    limits = np.arange(AT_ONCE)
    entry = histogram_raw("t", 0, 1, 2, 3, 4, limits, limits)
    assert isinstance(entry, Draft)
    assert list(proto(entry).bucket_limit) == list(limits)


def test_threads_share_the_edges() -> None:
    """Many threads that count at once, from the first count on, count alike."""
    found: list[list[int]] = []
    values = np.linspace(-10, 10, 1000)
    default_edges.cache_clear()
    threads = [threading.Thread(target=lambda: found.append(list(count(values).counts))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(count(values).counts)] * 8


@holds()
@given(TEXTS, st.lists(st.tuples(DOUBLES, st.integers(0, 1000)), max_size=5))
def test_raw_is_stored_as_it_is(tag: str, buckets: list[tuple[float, int]]) -> None:
    """What was counted elsewhere is stored to the last bit, under any tag."""
    limits, counts = [limit for limit, _ in buckets], [count for _, count in buckets]
    record = histogram_raw(tag, -1, 2.5, np.float32(3), "4", 5, limits, counts)
    assert isinstance(record, Record)
    histo = summary_pb2.HistogramProto(min=-1, max=2.5, num=3, sum=4, sum_squares=5, bucket_limit=limits, bucket=counts)
    value = summary_pb2.Summary.Value(tag=tag, histo=histo)
    assert record.what == event_pb2.Event(summary=summary_pb2.Summary(value=[value])).SerializeToString()


@pytest.mark.parametrize(
    ("values", "bins", "max_bins", "wanted"),
    [
        ([], "tensorflow", None, "at least one value"),
        ([math.nan, math.inf], "tensorflow", None, "at least one finite value"),
        ([-1.7e308, 1.7e308], 10, None, "values whose range is within float64, for these bins"),
        ("text", "tensorflow", None, "an array of real numbers"),
        ([1j], "tensorflow", None, "an array of real numbers"),
        (None, "tensorflow", None, "an array of real numbers"),
        ([1], "none of them", None, "bins: 'tensorflow', 'auto'"),
        ([1], None, None, "bins: a rule's name, a number, or edges"),
        ([1], 0, None, "a number of bins between 1 and 10000"),
        ([1], [1], None, "edges of bins: 2 to 10001 finite numbers that rise"),
        ([1], [2, 1], None, "edges of bins: 2 to 10001 finite numbers that rise"),
        ([1], range(10_002), None, "edges of bins: 2 to 10001 finite numbers that rise"),
        ([1], [0, math.inf], None, "edges of bins: 2 to 10001 finite numbers that rise"),
        ([1], 10, 0, "max_bins: an integer of at least 1, or None"),
        ([1], 10, 2.5, "max_bins: an integer of at least 1, or None"),
    ],
)
def test_what_makes_no_histogram_is_refused(values: Any, bins: Any, max_bins: Any, wanted: str) -> None:
    """The error says the tag and what would have been right."""
    with pytest.raises(EncodeError) as caught:
        made(values, bins, max_bins)
    assert caught.value.tag == "t"
    assert caught.value.wanted.startswith(wanted)


def test_raw_lists_are_of_one_length() -> None:
    """A bucket without a limit, or a limit without a bucket, is refused."""
    with pytest.raises(EncodeError, match="as many bucket_counts as bucket_limits"):
        histogram_raw("t", 0, 1, 2, 3, 4, [1, 2], [1])
    with pytest.raises(EncodeError, match="bucket_limits: a list of numbers"):
        histogram_raw("t", 0, 1, 2, 3, 4, [[1, 2]], [1])
