"""Events framed in batches are, byte for byte, the events framed one by one."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from asynctb import eventbatch
from asynctb.encode import wire
from asynctb.eventbatch import FEW, LARGE, NARROW, POINT, SHORT, VARINTS, Points, frame_events, frame_points
from asynctb.record import SLICE, frame, parse
from tests.inputs import DOUBLES, INT64_MAX, INT64_MIN, STEPS, holds

Event = tuple[float, int | None, bytes]

# Steps by the length of their varint, so that the events of one length are many; and any step.
EACH_LENGTH = [0, *(1 << 7 * size for size in range(9)), INT64_MAX, -1, INT64_MIN, None]
PAYLOADS = st.one_of(
    st.sampled_from([b"", b"x", bytes(range(30)), bytes(SHORT), bytes(SHORT + 1)]),
    st.binary(max_size=40),
    st.binary(min_size=30, max_size=30),
)
EVENTS = st.tuples(DOUBLES, st.sampled_from(EACH_LENGTH) | STEPS, PAYLOADS)


def one_by_one(events: list[Event]) -> bytes:
    return b"".join(frame(wire.event(*each)) for each in events)


def framed(events: list[Event]) -> bytes:
    walls, steps, whats = zip(*events, strict=True) if events else ((), (), ())
    return frame_events(walls, steps, whats)


@contextmanager
def rows_laid_out() -> Iterator[list[int]]:
    """Note how many events each array holds that is laid out meanwhile."""
    counts: list[int] = []

    def spied(lay_out: Any) -> Any:
        def spy(walls: Any, *args: Any) -> Any:
            counts.append(len(walls))
            return lay_out(walls, *args)

        return spy

    with (
        mock.patch.object(eventbatch, "_rows", spied(eventbatch._rows)),
        mock.patch.object(eventbatch, "_ragged", spied(eventbatch._ragged)),
    ):
        yield counts


@holds(300)
@given(st.lists(EVENTS, max_size=3 * FEW), st.data())
def test_batches_of_anything(events: list[Event], data: st.DataObject) -> None:
    """Any mixture of events gives the bytes of each, in order, whether laid out in arrays or not."""
    if events:
        events += [data.draw(st.sampled_from(events)) for _ in range(data.draw(st.integers(0, 4 * FEW)))]
    with rows_laid_out() as counts:
        assert framed(events) == one_by_one(events)
    event(f"arrays: {min(len(counts), 3)}")


HEADS = [b"", b"a", b"bc", b"de", b"f" * SHORT]
NUMBERS = st.tuples(DOUBLES, st.sampled_from(EACH_LENGTH[:-1]) | STEPS, DOUBLES, st.integers(0, len(HEADS) - 1))


@holds(300)
@given(st.lists(NUMBERS, max_size=3 * FEW), st.data())
def test_numbers_of_any_curves(points: list[tuple[float, int, float, int]], data: st.DataObject) -> None:
    """Packed numbers have the bytes of each, and the size of each, whatever their curves, steps and values."""
    if points:
        points += [data.draw(st.sampled_from(points)) for _ in range(data.draw(st.integers(0, 4 * FEW)))]
    packed = Points(b"".join(POINT.pack(*point) for point in points), HEADS.__getitem__)
    whats = [HEADS[curve] + wire.float32(number) for _, _, number, curve in points]
    events: list[Event] = [(wall, step, what) for (wall, step, _, _), what in zip(points, whats, strict=True)]
    with rows_laid_out() as counts:
        assert frame_points(packed) == one_by_one(events)
    assert (len(packed), packed.size) == (len(points), sum(map(len, whats)))
    event(f"arrays: {min(len(counts), 3)}")


@holds()
@given(
    st.lists(st.tuples(DOUBLES, st.integers(1 << 14, (1 << 21) - 1)), min_size=FEW + 1, max_size=2 * FEW),
    st.integers(0, SHORT),
    st.randoms(use_true_random=False),
)
def test_events_of_one_length_are_one_array(points: list[tuple[float, int]], size: int, source: Random) -> None:
    """Events whose times, steps and payloads take as many bytes are laid out together, and give the bytes of each."""
    events: list[Event] = [(wall_time or 1.0, step, source.randbytes(size)) for wall_time, step in points]
    with rows_laid_out() as counts:
        assert framed(events) == one_by_one(events)
    assert counts == [len(events)]


@pytest.mark.parametrize("step", EACH_LENGTH)
@pytest.mark.parametrize("what", [b"", b"x", bytes(SHORT)], ids=len)
def test_each_length_of_step_and_payload_is_laid_out(step: int | None, what: bytes) -> None:
    """Steps of every length, negative and absent ones too, are laid out in the array as one by one."""
    events: list[Event] = [(1.5 + number, step, what) for number in range(FEW + 1)]
    with rows_laid_out() as counts:
        assert framed(events) == one_by_one(events)
    assert counts == [len(events)]


@pytest.mark.parametrize("size", [LARGE, LARGE + 1, SLICE, 2 * SLICE + 3])
@pytest.mark.parametrize("count", [1, FEW + 1])
def test_large_events_are_framed_in_one_copy(size: int, count: int) -> None:
    """Payloads that are not copied twice, and those whose checksum is made piece by piece, give the same bytes."""
    if size * count > 8 * SLICE:
        count = 2
    events: list[Event] = [(1.5, 3, Random(number).randbytes(size)) for number in range(count)]
    assert framed(events) == one_by_one(events)


@pytest.mark.parametrize("count", [0, 1, FEW])
def test_few_events_take_no_array(count: int) -> None:
    """A few events are framed one by one, which costs less."""
    with rows_laid_out() as counts:
        assert framed([(1.0, 1, b"x")] * count) == one_by_one([(1.0, 1, b"x")] * count)
    assert counts == []


@pytest.mark.parametrize("odd", [(0.0, 1, b"x"), (-0.0, 1, b"x"), (1.0, 1, bytes(SHORT + 1)), (1.0, 1, b"xy")])
def test_an_odd_event_among_many_keeps_its_place(odd: Event) -> None:
    """One event that fits in no array stands where it was given, between those that do."""
    many: list[Event] = [(1.0, step, b"x") for step in range(1, FEW + 2)]
    events = [*many, odd, *many]
    with rows_laid_out() as counts:
        assert framed(events) == one_by_one(events)
    assert counts == [2 * len(many) + (odd[0] != 0 and len(odd[2]) <= SHORT)]


@pytest.mark.parametrize("wall_time", [0.0, -0.0])
def test_wall_times_of_zero_take_no_array(wall_time: float) -> None:
    """A wall time of zero is left out of an event and one of minus zero is not, however many there are."""
    events: list[Event] = [(wall_time, 1, b"x")] * (2 * FEW)
    with rows_laid_out() as counts:
        assert framed(events) == one_by_one(events)
    assert counts == []
    assert len(next(parse([framed(events)]))) == (3 if math.copysign(1, wall_time) > 0 else 12)


def test_events_of_several_lengths_are_one_array() -> None:
    """Short events of any lengths, mixed, make one array; only one that would make all rows wide stands alone."""
    events: list[Event] = [(1.0, 1 << number, bytes(number % 7)) for number in range(2 * FEW + 2)]
    for more, laid_out in ([], len(events)), ([(1.0, 1, bytes(NARROW + 1))], len(events)):
        with rows_laid_out() as counts:
            assert framed(events + more) == one_by_one(events + more)
        assert counts == [laid_out]


def test_arrays_of_other_sequences_are_taken() -> None:
    """The columns may be lists or tuples."""
    walls, steps, whats = [1.0] * 2 * FEW, [None, *range(2 * FEW - 1)], [b"x"] * 2 * FEW
    assert frame_events(walls, steps, whats) == frame_events(tuple(walls), tuple(steps), tuple(whats))


@holds()
@given(STEPS)
def test_lengths_of_varints(step: int) -> None:
    """The table of least numbers gives each step the length of its varint."""
    size = int(np.searchsorted(VARINTS, np.array([step], np.int64).view(np.uint64), "right")[0])
    assert step == 0 or size == len(wire.varint(step))
