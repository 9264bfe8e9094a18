"""What TensorBoard itself makes of hyperparameters and layouts, with either of its loaders."""

import asyncio
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.proto import hparams_pb2
from tests.readback import sample
from tests.readback.api import Api, both

LOADERS = ["python", "rust"]


def answers(logdir: Path, ask: Callable[[Api], Any]) -> Any:
    """Return what both loaders answer, which must be the same."""
    with both(logdir) as apis:
        python, rust = (ask(apis[loader]) for loader in LOADERS)
    assert python == rust
    return python


def sessions(logdir: Path) -> Any:
    return answers(logdir, Api.sessions)


def metrics(group: Any) -> dict[str, tuple[float, int]]:
    return {each["name"]["tag"]: (each["value"], each["trainingStep"]) for each in group["metricValues"]}


def status(group: Any) -> str:
    (session,) = group["sessions"]
    return str(session["status"])


def column_names(experiment: Any) -> tuple[set[str], set[tuple[str, str]]]:
    hparams = {info["name"] for info in experiment["hparamInfos"]}
    return hparams, {(info["name"]["group"], info["name"]["tag"]) for info in experiment["metricInfos"]}


def test_sub_runs(tmp_path: Path) -> None:
    """By default each call is a session of its own, with its hyperparameters and metrics, that has ended well."""
    with SummaryWriter(tmp_path / "run") as writer:
        for number in range(3):
            values = {"lr": 0.5 * number, "act": "relu", "flag": True, "none": None, "size": [64, number]}
            writer.add_hparams(values, {"acc": number, "loss": 0.25}, run_name=f"trial{number}")
    found = sessions(tmp_path)
    assert set(found) == {f"run/trial{number}" for number in range(3)}
    for number in range(3):
        group = found[f"run/trial{number}"]
        assert group["hparams"] == {"lr": 0.5 * number, "act": "relu", "flag": True, "size": f"[64, {number}]"}
        assert metrics(group) == {"acc": (number, 0), "loss": (0.25, 0)}
        assert status(group) == "STATUS_SUCCESS"
    want = {"lr", "act", "flag", "size"}, {("", "acc"), ("", "loss")}
    assert column_names(answers(tmp_path, Api.hparams)) == want


def test_default_name(tmp_path: Path) -> None:
    """Without a name for the run, the metrics are found all the same."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 1}, {"acc": 2})
        writer.add_hparams({"lr": 3}, {"acc": 4}, global_step=7)
    found = [(group["hparams"]["lr"], metrics(group)["acc"]) for _, group in sorted(sessions(tmp_path).items())]
    assert found == [(1, (2, 0)), (3, (4, 7))]


@pytest.mark.parametrize("folders", [["a", "b"], ["."]], ids=["below", "itself"])
def test_own_run(folders: list[str], tmp_path: Path) -> None:
    """In the writer's own run, the metrics are the last points of its curves, which keep all their points."""
    for number, folder in enumerate(folders):
        with SummaryWriter(tmp_path / folder) as writer:
            for step in range(5):
                writer.add_scalar("val/acc", step + number)
            writer.add_hparams({"lr": 0.5}, {"val/acc": 9 + number, "best": 3}, run_name=".")
    found = sessions(tmp_path)
    assert set(found) == set(folders)
    for number, folder in enumerate(folders):
        assert metrics(found[folder]) == {"val/acc": (9 + number, 5), "best": (3, 0)}
        points = answers(tmp_path, lambda api: api.custom_scalars(folder, "val"))["tag_to_events"]["val/acc"]  # noqa: B023
        assert [step for _, step, _ in points] == list(range(6))


def test_metrics_elsewhere(tmp_path: Path) -> None:
    """Of a session in a sub-run, a metric is only looked for there: curves of the run itself go with `run_name="."`."""
    with SummaryWriter(tmp_path / "sub") as writer:
        writer.add_hparams({"lr": 1}, {"acc": None}, run_name="hp")
        writer.add_scalar("acc", 0.5)
    with SummaryWriter(tmp_path / "own") as writer:
        writer.add_hparams({"lr": 1}, {"acc": None}, run_name=".")
        writer.add_scalar("acc", 0.5)
    found = sessions(tmp_path)
    assert metrics(found["sub/hp"]) == {}
    assert metrics(found["own"]) == {"acc": (0.5, 0)}


def test_live_columns(tmp_path: Path) -> None:
    """Live sessions that announce no metric have all hyperparameters and all scalars of all of them as columns."""
    for number, values in enumerate([{"lr": 1, "a": 1}, {"lr": 2, "b": "x"}]):
        with SummaryWriter(tmp_path / str(number)) as writer:
            writer.add_hparams(values, {}, run_name=".", live=True)
            writer.add_scalar(f"loss{number}", number)
            writer.add_scalars("split", {"train": 0.5})
    want = {"lr", "a", "b"}, {("", "loss0"), ("", "loss1"), ("split_train", "split")}
    assert column_names(answers(tmp_path, Api.hparams)) == want
    found = sessions(tmp_path)
    assert metrics(found["0"]) == {"loss0": (0, 0), "split": (0.5, 0)}
    assert metrics(found["1"]) == {"loss1": (1, 0), "split": (0.5, 0)}


def test_live_life(tmp_path: Path) -> None:
    """A live session has no status while it lives; then it ended well, or with an exception, and has its times."""
    alive = SummaryWriter(tmp_path / "alive")
    alive.add_hparams({"lr": 1}, {}, run_name=".", live=True)
    alive.flush()
    with SummaryWriter(tmp_path / "well") as writer:
        writer.add_hparams({"lr": 2}, {"acc": None}, run_name=".", live=True)
        writer.add_scalar("acc", 0.5)
    with pytest.raises(ZeroDivisionError), SummaryWriter(tmp_path / "badly") as writer:
        writer.add_hparams({"lr": 3}, {}, run_name=".", live=True)
        raise ZeroDivisionError
    found = sessions(tmp_path)
    assert {name: status(group) for name, group in found.items()} == {
        "alive": "STATUS_UNKNOWN",
        "well": "STATUS_SUCCESS",
        "badly": "STATUS_FAILURE",
    }
    for name in ("well", "badly"):
        (session,) = found[name]["sessions"]
        assert session["startTimeSecs"] <= session["endTimeSecs"] <= session["startTimeSecs"] + 60
    alive.close()
    assert status(sessions(tmp_path)["alive"]) == "STATUS_SUCCESS"


def test_first_and_last(tmp_path: Path) -> None:
    """Live at first, and the final metrics in the end: they are columns, and the session has ended well."""
    with SummaryWriter(tmp_path / "run") as writer:
        writer.add_hparams({"lr": 1}, {}, run_name=".", live=True)
        writer.add_scalar("loss", 0.5)
        writer.add_hparams({"lr": 1}, {"acc": 0.75}, run_name=".")
    found = sessions(tmp_path)["run"]
    assert (found["hparams"], metrics(found), status(found)) == ({"lr": 1}, {"acc": (0.75, 0)}, "STATUS_SUCCESS")


RUNNING, SUCCESS, FAILURE = "STATUS_RUNNING", "STATUS_SUCCESS", "STATUS_FAILURE"


@pytest.mark.parametrize("statuses", [(RUNNING, SUCCESS), (RUNNING, FAILURE), (SUCCESS, RUNNING)], ids=" ".join)
@pytest.mark.parametrize("files", [1, 2])
def test_the_first_status_wins(statuses: tuple[str, str], files: int, tmp_path: Path) -> None:
    """Of several ends of a session both loaders show the first, whatever file it is in: so RUNNING is never written.

    If this fails, TensorBoard has changed: then a live session should say RUNNING at once.
    """
    start = hparams_pb2.HParamsPluginData(session_start_info={})
    ends = [hparams_pb2.HParamsPluginData(session_end_info={"status": each}) for each in statuses]
    events = [event("_hparams_/session_start_info", start, 0)]
    events += [event("_hparams_/session_end_info", end, step) for step, end in enumerate(ends)]
    for number in range(files):
        name = f"events.out.tfevents.{1700000000 + number}.host.1.0"
        sample.write(tmp_path / "run", *(events if files == 1 else events[2 * number : 2 * number + 2]), name=name)
    assert status(sessions(tmp_path)["run"]) == statuses[0]


def event(tag: str, content: Any, step: int) -> Any:
    plugin = {"plugin_name": "hparams", "content": content.SerializeToString()}
    return sample.event(step, summary={"value": [{"tag": tag, "metadata": {"plugin_data": plugin}}]})


def test_groups_and_texts(tmp_path: Path) -> None:
    """Repeats share a row; descriptions and names reach the columns."""
    with SummaryWriter(tmp_path) as writer:
        for number in range(2):
            writer.add_hparams(
                {"lr": 1},
                {"acc": number},
                run_name=f"r{number}",
                group_name="repeats",
                hparam_domain_discrete={"lr": [1, 2]},
                descriptions={"lr": "**rate**", "acc": "of all"},
                metric_display_names={"acc": "accuracy"},
            )
    (group,) = sessions(tmp_path).values()
    assert (group["name"], [each["name"] for each in group["sessions"]]) == ("repeats", ["r0", "r1"])
    assert metrics(group) == {"acc": (0.5, 0)}  # their mean
    experiment = answers(tmp_path, Api.hparams)
    (hparam,), (metric,) = experiment["hparamInfos"], experiment["metricInfos"]
    assert (hparam["description"], hparam["domainDiscrete"]) == ("**rate**", [1, 2])
    assert (metric["description"], metric["displayName"]) == ("of all", "accuracy")


def test_numbers_that_are_not_finite(tmp_path: Path) -> None:
    """The dashboard shows NaN and infinities, of which it shows nothing as numbers; as a metric NaN is what it is."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"a": math.nan, "b": -math.inf, "c": 1e308}, {"acc": math.nan}, run_name="r")
    found = sessions(tmp_path)["r"]
    assert found["hparams"] == {"a": "nan", "b": "-inf", "c": 1e308}
    (metric,) = found["metricValues"]
    assert metric["value"] == "NaN"


# Layouts


def charts(layout: Any) -> dict[str, list[str]]:
    return {each["title"]: [chart["title"] for chart in each["chart"]] for each in layout["category"]}


def layout_of(logdir: Path) -> Any:
    return answers(logdir, Api.layout)


def test_layout(tmp_path: Path) -> None:
    """Charts of several calls are all there, in order, with their tags."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_custom_scalars({"b": {"y": ["Multiline", ["loss/.*"]]}, "a": {}}, closed=["b"])
        for number in range(30):
            writer.add_custom_scalars_multilinechart([f"t{number}"], "many", str(number))
        writer.add_custom_scalars_marginchart([["v", "l", "u"], ["w", "l", "u"]], "b", "x")
    layout = layout_of(tmp_path)
    assert charts(layout) == {"b": ["y", "x"], "a": [], "many": [str(number) for number in range(30)]}
    assert [category["closed"] for category in layout["category"]] == [True, False, False]
    first, second = layout["category"][0]["chart"]
    assert first["multiline"]["tag"] == ["loss/.*"]
    assert second["margin"]["series"] == [{"value": each, "lower": "l", "upper": "u"} for each in "vw"]


def test_layout_across_files(tmp_path: Path) -> None:
    """What was added before a `close()` is in the layout after it; another program's layout takes its place."""
    writer = SummaryWriter(tmp_path)
    writer.add_custom_scalars_multilinechart(["x"], "c", "one")
    writer.close()
    writer.add_custom_scalars_multilinechart(["x"], "c", "two")
    writer.close()
    assert charts(layout_of(tmp_path)) == {"c": ["one", "two"]}
    with SummaryWriter(tmp_path) as resumed:
        resumed.add_custom_scalars_multilinechart(["x"], "c", "three")
    assert charts(layout_of(tmp_path)) == {"c": ["three"]}


def test_layouts_of_runs(tmp_path: Path) -> None:
    """TensorBoard joins the layouts of several runs."""
    for name in ("a", "b"):
        with SummaryWriter(tmp_path / name) as writer:
            writer.add_custom_scalars_multilinechart(["x"], name, name)
    assert charts(layout_of(tmp_path)) == {"a": ["a"], "b": ["b"]}


def test_patterns(tmp_path: Path) -> None:
    """A multiline chart shows each tag that begins with a match: so says the docstring."""
    with SummaryWriter(tmp_path) as writer:
        for tag in ("loss", "loss/train", "my/loss", "a+b"):
            writer.add_scalar(tag, 1.0)
    for pattern, tags in {"loss": {"loss", "loss/train"}, "a+b": set[str](), r"a\+b": {"a+b"}}.items():
        assert set(answers(tmp_path, lambda api: api.custom_scalars(".", pattern))["tag_to_events"]) == tags  # noqa: B023


def test_one_layout_a_writer(tmp_path: Path) -> None:
    """Awaited adds and those of `nowait` make one layout; a copy of a writer begins with an empty one."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path / "run") as writer:
            await writer.add_custom_scalars_multilinechart(["x"], "c", "awaited")
            assert writer.nowait.add_custom_scalars_multilinechart(["x"], "c", "at once")
            await asyncio.gather(*(writer.add_custom_scalars_multilinechart(["x"], "d", str(n)) for n in range(9)))
            copy = pickle.loads(pickle.dumps(writer))
        assert charts(layout_of(tmp_path)) == {"c": ["awaited", "at once"], "d": [str(n) for n in range(9)]}
        async with copy:
            await copy.add_custom_scalars({"e": {"of the copy": ("Margin", ("v", "l", "u"))}})

    asyncio.run(main())
    assert charts(layout_of(tmp_path)) == {"e": ["of the copy"]}
