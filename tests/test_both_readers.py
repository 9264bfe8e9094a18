"""What is logged is what TensorBoard shows: both of its readers give back the same tags, steps, values, wall times."""

import asyncio
import math
import os
import re
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.examples import test_examples as examples
from tests.readback import python_loader, rust_server
from tests.readback.both import assert_same_in_both
from tests.readback.events import run_events
from tests.readback.points import Point, Series, Value, differences, float32

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

T = 1.7e9 + 1 / 3  # a wall time that needs all bits of a double
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine to its end on a loop of each kind."""
    make_loop = None
    if request.param == "uvloop":
        make_loop = pytest.importorskip("uvloop", reason="uvloop is not installed").new_event_loop

    def run(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(main)

    return run


def shown(logdir: Path) -> Series:
    """What both readers show, which must be the same."""
    series = python_loader.load(logdir)
    assert differences(series, rust_server.load(logdir)) == []
    return series


def steps(points: Iterable[Point]) -> list[int]:
    return [point.step for point in points]


# Every kind of call, in every colour


class Call(NamedTuple):
    """One call short of its step and wall time, and the values that it must show, by run and tag."""

    method: str
    args: tuple[Any, ...]
    values: Mapping[tuple[str, str], Value]
    options: Mapping[str, Any] = {}


def scalar(tag: str, value: Any, **options: Any) -> Call:
    return Call("add_scalar", (tag, value), {(".", tag): float32(np.asarray(value, float).item())}, options)


def text(tag: str, value: str) -> Call:
    return Call("add_text", (tag, value), {(".", f"{tag}/text_summary"): (value,)})


NUMBERS: list[Any] = [0.5, -1 / 3, 7, True, math.nan, math.inf, -math.inf, 1e300, -1e300, 1e-40, 2**24 + 1, "1.5"]
NUMBERS += [np.float64(0.1), np.float16(0.1), np.int64(-3), np.bool_(True), np.array([[2.5]])]
NESTED = {"loss": 0.1, "rollout": {"len": 512, "deep": {"nan": math.nan}}, "name": "no number", "none": None}

CALLS = [
    *(scalar(f"old/{i}", value) for i, value in enumerate(NUMBERS)),
    *(scalar(f"new/{i}", value, new_style=True) for i, value in enumerate(NUMBERS)),
    scalar("single after all", 0.1, double_precision=True),
    Call("add_scalar", ("masked", np.ma.array([3.0], mask=[True])), {(".", "masked"): math.nan}),
    scalar("", 1),
    scalar("häß tag/日本\n\0<b>", 1),
    Call("add_scalars", ("r/s", {"a": 1, "b/c": math.inf}), {("r_s_a", "r/s"): 1.0, ("r_s_b/c", "r/s"): math.inf}),
    text("note", "# häß\n\n*日本* <b>&amp;"),
    text("empty", ""),
    text("long", "ß" * 300_000),
    Call(
        "add_text",
        ("table", [["a", 1], ["b", None]]),
        {(".", "table/text_summary"): ("| k | v |\n| --- | --- |\n| a | 1 |\n| b | None |",)},
        {"header": ["k", "v"]},
    ),
    Call(
        "log",
        (NESTED,),
        {(".", "loss"): float32(0.1), (".", "rollout/len"): 512.0, (".", "rollout/deep/nan"): math.nan},
    ),
]
STEPS = [-(2**63), -1, 0, 2**53 + 1, 2**63 - 1]


def each(writer: object) -> Iterable[Any]:
    """Make every call at every step, and give what it returns."""
    for step in STEPS:
        for number, (method, args, _, options) in enumerate(CALLS):
            yield getattr(writer, method)(*args, step, T + number, **options)


def expected() -> Series:
    series: Series = {}
    for number, call in enumerate(CALLS):
        for (run, tag), value in call.values.items():
            series.setdefault(run, {})[tag] = [Point(step, T + number, value) for step in STEPS]
    return series


def test_what_is_awaited_is_shown(tmp_path: Path, run: Run) -> None:
    """Every kind of add that is awaited, and every value and step, is shown by both readers exactly as it was given."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            for coroutine in each(writer):
                assert await coroutine is None

    run(main())
    assert_same_in_both(tmp_path, expected())


def test_what_is_not_waited_for_is_shown(tmp_path: Path, run: Run) -> None:
    """The same calls through `nowait`, the first half of them before a file is open, show the same."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        for number, accepted in enumerate(each(writer.nowait)):
            assert accepted is True
            if number == len(CALLS) * len(STEPS) // 2:
                assert os.listdir(tmp_path) == []
                await writer.flush()
        await writer.close()

    run(main())
    assert_same_in_both(tmp_path, expected())


def test_what_a_script_logs_is_shown(tmp_path: Path) -> None:
    """The same calls from a plain script show the same."""
    with SummaryWriter(tmp_path) as writer:
        assert set(each(writer)) == {None}
    assert_same_in_both(tmp_path, expected())


def test_double_precision_is_shown_by_the_python_loader_only(tmp_path: Path) -> None:
    """Of a scalar in double precision the Python loader shows every bit; the default one lists it without a point."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 0.1, 1, T, new_style=True, double_precision=True)
    assert python_loader.load(tmp_path) == {".": {"x": [Point(1, T, 0.1)]}}
    assert rust_server.load(tmp_path) == {".": {"x": []}}


def test_without_step_and_wall_time(tmp_path: Path, run: Run) -> None:
    """Without steps a loop draws a curve, `log` goes on behind its furthest tag, and the wall time is the call's."""
    asked = []

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            for i in range(3):
                asked.append(time.time())
                await writer.add_scalar("x", i)
                await writer.add_scalars("xs", {"a": i})
                await writer.add_text("t", str(i))
            await writer.log({"x": 3, "y": 3})
            late = writer.add_scalar("late", 0)
            asked.append(time.time())
            await asyncio.sleep(0.05)
            await late

    run(main())
    series = shown(tmp_path)
    values = {(run, tag): [(p.step, p.value) for p in points] for run in series for tag, points in series[run].items()}
    assert values == {
        (".", "x"): [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)],
        (".", "y"): [(3, 3.0)],
        (".", "t/text_summary"): [(0, ("0",)), (1, ("1",)), (2, ("2",))],
        (".", "late"): [(0, 0.0)],
        ("xs_a", "xs"): [(0, 0.0), (1, 1.0), (2, 2.0)],
    }
    walls = [point.wall_time for point in series["."]["x"]]
    assert asked[0] <= walls[0] <= asked[1] <= walls[1] <= asked[2] <= walls[2] <= walls[3]
    assert series["."]["late"][0].wall_time <= asked[3]


# Many at once

WORKERS = 100
EACH = 20


def assert_all_of_all(logdir: Path, workers: int, each: int) -> None:
    """Every worker's own tag is whole, and so is the shared one, in which each worker's points keep their order."""
    series = shown(logdir)["."]
    everything = series.pop("everything")
    assert steps(everything) == list(range(workers * each))
    for worker in range(workers):
        mine = [float(worker * each + i) for i in range(each)]
        assert [(p.step, p.value) for p in series.pop(f"own/{worker}")] == list(
            zip(range(1, each + 1), mine, strict=True)
        )
        assert [p.value for p in everything if p.value in mine] == mine
    assert not series


def test_a_hundred_tasks_on_one_writer(tmp_path: Path, run: Run) -> None:
    """Of 100 concurrent tasks on one writer, each with a tag of its own and one for all, no point is missing."""

    async def log(writer: AsyncSummaryWriter, worker: int) -> None:
        for i in range(EACH):
            await writer.add_scalar(f"own/{worker}", worker * EACH + i, i + 1)
            await writer.add_scalar("everything", worker * EACH + i)
            await asyncio.sleep(0)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer, asyncio.TaskGroup() as group:
            for worker in range(WORKERS):
                group.create_task(log(writer, worker))

    run(main())
    assert_all_of_all(tmp_path, WORKERS, EACH)


def test_eight_threads_on_one_writer(tmp_path: Path) -> None:
    """Of 8 threads on one SummaryWriter, each with a tag of its own and one for all, no point is missing."""
    begin = threading.Barrier(8)

    def log(writer: SummaryWriter, worker: int) -> None:
        begin.wait(10)
        for i in range(250):
            writer.add_scalar(f"own/{worker}", worker * 250 + i, i + 1)
            writer.add_scalar("everything", worker * 250 + i)

    with SummaryWriter(tmp_path) as writer:
        threads = [threading.Thread(target=log, args=(writer, worker)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert_all_of_all(tmp_path, 8, 250)


# Several files of one run


def test_writers_one_after_another(tmp_path: Path, run: Run) -> None:
    """Writers that follow each other closely in one directory make one curve, in their order."""

    async def main(step: int) -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_scalar("x", step, step, T)

    for step in range(12):  # among so many in a second are numbers whose text does not sort behind the one before
        run(main(step))
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 12, 12, T)
        writer.close()
        writer.add_scalar("x", 13, 13, T)
    assert len(list(tmp_path.iterdir())) == 14
    assert_same_in_both(tmp_path, {".": {"x": [(step, T, float(step)) for step in range(14)]}})


def test_writers_side_by_side(tmp_path: Path, run: Run) -> None:
    """Two writers in one directory at one time, each with tags of its own, do not disturb each other."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as one, AsyncSummaryWriter(tmp_path) as other:
            for step in range(50):
                await one.add_scalar("one", step, step, T)
                await other.add_scalar("other", -step, step, T)

    run(main())
    points = {"one": [(i, T, float(i)) for i in range(50)], "other": [(i, T, float(-i)) for i in range(50)]}
    assert_same_in_both(tmp_path, {".": points})


# A run that is resumed


def resumed(logdir: Path) -> None:
    with SummaryWriter(logdir) as writer:
        for step in range(10):
            writer.log({"a": step, "b": step}, step, T)
            writer.add_scalars("s", {"k": step}, step, T)


def curve(*numbers: int) -> list[Point]:
    return [Point(number, T, float(number)) for number in numbers]


def test_purge_step_before_anything_new(tmp_path: Path) -> None:
    """Once a run is resumed, the Python loader shows nothing of it from there on; the default one shows all still."""
    resumed(tmp_path)
    SummaryWriter(tmp_path, purge_step=5).close()
    sub_run = {"s_k": {"s": curve(*range(10))}}
    assert python_loader.load(tmp_path) == {".": {"a": curve(*range(5)), "b": curve(*range(5))}, **sub_run}
    assert rust_server.load(tmp_path) == {".": {"a": curve(*range(10)), "b": curve(*range(10))}, **sub_run}


def test_purge_step_with_new_points(tmp_path: Path) -> None:
    """The default loader gives up old points tag by tag, as new ones come; each sub-run is purged when it goes on."""
    resumed(tmp_path)
    with SummaryWriter(tmp_path, purge_step=5) as writer:
        writer.add_scalar("a", 7, 7, T)
        writer.add_scalar("new", 5, walltime=T)  # without a step it begins where the run is resumed
        writer.add_scalars("s", {"k": 6}, 6, T)
    sub_run = {"s_k": {"s": curve(0, 1, 2, 3, 4, 6)}}
    sub_run_of_all = {"s_k": {"s": curve(0, 1, 2, 3, 4, 5, 6)}}
    python = {".": {"a": curve(0, 1, 2, 3, 4, 7), "b": curve(*range(5)), "new": curve(5)}, **sub_run}
    rust = {".": {"a": curve(*range(7), 7), "b": curve(*range(10)), "new": curve(5)}, **sub_run_of_all}
    assert python_loader.load(tmp_path) == python
    assert rust_server.load(tmp_path) == rust


# An example


def points_in(events: Iterable["Event"]) -> dict[str, list[Point]]:
    """The points that are in a run's events, read by the format alone."""
    points: dict[str, list[Point]] = {}
    for event in events:
        for value in event.summary.value:
            texts = tuple(text.decode() for text in value.tensor.string_val)
            shown = texts if value.HasField("tensor") else value.simple_value
            points.setdefault(value.tag, []).append(Point(event.step, event.wall_time, shown))
    return points


def test_quickstart(tmp_path: Path) -> None:
    """What both readers show of an asynchronous RL run is what is in its file, and as many events as it says."""
    out = examples.run("quickstart.py", *examples.OPTIONS["quickstart.py"], "--log-dir", "run", cwd=tmp_path)
    events = {run: list(events) for run, events in run_events(tmp_path / "run").items()}
    series = {run: points_in(found) for run, found in events.items()}
    assert shown(tmp_path / "run") == series
    told = re.search(r"(\d+) events written and (\d+) dropped", out)
    assert told is not None
    assert [int(number) for number in told.groups()] == [len(events["."]) - 1, 0]  # the first one opens the file
    assert {tag.partition("/")[0] for tag in series["."]} == {"episode", "learner", "queue"}
