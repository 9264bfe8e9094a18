"""A session's records: their order, run and content; what is left to the end; what is refused."""

import math
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.hparams import Session, hparams
from asynctb.entry import Entry, Farewell, Record
from asynctb.errors import EncodeError
from asynctb.proto import event_pb2, hparams_pb2, summary_pb2
from tests.inputs import TEXTS, holds

EXPERIMENT, START, END = "_hparams_/experiment", "_hparams_/session_start_info", "_hparams_/session_end_info"


def records(hparam_dict: Any = None, metric_dict: Any = None, **session: Any) -> list[Entry]:
    return hparams(hparam_dict or {}, metric_dict or {}, Session("r")._replace(**session))


def value(entry: Entry) -> summary_pb2.Summary.Value:
    assert isinstance(entry, Record)
    (found,) = event_pb2.Event.FromString(entry.what).summary.value
    return found


def contents(entries: list[Entry]) -> dict[str, hparams_pb2.HParamsPluginData]:
    """Read the records that are no metrics; none has data of its own."""
    values = [value(entry) for entry in entries if isinstance(entry, Record) and entry.plugin == "hparams"]
    assert not any(each.WhichOneof("value") for each in values)
    assert {each.metadata.plugin_data.plugin_name for each in values} <= {"hparams"}
    return {each.tag: hparams_pb2.HParamsPluginData.FromString(each.metadata.plugin_data.content) for each in values}


def started(entries: list[Entry]) -> dict[str, Any]:
    values = contents(entries)[START].session_start_info.hparams
    return {name: getattr(each, str(each.WhichOneof("kind"))) for name, each in values.items()}


def columns(entries: list[Entry]) -> hparams_pb2.Experiment:
    return contents(entries)[EXPERIMENT].experiment


def tags(entries: list[Entry]) -> list[str]:
    return [value(entry).tag for entry in entries]


def test_order_and_run() -> None:
    """Experiment, start and end come before the metrics, all in the sub-run and without a step axis, never shed."""
    entries = records({"lr": 0.1}, {"acc": 1, "loss": 2.0}, run_name="a/./b")
    assert tags(entries) == [EXPERIMENT, START, END, "acc", "loss"]
    assert all(isinstance(entry, Record) and entry.tags == () and entry.run == "a/b" for entry in entries)
    assert not any(entry.media for entry in entries)
    assert [value(entry).simple_value for entry in entries[3:]] == [1.0, 2.0]


def test_the_end_is_a_success() -> None:
    """A session that is over has ended well, at no known time."""
    content = contents(records({"lr": 0.1}))
    assert content[END].session_end_info == hparams_pb2.SessionEndInfo(status=hparams_pb2.STATUS_SUCCESS)
    assert content[START].session_start_info.start_time_secs == 0


@pytest.mark.parametrize("name", [".", "./", "././.", PurePosixPath(".")])
def test_own_run(name: Any) -> None:
    """In the writer's own run metrics are ordinary points of their tags."""
    entries = records({"lr": 0.1}, {"acc": 1, "loss": 2}, run_name=name)
    assert [entry.run for entry in entries if isinstance(entry, Record)] == [""] * 5
    assert [entry.tags for entry in entries if isinstance(entry, Record)] == [(), (), (), ("acc",), ("loss",)]


@pytest.mark.parametrize("name", ["/", "/abs", "..", "a/../..", "./..", "nul\0"])
def test_runs_stay_below(name: str) -> None:
    """A run that leads out of the log directory is refused."""
    with pytest.raises(EncodeError) as raised:
        records(run_name=name)
    assert (raised.value.tag, raised.value.got) == ("run_name", name)


PLAIN = st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS


@holds()
@given(st.dictionaries(TEXTS.filter(lambda name: "/" not in name), PLAIN), st.dictionaries(TEXTS, st.floats(width=32)))
def test_reads_back(values: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
    """All values and metrics read back, each with a column of its kind, in order."""
    entries = records(values, metrics)
    got = started(entries)
    assert got == values
    assert {name: type(each) for name, each in got.items()} == {name: type(each) for name, each in values.items()}
    kinds = {bool: "DATA_TYPE_BOOL", float: "DATA_TYPE_FLOAT64", str: "DATA_TYPE_STRING"}
    wanted = [(name, kinds[type(each)]) for name, each in values.items()]
    infos = columns(entries).hparam_infos
    assert [(info.name, hparams_pb2.HParamInfo.DataType.Name(info.type)) for info in infos] == wanted
    assert [info.name.tag for info in columns(entries).metric_infos] == list(metrics)
    np.testing.assert_array_equal([value(entry).simple_value for entry in entries[3:]], list(metrics.values()))


def test_none_is_left_out() -> None:
    """A hyperparameter that is None has no value and no column; a metric that is None a column and no point."""
    entries = records({"a": None, "b": {"c": None, "d": math.inf}}, {"val": {"acc": None, "loss": 1}})
    assert started(entries) == {"b/d": "inf"}
    assert [info.name for info in columns(entries).hparam_infos] == ["b/d"]
    assert [info.name.tag for info in columns(entries).metric_infos] == ["val/acc", "val/loss"]
    assert tags(entries) == [EXPERIMENT, START, END, "val/loss"]


def test_domains() -> None:
    """The values that a hyperparameter may have go to its column, as values of its kind."""
    domains = {"a": [1, np.float32(0.5)], "b": ("x", "y"), "c": {True: 1}.keys(), "d": [], "e": [3]}
    infos = columns(records({"a": 0.5, "b": "x", "c": True, "d": 1, "e": None, "f": 2}, domains=domains)).hparam_infos
    assert [list(info.domain_discrete) for info in infos] == [
        [1.0, 0.5],
        ["x", "y"],
        [True],
        [],
        [],
    ]
    assert [info.HasField("domain_discrete") for info in infos] == [True, True, True, True, False]


def test_texts() -> None:
    """Descriptions go to hyperparameters and metrics alike, names to metrics, a group's name to the session."""
    entries = records(
        {"lr": 0.1, "none": None, "deep": {"x": 1}},
        {"acc": 1, "lr": 2},
        descriptions={"lr": "**rate**", "acc": "right", "none": "?", "deep/x": "inner"},
        metric_display_names={"acc": "accuracy"},
        group_name="repeats",
    )
    experiment = columns(entries)
    assert [(info.name, info.description) for info in experiment.hparam_infos] == [
        ("lr", "**rate**"),
        ("deep/x", "inner"),
    ]
    got = [(info.name.tag, info.display_name, info.description) for info in experiment.metric_infos]
    assert got == [("acc", "accuracy", "right"), ("lr", "", "**rate**")]
    assert contents(entries)[START].session_start_info.group_name == "repeats"


SURROGATE = "\ud800"
UTF8 = "a tag that UTF-8 can encode"
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"domains": [1]}, "hparam_domain_discrete", "a mapping from names to lists of values"),
    ({"domains": {"b": [1]}}, "hparam_domain_discrete", "names of hyperparameters"),
    ({"domains": {"a": 1}}, "hparam_domain_discrete[a]", "a list of the values it may have"),
    ({"domains": {"a": "12"}}, "hparam_domain_discrete[a]", "a list of the values it may have"),
    ({"domains": {"a": [1, "2"]}}, "hparam_domain_discrete[a]", "finite numbers, as the hyperparameter is"),
    ({"domains": {"a": [1, None]}}, "hparam_domain_discrete[a]", "finite numbers, as the hyperparameter is"),
    ({"domains": {"a": [1, True]}}, "hparam_domain_discrete[a]", "finite numbers, as the hyperparameter is"),
    ({"domains": {"a": [1, math.nan]}}, "hparam_domain_discrete[a]", "finite numbers, as the hyperparameter is"),
    ({"domains": {"t": [1]}}, "hparam_domain_discrete[t]", "texts, as the hyperparameter is"),
    ({"domains": {"f": [1]}}, "hparam_domain_discrete[f]", "booleans, as the hyperparameter is"),
    ({"descriptions": "words"}, "descriptions", "a mapping from names to texts"),
    ({"descriptions": {"b": "words"}}, "descriptions", "names that are there"),
    ({"descriptions": {"a": 1}}, "descriptions[a]", "text"),
    ({"descriptions": {"a": SURROGATE}}, SURROGATE, UTF8),
    ({"metric_display_names": {"a": "words"}}, "metric_display_names", "names that are there"),
    ({"metric_display_names": {"m": None}}, "metric_display_names[m]", "text"),
    ({"group_name": 3}, "group_name", "text"),
    ({"group_name": SURROGATE}, SURROGATE, UTF8),
    ({"run_name": 3}, "run_name", "the name of a sub-run: text"),
    ({"run_name": SURROGATE}, SURROGATE, UTF8),
]


@pytest.mark.parametrize(("session", "tag", "wanted"), BAD, ids=lambda each: ascii(each)[:40])
def test_refused(session: dict[str, Any], tag: str, wanted: str) -> None:
    """What cannot be stored is refused by the name of its argument, live or not."""
    for clock in (None, float):
        with pytest.raises(EncodeError) as raised:
            records({"a": 1, "t": "x", "f": False}, {"m": 1}, clock=clock, **session)
        assert (raised.value.tag, raised.value.wanted) == (tag, wanted)


# Live


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("well", "status"), [(True, hparams_pb2.STATUS_SUCCESS), (False, hparams_pb2.STATUS_FAILURE)])
def test_live(well: bool, status: hparams_pb2.Status) -> None:
    """A live session has the time of its start; its end is made when it comes, with that time and how it went."""
    clock = Clock()
    *entries, farewell = records({"lr": 0.1}, {"acc": 1}, clock=clock)
    assert tags(entries) == [EXPERIMENT, START, "acc"]
    assert contents(entries)[START].session_start_info.start_time_secs == 100
    clock.now = 200.0
    assert isinstance(farewell, Farewell)
    end = farewell.record(well)
    assert (farewell.run, end.run, end.tags, end.media) == ("r", "r", (), False)
    assert contents([end])[END].session_end_info == hparams_pb2.SessionEndInfo(status=status, end_time_secs=200)


@pytest.mark.parametrize(
    ("more", "there"),
    [
        ({}, False),
        ({"group_name": "g"}, False),
        ({"descriptions": {"none": "?"}}, False),
        ({"descriptions": {"lr": "rate"}}, True),
        ({"domains": {"lr": [0.1]}}, True),
        ({"metric_dict": {"acc": None}}, True),
    ],
    ids=str,
)
def test_live_columns(more: dict[str, Any], there: bool) -> None:
    """A live session leaves the columns to TensorBoard, unless it has something to say of them."""
    entries = records({"lr": 0.1, "none": None}, more.pop("metric_dict", None), clock=Clock(), **more)
    assert isinstance(entries[-1], Farewell)
    assert tags(entries[:-1]) == ([EXPERIMENT] if there else []) + [START]
