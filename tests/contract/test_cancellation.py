"""Rule 9: cancellation is clean: an add was accepted or not, never half, and a cancelled close leaves a whole file."""

import asyncio
import errno
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import chain, count, repeat
from pathlib import Path
from typing import Any

import anyio
import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.daemon import DaemonExecutor
from asynctb.encode.scalar import scalar
from asynctb.entry import wire_size
from asynctb.pipeline.crew import Crew
from tests.contract.disk import Disk
from tests.contract.heavy import LARGE, Heavy
from tests.contract.interrupt import Moment, ends, interrupt
from tests.contract.seen import comes, event_files, eventually, points, steps, steps_so_far

Run = Callable[[Coroutine[Any, Any, Any]], Any]

COST = wire_size(scalar("a", 1.0))  # bytes of the bound that a point of tag "a" takes


def assert_clean(got: list[int], returned: set[int]) -> None:
    """All that returned is there; nothing is twice; what is there is in order."""
    assert returned <= set(got)
    assert got == sorted(set(got))


@pytest.mark.parametrize("seed", range(3))
def test_random_cancels_of_adds(seed: int, run: Run, tmp_path: Path) -> None:
    """Of adds cancelled at random moments, what returned is stored, nothing is twice, and the order is kept."""
    chance = random.Random(seed)
    returned: set[int] = set()
    tried = 400

    async def add(writer: AsyncSummaryWriter, step: int) -> None:
        await writer.add_scalar("a", 1.0, step)
        returned.add(step)

    async def main() -> int:
        async with AsyncSummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
            tasks: list[asyncio.Task[None]] = []
            for step in range(tried):
                tasks.append(asyncio.create_task(add(writer, step)))
                if chance.random() < 0.3:
                    await asyncio.sleep(0 if chance.random() < 0.8 else 0.001)
                if chance.random() < 0.6:
                    chance.choice(tasks[-10:]).cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert all(task.cancelled() or task.exception() is None for task in tasks)
            await writer.flush()
            assert (writer.stats.pending, writer.stats.pending_bytes) == (0, 0)
            assert not writer._pipeline.backlog.waiting
            return writer.stats.accepted

    accepted = run(main())
    assert 0 < len(returned) < tried
    got = steps(tmp_path)
    assert len(got) == accepted
    assert_clean(got, returned)


@pytest.mark.parametrize("seed", range(3))
def test_random_cancels_of_heavy_adds(seed: int, run: Run, tmp_path: Path) -> None:
    """Heavy adds cancelled while they wait, are copied or encoded leave no hole, and hold up nobody."""
    chance = random.Random(seed)
    returned: set[int] = set()

    async def add(writer: AsyncSummaryWriter, step: int) -> None:
        heavy = Heavy("a", size=LARGE if step % 2 else 1000)
        heavy.may_encode.set()
        await writer._accept("add_heavy", [heavy.draft], step, 0.0)
        returned.add(step)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=2 * LARGE) as writer:
            tasks: list[asyncio.Task[None]] = []
            for step in range(300):
                tasks.append(asyncio.create_task(add(writer, step)))
                if chance.random() < 0.3:
                    await asyncio.sleep(0 if chance.random() < 0.5 else 0.001)
                if chance.random() < 0.5:
                    chance.choice(tasks[-5:]).cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await writer.flush(timeout=20)
            assert (writer.stats.pending, writer.stats.pending_bytes) == (0, 0)
            assert writer.stats.accepted == writer.stats.written

    run(main())
    assert returned
    assert_clean(steps(tmp_path), returned)


def test_a_cancelled_copy_is_not_stored(run: Run, tmp_path: Path) -> None:
    """An add that is cancelled while its value is being copied stores nothing, and those behind it go on."""
    heavy = Heavy("heavy", size=LARGE)
    heavy.may_take.clear()
    heavy.may_encode.set()

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            task = asyncio.create_task(writer._accept("add_heavy", [heavy.draft], 0, 0.0))
            assert await comes(heavy.taking.is_set)
            await writer.add_scalar("a", 1.0, 0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(writer.flush(), 5)
            heavy.may_take.set()
            await writer.add_scalar("a", 1.0, 1)

    run(main())
    assert [point.tag for point in points(tmp_path)] == ["a", "a"]


@pytest.mark.parametrize("seed", range(3))
def test_random_cancels_of_flushes(seed: int, run: Run, tmp_path: Path) -> None:
    """Flushes cancelled at random moments harm neither entries nor other flushes."""
    chance = random.Random(seed)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=50 * COST) as writer:
            flushes: list[asyncio.Task[None]] = []
            for step in range(400):
                await writer.add_scalar("a", 1.0, step)
                flushes.append(asyncio.create_task(writer.flush(sync=chance.random() < 0.2)))
                if chance.random() < 0.3:
                    await asyncio.sleep(0 if chance.random() < 0.8 else 0.001)
                if chance.random() < 0.8:
                    chance.choice(flushes[-3:]).cancel()
            done = await asyncio.wait_for(asyncio.gather(*flushes, return_exceptions=True), 20)
            assert {type(each) for each in done} == {type(None), asyncio.CancelledError}
            await writer.flush()
            assert writer.stats.written == 400

    run(main())
    assert steps(tmp_path) == list(range(400))


def test_a_flush_beside_a_cancelled_one(run: Run, tmp_path: Path, disk: Disk) -> None:
    """Of two flushes that wait for the same write, one may be cancelled and the other returns when it is done."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            disk.hold()
            await writer.add_scalar("a", 1.0, 0)
            first, second = (asyncio.create_task(writer.flush()) for _ in range(2))
            await asyncio.sleep(0.01)
            first.cancel()
            await asyncio.sleep(0.01)
            assert (first.cancelled(), second.done()) == (True, False)
            disk.release()
            await asyncio.wait_for(second, 5)
            assert writer.stats.pending == 0

    run(main())


@pytest.mark.parametrize("turns", [*range(12), 30])
def test_a_cancelled_close(turns: int, run: Run, tmp_path: Path) -> None:
    """A `close()` that is cancelled at any of its steps leaves a whole file with everything accepted."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        for step in range(500):
            await writer.add_scalar("a", 1.0, step)
        assert writer.nowait.add_text("t", "\u00e9" * 300_000)  # which is still being encoded
        closing = asyncio.create_task(writer.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait({closing})
        await writer.close()

    run(main())
    assert eventually(lambda: steps_so_far(tmp_path, "t/text_summary") == [0])
    assert steps(tmp_path) == list(range(500))
    assert len(event_files(tmp_path)) == 1


def test_a_close_after_a_cancelled_one(run: Run, tmp_path: Path, disk: Disk) -> None:
    """A `close()` after a cancelled one returns when everything accepted is in the file."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        await writer.add_scalar("a", 1.0, 0)
        await writer.flush()
        disk.under(writer)
        held = disk.hold()
        await writer.add_scalar("a", 1.0, 1)
        closing = asyncio.create_task(writer.close())
        assert await comes(held.is_set)
        closing.cancel()
        await asyncio.wait({closing})
        asyncio.get_running_loop().call_later(0.1, disk.release)
        await writer.close()
        assert steps_so_far(tmp_path) == [0, 1]

    run(main())


@pytest.mark.parametrize("turns", [0, 1, 5])
def test_a_cancelled_close_before_opening(turns: int, run: Run, tmp_path: Path) -> None:
    """A `close()` that is cancelled while it opens the file loses nothing that `nowait` took in before."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        for step in range(100):
            assert writer.nowait.add_scalar("a", 1.0, step)
        closing = asyncio.create_task(writer.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait({closing})
        await writer.close()

    run(main())
    assert eventually(lambda: len(steps_so_far(tmp_path)) == 100)
    assert steps(tmp_path) == list(range(100))


def test_a_cancelled_close_at_the_end_of_the_loop(run: Run, tmp_path: Path, disk: Disk) -> None:
    """A `close()` that is cancelled with its loop, while the disk is slow, leaves everything accepted."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        async with writer:
            disk.under(writer)
            held = disk.hold()
            for step in range(500):
                await writer.add_scalar("a", 1.0, step)
            asyncio.get_running_loop().call_later(0.3, disk.release)
            closing = asyncio.create_task(writer.close())
            assert await comes(held.is_set)
            closing.cancel()
            raise KeyError

    with pytest.raises(KeyError):
        run(main())
    disk.release()
    assert eventually(lambda: len(steps_so_far(tmp_path)) == 500)
    assert steps(tmp_path) == list(range(500))


def test_a_close_under_anyios_cancellation(run: Run, tmp_path: Path) -> None:
    """A `close()` inside a cancelled anyio scope completes: everything accepted is in the file when it is left."""

    async def main() -> None:
        with anyio.CancelScope() as scope:
            async with AsyncSummaryWriter(tmp_path) as writer:
                for step in range(500):
                    await writer.add_scalar("a", 1.0, step)
                scope.cancel()
                await anyio.sleep(1)
        assert steps(tmp_path) == list(range(500))

    run(main())


def test_a_cancelled_block(run: Run, tmp_path: Path) -> None:
    """A task that is cancelled inside its `async with` leaves everything that it had added."""

    writer = AsyncSummaryWriter(tmp_path)

    async def work() -> None:
        async with writer:
            for step in range(10**9):
                await writer.add_scalar("a", 1.0, step)

    async def main() -> None:
        task = asyncio.create_task(work())
        assert await comes(lambda: writer.stats.accepted > 500)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert writer.stats.accepted > 500
    assert steps(tmp_path) == list(range(writer.stats.accepted))


def test_a_timeout_around_an_add(run: Run, tmp_path: Path, disk: Disk) -> None:
    """An add that a timeout ends while it waits for room is not stored, and its room is given back."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=COST) as writer:
            disk.under(writer)
            disk.hold()
            await writer.add_scalar("a", 1.0, 0)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(writer.add_scalar("a", 1.0, 1), 0.05)
            disk.release()
            await writer.add_scalar("a", 1.0, 2)
            assert writer.stats.accepted == 2

    run(main())
    assert steps(tmp_path) == [0, 2]


def test_a_cancelled_opening(run: Run, tmp_path: Path, disk: Disk) -> None:
    """An add or an `__aenter__` that is cancelled while the file is being opened spoils it for nobody else."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        disk.under(writer)
        held = disk.hold("create")
        tasks = [asyncio.create_task(writer.add_scalar("a", 1.0, step)) for step in range(3)]
        entering = asyncio.create_task(writer.__aenter__())
        assert await comes(held.is_set)
        tasks[0].cancel()
        entering.cancel()
        await asyncio.sleep(0)
        disk.release()
        await asyncio.gather(*tasks[1:])
        await writer.close()

    run(main())
    assert steps(tmp_path) == [1, 2]


def test_a_write_in_flight_is_not_repeated(run: Run, tmp_path: Path, disk: Disk) -> None:
    """A loop that ends while a write is in flight neither loses that write's entries nor stores them twice."""

    async def fill(writer: AsyncSummaryWriter) -> None:
        await writer.flush()
        disk.under(writer)
        held = disk.hold()
        for step in range(100):
            await writer.add_scalar("a", 1.0, step)
        assert await comes(held.is_set)
        for step in range(100, 200):
            await writer.add_scalar("a", 1.0, step)
        asyncio.get_running_loop().call_soon(disk.release)

    async def main(writer: AsyncSummaryWriter) -> None:
        async with writer:
            await writer.add_scalar("a", 1.0, 200)

    writer = AsyncSummaryWriter(tmp_path)
    run(fill(writer))
    assert steps(tmp_path) == list(range(200))
    run(main(writer))
    assert steps(tmp_path) == list(range(201))


def test_a_cancelled_close_on_a_failing_disk(run: Run, tmp_path: Path, disk: Disk) -> None:
    """A cancelled `close()` whose disk fails and heals leaves readable files, and counts as written what they hold."""
    heavy = Heavy("a")

    async def main() -> AsyncSummaryWriter:
        writer = AsyncSummaryWriter(tmp_path, max_bytes=100 * COST)
        await writer.add_scalar("a", 1.0, 0)
        await writer.flush()
        disk.under(writer)
        disk.most = 10
        disk.fail(errno.ENOSPC, errors=chain([None], repeat(OSError(errno.ENOSPC, "full"))))
        for step in range(1, 10):
            await writer.add_scalar("a", 1.0, step)
        assert await comes(lambda: disk.calls["write_at"] >= 2)
        await writer._accept("add_heavy", [heavy.draft], 10, 0.0)
        for step in range(11, 20):
            await writer.add_scalar("a", 1.0, step)
        closing = asyncio.create_task(writer.close())
        await asyncio.sleep(0.02)
        closing.cancel()
        await asyncio.wait({closing})
        await asyncio.sleep(0.1)
        disk.heal()
        heavy.may_encode.set()
        await asyncio.sleep(1)  # more than the longest pause between two tries
        return writer

    writer = run(main())
    got = steps_so_far(tmp_path)  # a full disk leaves a torn record at the end
    assert got == sorted(set(got))
    assert len(got) == writer.stats.written
    assert len(got) + writer.stats.pending == 20


ACTS: dict[str, Callable[[SummaryWriter, int], object]] = {
    "add": lambda writer, number: writer.add_scalar("a", 1.0, number),
    "add where there is no room": lambda writer, number: [
        writer.add_scalar("a", 1.0, number + n / 10) for n in range(9)
    ],
    "add long text": lambda writer, number: writer.add_text("t", "\u00e9" * 300_000, number),
    "flush": lambda writer, number: (writer.add_scalar("a", 1.0, number), writer.flush()),
}


@pytest.fixture
def own_encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have threads that no other test uses, and none of them begun."""
    monkeypatch.setattr("asynctb.pipeline.encoders._crew", Crew(2))
    monkeypatch.setattr("asynctb.pipeline.encoders._copier", DaemonExecutor("asynctb-copy"))


@pytest.mark.usefixtures("own_encoders")
@pytest.mark.parametrize("name", ACTS)
def test_a_keyboard_interrupt_strikes_anywhere(name: str, tmp_path: Path) -> None:
    """Ctrl-C at any moment of a SummaryWriter's call leaves it whole: what was accepted is stored, and it goes on."""

    def strike() -> None:
        raise KeyboardInterrupt

    def work() -> None:
        for number in count(1):
            with suppress(KeyboardInterrupt), interrupt(seen, strike) as struck:
                ACTS[name](writer, number)
            writer.add_scalar("after", 1.0, number)
            writer.flush(timeout=5)
            stats = writer.stats
            assert (stats.pending, stats.pending_bytes) == (0, 0), f"after a strike at {struck.where}"
            assert stats.accepted == stats.written
            if struck.where is None:
                done.append(number)
                return

    done: list[int] = []
    seen: set[Moment] = set()
    writer = SummaryWriter(tmp_path, max_bytes=4 * COST, exit_timeout=0.5)
    writer.add_scalar("first", 1.0)
    assert ends(work, 110)
    writer.close()
    assert steps(tmp_path, "after") == list(range(1, done[0] + 1))
    assert len(points(tmp_path)) == writer.stats.written
