"""Rules 2 and 4: where a heavy value is taken from its caller, and who waits for it."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, EncodeError, SummaryWriter
from asynctb.encode.scalar import scalar
from asynctb.entry import Draft, Encode
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.turns import ThreadTurn
from tests.contract.conftest import Run
from tests.contract.disk import Disk
from tests.contract.heavy import LARGE, TOO_LONG
from tests.contract.seen import eventually, points


class Value:
    """A heavy value that remembers which threads took it, and were told when it was taken."""

    def __init__(self, error: EncodeError | None = None, **traits: Any) -> None:
        self.took: list[str] = []
        self.told: list[str] = []
        self.may_take = threading.Event()
        self.may_take.set()
        self.error = error
        traits = {"size": 1000, **traits}
        self.draft = Draft(("v",), traits.pop("size"), self._take, "scalars", taken=self._taken, **traits)

    def _take(self) -> Encode:
        assert self.may_take.wait(TOO_LONG)
        self.took.append(threading.current_thread().name)
        if self.error:
            raise self.error
        return lambda: scalar("v", 1.0).what

    def _taken(self) -> None:
        assert self.took
        self.told.append(threading.current_thread().name)


HERE = threading.main_thread().name


@pytest.mark.parametrize(
    ("traits", "thread"),
    [({}, HERE), ({"size": LARGE}, "asynctb-copy"), ({"far": True}, "asynctb-copy"), ({"slow": True}, "asynctb-draw")],
    ids=["small", "large", "far", "slow"],
)
def test_awaited_values_are_taken_where_the_loop_is_not_held(
    traits: dict[str, Any], thread: str, run: Run, tmp_path: Path
) -> None:
    """Only what is small and near is taken on the loop; the caller's thread is told in any case."""
    value = Value(**traits)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer._accept("add_value", [value.draft], 0, 0.0)
            assert value.told == [HERE]

    run(main())
    assert value.took == [thread]
    assert points(tmp_path) == [("v", 0, 1.0)]


@pytest.mark.parametrize("traits", [{}, {"size": LARGE}, {"far": True}, {"slow": True}], ids=str)
def test_other_values_are_taken_in_place(traits: dict[str, Any], tmp_path: Path) -> None:
    """`SummaryWriter` and `nowait` take everything on their caller's thread, and tell it there."""
    values = [Value(**traits), Value(**traits)]
    with SummaryWriter(tmp_path) as writer:
        writer._store("add_value", [values[0].draft], 0, 0.0)
        assert writer._pipeline.offer_now("add_value", [values[1].draft], 1, 0.0)
        assert [(value.took, value.told) for value in values] == [([HERE], [HERE])] * 2


@pytest.mark.parametrize("first", [{"slow": True}, {"size": LARGE}], ids=["slow", "large"])
def test_a_slow_value_holds_up_no_copy(first: dict[str, Any], run: Run, tmp_path: Path) -> None:
    """An add of a large array completes while somebody's figure is still being drawn; behind an array it waits."""
    held_up, other = Value(**first), Value(size=LARGE)
    held_up.may_take.clear()

    async def main() -> bool:
        async with AsyncSummaryWriter(tmp_path) as writer:
            slow = asyncio.create_task(writer._accept("add_value", [held_up.draft], 0, 0.0))
            await asyncio.sleep(0)
            quick = asyncio.create_task(writer._accept("add_value", [other.draft], 1, 0.0))
            done, _ = await asyncio.wait({quick}, timeout=0.2 if "size" in first else TOO_LONG)
            held_up.may_take.set()
            await asyncio.gather(slow, quick)
            return bool(done)

    assert run(main()) is ("slow" in first)
    assert points(tmp_path) == [("v", 0, 1.0), ("v", 1, 1.0)]


@pytest.mark.parametrize("traits", [{}, {"size": LARGE}, {"slow": True}], ids=str)
def test_nobody_is_told_of_a_value_that_was_not_taken(traits: dict[str, Any], run: Run, tmp_path: Path) -> None:
    """What cannot be taken raises from the await, is not stored, and its caller's figure is not closed."""
    bad = EncodeError("v", "a number", None)
    value = Value(bad, **traits)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            with pytest.raises(EncodeError) as caught:
                await writer._accept("add_value", [value.draft], 0, 0.0)
            assert caught.value is bad
            await writer.add_scalar("a", 1.0, 0)

    run(main())
    assert value.told == []
    assert points(tmp_path) == [("a", 0, 1.0)]


def fail() -> None:
    """Stand for a window system that is not there."""
    raise RuntimeError("no display")


@pytest.mark.parametrize("how", ["await", "sync"])
def test_a_failure_to_tell_is_the_callers(how: str, tmp_path: Path) -> None:
    """An error of what the caller's thread does afterwards reaches the caller; the value is stored."""
    value = Value()
    draft = value.draft._replace(taken=fail)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer._accept("add_value", [draft], 0, 0.0)

    calls: dict[str, Callable[[], object]] = {
        "await": lambda: asyncio.run(main()),
        "sync": lambda: SummaryWriter(tmp_path)._store("add_value", [draft], 0, 0.0),
    }
    with pytest.raises(RuntimeError, match="no display"):
        calls[how]()


def test_a_value_that_was_let_in_is_taken_whenever_its_thread_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread in line looks by itself now and then; it sees that it was let in no sooner than what it has to take."""
    looks: list[float] = []
    accept, wait = Backlog._accept, ThreadTurn.wait

    def look(turn: ThreadTurn, timeout: float) -> None:
        looks.append(timeout)
        wait(turn, 0.001)

    def accept_late(backlog: Backlog, *add: Any) -> Any:
        if threading.current_thread().name == "asynctb-file":
            seen = len(looks)
            assert eventually(lambda: len(looks) > seen + 2 or not adding.is_alive(), TOO_LONG)
        return accept(backlog, *add)

    monkeypatch.setattr(ThreadTurn, "wait", look)
    monkeypatch.setattr(Backlog, "_accept", accept_late)
    disk, value = Disk(), Value()
    with SummaryWriter(tmp_path, max_bytes=1) as writer:
        disk.under(writer)
        held = disk.hold()
        writer.add_scalar("a", 1.0)
        assert held.wait(TOO_LONG)
        adding = threading.Thread(target=writer._store, args=("add_value", [value.draft], 0, 0.0), daemon=True)
        adding.start()
        assert eventually(lambda: looks, TOO_LONG)
        disk.release()
        adding.join(TOO_LONG)
        writer.flush()
        assert (writer.stats.written, len(value.took)) == (2, 1)
    assert {point.tag for point in points(tmp_path)} == {"a", "v"}
