"""Messages that others have made are stored as they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb import EncodeError
from asynctb.encode import wire
from asynctb.encode.ready_made import AT_ONCE, event, own_time, summary
from asynctb.entry import Draft, Record
from asynctb.proto import event_pb2, summary_pb2
from tests.readback.imports import module

SUMMARIES: list[Any] = [
    summary_pb2.Summary,
    module("tensorboard.compat.proto.summary_pb2").Summary,
    module("tensorboardX.proto.summary_pb2").Summary,
]
EVENTS: list[Any] = [
    event_pb2.Event,
    module("tensorboard.compat.proto.event_pb2").Event,
    module("tensorboardX.proto.event_pb2").Event,
]
UNKNOWN = b"\xa2\x06\x03new\xa8\x06\x96\x01\xa5\x06abcd\xa1\x06abcdefgh"  # fields 100, of every kind of wire type
GROUP = b"\xa3\x06\x08\x01\xa3\x06\xa4\x06\xa4\x06"  # and a group within a group


def a_summary(kind: Any = summary_pb2.Summary, count: int = 2, **value: Any) -> Any:
    value = value or {"simple_value": 1.0}
    return kind(value=[kind.Value(tag=f"t{number}", **value) for number in range(count)])


def stored(entry: Any, wall_time: float = 5.0, step: int | None = None) -> event_pb2.Event:
    what = entry.take()() if isinstance(entry, Draft) else entry.what
    return event_pb2.Event.FromString(wire.event(wall_time, step, what))


@pytest.mark.parametrize("form", [None, bytes, bytearray, memoryview])
@pytest.mark.parametrize("kind", SUMMARIES)
def test_summary_is_stored(kind: Any, form: Any) -> None:
    """A summary of any library, or its bytes, becomes the event that holds it."""
    given_one = a_summary(kind)
    entry = summary(form(given_one.SerializeToString()) if form else given_one, True)
    assert isinstance(entry, Record)
    assert stored(entry).summary == a_summary()


@pytest.mark.parametrize("unknown", [UNKNOWN, GROUP])
def test_unknown_fields_stay(unknown: bytes) -> None:
    """What this version does not know is stored with the rest."""
    whole = a_summary().SerializeToString() + unknown
    assert stored(summary(whole, False)).summary.SerializeToString() == whole
    outer = event_pb2.Event(wall_time=1.0, step=2, file_version="x").SerializeToString() + unknown
    kept = event(outer, True)
    assert isinstance(kept, Record)
    assert kept.what == event_pb2.Event(file_version="x").SerializeToString() + unknown


def test_anything_that_serializes() -> None:
    """It takes no protobuf class: what gives the bytes will do."""

    class Mine:
        def SerializeToString(self) -> bytes:  # noqa: N802
            return bytes(a_summary().SerializeToString())

    assert stored(summary(Mine(), False)).summary == a_summary()


@pytest.mark.parametrize(
    ("value", "plugin"),
    [
        ({"simple_value": 1.0}, "scalars"),
        ({"image": {"height": 1}}, "images"),
        ({"audio": {"sample_rate": 1}}, "audio"),
        ({"histo": {"num": 1}}, "histograms"),
        ({"metadata": {"plugin_data": {"plugin_name": "mine"}}}, "mine"),
    ],
)
def test_tags_have_their_dashboard(value: dict[str, Any], plugin: str) -> None:
    """With a step, its tags are known, and the dashboard that they go to; without, they are none of the rule's."""
    entry = summary(a_summary(**value), True)
    assert isinstance(entry, Record)
    assert (entry.tags, entry.plugin) == (("t0", "t1"), plugin)
    assert summary(a_summary(**value), False).tags == ()  # type: ignore[union-attr]


def test_tags_of_several_dashboards_are_not_followed() -> None:
    """A record has one dashboard; of a summary that has two, no tag is followed."""
    mixed = summary_pb2.Summary()
    mixed.value.add(tag="a", simple_value=1.0)
    mixed.value.add(tag="b").image.height = 1
    assert summary(mixed, True).tags == ()  # type: ignore[union-attr]


def test_large_ones_wait() -> None:
    """A large message is serialized and looked at when it is taken, and is its caller's again then."""
    large = a_summary(image={"encoded_image_string": b"x" * AT_ONCE})
    entry = summary(large, True)
    assert isinstance(entry, Draft)
    assert entry.size >= AT_ONCE
    encode = entry.take()
    before = a_summary(image={"encoded_image_string": b"x" * AT_ONCE})
    large.Clear()
    assert event_pb2.Event.FromString(encode()).summary == before
    bad = event(b"\x0f" * (AT_ONCE + 1), False)
    assert isinstance(bad, Draft)
    with pytest.raises(EncodeError, match="an Event in wire form"):
        bad.take()


@pytest.mark.parametrize("kind", EVENTS)
def test_event_loses_its_wall_time(kind: Any) -> None:
    """An event keeps its own step if no other is given, and never its wall time; the caller's is left as it was."""
    mine = kind(wall_time=1.0, step=7, summary=a_summary(kind().summary.__class__))
    assert own_time(mine) == (1.0, 7)
    assert stored(event(mine, False)) == event_pb2.Event(wall_time=5.0, step=7, summary=a_summary())
    assert stored(event(mine, True), step=3) == event_pb2.Event(wall_time=5.0, step=3, summary=a_summary())
    assert (mine.wall_time, mine.step) == (1.0, 7)


@given(
    wall_time=st.floats(allow_nan=False),
    step=st.integers(-(1 << 63), (1 << 63) - 1),
    version=st.text(min_size=1),
    stepped=st.booleans(),
)
def test_any_event(wall_time: float, step: int, version: str, stepped: bool) -> None:
    """Whatever an event holds, all but its times is kept."""
    whole = event_pb2.Event(wall_time=wall_time, step=step, file_version=version)
    entry = event(whole, stepped)
    assert stored(entry, step=None) == event_pb2.Event(wall_time=5.0, step=0 if stepped else step, file_version=version)


def test_other_messages_are_refused() -> None:
    """A message of another kind is none, even where its bytes would pass for one."""
    for kind in SUMMARIES:
        with pytest.raises(EncodeError, match="'event': wanted an Event message"):
            event(a_summary(kind), False)
    with pytest.raises(EncodeError, match="'summary': wanted a Summary whose SerializeToString"):
        summary(type("Mine", (), {"SerializeToString": lambda self: "text"})(), False)
