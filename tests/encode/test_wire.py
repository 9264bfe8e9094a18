"""What is written by hand is, to the byte, what protobuf writes of the same event."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.scalar import scalar
from asynctb.encode.wire import delimited, event, float32, summary, varint
from asynctb.proto import event_pb2, summary_pb2
from tests.inputs import DOUBLES, INT64_MAX, INT64_MIN, STEPS, TEXTS, holds

TAGS = TEXTS | st.sampled_from(["", "loss", "x" * 127, "x" * 128, "é" * 100, "x" * 20_000])
EDGES = sorted({edge + near for bits in range(0, 63, 7) for edge in (1 << bits, -(1 << bits)) for near in (-1, 0, 1)})


def test_every_number_reads_back_as_protobufs() -> None:
    """At each length's edge a varint is protobuf's own."""
    for number in (*EDGES, INT64_MIN, INT64_MAX):
        assert event_pb2.Event(step=number).SerializeToString() == (b"\x10" + varint(number) if number else b"")


@holds(200)
@given(STEPS)
def test_varint(number: int) -> None:
    """Any int64 is protobuf's varint, which reads back as the same number."""
    wire = b"\x10" + varint(number)
    assert event_pb2.Event.FromString(wire).step == number
    assert number == 0 or event_pb2.Event(step=number).SerializeToString() == wire


@pytest.mark.parametrize("size", [1, 127, 128, 16383, 16384, 1 << 21])
def test_delimited(size: int) -> None:
    """A field of any length is protobuf's."""
    body = bytes(size)
    assert delimited(b"\x22", body) == event_pb2.Event(graph_def=body).SerializeToString()


@holds(300)
@given(DOUBLES)
def test_float32(value: float) -> None:
    """A float field holds the same four bytes as protobuf's, and as a cast's: rounded, infinite beyond the range."""
    wire = float32(value)
    message = summary_pb2.Summary.Value(simple_value=value)
    assert b"\x15" + wire == message.SerializeToString()
    with np.errstate(over="ignore", invalid="ignore"):
        assert wire == np.array(value, "<f8").astype("<f4").tobytes()


@pytest.mark.parametrize("value", [3.4028235677973366e38, 3.4028235677973362e38, 1e300, 1.7e308])
def test_float32_at_the_end_of_its_range(value: float) -> None:
    """What rounds to no finite float32 becomes infinite with its sign, and what does stays finite."""
    (rounded,) = struct.unpack("<f", float32(value))
    with np.errstate(over="ignore"):
        assert rounded == float(np.float32(value))
    assert struct.unpack("<f", float32(-value)) == (-rounded,)


@holds(300)
@given(DOUBLES, st.none() | STEPS, TAGS, DOUBLES)
def test_a_scalars_event_is_protobufs(wall_time: float, step: int | None, tag: str, value: float) -> None:
    """The event of any scalar, at any step and wall time, is protobuf's serialisation of the same."""
    message = event_pb2.Event(wall_time=wall_time, step=step)
    message.summary.value.add(tag=tag, simple_value=value)
    assert event(wall_time, step, scalar(tag, value).what) == message.SerializeToString()


@holds()
@given(DOUBLES, st.none() | STEPS, st.binary(max_size=300))
def test_any_payload_follows_time_and_step(wall_time: float, step: int | None, body: bytes) -> None:
    """An event of any payload is its time and step as protobuf writes them, and then the payload's field."""
    message = event_pb2.Event(wall_time=wall_time, step=step, graph_def=body)
    assert event(wall_time, step, delimited(b"\x22", body)) == message.SerializeToString()


@pytest.mark.parametrize("step", [None, 0])
@pytest.mark.parametrize(("wall_time", "size"), [(0.0, 0), (-0.0, 9), (1.0, 9)])
def test_what_is_zero_is_left_out(wall_time: float, size: int, step: int | None) -> None:
    """Neither a step of zero nor a time of zero takes a byte, but minus zero does."""
    assert len(event(wall_time, step, b"")) == size


@holds()
@given(st.lists(st.tuples(TAGS, DOUBLES), max_size=5))
def test_a_summary_of_many_values(points: list[tuple[str, float]]) -> None:
    """A summary of values that are fields already is protobuf's event of that summary."""
    message = summary_pb2.Summary(value=[{"tag": tag, "simple_value": value} for tag, value in points])
    wanted = event_pb2.Event(summary=message).SerializeToString()
    assert summary(message.SerializeToString()) == wanted
