"""Rule 2: what you pass is yours again when the add returns; scalars, text and the wall time are taken at the call."""

import asyncio
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asynctb import AsyncSummaryWriter, EncodeError, SummaryWriter
from tests.contract.disk import Disk
from tests.contract.heavy import LARGE, Heavy
from tests.contract.seen import points
from tests.readback.events import run_events


def change_all(adds: Any) -> list[Any]:
    """Call each method with something that can change, change it, and return what the calls gave back."""
    given: list[Any] = []
    metrics: dict[str, Any] = {"b": 1.0, "deep": {"c": 1.0}}
    curves = {"k": 1.0}
    array = np.array([1.0])
    step = np.array(7)
    cells = ["cell"]
    rows, header = [cells], ["head"]
    walltime = np.array([10.0])
    given.append(adds.log(metrics, step, walltime))
    given.append(adds.add_scalars("d", curves, step, walltime))
    given.append(adds.add_scalar("a", array, step, walltime))
    given.append(adds.add_text("t", rows, step, walltime, header=header))
    metrics["deep"]["c"] = metrics["b"] = metrics["new"] = curves["k"] = curves["new"] = 2.0
    array[0], step[()], walltime[0] = 2.0, 8, 20.0
    cells[0] = header[0] = "changed"
    rows.append(["new"])
    return given


def assert_unchanged(log_dir: Path) -> None:
    table = "| head |\n| --- |\n| cell |"
    assert points(log_dir) == [("b", 7, 1.0), ("deep/c", 7, 1.0), ("a", 7, 1.0), ("t/text_summary", 7, table)]
    assert points(log_dir, "d_k") == [("d", 7, 1.0)]
    runs = run_events(log_dir)
    assert sorted(runs) == [".", "d_k"]
    assert {event.wall_time for events in runs.values() for event in events if event.HasField("summary")} == {10.0}


def test_awaited(tmp_path: Path) -> None:
    """What was given to an awaited add may change as soon as the coroutine is made, before anything is awaited."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            for coroutine in change_all(writer):
                await coroutine

    asyncio.run(main())
    assert_unchanged(tmp_path)


def test_awaited_in_line(tmp_path: Path, disk: Disk) -> None:
    """What was given to an add that waits for room is stored as it was at the call."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=300) as writer:
            disk.under(writer)
            disk.hold()
            await writer.add_scalar("first", 0.0, 0)
            tasks = [asyncio.ensure_future(coroutine) for coroutine in change_all(writer)]
            await asyncio.sleep(0)
            assert writer._pipeline.backlog.waiting
            disk.release()
            await asyncio.gather(*tasks)
            await writer.flush()
            assert points(tmp_path)[0] == ("first", 0, 0.0)

    asyncio.run(main())
    assert [point.value for point in points(tmp_path)][1:4] == [1.0, 1.0, 1.0]
    assert points(tmp_path, "d_k") == [("d", 7, 1.0)]


def test_nowait(tmp_path: Path) -> None:
    """What was given to `nowait` may change at once, even while no file is open yet."""
    writer = AsyncSummaryWriter(tmp_path)
    assert change_all(writer.nowait) == [True] * 4
    asyncio.run(writer.close())
    assert_unchanged(tmp_path)


def test_summary_writer(tmp_path: Path, disk: Disk) -> None:
    """What was given to a SummaryWriter may change at once, even while the disk is held up."""
    with SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        disk.hold()
        change_all(writer)
        disk.release()
    assert_unchanged(tmp_path)


def test_tensors(tmp_path: Path) -> None:
    """A tensor may be changed in place as soon as the add returned, with gradient or without."""
    torch = pytest.importorskip("torch")
    tensor, leaf = torch.tensor([1.0]), torch.tensor(1.0, requires_grad=True)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            made = [writer.log({"a": tensor, "b": leaf}), writer.nowait.log({"c": tensor, "d": leaf})]
            tensor.zero_()
            with torch.no_grad():
                leaf.zero_()
            await made[0]

    asyncio.run(main())
    assert [point.value for point in points(tmp_path)] == [1.0] * 4


@pytest.mark.parametrize("size", [1000, LARGE], ids=["small", "large"])
def test_a_heavy_value_is_taken_before_the_await_completes(size: int, tmp_path: Path) -> None:
    """A heavy value may change once its await completed, though it is encoded only later."""
    numbers = [1.0]
    heavy = Heavy(numbers=numbers, size=size)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer._accept("add_heavy", [heavy.draft], 0, 0.0)
            numbers[0] = 2.0
            heavy.may_encode.set()

    asyncio.run(main())
    assert points(tmp_path) == [("heavy", 0, 1.0)]


@pytest.mark.parametrize("size", [1000, LARGE], ids=["small", "large"])
def test_a_heavy_value_is_taken_in_place(size: int, tmp_path: Path) -> None:
    """A heavy value may change once `nowait` or a SummaryWriter's add returned, though it is encoded only later."""
    numbers = [1.0]
    heavies = [Heavy(numbers=numbers, size=size) for _ in range(2)]
    with SummaryWriter(tmp_path) as writer:
        writer._store("add_heavy", [heavies[0].draft], 0, 0.0)
        assert writer._pipeline.offer_now("add_heavy", [heavies[1].draft], 1, 0.0)
        numbers[0] = 2.0
        for heavy in heavies:
            heavy.may_encode.set()
    assert points(tmp_path) == [("heavy", 0, 1.0), ("heavy", 1, 1.0)]


def test_a_heavy_value_that_is_bad_leaves_its_place_empty(tmp_path: Path) -> None:
    """A heavy value that turns out bad when it is taken raises from its add, and the entries behind it go on."""

    def take() -> Any:
        raise EncodeError("heavy", "something else", 1)

    bad = Heavy().draft._replace(take=take)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            for size in (1000, LARGE):
                await writer.add_scalar("a", 1.0)
                with pytest.raises(EncodeError):
                    await writer._accept("add_heavy", [bad._replace(size=size)], 0, 0.0)
                with pytest.raises(EncodeError):
                    writer._pipeline.offer_now("add_heavy", [bad._replace(size=size)], 0, 0.0)
            await writer.flush()
            assert (writer.stats.accepted, writer.stats.written, writer.stats.pending) == (2, 2, 0)

    asyncio.run(main())
    assert points(tmp_path) == [("a", 0, 1.0), ("a", 1, 1.0)]


def wall_times(log_dir: Path) -> list[float]:
    return [event.wall_time for event in run_events(log_dir)["."] if event.HasField("summary")]


def test_wall_time_is_the_calls(tmp_path: Path, disk: Disk) -> None:
    """The wall time of an add that waits, to be awaited or for room, is that of its call."""

    async def main() -> list[tuple[float, float]]:
        async with AsyncSummaryWriter(tmp_path, max_bytes=100) as writer:
            disk.under(writer)
            disk.hold()
            calls, coroutines = [], []
            for value in range(3):
                before = time.time()
                coroutines.append(writer.add_scalar("a", value))
                calls.append((before, time.time()))
                await asyncio.sleep(0.01)
            tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
            await asyncio.sleep(0.01)
            disk.release()
            await asyncio.gather(*tasks)
            return calls

    calls = asyncio.run(main())
    got = wall_times(tmp_path)
    assert len(got) == len(calls)
    assert all(before <= wall_time <= after for wall_time, (before, after) in zip(got, calls, strict=True))


def test_wall_time_is_the_calls_elsewhere(tmp_path: Path, disk: Disk) -> None:
    """The wall time of `nowait` and of SummaryWriter's adds is that of their call, however late they are written."""
    calls = []
    with SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        disk.hold()
        for value in range(3):
            before = time.time()
            writer.add_scalar("a", value)
            calls.append((before, time.time()))
            time.sleep(0.01)
        disk.release()
    got = wall_times(tmp_path)
    assert len(got) == len(calls)
    assert all(before <= wall_time <= after for wall_time, (before, after) in zip(got, calls, strict=True))


def test_given_wall_times_are_kept(tmp_path: Path) -> None:
    """A wall time that is given stands in the file to the last bit, zero and negative ones too."""
    given = [0.0, -1.5, 1e-300, 1700000000.123456, 1e300]
    with SummaryWriter(tmp_path) as writer:
        for wall_time in given:
            writer.add_scalar("a", 1.0, walltime=wall_time)
    assert wall_times(tmp_path) == given
