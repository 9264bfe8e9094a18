"""Rule 12: `close()` is idempotent and bounded in time; what comes after it; and a writer that stores nothing."""

import asyncio
import errno
import math
import os
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from asynctb import AsyncSummaryWriter, StorageError, SummaryWriter, WriterClosed
from asynctb.pipeline import exits
from tests.contract.disk import Disk
from tests.contract.interrupt import ends
from tests.contract.seen import comes, event_files, eventually, points, steps
from tests.readback.events import run_events

Run = Callable[[Coroutine[Any, Any, Any]], Any]

SLOW = 1.5  # seconds that even a slow machine needs for what does not wait


# AsyncSummaryWriter


def test_close_twice(run: Run, tmp_path: Path) -> None:
    """A second `close()`, on the same loop or another, in a block or after it, does nothing."""

    async def main() -> AsyncSummaryWriter:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_scalar("a", 1.0)
            await writer.close()
            await writer.close()
        await writer.close()
        return writer

    writer = run(main())
    run(writer.close())
    assert steps(tmp_path) == [0]
    assert writer.stats.written == 1
    assert len(event_files(tmp_path)) == 1


def test_a_timeout_without_end(run: Run, tmp_path: Path) -> None:
    """`math.inf` is a number of seconds as any other."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path / "async") as writer:
            await writer.add_scalar("a", 1.0)
            await writer.flush(sync=True, timeout=math.inf)
            await writer.close(timeout=math.inf)

    run(main())
    with SummaryWriter(tmp_path / "sync") as sync_writer:
        sync_writer.add_scalar("a", 1.0)
        sync_writer.flush(sync=True, timeout=math.inf)
        sync_writer.close(timeout=math.inf)
    assert steps(tmp_path / "async") == steps(tmp_path / "sync") == [0]


def test_close_writes_everything(run: Run, tmp_path: Path) -> None:
    """When `close()` returns, everything accepted is in the file, heavy entries and those in line included."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path, max_bytes=2000)
        for step in range(20):
            await writer.add_scalar("a", 1.0, step)
        late = [asyncio.create_task(writer.add_scalar("a", 1.0, step)) for step in range(20, 60)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await writer.close()
        assert steps(tmp_path) == list(range(60))
        await asyncio.gather(*late)

    run(main())


def test_concurrent_closes(run: Run, tmp_path: Path, disk: Disk) -> None:
    """Closes beside each other all return once everything is written, and none before."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        await writer.add_scalar("a", 1.0, 0)
        await writer.flush()
        disk.under(writer)
        held = disk.hold()
        await writer.add_scalar("a", 1.0, 1)
        closes = [asyncio.create_task(writer.close()) for _ in range(3)]
        assert await comes(held.is_set)
        closes.append(asyncio.create_task(writer.close()))
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in closes)
        disk.release()
        await asyncio.wait_for(asyncio.gather(*closes), 5)
        assert steps(tmp_path) == [0, 1]

    run(main())


def test_concurrent_closes_before_opening(run: Run, tmp_path: Path) -> None:
    """Closes beside each other that first have to open the file write what `nowait` took in, once."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        assert writer.nowait.add_scalar("a", 1.0)
        await asyncio.wait_for(asyncio.gather(*(writer.close() for _ in range(3))), 5)
        assert steps(tmp_path) == [0]

    run(main())


def test_a_close_keeps_its_own_time(run: Run, tmp_path: Path, disk: Disk) -> None:
    """A `close(timeout)` returns in its own time, though another one that waits longer was first."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        await writer.add_scalar("a", 1.0, 0)
        await writer.flush()
        disk.under(writer)
        held = disk.hold()
        await writer.add_scalar("a", 1.0, 1)
        patient = asyncio.create_task(writer.close())
        assert await comes(held.is_set)
        hasty = asyncio.create_task(writer.close(timeout=0.1))
        ended, _ = await asyncio.wait({hasty}, timeout=20)
        disk.release()
        await asyncio.wait({hasty, patient})
        assert patient.exception() is None
        assert ended
        assert isinstance(hasty.exception(), StorageError | None)

    run(main())
    assert steps(tmp_path) == [0, 1]


def test_after_close(run: Run, tmp_path: Path) -> None:
    """After `close()` every awaited call but `close()` raises WriterClosed; `nowait` returns False and counts."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_scalar("a", 1.0)
        calls: list[Callable[[], Coroutine[Any, Any, Any]]] = [
            lambda: writer.add_scalar("a", 1.0),
            lambda: writer.add_scalars("a", {"k": 1.0, "l": 1.0}),
            lambda: writer.add_text("a", "words"),
            lambda: writer.log({"a": 1.0}),
            lambda: writer.flush(),
            lambda: writer.flush(sync=True, timeout=1),
            lambda: writer.__aenter__(),
        ]
        for call in calls:
            with pytest.raises(WriterClosed) as raised:
                await call()
            assert isinstance(raised.value, RuntimeError)
        assert dict(writer.stats.dropped) == {}
        assert not writer.nowait.add_scalar("a", 1.0)
        assert not writer.nowait.add_scalars("a", {"k": 1.0, "l": 1.0})
        assert writer.stats.dropped == {"closed": 3}
        assert (writer.stats.accepted, writer.stats.written, writer.stats.pending) == (1, 1, 0)

    run(main())
    assert points(tmp_path) == [("a", 0, 1.0)]


def test_adds_beside_a_close(run: Run, tmp_path: Path) -> None:
    """Adds that race with a `close()` are either in the file or raise WriterClosed, and nothing else happens."""
    returned: list[int] = []

    async def actor(writer: AsyncSummaryWriter, number: int) -> None:
        for step in range(number, 10**9, 10):
            await writer.add_scalar(f"a/{number}", 1.0, step)
            returned.append(step)
            await asyncio.sleep(0)

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path, max_bytes=5000)
        actors = [asyncio.create_task(actor(writer, number)) for number in range(10)]
        assert await comes(lambda: len(returned) > 300)
        await writer.close()
        ended = await asyncio.wait_for(asyncio.gather(*actors, return_exceptions=True), 5)
        assert {type(error) for error in ended} == {WriterClosed}

    run(main())
    assert sorted(point.step for point in points(tmp_path)) == sorted(returned)


@pytest.mark.parametrize("used", ["never", "by nowait", "by await"])
def test_closing_without_a_block(used: str, run: Run, tmp_path: Path) -> None:
    """A writer may be closed however much of it was used; one that holds nothing makes no file."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path / "run")
        if used == "by nowait":
            assert writer.nowait.add_scalar("a", 1.0)
        if used == "by await":
            await writer.add_scalar("a", 1.0)
        await writer.close()
        with pytest.raises(WriterClosed):
            await writer.flush()

    run(main())
    assert (tmp_path / "run").exists() == (used != "never")
    if used != "never":
        assert steps(tmp_path / "run") == [0]


def test_close_ends_threads_and_descriptors(run: Run, tmp_path: Path) -> None:
    """Writers that were closed leave neither threads nor descriptors behind."""
    folder = Path("/dev/fd")

    async def use(log_dir: Path) -> None:
        async with AsyncSummaryWriter(log_dir) as writer:
            await writer.add_scalar("a", 1.0)
            await writer.add_scalars("b", {"k": 1.0})
            await writer.flush(sync=True)

    def use_sync(log_dir: Path) -> None:
        with SummaryWriter(log_dir) as writer:
            writer.add_scalar("a", 1.0)
            writer.add_scalars("b", {"k": 1.0})
            writer.flush(sync=True)

    def threads() -> set[threading.Thread]:
        """Return the threads of writers; those of encoders stay for the next one."""
        return {
            thread
            for thread in threading.enumerate()
            if thread.name in ("asynctb-file", "asynctb-sync", "asynctb-loop")
        }

    before = threads()
    run(use(tmp_path / "first"))
    use_sync(tmp_path / "second")
    assert eventually(lambda: threads() <= before)
    descriptors = len(os.listdir(folder))
    for number in range(10):
        run(use(tmp_path / f"async{number}"))
        use_sync(tmp_path / f"sync{number}")
    assert eventually(lambda: threads() <= before)
    assert eventually(lambda: len(os.listdir(folder)) <= descriptors)


# SummaryWriter


def test_a_script_closes_twice(tmp_path: Path) -> None:
    """A second `close()` of a SummaryWriter does nothing, nor does a `flush()` after it."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("a", 1.0)
        writer.close()
        writer.close()
        writer.flush()
        writer.flush(sync=True, timeout=1)
    writer.close()
    assert steps(tmp_path) == [0]
    assert len(event_files(tmp_path)) == 1


def test_a_second_close_of_a_failing_disk_is_silent(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a `close()` has reported as not stored, a second one does not report again, in either writer."""
    monkeypatch.setattr("asynctb.pipeline.driver.PATIENCE", 0.1)

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path / "async")
        await writer.flush()
        disk.under(writer)
        disk.fail(errno.ENOSPC)
        await writer.add_scalar("a", 1.0)
        with pytest.raises(StorageError):
            await writer.close()
        await writer.close()

    asyncio.run(main())
    disk.heal()
    script = SummaryWriter(tmp_path / "sync", on_storage_error="raise")
    disk.under(script)
    disk.fail(errno.ENOSPC)
    script.add_scalar("a", 1.0)
    with pytest.raises(StorageError):
        script.close()
    script.close()


def test_what_a_close_could_not_write_is_dropped_once_another_file_follows(tmp_path: Path, disk: Disk) -> None:
    """Nothing will write it any more, so after a flush of the new file nothing is pending: all that was is counted."""
    with SummaryWriter(tmp_path, on_storage_error="raise") as writer:
        disk.under(writer)
        disk.fail(errno.ENOSPC)
        writer.add_scalar("a", 1.0)
        with pytest.raises(StorageError, match="1 entry"):
            writer.close()
        disk.heal()
        assert (writer.stats.pending, dict(writer.stats.dropped)) == (1, {})
        writer.add_scalar("a", 1.0)
        writer.flush()
        stats = writer.stats
        assert (stats.accepted, stats.written, stats.pending, stats.pending_bytes) == (2, 1, 0, 0)
        assert dict(stats.dropped) == {"storage": 1}


def test_a_write_that_ends_in_vain_after_its_close_is_counted(tmp_path: Path, disk: Disk) -> None:
    """What a closed file's stuck write still may write is pending until that has failed, though a new file is open."""
    with SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        held = disk.hold()
        disk.fail(errno.EIO)
        writer.add_scalar("a", 1.0)
        assert held.wait(SLOW)
        writer.close(timeout=0.01)
        writer.add_scalar("a", 1.0)
        writer.flush()
        assert (writer.stats.written, writer.stats.pending, dict(writer.stats.dropped)) == (1, 1, {})
        disk.release()
        assert eventually(lambda: writer.stats.pending == 0)
        assert (writer.stats.written, dict(writer.stats.dropped)) == (1, {"storage": 1})


def test_two_threads_may_close_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that nothing was added to is closed by two threads in the same moment, and neither of them fails."""
    pipeline = AsyncSummaryWriter(tmp_path)._pipeline
    drain, both = pipeline.drain, threading.Barrier(2, timeout=20)
    let_go = drain.let_go

    def let_go_together(*, for_good: bool) -> bool:
        gone = let_go(for_good=for_good)
        both.wait()
        return gone

    monkeypatch.setattr(drain, "let_go", let_go_together)
    with ThreadPoolExecutor(2) as threads:
        for closing in [threads.submit(pipeline.end) for _ in range(2)]:
            closing.result()
    assert pipeline.over.done()


def test_an_end_that_fails_keeps_nobody_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever strikes the file thread as it closes the files, for want of memory say, a second `close()` returns."""
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("a", 1.0)
    with monkeypatch.context() as patch:
        patch.setattr("asynctb.storage.local.LocalStorage.close", Mock(side_effect=MemoryError))
        with pytest.raises(MemoryError):
            writer.close()
    assert ends(lambda: writer.close(timeout=None))
    assert writer._pipeline not in exits._watched
    assert steps(tmp_path) == [0]


def test_a_script_opens_a_new_file(tmp_path: Path) -> None:
    """After `close()` an add opens a new file, which sorts behind the old; steps and figures go on from there."""
    writer = SummaryWriter(tmp_path)
    for rounds in range(1, 4):
        for _ in range(5):
            writer.add_scalar("a", 1.0)
        writer.add_scalars("b", {"k": 1.0})
        writer.log({"c": 1.0, "a": 2.0})
        writer.close()
        assert len(list(tmp_path.glob("*tfevents*"))) == rounds
        assert (writer.stats.accepted, writer.stats.written, writer.stats.pending) == (7 * rounds, 7 * rounds, 0)
    assert steps(tmp_path) == list(range(18))  # run_events reads files in the order of their names, as TensorBoard does
    assert steps(tmp_path, "b", "b_k") == [0, 1, 2]
    assert steps(tmp_path, "c") == [5, 11, 17]


def test_figures_of_drops_are_cumulative(tmp_path: Path, disk: Disk) -> None:
    """What was dropped before a `close()` is still counted after the next add."""
    writer = SummaryWriter(tmp_path, max_bytes=500, overflow="drop")
    disk.under(writer)
    disk.hold()
    for _ in range(10):
        writer.add_scalar("a", 1.0)
    assert writer.stats.dropped == {"full": 8}
    disk.release()
    writer.close()
    writer.add_scalar("a", 1.0)
    assert (writer.stats.accepted, writer.stats.dropped) == (3, {"full": 8})
    writer.close()
    assert steps(tmp_path) == [0, 1, 2]


def test_a_purge_belongs_to_the_first_file(tmp_path: Path) -> None:
    """A file that is opened after `close()` does not purge what the writer itself has written before."""
    writer = SummaryWriter(tmp_path, purge_step=10)
    for _ in range(3):
        writer.add_scalar("a", 1.0)
        writer.close()
    assert steps(tmp_path) == [10, 11, 12]
    assert sum(event.HasField("session_log") for event in run_events(tmp_path)["."]) == 2


def test_threads_add_while_it_is_closed(tmp_path: Path) -> None:
    """Adds of threads beside repeated closes all come to some file, each thread's in order, and none twice."""
    writer = SummaryWriter(tmp_path, max_bytes=5000)

    def work(number: int) -> None:
        for step in range(500):
            writer.add_scalar(f"a/{number}", 1.0, step)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        writer.close()
        time.sleep(0.005)
    writer.close()
    assert (writer.stats.accepted, writer.stats.written, dict(writer.stats.dropped)) == (1500, 1500, {})
    got = points(tmp_path)
    for number in range(3):
        assert [p.step for p in got if p.tag == f"a/{number}"] == list(range(500))


def test_threads_close_at_once(tmp_path: Path) -> None:
    """Closes of several threads at once all return when everything is written."""
    for rounds in range(20):
        writer = SummaryWriter(tmp_path / str(rounds))
        for _ in range(50):
            writer.add_scalar("a", 1.0)
        found: list[int] = []

        def close(writer: SummaryWriter = writer, found: list[int] = found, rounds: int = rounds) -> None:
            writer.close()
            found.append(len(steps(tmp_path / str(rounds))))

        threads = [threading.Thread(target=close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [50] * 4


def test_a_threads_close_keeps_its_own_time(tmp_path: Path, disk: Disk) -> None:
    """A SummaryWriter's `close(timeout)` returns in its own time, though another thread's waits longer."""
    writer = SummaryWriter(tmp_path)
    disk.under(writer)
    held = disk.hold()
    writer.add_scalar("a", 1.0)
    patient = threading.Thread(target=writer.close)
    patient.start()
    assert eventually(held.is_set)
    hasty = threading.Thread(target=writer.close, args=(0.1,))
    hasty.start()
    hasty.join(SLOW + 1)  # the loop's thread has a second more to say how it ended
    ended = not hasty.is_alive()
    disk.release()
    patient.join()
    hasty.join()
    assert ended
    assert steps(tmp_path) == [0]


def test_an_add_does_not_wait_for_a_close(tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An add beside another thread's `close()` does not wait as long as that does for a disk that is failing."""
    monkeypatch.setattr("asynctb.pipeline.driver.STUCK_AFTER", 0.1)
    monkeypatch.setattr("asynctb.pipeline.driver.PATIENCE", 0.1)
    writer = SummaryWriter(tmp_path)
    disk.under(writer)
    held = disk.hold()
    writer.add_scalar("a", 1.0)
    patient = threading.Thread(target=writer.close)
    patient.start()
    assert eventually(held.is_set)
    adding = threading.Thread(target=writer.add_scalar, args=("a", 1.0))
    adding.start()
    adding.join(SLOW + 1)
    ended = not adding.is_alive()
    disk.release()
    patient.join()
    adding.join()
    writer.close()
    assert ended
    assert steps(tmp_path) == [0, 1]


# Nothing at all


def test_a_disabled_async_writer(run: Run, tmp_path: Path) -> None:
    """With `enabled=False` every call does nothing: no directory, no file, no thread, no figure, no error."""
    log_dir = tmp_path / "run"
    threads = threading.active_count()

    async def main() -> None:
        async with AsyncSummaryWriter(log_dir, enabled=False) as writer:
            for _ in range(2):
                await writer.add_scalar("a", 1.0)
                await writer.add_scalars("a", {"k": 1.0})
                await writer.add_text("a", "\u00e9" * 300_000)
                await writer.log({"a": 1.0})
                assert writer.nowait.add_scalar("a", 1.0)
                assert writer.nowait.log({"a": 1.0})
                await writer.flush(sync=True)
                await writer.close()
            assert threading.active_count() <= threads
            assert (writer.stats.accepted, writer.stats.pending, dict(writer.stats.dropped)) == (0, 0, {})
            assert (writer.log_dir, writer.get_logdir()) == (log_dir, log_dir)

    run(main())
    assert list(tmp_path.iterdir()) == []


def test_a_disabled_script_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `enabled=False` a SummaryWriter does nothing either, in the default directory too."""
    monkeypatch.chdir(tmp_path)
    threads = threading.active_count()
    for log_dir in (tmp_path / "run", None):
        with SummaryWriter(log_dir, enabled=False) as writer:
            for _ in range(2):
                writer.add_scalar("a", 1.0)
                writer.add_scalars("a", {"k": 1.0})
                writer.add_text("a", "\u00e9" * 300_000)
                writer.log({"a": 1.0})
                writer.flush(sync=True)
                writer.close()
            assert threading.active_count() <= threads
            assert (writer.stats.accepted, writer.stats.pending, dict(writer.stats.dropped)) == (0, 0, {})
    assert list(tmp_path.iterdir()) == []


def test_a_disabled_writer_where_nothing_could_be_opened(tmp_path: Path) -> None:
    """With `enabled=False` a directory that cannot be made is no error."""
    (tmp_path / "file").write_text("in the way")
    with SummaryWriter(tmp_path / "file" / "run", enabled=False) as writer:
        writer.add_scalar("a", 1.0)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path / "file" / "run", enabled=False) as writer:
            await writer.add_scalar("a", 1.0)

    asyncio.run(main())


def test_closes_of_another_thread_lose_nothing(tmp_path: Path) -> None:
    """While one thread closes a SummaryWriter again and again, every add of another finds a file and is written."""
    writer, enough = SummaryWriter(tmp_path), threading.Event()

    def close() -> None:
        while not enough.wait(0.001):
            writer.close()

    closer = threading.Thread(target=close)
    closer.start()
    try:
        for step in range(100):
            writer.add_scalar("a", step, step)
    finally:
        enough.set()
        closer.join()
        writer.close()
    assert sorted(steps(tmp_path)) == list(range(100))
    assert (writer.stats.written, dict(writer.stats.dropped)) == (100, {})


def test_a_close_that_was_struck_down_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Ctrl-C ends a `close()` that has only just begun, the next one closes, and waits for nothing else."""
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("a", 1.0, 0)
    with monkeypatch.context() as patch:
        patch.setattr(writer, "_close", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            writer.close()
    began = time.monotonic()
    writer.close(timeout=60)
    assert time.monotonic() - began < 30
    assert steps(tmp_path) == [0]
