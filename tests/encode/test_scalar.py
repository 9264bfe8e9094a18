"""Scalars are stored as torch stores them; what is no number is refused, or left out of a `log`."""

import tracemalloc
from collections import OrderedDict, UserDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asynctb.encode.scalar import PLUGIN, log, scalar, scalars
from asynctb.entry import Record
from asynctb.errors import EncodeError
from asynctb.proto import event_pb2, summary_pb2
from tests.inputs import DOUBLES, TEXTS, bits, holds
from tests.readback.points import float32

KEYS = TEXTS.filter(lambda key: "\0" not in key)
NESTED = st.recursive(DOUBLES, lambda inner: st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12)
METRICS = st.dictionaries(TEXTS, NESTED, max_size=4)


class Name(str):
    """Text of somebody's own class."""


def values(record: Record) -> list[summary_pb2.Summary.Value]:
    """Read a record's payload."""
    return list(event_pb2.Event.FromString(record.what).summary.value)


def flat(metrics: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """What a nested mapping holds, written from the documentation of `log`."""
    found: list[tuple[str, Any]] = []
    for key, value in metrics.items():
        found += flat(value, f"{above}{key}/") if isinstance(value, Mapping) else [(f"{above}{key}", value)]
    return found


# One number


@holds()
@given(TEXTS, DOUBLES)
def test_a_scalar_is_one_simple_value(tag: str, number: float) -> None:
    """A scalar is one value of its tag, rounded to float32, without metadata."""
    record = scalar(tag, number)
    (value,) = values(record)
    assert (value.tag, bits(value.simple_value)) == (tag, bits(float32(number)))
    assert not value.HasField("metadata")
    assert record == Record((tag,), record.what, PLUGIN)


@pytest.mark.parametrize("new_style", [False, True])
@pytest.mark.parametrize("double_precision", [False, True])
@pytest.mark.parametrize("number", [0.1, 0.0, -0.0, 1e-310, 1e300, float("inf"), float("nan"), 3, True])
def test_a_scalar_is_torchs(number: float, new_style: bool, double_precision: bool) -> None:
    """The payload is torch's own to the byte, in the old style and the new, in both precisions."""
    torch = pytest.importorskip("torch.utils.tensorboard.summary", reason="torch is not installed")
    record = scalar("a/b", number, new_style, double_precision)
    theirs = torch.scalar("a/b", number, new_style=new_style, double_precision=double_precision)
    assert event_pb2.Event.FromString(record.what).summary.SerializeToString() == theirs.SerializeToString()
    assert record.plugin == PLUGIN


def test_the_new_style_is_single_precision_by_default() -> None:
    """The new style keeps float32 unless it is told to keep more, as torch's."""
    assert scalar("loss", 0.1, True) == scalar("loss", 0.1, True, False) != scalar("loss", 0.1, True, True)
    assert scalar("loss", 0.1) == scalar("loss", 0.1, False, True)


@pytest.mark.parametrize("tag", [Name("loss"), np.str_("loss")])
def test_text_of_any_class_is_a_tag(tag: str) -> None:
    """A tag may be of a class derived from text."""
    assert scalar(tag, 1.0).what == scalar("loss", 1.0).what


@pytest.mark.parametrize("tag", [None, 5, 1.5, True, b"loss", ["loss"], {}, np.zeros(2), "\ud800"])
@pytest.mark.parametrize("new_style", [False, True])
def test_what_is_no_tag_is_refused(tag: Any, new_style: bool) -> None:
    """What is no text, or none that UTF-8 can encode, is refused as a tag, hashable or not."""
    for _ in range(2):  # a tag that was seen before is looked up
        with pytest.raises(EncodeError) as caught:
            scalar(tag, 1.0, new_style)
        assert caught.value.got is tag


@pytest.mark.parametrize("new_style", [False, True])
def test_what_is_no_number_is_refused(new_style: bool) -> None:
    """What is no number is refused, with the tag."""
    with pytest.raises(EncodeError, match="one real number") as caught:
        scalar("loss", None, new_style)
    assert (caught.value.tag, caught.value.got) == ("loss", None)


# One number of each of many runs


def test_scalars_stand_where_torch_puts_them(tmp_path: Path) -> None:
    """Each key's record goes to the folder in which torch writes it, under the main tag."""
    torch = pytest.importorskip("torch.utils.tensorboard", reason="torch is not installed")
    numbers = {"train": 1.0, "val/top 1": 2.0, "x": 3.0}
    with torch.SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalars("acc/1", numbers, 0)
    folders = {path.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*tfevents*")} - {"."}
    records = scalars("acc/1", numbers)
    assert {record.run for record in records} == folders
    assert [values(record)[0].simple_value for record in records] == list(numbers.values())
    assert {record.tags for record in records} == {("acc/1",)}


@holds()
@given(TEXTS, st.dictionaries(KEYS, st.floats(), max_size=5))
def test_scalars_are_scalars_of_sub_runs(main_tag: str, numbers: dict[str, float]) -> None:
    """All of the numbers are there, in order, each a scalar of its own run."""
    assume("\0" not in main_tag and not any(".." in f"_{key}".split("/") for key in numbers))
    records = scalars(main_tag, numbers)
    assert [record._replace(run="") for record in records] == [scalar(main_tag, number) for number in numbers.values()]
    assert all(record.run for record in records)


@pytest.mark.parametrize("key", ["/../../esc", "a/../../../b", "\0", "x/..", None, 5, b"x", "\ud800"])
def test_a_name_that_leads_elsewhere_is_refused(key: Any) -> None:
    """A name that would leave the log directory, or is no text, is refused, and none of the others is stored."""
    with pytest.raises(EncodeError):
        scalars("loss", {"fine": 1.0, key: 2.0})


@pytest.mark.parametrize("numbers", [None, 5, [("a", 1)], "a"])
def test_scalars_want_a_mapping(numbers: Any) -> None:
    """What is no mapping is refused, with the tag."""
    with pytest.raises(EncodeError, match="mapping") as caught:
        scalars("loss", numbers)
    assert (caught.value.tag, caught.value.got) == ("loss", numbers)


def test_one_bad_number_refuses_all() -> None:
    """A value that is no number refuses the call, with the tag and the value."""
    with pytest.raises(EncodeError) as caught:
        scalars("loss", {"a": 1.0, "b": [1, 2]})
    assert (caught.value.tag, caught.value.got) == ("loss", [1, 2])


def test_no_scalars_are_no_records() -> None:
    """An empty mapping stores nothing, and still wants its tag to be one."""
    assert scalars("loss", {}) == []
    with pytest.raises(EncodeError):
        scalars(5, {})  # type: ignore[arg-type]


# Many numbers of one event


@holds(200)
@given(METRICS)
def test_log_is_one_event_of_all_numbers(metrics: dict[str, Any]) -> None:
    """A log is one event with each number of the nested mappings, in order, under its joined keys."""
    records, skipped = log(metrics)
    wanted = flat(metrics)
    assert skipped == []
    assert [tag for record in records for tag in record.tags] == [tag for tag, _ in wanted]
    if not wanted:
        assert records == []
        return
    (record,) = records
    message = summary_pb2.Summary(value=[{"tag": tag, "simple_value": value} for tag, value in wanted])
    assert record.what == event_pb2.Event(summary=message).SerializeToString()
    assert record == Record(tuple(tag for tag, _ in wanted), record.what, PLUGIN)


@pytest.mark.parametrize("number", [1, True, np.float32(0.5), np.array([2.0]), np.int64(3)])
def test_log_takes_every_number(number: Any) -> None:
    """Numbers of any kind are logged, as `add_scalar` logs them."""
    assert log({"loss": number}) == ([scalar("loss", number)], [])


@pytest.mark.parametrize(
    "value", [None, "1.5", b"1.5", [1.5], (1.5,), {1.5}, np.zeros(2), np.zeros(0), 1j, 10**400, object(), [], "abc"]
)
def test_log_leaves_out_what_is_no_number(value: Any) -> None:
    """What is no number is left out and told with its tag, and the numbers around it are logged."""
    records, skipped = log({"a": 1.0, "b": {"c": value}, "d": 2.0})
    assert records == log({"a": 1.0, "d": 2.0})[0]
    assert [(tag, each is value) for tag, each in skipped] == [("b/c", True)]


def test_log_of_nothing_but_others_is_no_event() -> None:
    """Where nothing is a number there is no event."""
    assert log({"a": None, "b": {}}) == ([], [("a", None)])
    assert log({}) == ([], [])


@pytest.mark.parametrize("kind", [dict, OrderedDict, UserDict, MappingProxyType])
def test_log_takes_any_mapping(kind: Any) -> None:
    """Mappings of any class are looked into, at the top and below."""
    assert log(kind({"a": kind({"b": 1.0})}))[0] == log({"a/b": 1.0})[0]


class Odd(dict[Any, Any]):
    """A mapping with a key that is not hashable."""

    def items(self) -> Any:
        return [([], 1.0)]


@pytest.mark.parametrize("large", [1e39, -1e39, 1 << 200, 0.5])
def test_log_of_numbers_beyond_float32(large: float) -> None:
    """What is beyond float32's range becomes infinite, as in a scalar, and leaves the numbers around it as they are."""
    numbers = {"a": 1.0, "b": large, "c/d": -2}
    (record,), skipped = log(numbers)
    assert skipped == []
    event = event_pb2.Event.FromString(record.what)
    alone = [event_pb2.Event.FromString(scalar(tag, number).what) for tag, number in numbers.items()]
    assert [*event.summary.value] == [each.summary.value[0] for each in alone]


def test_a_tag_that_is_logged_twice_at_once() -> None:
    """Two numbers whose joined keys are one tag are both kept, in their order."""
    ((record,), _) = log({"a/b": 1.0, "a": {"b": 2.0}, "c": 3})
    assert record.tags == ("a/b", "a/b", "c")
    assert [value.simple_value for value in event_pb2.Event.FromString(record.what).summary.value] == [1, 2, 3]


@pytest.mark.parametrize("metrics", [None, 5, "loss", [("a", 1.0)], 1.5])
def test_log_wants_a_mapping(metrics: Any) -> None:
    """What is no mapping is refused."""
    with pytest.raises(EncodeError, match="mapping"):
        log(metrics)


@pytest.mark.parametrize(
    "metrics", [{5: 1.0}, {"a": {None: 1.0}}, {b"a": 1.0}, {"\ud800": 1.0}, {"a": {"\udfff": None}}, Odd(a=1.0)]
)
def test_log_wants_text_for_tags(metrics: Any) -> None:
    """A key that is no text, or not encodable, is refused at any depth, though its value would be left out."""
    with pytest.raises(EncodeError):
        log(metrics)


class Changing(UserDict[str, float]):
    """A mapping that changes after each look at its keys, as others' may that another thread changes."""

    def __iter__(self) -> Iterator[str]:
        yield from list(self.data)
        self.data = {key + "x": 0.0 for key in self.data}

    def __getitem__(self, key: str) -> float:
        return float(len(key))


def test_a_mapping_that_changes() -> None:
    """Each number is stored under the tag that it had in one and the same look."""
    (record,), skipped = log(Changing(a=0.0, bb=0.0))
    assert [(value.tag, value.simple_value) for value in values(record)] == [("a", 1.0), ("bb", 2.0)]
    assert not skipped


def test_ever_other_keys_take_no_memory() -> None:
    """What is remembered of mappings with many keys does not grow with their number."""
    tracemalloc.start()
    try:
        for turn in range(100):
            log({f"requests/{turn}/{number}/latency": 1.0 for number in range(1000)})
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 16 << 20
