"""Rule 4: the loop is never held: no file I/O runs on it, and neither a slow disk nor an encoder stops it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.contract.disk import Disk
from tests.contract.heavy import LARGE, Heavy
from tests.contract.seen import comes, eventually, points, points_so_far, steps, steps_so_far

Run = Callable[[Coroutine[Any, Any, Any]], Any]

TICKS = 50


async def tick() -> None:
    """Return once the loop has gone round many times with timers of its own."""
    for _ in range(TICKS):
        await asyncio.sleep(0.001)


async def loop_runs_while_held(held: threading.Event, task: asyncio.Task[Any] | None = None) -> None:
    """Show that the loop goes round from the moment that something is held; it is released by this loop only."""
    assert await comes(held.is_set)
    await tick()
    assert task is None or not task.done()


def test_a_write_holds_up_no_task(run: Run, tmp_path: Path, disk: Disk) -> None:
    """While a write is in flight, other tasks run and adds of both kinds return."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            held = disk.hold()
            await writer.add_scalar("a", 1.0, 0)
            await loop_runs_while_held(held)
            for step in range(1, 500, 2):
                await asyncio.wait_for(writer.add_scalar("a", 1.0, step), 5)
                assert writer.nowait.add_scalar("a", 1.0, step + 1)
            await writer.add_scalars("b", {"k": 1.0})
            await writer.log({"c": 1.0, "d": 2.0})
            await writer.add_text("e", "words")
            flush = asyncio.create_task(writer.flush())
            await loop_runs_while_held(held, flush)
            assert steps_so_far(tmp_path) == []
            disk.release()
            await flush

    run(main())
    assert steps(tmp_path) == list(range(501))


@pytest.mark.parametrize("call", ["make_root", "create", "names", "write_at", "found"])
def test_opening_holds_up_no_task(call: str, tmp_path: Path, disk: Disk) -> None:
    """While the event file is being opened, other tasks run and `nowait` returns."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path / "run")
        disk.under(writer)
        held = disk.hold(call)
        opening = asyncio.create_task(writer.__aenter__())
        await loop_runs_while_held(held, opening)
        assert writer.nowait.add_scalar("a", 1.0, 0)
        disk.release()
        await opening
        await writer.close()

    asyncio.run(main())
    assert steps(tmp_path / "run") == [0]


@pytest.mark.parametrize("call", ["create", "names"])
def test_opening_a_sub_run_holds_up_no_task(call: str, tmp_path: Path, disk: Disk) -> None:
    """While the file of a sub-run is being opened, other tasks run and adds return."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            held = disk.hold(call)
            await writer.add_scalars("b", {"k": 1.0})
            await loop_runs_while_held(held)
            await asyncio.wait_for(writer.add_scalar("a", 1.0, 0), 5)
            disk.release()

    asyncio.run(main())
    assert steps(tmp_path) == [0]
    assert steps(tmp_path, "b", "b_k") == [0]


@pytest.mark.parametrize("call", ["sync", "sync_folders"])
def test_a_sync_holds_up_no_task(call: str, tmp_path: Path, disk: Disk) -> None:
    """While somebody waits for a sync, other tasks run, adds return, and what they add is written meanwhile."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            await writer.add_scalar("a", 1.0, 0)
            await writer.flush()
            held = disk.hold(call)
            flush = asyncio.create_task(writer.flush(sync=True))
            await loop_runs_while_held(held, flush)
            await asyncio.wait_for(writer.add_scalar("a", 1.0, 1), 5)
            assert await comes(lambda: steps_so_far(tmp_path) == [0, 1])
            assert not flush.done()
            disk.release()
            await flush

    asyncio.run(main())
    assert steps(tmp_path) == [0, 1]


def test_a_sync_that_is_due_holds_up_no_write(tmp_path: Path, disk: Disk) -> None:
    """The sync every `flush_secs` runs beside the writing: while it is stuck, what is added goes to the file."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, flush_secs=0) as writer:
            disk.under(writer)
            held = disk.hold("sync")
            await writer.add_scalar("a", 1.0, 0)
            await loop_runs_while_held(held)
            for step in range(1, 20):
                await writer.add_scalar("a", 1.0, step)
                await asyncio.wait_for(writer.flush(), 5)
            assert steps_so_far(tmp_path) == list(range(20))
            assert disk.calls["sync"] == 1  # one at a time
            disk.release()

    asyncio.run(main())


@pytest.mark.parametrize("call", ["write_at", "sync", "close"])
def test_closing_holds_up_no_task(call: str, tmp_path: Path, disk: Disk) -> None:
    """While `close()` waits for the disk, other tasks run."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        await writer.add_scalar("a", 1.0, 0)
        await writer.flush()
        disk.under(writer)
        held = disk.hold(call)
        await writer.add_scalar("a", 1.0, 1)
        closing = asyncio.create_task(writer.close())
        await loop_runs_while_held(held, closing)
        disk.release()
        await closing

    asyncio.run(main())
    assert steps(tmp_path) == [0, 1]


def test_no_file_call_runs_on_the_loop(run: Run, tmp_path: Path, disk: Disk) -> None:
    """From the opening to the end, with sub-runs, syncs, failures and a cancelled add, no file call is on the loop."""

    async def main() -> int:
        writer = AsyncSummaryWriter(tmp_path, flush_secs=0, on_storage_error="log", max_bytes=5000)
        disk.under(writer)
        async with writer:
            await asyncio.gather(*(writer.add_scalar("a", 1.0) for _ in range(200)))
            await writer.add_scalars("b", {"k": 1.0, "l": 1.0})
            await writer.add_text("t", "\u00e9" * 300_000)
            task = asyncio.create_task(writer.add_text("t", "x" * 6000))
            await asyncio.sleep(0)
            task.cancel()
            await writer.flush(sync=True)
            disk.fail(28)
            await writer.add_scalar("a", 1.0)
            await writer.flush(timeout=0.1)
            disk.heal()
            await writer.flush()
            writer.nowait.log({"c": 1.0})
        return threading.get_ident()

    loop_thread = run(main())
    assert {"make_root", "create", "names", "write_at", "found", "sync", "close"} <= set(disk.calls)
    assert loop_thread not in disk.threads


@pytest.mark.parametrize("size", [1000, LARGE], ids=["small", "large"])
def test_an_encoder_holds_up_no_task(size: int, run: Run, tmp_path: Path) -> None:
    """While a heavy entry is encoded, its add has returned, other tasks run, and adds return."""
    heavy = Heavy(size=size)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await asyncio.wait_for(writer._accept("add_heavy", [heavy.draft], 0, 0.0), 5)
            await loop_runs_while_held(heavy.encoding)
            await asyncio.wait_for(writer.add_scalar("a", 1.0, 0), 5)
            assert points_so_far(tmp_path) == []
            heavy.may_encode.set()

    run(main())
    assert [point.tag for point in points(tmp_path)] == ["heavy", "a"]


def test_copying_a_large_value_holds_up_no_task(run: Run, tmp_path: Path) -> None:
    """While a large value is copied, which its add waits for, other tasks run and other adds return."""
    heavy = Heavy(size=LARGE)
    heavy.may_take.clear()
    heavy.may_encode.set()

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            adding = asyncio.create_task(writer._accept("add_heavy", [heavy.draft], 0, 0.0))
            await loop_runs_while_held(heavy.taking, adding)
            await asyncio.wait_for(writer.add_scalar("a", 1.0, 0), 5)
            heavy.may_take.set()
            await adding

    run(main())
    assert [point.tag for point in points(tmp_path)] == ["heavy", "a"]


def test_the_default_executor_is_left_alone(tmp_path: Path) -> None:
    """A default executor that is busy for ever stops nothing of the writer's."""
    done = threading.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        busy = [loop.run_in_executor(None, done.wait, 60) for _ in range(40)]
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_scalar("a", 1.0)
            await writer.add_text("t", "\u00e9" * 300_000)
            await asyncio.wait_for(writer.flush(sync=True), 10)
        assert not any(future.done() for future in busy)
        done.set()
        await asyncio.gather(*busy)

    try:
        asyncio.run(main())
    finally:
        done.set()
    assert [point.tag for point in points(tmp_path)] == ["a", "t/text_summary"]


@pytest.mark.parametrize("add", ["add_scalar", "log", "add_scalars"])
def test_a_loop_that_only_logs_lets_others_run(add: str, run: Run, tmp_path: Path) -> None:
    """A task that does nothing but await adds gives every other task its turn."""
    args: dict[str, tuple[Any, ...]] = {
        "add_scalar": ("a", 1.0),
        "log": ({"a": 1.0},),
        "add_scalars": ("a", {"k": 1.0}),
    }

    async def main() -> int:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with AsyncSummaryWriter(tmp_path) as writer:
            other = asyncio.create_task(others())
            for _ in range(1000):
                await getattr(writer, add)(*args[add])
            other.cancel()
        return turns

    assert run(main()) >= 10


def test_a_held_disk_does_not_hold_a_script(tmp_path: Path, disk: Disk) -> None:
    """A SummaryWriter's adds return while a write is in flight, and so does its copy of a large value."""
    heavy = Heavy(size=LARGE)
    with SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        held = disk.hold()

        def work() -> None:
            for step in range(500):
                writer.add_scalar("a", 1.0, step)
            writer._store("add_heavy", [heavy.draft], 0, 0.0)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert eventually(held.is_set)
        assert steps_so_far(tmp_path) == []
        heavy.may_encode.set()
        disk.release()
    assert len(points(tmp_path)) == 501
