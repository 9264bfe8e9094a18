"""Rules 3 and 5: entries stand in the order in which they were accepted, and room is bounded and granted in order."""

import asyncio
import logging
import random
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.encode.scalar import scalar
from asynctb.entry import Draft, wire_size
from asynctb.pipeline.backlog import MAX_ENTRIES
from tests.contract.disk import Disk
from tests.contract.heavy import LARGE, Heavy
from tests.contract.seen import comes, eventually, points, points_so_far, steps, steps_so_far

Run = Callable[[Coroutine[Any, Any, Any]], Any]

COST = wire_size(scalar("a", 1.0))  # bytes of the bound that a point of tag "a" takes
MANY = 3000


async def settle() -> None:
    """Let every task go as far as it can without the disk."""
    for _ in range(10):
        await asyncio.sleep(0)


async def waits(task: asyncio.Task[Any]) -> bool:
    """Tell whether a task is still waiting after it could have gone on."""
    await settle()
    return not task.done()


# Order


@pytest.mark.parametrize("places", [1, 4, 100])
def test_gathered_adds_keep_their_order(places: int, run: Run, tmp_path: Path) -> None:
    """Thousands of adds of one tag, gathered under a tiny bound, stand in the file in the order of their calls."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=places * COST) as writer:
            await asyncio.gather(*(writer.add_scalar("a", 1.0, step) for step in range(MANY)))
            assert writer.stats.accepted == MANY

    run(main())
    assert steps(tmp_path) == list(range(MANY))


def test_gathered_before_the_file_is_open(run: Run, tmp_path: Path) -> None:
    """Adds that all wait for the opening of the file, after entries of `nowait`, keep their order."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path, max_bytes=200 * COST)
        assert all(writer.nowait.add_scalar("a", 1.0, step) for step in range(100))
        await asyncio.gather(*(writer.add_scalar("a", 1.0, step) for step in range(100, 1000)))
        await writer.close()

    run(main())
    assert steps(tmp_path) == list(range(1000))


def test_auto_steps_are_given_in_order(tmp_path: Path) -> None:
    """Adds without a step that wait for room get their steps in the order in which they are accepted."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
            await asyncio.gather(*(writer.add_scalar("a", float(n)) for n in range(500)))

    asyncio.run(main())
    assert points(tmp_path) == [("a", n, n) for n in range(500)]


def test_actors_each_keep_their_order(run: Run, tmp_path: Path) -> None:
    """Many tasks that log at their own pace, some by `nowait`, each find their own points in order, and all of them."""

    async def actor(writer: AsyncSummaryWriter, number: int) -> int:
        pace = random.Random(number)
        stored = 0
        for _ in range(200):
            if pace.random() < 0.3:
                stored += writer.nowait.add_scalar(f"actor/{number}", 1.0, stored)
            else:
                await writer.add_scalar(f"actor/{number}", 1.0, stored)
                stored += 1
            if pace.random() < 0.1:
                await asyncio.sleep(0)
        return stored

    async def main() -> list[int]:
        async with AsyncSummaryWriter(tmp_path, max_bytes=20 * COST) as writer:
            return await asyncio.gather(*(actor(writer, number) for number in range(20)))

    stored = run(main())
    got = points(tmp_path)
    for number, count in enumerate(stored):
        assert [p.step for p in got if p.tag == f"actor/{number}"] == list(range(count))


def test_threads_each_keep_their_order(tmp_path: Path) -> None:
    """Threads that share a SummaryWriter under a tiny bound each find their own points in order, and all of them."""
    with SummaryWriter(tmp_path, max_bytes=5 * COST) as writer:

        def work(number: int) -> None:
            for step in range(300):
                writer.add_scalar(f"thread/{number}", 1.0, step)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.flush()
        assert dict(writer.stats.dropped) == {}
    got = points(tmp_path)
    for number in range(4):
        assert [p.step for p in got if p.tag == f"thread/{number}"] == list(range(300))


def test_a_heavy_entry_keeps_its_place(run: Run, tmp_path: Path) -> None:
    """What came before an entry that is still being encoded is written meanwhile, and what came after waits for it."""
    heavy = Heavy()

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_scalar("a", 1.0, 0)
            await writer._accept("add_heavy", [heavy.draft], 0, 0.0)
            await writer.add_scalar("a", 1.0, 1)
            writer.nowait.add_scalar("a", 1.0, 2)
            flush = asyncio.create_task(writer.flush())
            assert await comes(lambda: heavy.encoding.is_set() and steps_so_far(tmp_path) == [0])
            writer.nowait.add_scalar("a", 1.0, 3)  # which calls the writer again
            await asyncio.sleep(0.06)  # more than it lingers
            assert not flush.done()
            assert steps_so_far(tmp_path) == [0]
            heavy.may_encode.set()
            await flush
            assert [p.tag for p in points_so_far(tmp_path)][:4] == ["a", "heavy", "a", "a"]

    run(main())
    assert points(tmp_path) == [("a", 0, 1.0), ("heavy", 0, 1.0), ("a", 1, 1.0), ("a", 2, 1.0), ("a", 3, 1.0)]


def test_heavy_entries_that_finish_in_another_order(tmp_path: Path) -> None:
    """Entries that are encoded at once, and done in an order that is not theirs, stand in the file in theirs."""
    heavies = [Heavy(f"heavy/{number}") for number in range(2)]

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            for number, heavy in enumerate(heavies):
                await writer.add_scalar("a", 1.0, number)
                await writer._accept("add_heavy", [heavy.draft], 0, 0.0)
            await writer.add_scalar("a", 1.0, 2)
            second_first = await comes(heavies[1].encoding.is_set)  # where there are two cores
            for heavy in reversed(heavies) if second_first else heavies:
                heavy.may_encode.set()
                await asyncio.sleep(0.01)

    asyncio.run(main())
    assert [point.tag for point in points(tmp_path)] == ["a", "heavy/0", "a", "heavy/1", "a"]


def test_heavy_values_are_taken_in_order(tmp_path: Path) -> None:
    """Adds of heavy values that are gathered keep their order, though copying one takes longer than the next."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=3 * LARGE) as writer:
            drafts = []
            for number in range(30):
                heavy = Heavy("heavy", [float(number)], size=LARGE if number % 3 else 1000)
                heavy.may_encode.set()
                drafts.append(heavy.draft)
            await asyncio.gather(*(writer._accept("add_heavy", [draft], None, 0.0) for draft in drafts))

    asyncio.run(main())
    assert points(tmp_path) == [("heavy", n, float(n)) for n in range(30)]


def test_long_text_keeps_its_place(run: Run, tmp_path: Path) -> None:
    """Text so long that it is encoded in a thread stands between the scalars around it."""
    words = "\u00e9\u4e16\U0001f600" * 100_000

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            for step in range(5):
                await writer.add_scalar("a", 1.0, step)
                if step % 2:
                    writer.nowait.add_text("t", words, step)
                else:
                    await writer.add_text("t", words, step)

    run(main())
    assert [(p.tag, p.step) for p in points(tmp_path)] == [
        (tag, step) for step in range(5) for tag in ("a", "t/text_summary")
    ]
    assert {point.value for point in points(tmp_path) if point.tag != "a"} == {words}


def test_an_entry_that_cannot_be_encoded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An accepted entry whose encoder fails is counted and logged, and holds up nothing behind it."""

    def fail() -> bytes:
        raise MemoryError("too large a picture")

    draft = Draft(("heavy",), 1000, lambda: fail, "images")
    with SummaryWriter(tmp_path) as writer, caplog.at_level(logging.WARNING, "asynctb"):
        writer.add_scalar("a", 1.0, 0)
        writer._store("add_heavy", [draft], 0, 0.0)
        writer.add_scalar("a", 1.0, 1)
        writer.flush()
        stats = writer.stats
    assert (stats.accepted, stats.written, stats.pending, dict(stats.dropped)) == (3, 2, 0, {"encode": 1})
    assert steps(tmp_path) == [0, 1]
    said = [record.message for record in caplog.records]
    assert len(said) == 1
    assert "add_heavy" in said[0]
    assert "too large a picture" in said[0]


# Room


def test_mixed_sizes_are_first_come_first_served(run: Run, tmp_path: Path, disk: Disk) -> None:
    """Small adds that would find room wait behind the large one that came first, and stand behind it in the file."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=10_000) as writer:
            disk.under(writer)
            disk.hold()
            await writer.add_text("first", "x" * 4000)
            sizes = random.Random(1)
            tasks = []
            for number in range(200):
                length = 8000 if number % 10 == 0 else sizes.randrange(1, 3000)
                tasks.append(asyncio.create_task(writer.add_text(str(number), "x" * length)))
                await asyncio.sleep(0)
            await settle()
            assert not any(task.done() for task in tasks)  # the first is too large for now, and those behind it wait
            disk.release()
            await asyncio.gather(*tasks)

    run(main())
    assert [point.tag for point in points(tmp_path)][1:] == [f"{number}/text_summary" for number in range(200)]


def test_nowait_takes_no_room_of_those_in_line(tmp_path: Path, disk: Disk) -> None:
    """`nowait` gets only the room that is left when all who wait in line have theirs."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=10 * COST) as writer:
            disk.under(writer)
            disk.hold()
            for step in range(6):
                await writer.add_scalar("a", 1.0, step)
            large = asyncio.create_task(writer.add_text("t", "x" * 5 * COST))
            assert await waits(large)
            assert not writer.nowait.add_scalar("a", 1.0, 100)  # four would fit, if nobody waited
            assert dict(writer.stats.dropped) == {"full": 1}
            disk.release()
            await large
            await writer.flush()
            assert writer.nowait.add_scalar("a", 1.0, 6)

    asyncio.run(main())
    assert steps(tmp_path) == list(range(7))


def test_one_that_left_the_line_takes_no_room(tmp_path: Path, disk: Disk) -> None:
    """The room that was kept for an add in line is free again once that is cancelled."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=10 * COST) as writer:
            disk.under(writer)
            disk.hold()
            for step in range(6):
                await writer.add_scalar("a", 1.0, step)
            large = asyncio.create_task(writer.add_text("t", "x" * 5 * COST))
            assert await waits(large)
            large.cancel()
            assert await comes(large.done)
            assert writer.nowait.add_scalar("a", 1.0, 6)
            await asyncio.wait_for(writer.add_scalar("a", 1.0, 7), 5)
            disk.release()

    asyncio.run(main())
    assert steps(tmp_path) == list(range(8))


def test_those_behind_one_that_left_move_up(tmp_path: Path, disk: Disk) -> None:
    """Adds that fit are accepted once the large one before them is cancelled and one write has ended."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=10 * COST) as writer:
            disk.under(writer)
            disk.hold()
            await writer.add_scalar("a", 1.0, 0)
            large = asyncio.create_task(writer.add_text("t", "x" * 12 * COST))
            assert await waits(large)
            behind = [asyncio.create_task(writer.add_scalar("a", 1.0, step)) for step in range(1, 5)]
            assert await waits(behind[0])
            large.cancel()
            disk.release()
            await asyncio.wait_for(asyncio.gather(*behind), 5)

    asyncio.run(main())
    assert steps(tmp_path) == list(range(5))


def test_an_entry_larger_than_the_bound_is_admitted_alone(run: Run, tmp_path: Path, disk: Disk) -> None:
    """An entry larger than the bound waits until nothing is pending, is accepted, and those behind it wait for it."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=2 * COST) as writer:
            disk.under(writer)
            disk.hold()
            await writer.add_text("t", "x" * 50 * COST, 0)  # nothing is pending
            assert writer.stats.pending_bytes > 50 * COST
            assert not writer.nowait.add_text("t", "x" * 50 * COST, 100)
            behind = asyncio.create_task(writer.add_scalar("a", 1.0, 0))
            again = asyncio.create_task(writer.add_text("t", "x" * 50 * COST, 1))
            last = asyncio.create_task(writer.add_scalar("a", 1.0, 1))
            assert await waits(behind)
            assert await waits(again)
            assert writer.stats.pending == 1
            disk.release()
            await asyncio.gather(behind, again, last)
            await writer.flush()
            assert writer.nowait.add_text("t", "x" * 50 * COST, 2)  # nothing is pending again
            assert dict(writer.stats.dropped) == {"full": 1}

    run(main())
    assert [(p.tag[0], p.step) for p in points(tmp_path)] == [("t", 0), ("a", 0), ("t", 1), ("a", 1), ("t", 2)]


def test_waits_at_2000_entries(run: Run, tmp_path: Path, disk: Disk) -> None:
    """An awaited add waits once 2,000 entries are unwritten, however small they are; `nowait` goes on."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            disk.hold()
            for step in range(MAX_ENTRIES):
                await asyncio.wait_for(writer.add_scalar("a", 1.0, step), 5)
            late = asyncio.create_task(writer.add_scalar("a", 1.0, MAX_ENTRIES + 1))
            assert await waits(late)
            assert writer.nowait.add_scalar("a", 1.0, MAX_ENTRIES)
            assert writer.stats.pending == MAX_ENTRIES + 1
            disk.release()
            await late

    assert MAX_ENTRIES == 2000
    run(main())
    assert steps(tmp_path) == list(range(MAX_ENTRIES + 2))


def test_waits_at_2000_entries_in_a_thread(tmp_path: Path, disk: Disk) -> None:
    """A SummaryWriter's add waits once 2,000 entries are unwritten."""
    with SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        disk.hold()
        thread = threading.Thread(target=lambda: [writer.add_scalar("a", 1.0, n) for n in range(MAX_ENTRIES + 500)])
        thread.start()
        assert eventually(lambda: writer._pipeline.backlog.waiting)
        assert writer.stats.accepted == MAX_ENTRIES
        disk.release()
        thread.join()
    assert steps(tmp_path) == list(range(MAX_ENTRIES + 500))


# Shedding


def test_drop_refuses_media_before_scalars(tmp_path: Path, disk: Disk) -> None:
    """With `overflow="drop"` media are dropped from 3/4 of the bound and scalars at it, each counted, none waiting."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=100 * COST, overflow="drop") as writer:
            disk.under(writer)
            held = disk.hold()
            for step in range(74):
                await writer.add_scalar("a", 1.0, step)
            await asyncio.wait_for(writer.add_text("t", "x" * 2 * COST, 0), 5)  # it ends behind the 75th
            assert not writer.nowait.add_text("t", "x" * 2 * COST, 0)
            assert dict(writer.stats.dropped) == {"full": 2}
            for step in range(74, 100):
                await writer.add_scalar("a", 1.0, step)
            assert (writer.stats.accepted, writer.stats.pending) == (100, 100)
            assert await comes(held.is_set)
            await asyncio.wait_for(writer.add_scalar("a", 1.0, 100), 5)
            assert not writer.nowait.add_scalar("a", 1.0, 101)
            assert dict(writer.stats.dropped) == {"full": 4}
            assert (writer.stats.accepted, writer.stats.pending) == (100, 100)  # nothing accepted is thrown out
            disk.release()
            await writer.flush()
            await writer.add_text("t", "x", 1)

    asyncio.run(main())
    assert steps(tmp_path) == list(range(100))
    assert steps(tmp_path, "t/text_summary") == [1]


def test_drop_in_a_summary_writer(tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """A SummaryWriter with `overflow="drop"` never waits for room: it counts, and says so once in a while."""
    with SummaryWriter(tmp_path, max_bytes=10 * COST, overflow="drop") as writer:
        disk.under(writer)
        disk.hold()
        with caplog.at_level(logging.WARNING, "asynctb"):
            for step in range(1000):
                writer.add_scalar("a", 1.0, step)
        assert (writer.stats.accepted, dict(writer.stats.dropped)) == (10, {"full": 990})
        disk.release()
    assert steps(tmp_path) == list(range(10))
    assert sum("being dropped" in record.message for record in caplog.records) == 1


def test_wait_does_not_shed_media(tmp_path: Path, disk: Disk) -> None:
    """With `overflow="wait"` media have the whole bound, and nothing is dropped that is awaited."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=100 * COST) as writer:
            disk.under(writer)
            disk.hold()
            await asyncio.wait_for(writer.add_text("t", "x" * 50 * COST), 5)
            await asyncio.wait_for(writer.add_text("t", "x" * 40 * COST), 5)
            late = asyncio.create_task(writer.add_text("t", "x" * 20 * COST))
            assert await waits(late)
            disk.release()
            await late
            assert dict(writer.stats.dropped) == {}

    asyncio.run(main())
    assert steps(tmp_path, "t/text_summary") == [0, 1, 2]


def test_a_heavy_entry_counts_while_it_waits(tmp_path: Path) -> None:
    """The bytes of a value that is not encoded yet count, and those of its payload once it is."""
    heavy = Heavy(size=5000)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=6000) as writer:
            await writer._accept("add_heavy", [heavy.draft], 0, 0.0)
            assert writer.stats.pending_bytes > 5000
            assert not writer.nowait.add_text("t", "x" * 2000)
            heavy.may_encode.set()
            await writer.flush()
            assert (writer.stats.pending, writer.stats.pending_bytes) == (0, 0)
            assert writer.nowait.add_text("t", "x" * 2000)

    asyncio.run(main())
    assert [point.tag for point in points(tmp_path)] == ["heavy", "t/text_summary"]


Act = tuple[Literal["await", "nowait", "release", "turn"], int]
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["await", "await", "nowait", "release", "turn"]), st.sampled_from([1, 10, 300, 900, 2500])
    ),
    max_size=60,
)


@settings(max_examples=100)
@given(ACTS, st.sampled_from(["wait", "drop"]))
def test_the_bound_is_never_exceeded(acts: list[Act], overflow: Literal["wait", "drop"]) -> None:
    """Whatever is added in whatever way, pending bytes stay within the bound, or belong to a single entry."""
    bound = 2000

    async def main(log_dir: str) -> None:
        disk = Disk()
        async with AsyncSummaryWriter(log_dir, max_bytes=bound, overflow=overflow) as writer:
            disk.under(writer)
            disk.hold()
            backlog = writer._pipeline.backlog
            tasks: list[asyncio.Task[None]] = []
            accepted = attempts = 0
            for act, size in acts:
                if act == "await":
                    tasks.append(asyncio.create_task(writer.add_text("t", "x" * size, attempts)))
                    attempts += 1
                elif act == "nowait":
                    accepted += writer.nowait.add_text("n", "x" * size, attempts)
                    attempts += 1
                elif act == "turn":
                    await settle()
                else:
                    disk.release()
                    await writer.flush()
                    disk.hold()
                with backlog._sections.lock:
                    assert backlog.pending_bytes <= bound or backlog.pending == 1
            disk.release()
            await asyncio.wait_for(asyncio.gather(*tasks), 20)
            await writer.flush()
            stats = writer.stats
            assert stats.accepted + sum(stats.dropped.values()) == attempts
            assert (stats.written, stats.pending, stats.pending_bytes) == (stats.accepted, 0, 0)
        for tag in ("t", "n"):
            got = steps(log_dir, f"{tag}/text_summary")
            assert got == sorted(set(got))
        assert len(points(log_dir)) == stats.accepted

    with tempfile.TemporaryDirectory() as log_dir:
        asyncio.run(main(log_dir))


def test_the_bound_holds_while_threads_add(tmp_path: Path) -> None:
    """Looked at from beside, the pending bytes of a writer that several threads fill stay within the bound."""
    bound = 20 * COST
    seen: list[int] = []
    with SummaryWriter(tmp_path, max_bytes=bound) as writer:
        backlog = writer._pipeline.backlog
        threads = [
            threading.Thread(target=lambda: [writer.add_scalar("a", 1.0) for _ in range(1000)]) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            with backlog._sections.lock:
                seen.append(backlog.pending_bytes)
            time.sleep(0.0005)
    assert max(seen) <= bound
    assert max(seen) > 0
    assert steps(tmp_path) == list(range(3000))
