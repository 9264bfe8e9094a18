"""Rule 7: a failing disk never stops the program; it costs a second at most, is told, and heals by itself."""

import asyncio
import errno
import json
import logging
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

import asynctb
from asynctb import AsyncSummaryWriter, StorageError, SummaryWriter
from asynctb.encode.scalar import scalar
from asynctb.entry import wire_size
from asynctb.pipeline import drain, exits, outgoing
from asynctb.pipeline.batch import Batch
from asynctb.pipeline.health import PATIENCE, STUCK_AFTER
from asynctb.pipeline.loop_thread import LoopThread
from asynctb.storage.local import LocalStorage
from tests.contract.disk import Disk
from tests.contract.interrupt import AGES, ends
from tests.contract.seen import comes, event_files, eventually, points, steps, steps_so_far

Run = Callable[[Coroutine[Any, Any, Any]], Any]

COST = wire_size(scalar("a", 1.0))  # bytes of the bound that a point of tag "a" takes
FAILURES = [errno.ENOSPC, errno.EIO, errno.EDQUOT]
AT_ONCE = 5.0  # seconds that even a machine with much else to do needs for what does not wait
LONG = 60.0  # seconds that what waits in spite of it would take


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail unless the block is done in time."""
    begin = time.monotonic()
    yield
    took = time.monotonic() - begin
    assert took < seconds, f"it took {took:.2f} s"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have failed writes tried again at once, and nobody wait long for them."""
    monkeypatch.setattr("asynctb.pipeline.driver.PATIENCE", 0.2)
    monkeypatch.setattr("asynctb.pipeline.driver.FIRST_RETRY", 0.001)
    monkeypatch.setattr("asynctb.pipeline.driver.LAST_RETRY", 0.001)


@pytest.fixture
def soon_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a write count as stuck early, so that no test waits for seconds."""
    monkeypatch.setattr("asynctb.pipeline.driver.STUCK_AFTER", 0.1)
    monkeypatch.setattr("asynctb.pipeline.driver.PATIENCE", 0.2)


def out_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever begins to wait for a failing storage from now on wait for long."""
    monkeypatch.setattr("asynctb.pipeline.driver.PATIENCE", LONG)


def said(caplog: pytest.LogCaptureFixture, words: str) -> int:
    """Return how many messages hold these words."""
    return sum(words in record.message for record in caplog.records if record.name == "asynctb")


def dropped(writer: Any) -> int:
    return sum(writer.stats.dropped.values())


async def add_all(writer: AsyncSummaryWriter, numbers: range) -> list[int]:
    """Add a point for each number, one after the other; return those that were accepted."""
    accepted = []
    for step in numbers:
        before = dropped(writer)
        await writer.add_scalar("a", 1.0, step)
        if dropped(writer) == before:
            accepted.append(step)
    return accepted


def add_all_here(writer: SummaryWriter, numbers: range) -> list[int]:
    accepted = []
    for step in numbers:
        before = dropped(writer)
        writer.add_scalar("a", 1.0, step)
        if dropped(writer) == before:
            accepted.append(step)
    return accepted


# Adds


def test_the_contracts_seconds() -> None:
    """Adds wait a second for a failing storage, and a write counts as failing after five."""
    assert (PATIENCE, STUCK_AFTER) == (1.0, 5.0)


def test_adds_wait_a_second_together(run: Run, tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds one after the other wait about a second in all, then each drops at once; after healing they are kept."""

    async def main() -> list[int]:
        async with AsyncSummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
            disk.under(writer)
            disk.fail(errno.EIO)
            with within(PATIENCE + AT_ONCE):
                accepted = await add_all(writer, range(300))
            assert writer.stats.dropped == {"storage": 300 - len(accepted)}
            assert len(accepted) == writer.stats.accepted == writer.stats.pending == 5
            out_of_patience(monkeypatch)
            with within(AT_ONCE):
                assert await add_all(writer, range(300, 600)) == []
                assert not writer.nowait.add_scalar("a", 1.0, 600)
            assert writer.stats.dropped == {"storage": 596}
            assert isinstance(writer.stats.last_error, OSError)
            assert writer.stats.last_error.errno == errno.EIO
            disk.heal()
            assert await comes(lambda: not writer.stats.pending)
            accepted += await add_all(writer, range(1000, 1100))
            assert len(accepted) == 105
            return accepted

    accepted = run(main())
    assert steps(tmp_path) == accepted


def test_gathered_adds_wait_a_second_together(run: Run, tmp_path: Path, disk: Disk) -> None:
    """Adds that wait beside each other all go on after about a second, and are counted."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
            disk.under(writer)
            disk.fail(errno.ENOSPC)
            with within(PATIENCE + AT_ONCE):
                await asyncio.gather(*(writer.add_scalar("a", 1.0, step) for step in range(300)))
            assert (writer.stats.accepted, writer.stats.dropped) == (5, {"storage": 295})
            disk.heal()
            await writer.flush()

    run(main())
    assert steps(tmp_path) == list(range(5))


def test_adds_beyond_2000_entries(tmp_path: Path, disk: Disk) -> None:
    """An add that waits for the 2,000 entries before it is dropped after a second too."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            disk.fail(errno.ENOSPC)
            with within(PATIENCE + AT_ONCE):
                await add_all(writer, range(2100))
            assert (writer.stats.accepted, writer.stats.dropped) == (2000, {"storage": 100})
            disk.heal()

    asyncio.run(main())
    assert steps(tmp_path) == list(range(2000))


def test_a_script_waits_a_second(tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A SummaryWriter's adds wait about a second in all, from however many threads."""
    with SummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
        disk.under(writer)
        disk.fail(errno.ENOSPC)
        threads = [threading.Thread(target=add_all_here, args=(writer, range(100))) for _ in range(3)]
        with within(PATIENCE + AT_ONCE):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert (writer.stats.accepted, writer.stats.dropped) == (5, {"storage": 295})
        out_of_patience(monkeypatch)
        with within(AT_ONCE):
            assert add_all_here(writer, range(100, 200)) == []
        disk.heal()
        assert eventually(lambda: not writer.stats.pending)
        assert add_all_here(writer, range(1000, 1100)) == list(range(1000, 1100))
    assert steps(tmp_path)[5:] == list(range(1000, 1100))


def test_a_short_failure_drops_nothing(run: Run, tmp_path: Path, disk: Disk) -> None:
    """Adds that wait while the disk fails for less than a second are accepted once it heals."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
            disk.under(writer)
            disk.fail(errno.ENOSPC)
            tasks = [asyncio.create_task(writer.add_scalar("a", 1.0, step)) for step in range(50)]
            assert await comes(lambda: disk.calls["write_at"] > 1)
            assert not tasks[-1].done()
            disk.heal()
            await asyncio.gather(*tasks)
            assert dict(writer.stats.dropped) == {}

    run(main())
    assert steps(tmp_path) == list(range(50))


def test_drop_does_not_wait(tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `overflow="drop"` adds do not wait for a failing disk at all."""
    out_of_patience(monkeypatch)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=5 * COST, overflow="drop") as writer:
            disk.under(writer)
            disk.fail(errno.ENOSPC)
            with within(AT_ONCE):
                assert await add_all(writer, range(100)) == list(range(5))
            disk.heal()

    asyncio.run(main())
    assert steps(tmp_path) == list(range(5))


# What is told


@pytest.mark.usefixtures("hasty")
def test_the_first_failure_is_logged_once(tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """A failure is logged once, however often it is tried again, then its healing; and so is the next one."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            for episode in (1, 2):
                disk.calls.clear()
                disk.fail(errno.ENOSPC)
                await writer.add_scalar("a", 1.0)
                assert await comes(lambda: disk.calls["write_at"] >= 4)
                await writer.add_scalar("a", 1.0)
                assert said(caplog, "cannot write") == episode
                disk.heal()
                await writer.flush()
                assert await comes(lambda: said(caplog, "writing to") == episode)  # noqa: B023  # called at once

    with caplog.at_level(logging.WARNING, "asynctb"):
        asyncio.run(main())
    assert len(caplog.records) == 4
    assert "No space left" in caplog.records[0].message
    assert steps(tmp_path) == [0, 1, 2, 3]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("number", FAILURES, ids=errno.errorcode.get)
def test_flush_and_close_raise(number: int, run: Run, tmp_path: Path, disk: Disk) -> None:
    """By default `flush()` and `close()` raise a StorageError that says how many entries are not stored, and why."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path, max_bytes=5 * COST)
        await writer.add_scalar("a", 1.0, 0)
        await writer.flush()
        disk.under(writer)
        disk.fail(number)
        accepted = await add_all(writer, range(1, 11))
        for end in (writer.flush, writer.flush, writer.close):
            with within(PATIENCE + AT_ONCE), pytest.raises(StorageError) as raised:
                await end()
            assert raised.value.unwritten == 10
            assert (raised.value.errno, raised.value.strerror) == (number, os.strerror(number))
            assert isinstance(raised.value, OSError)
            for fact in ("5 entries", "5 of add_scalar", "5 were dropped", str(tmp_path), os.strerror(number)):
                assert fact in str(raised.value)
        assert accepted == [1, 2, 3, 4, 5]

    run(main())
    assert steps(tmp_path) == [0]


@pytest.mark.usefixtures("hasty")
def test_flush_and_close_of_a_script_raise_if_told_to(tmp_path: Path, disk: Disk) -> None:
    """A SummaryWriter with `on_storage_error="raise"` reports as an AsyncSummaryWriter does."""
    writer = SummaryWriter(tmp_path, max_bytes=5 * COST, on_storage_error="raise")
    disk.under(writer)
    disk.fail(errno.ENOSPC)
    add_all_here(writer, range(10))
    for end in (writer.flush, writer.close):
        with within(PATIENCE + AT_ONCE), pytest.raises(StorageError) as raised:
            end()
        assert (raised.value.unwritten, raised.value.errno) == (10, errno.ENOSPC)


@pytest.mark.usefixtures("hasty")
def test_flush_and_close_log_if_told_to(tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """With `on_storage_error="log"` they return, and log what is not stored."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path, on_storage_error="log")
        await writer.add_scalar("a", 1.0, 0)
        disk.under(writer)
        disk.fail(errno.ENOSPC)
        await writer.add_scalar("a", 1.0, 1)
        with within(PATIENCE + AT_ONCE):
            await writer.flush()
        assert said(caplog, "not stored in") == 1
        with within(PATIENCE + AT_ONCE):
            await writer.close()

    with caplog.at_level(logging.WARNING, "asynctb"):
        asyncio.run(main())


def test_a_script_logs_by_default(tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """A trainer that flushes a SummaryWriter after every step is told in the log, and soon waits no more."""
    with caplog.at_level(logging.WARNING, "asynctb"), SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        disk.fail(errno.ENOSPC)
        with within(PATIENCE + AT_ONCE):
            for step in range(20):
                writer.add_scalar("a", 1.0, step)
                writer.flush()
        assert said(caplog, "not stored in") == 1
        assert said(caplog, "cannot write") == 1
        disk.heal()
        writer.flush()
        assert writer.stats.pending == 0
    assert steps(tmp_path) == list(range(20))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("on_storage_error", ["raise", "log"])
def test_an_exception_in_flight_stays(
    on_storage_error: Any, tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """Leaving a block with an exception raises that one, though the disk is failing; what is lost is logged."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path / "async", on_storage_error=on_storage_error) as writer:
            disk.under(writer)
            disk.fail(errno.ENOSPC)
            await writer.add_scalar("a", 1.0)
            raise KeyError("the user's own")

    def script() -> None:
        with SummaryWriter(tmp_path / "sync", on_storage_error=on_storage_error) as writer:
            disk.under(writer)
            disk.fail(errno.ENOSPC)
            writer.add_scalar("a", 1.0)
            raise KeyError("the user's own")

    with caplog.at_level(logging.WARNING, "asynctb"):
        with pytest.raises(KeyError, match="the user's own") as raised:
            asyncio.run(main())
        assert raised.value.__cause__ is None
        assert said(caplog, "1 entry is not stored") == 1
        caplog.clear()
        with pytest.raises(KeyError, match="the user's own"):
            script()
        assert said(caplog, "1 entry is not stored") == 1


@pytest.mark.usefixtures("hasty")
def test_leaving_a_block_reports(tmp_path: Path, disk: Disk) -> None:
    """Leaving a block without an exception raises what `close()` would."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            disk.fail(errno.ENOSPC)
            await writer.add_scalar("a", 1.0)

    def script() -> None:
        with SummaryWriter(tmp_path, on_storage_error="raise") as writer:
            disk.under(writer)
            disk.fail(errno.ENOSPC)
            writer.add_scalar("a", 1.0)

    with pytest.raises(StorageError) as raised:
        asyncio.run(main())
    assert raised.value.unwritten == 1
    disk.heal()
    with pytest.raises(StorageError) as raised:
        script()
    assert raised.value.unwritten == 1


# Healing


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("most", [1, 7, 100])
def test_short_writes(most: int, tmp_path: Path, disk: Disk) -> None:
    """A disk that takes a few bytes at a time gets all of them, in order, and that is no failure."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            disk.most = most
            for step in range(20):
                await writer.add_scalar("a", 1.0, step)
                await writer.add_scalars("b", {"k": 1.0}, step)
            await writer.flush()
            assert writer.stats.last_error is None

    asyncio.run(main())
    assert steps(tmp_path) == steps(tmp_path, "b", "b_k") == list(range(20))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("most", [0, 1, 13, 50])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EINTR, errno.EAGAIN, errno.ESTALE, errno.EBADF])
def test_a_torn_record_is_completed(number: int, most: int, tmp_path: Path, disk: Disk) -> None:
    """A write that fails at any byte is continued at that byte, in the same file, whatever came meanwhile."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_scalar("a", 1.0, 0)
            await writer.flush()
            disk.under(writer)
            disk.most = most
            disk.fail(number, errors=chain([None], repeat(OSError(number, os.strerror(number)))))
            for step in range(1, 30):
                await writer.add_scalar("a", 1.0, step)
            assert await comes(lambda: disk.calls["write_at"] > 5)
            await writer.add_scalar("a", 1.0, 30)
            disk.heal()
            await writer.add_scalar("a", 1.0, 31)
            await writer.flush()

    asyncio.run(main())
    assert len(event_files(tmp_path)) == 1
    assert steps(tmp_path) == list(range(32))


CALLS = ["write_at", "found", "create", "reopen", "names", "make_root"]
NUMBERS = [errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ESTALE, errno.EBADF, errno.ENXIO, errno.EINTR]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("seed", range(30))
def test_whatever_fails_everything_accepted_is_there_once(seed: int, tmp_path: Path, disk: Disk) -> None:
    """Errors and short writes of any call at any moment leave whole files with all that was accepted, in order."""
    chance = random.Random(seed)

    def errors() -> Iterator[OSError | None]:
        for _ in range(chance.randrange(60)):
            number = chance.choice(NUMBERS)
            yield OSError(number, os.strerror(number)) if chance.random() < 0.5 else None

    async def main() -> tuple[list[int], list[int]]:
        async with AsyncSummaryWriter(tmp_path, max_bytes=30 * COST) as writer:
            disk.under(writer)
            for call in CALLS:
                disk.fail(0, call, errors=errors())
            disk.most = chance.choice([None, 5, 60])
            main_run, sub_run = [], []
            for step in range(300):
                before = dropped(writer)
                await writer.add_scalar("a", 1.0, step)
                if dropped(writer) == before:
                    main_run.append(step)
                if step % 3 == 0 and writer.nowait.add_scalars("b", {"k": 1.0}, step):
                    sub_run.append(step)
                if chance.random() < 0.05:
                    await asyncio.sleep(0.002)
            while writer.stats.pending:
                with suppress(StorageError):  # while it is still failing
                    await writer.flush(timeout=20)
            return main_run, sub_run

    main_run, sub_run = asyncio.run(main())
    assert steps(tmp_path) == main_run
    assert steps(tmp_path, "b", "b_k") == sub_run


@pytest.mark.usefixtures("hasty")
def test_a_failing_sub_run_keeps_its_points(tmp_path: Path, disk: Disk) -> None:
    """Points of a sub-run whose file cannot be opened for now come to it later; those of the main run do not wait."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            disk.fail(errno.EMFILE, "create")
            await writer.add_scalars("b", {"k": 1.0, "l": 1.0}, 0)
            await writer.add_scalar("a", 1.0, 0)
            assert await comes(lambda: steps_so_far(tmp_path) == [0])
            disk.heal()
            await writer.flush()

    asyncio.run(main())
    assert steps(tmp_path, "b", "b_k") == steps(tmp_path, "b", "b_l") == [0]


def test_a_sub_run_that_can_have_no_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Points of a sub-run whose name no file can have are dropped, counted and logged; the others are not held up."""
    (tmp_path / "b_file").write_text("in the way")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "b_link").symlink_to(tmp_path / "elsewhere")
    with caplog.at_level(logging.WARNING, "asynctb"), SummaryWriter(tmp_path, on_storage_error="raise") as writer:
        for step in range(3):
            writer.add_scalars("b", {"file": 1.0, "link": 1.0, "x" * 300: 1.0, "fine": 1.0}, step)
            writer.flush()
        assert writer.stats.dropped == {"path": 9}
        assert (writer.stats.accepted, writer.stats.written, writer.stats.pending) == (12, 3, 0)
    assert steps(tmp_path, "b", "b_fine") == [0, 1, 2]
    assert event_files(tmp_path / "elsewhere") == []
    assert said(caplog, "dropped") == 1


@pytest.mark.parametrize("what", ["directory", "file"])
def test_deleted_meanwhile(what: str, run: Run, tmp_path: Path) -> None:
    """Where the directory or the file is deleted under the writer, it goes on in a new file."""
    log_dir = tmp_path / "deep" / "run"

    async def main() -> None:
        async with AsyncSummaryWriter(log_dir) as writer:
            await writer.add_scalar("a", 1.0, 0)
            await writer.add_scalars("b", {"k": 1.0}, 0)
            await writer.flush(sync=True)
            for path in [tmp_path / "deep"] if what == "directory" else event_files(log_dir):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            await writer.add_scalar("a", 1.0, 1)
            await writer.add_scalars("b", {"k": 1.0}, 1)
            await writer.flush(sync=True)
            assert steps_so_far(log_dir) == steps_so_far(log_dir, "b", "b_k") == [1]
            await writer.add_scalar("a", 1.0, 2)
            assert (writer.stats.pending, dict(writer.stats.dropped)) == (0, {}) or writer.stats.pending == 1

    run(main())
    assert steps(log_dir) == [1, 2]


def test_a_file_that_was_swapped_is_not_touched(tmp_path: Path) -> None:
    """A foreign file that took the place of the writer's own is left as it is."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("a", 1.0, 0)
        writer.flush()
        (mine,) = event_files(tmp_path)
        mine.unlink()
        mine.write_bytes(b"not yours")
        writer.add_scalar("a", 1.0, 1)
        writer.flush()
        assert mine.read_bytes() == b"not yours"
        mine.unlink()
    assert steps(tmp_path) == [1]


# Writes that do not return


@pytest.mark.usefixtures("soon_stuck")
def test_a_stuck_write_drops_adds(run: Run, tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """A write that does not return counts as failing: adds and flushes wait no longer, and all is well once it ends."""

    async def main() -> list[int]:
        async with AsyncSummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
            disk.under(writer)
            disk.hold()
            with within(AT_ONCE):
                accepted = await add_all(writer, range(100))
            assert writer.stats.dropped == {"storage": 95}
            assert isinstance(writer.stats.last_error, TimeoutError)
            with within(AT_ONCE), pytest.raises(StorageError) as raised:
                await writer.flush()
            assert raised.value.unwritten == 100
            disk.release()
            assert await comes(lambda: not writer.stats.pending)
            await writer.flush()
            assert said(caplog, "in flight") == 1
            return accepted + await add_all(writer, range(200, 300))

    with caplog.at_level(logging.WARNING, "asynctb"):
        accepted = run(main())
    assert len(accepted) == 105
    assert steps(tmp_path) == accepted


@pytest.mark.usefixtures("soon_stuck")
def test_a_flush_that_waits_already(tmp_path: Path, disk: Disk) -> None:
    """A flush without a timeout ends once the write that it waits for counts as failing."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            disk.hold()
            await writer.add_scalar("a", 1.0, 0)
            with within(AT_ONCE), pytest.raises(StorageError):
                await writer.flush()
            disk.release()

    asyncio.run(main())
    assert steps(tmp_path) == [0]


@pytest.mark.parametrize("sync", [False, True])
def test_timeouts(sync: bool, run: Run, tmp_path: Path, disk: Disk) -> None:
    """`flush(timeout)` and `close(timeout)` return in time and report, though the disk does not return at all."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        await writer.add_scalar("a", 1.0, 0)
        await writer.flush()
        disk.under(writer)
        disk.hold()
        await writer.add_scalar("a", 1.0, 1)
        await writer.add_text("t", "words", 1)
        with within(0.2 + AT_ONCE), pytest.raises(StorageError) as raised:
            await writer.flush(sync, timeout=0.2)
        assert raised.value.unwritten == 2
        assert "1 of add_text" in str(raised.value)
        with within(0.3 + AT_ONCE), pytest.raises(StorageError) as raised:
            await writer.close(timeout=0.3)
        assert raised.value.unwritten == 2

    run(main())
    assert steps(tmp_path) == [0]
    disk.release()  # too late to be told, but not too late to be stored
    assert eventually(lambda: [p.tag for p in points(tmp_path)] == ["a", "a", "t/text_summary"])


def test_timeouts_of_a_script(tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """A SummaryWriter's `flush(timeout)` and `close(timeout)` return in time and log what is not stored."""
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("a", 1.0, 0)
    writer.flush()
    disk.under(writer)
    disk.hold()
    writer.add_scalar("a", 1.0, 1)
    with caplog.at_level(logging.WARNING, "asynctb"):
        with within(0.2 + AT_ONCE):
            writer.flush(timeout=0.2)
        assert said(caplog, "1 entry is not stored") == 1
        with within(0.3 + AT_ONCE):
            writer.close(timeout=0.3)
    disk.release()
    assert eventually(lambda: steps(tmp_path) == [0, 1])


@pytest.mark.parametrize("colour", ["async", "sync"])
def test_timeouts_hold_for_a_sync(colour: str, tmp_path: Path, disk: Disk) -> None:
    """`flush(sync=True, timeout)` returns in time and reports, though the sync itself does not return."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            await writer.add_scalar("a", 1.0, 0)
            disk.hold("sync")
            with within(0.2 + AT_ONCE), pytest.raises(StorageError):
                await writer.flush(sync=True, timeout=0.2)
            disk.release()

    def script() -> None:
        with SummaryWriter(tmp_path, on_storage_error="raise") as writer:
            disk.under(writer)
            writer.add_scalar("a", 1.0, 0)
            disk.hold("sync")
            late = threading.Timer(LONG, disk.release)
            late.start()
            try:
                with within(0.2 + AT_ONCE), pytest.raises(StorageError):
                    writer.flush(sync=True, timeout=0.2)
            finally:
                late.cancel()
                disk.release()

    asyncio.run(main()) if colour == "async" else script()
    assert steps(tmp_path) == [0]


def test_a_sync_that_fails_is_reported(tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """`flush(sync=True)` raises, or logs, when what is written cannot be synced; a later one that can succeeds."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path / "async") as writer:
            disk.under(writer)
            disk.fail(errno.EIO, "sync")
            await writer.add_scalar("a", 1.0, 0)
            for _ in range(2):
                with pytest.raises(StorageError) as raised:
                    await writer.flush(sync=True)
                assert raised.value.errno == errno.EIO
            await writer.flush()
            disk.heal()
            await writer.flush(sync=True)

    asyncio.run(main())
    with caplog.at_level(logging.WARNING, "asynctb"), SummaryWriter(tmp_path / "sync") as writer:
        disk.under(writer)
        disk.fail(errno.EIO, "sync")
        writer.add_scalar("a", 1.0, 0)
        writer.flush(sync=True)
        assert said(caplog, os.strerror(errno.EIO)) == 1
        disk.heal()
        writer.flush(sync=True)
    assert disk.calls["sync"] >= 5


def test_a_close_that_runs_out_of_time_leaves_nobody_in_line(run: Run, tmp_path: Path, disk: Disk) -> None:
    """An add that waits for room when `close()` runs out of time ends soon after, dropped or refused."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path, max_bytes=2 * COST)
        await writer.add_scalar("a", 1.0, 0)
        await writer.flush()
        disk.under(writer)
        disk.hold()
        for step in (1, 2):
            await writer.add_scalar("a", 1.0, step)
        late = asyncio.create_task(writer.add_scalar("a", 1.0, 3))
        await asyncio.sleep(0.01)
        assert not late.done()
        with pytest.raises(StorageError):
            await writer.close(timeout=0.2)
        ended, _ = await asyncio.wait({late}, timeout=PATIENCE + 2)
        disk.release()
        assert ended, "it waits for ever"
        assert isinstance(late.exception(), asynctb.WriterClosed | None)
        assert dropped(writer) == (late.exception() is None)

    run(main())


def test_a_threads_close_that_runs_out_of_time_leaves_nobody_in_line(tmp_path: Path, disk: Disk) -> None:
    """An add of another thread that waits for room when `close()` runs out of time ends soon after."""
    writer = SummaryWriter(tmp_path, max_bytes=2 * COST)
    disk.under(writer)
    disk.hold()
    for step in (1, 2):
        writer.add_scalar("a", 1.0, step)
    late = threading.Thread(target=writer.add_scalar, args=("a", 1.0, 3), daemon=True)
    late.start()
    assert eventually(lambda: writer._pipeline.backlog.waiting)
    with within(0.2 + PATIENCE + AT_ONCE):
        writer.close(timeout=0.2)
    late.join(PATIENCE + AT_ONCE)
    ended = not late.is_alive()
    disk.release()
    late.join()
    assert ended
    writer.close()


# Opening again


def test_an_add_after_close_does_not_raise_for_the_disk(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A SummaryWriter's add after `close()` does not raise where its new file cannot be opened: it drops and logs."""
    monkeypatch.setattr("asynctb.storage.local.files_for_this_system", lambda: disk)
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("a", 1.0, 0)
    writer.close()
    disk.fail(errno.ENOSPC, "create")
    with caplog.at_level(logging.WARNING, "asynctb"), within(PATIENCE + AT_ONCE):
        writer.add_scalar("a", 1.0, 1)
    assert said(caplog, os.strerror(errno.ENOSPC)) >= 1
    disk.heal()
    writer.add_scalar("a", 1.0, 2)
    writer.close()
    got = steps(tmp_path)
    assert got[0] == 0
    assert got[-1] == 2
    assert len(got) + dropped(writer) == 3


def test_an_add_after_close_waits_no_longer_for_an_opening_than_for_a_write(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All adds and flushes together wait some seconds for an opening that does not return, and nothing is lost."""
    monkeypatch.setattr("asynctb.storage.local.files_for_this_system", lambda: disk)
    monkeypatch.setattr("asynctb.pipeline.in_thread.STUCK_AFTER", 0.1)
    monkeypatch.setattr("asynctb.pipeline.in_thread.PATIENCE", 0.1)
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("a", 1.0, 0)
    writer.close()
    held = disk.hold("create")
    with caplog.at_level(logging.WARNING, "asynctb"):
        assert ends(lambda: writer.add_scalar("a", 1.0, 1))
        assert held.is_set()
        assert said(caplog, "cannot open an event file") == 1
        for step in range(2, 100):
            writer.add_scalar("a", 1.0, step)
        assert ends(writer.flush)
        assert said(caplog, "the event file is still being opened") == 1
    disk.heal()
    assert eventually(lambda: writer._pipeline.drain.opened)
    writer.add_scalar("a", 1.0, 100)
    writer.flush()
    assert (writer.stats.pending, writer.stats.written) == (0, 101)
    writer.close()
    assert steps(tmp_path) == list(range(101))


# A real limit


CHILD = """
import asyncio, json, logging, resource, sys
from asynctb import AsyncSummaryWriter, SummaryWriter

log_dir, colour = sys.argv[1:]
said = []
class Handler(logging.Handler):
    def emit(self, record):
        said.append(record.getMessage())
logging.getLogger("asynctb").addHandler(Handler())
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
accepted = []
errors = []

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

async def main():
    async with AsyncSummaryWriter(log_dir, max_bytes=50_000) as writer:
        limit(10_000)
        for step in range(600):
            before = dict(writer.stats.dropped)
            await writer.add_scalar("a", 1.0, step)
            if writer.stats.dropped == before:
                accepted.append(step)
        try:
            await writer.flush()
        except OSError as error:
            errors.append([type(error).__name__, error.errno, error.unwritten])
        limit(soft)
        await writer.flush()
        await writer.add_scalar("a", 1.0, 1000)
        accepted.append(1000)

def script():
    with SummaryWriter(log_dir, max_bytes=50_000, on_storage_error="raise") as writer:
        limit(10_000)
        for step in range(600):
            before = dict(writer.stats.dropped)
            writer.add_scalar("a", 1.0, step)
            if writer.stats.dropped == before:
                accepted.append(step)
        try:
            writer.flush()
        except OSError as error:
            errors.append([type(error).__name__, error.errno, error.unwritten])
        limit(soft)
        writer.flush()
        writer.add_scalar("a", 1.0, 1000)
        accepted.append(1000)

asyncio.run(main()) if colour == "async" else script()
print(json.dumps({"accepted": accepted, "errors": errors, "said": said}))
"""


@pytest.mark.parametrize("colour", ["async", "sync"])
def test_a_limit_on_file_sizes(colour: str, tmp_path: Path) -> None:
    """A file that may not grow fails in the middle of a record; once it may, it holds all that was accepted."""
    library = Path(asynctb.__file__).parents[1]
    path = os.pathsep.join(filter(None, [str(library), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, str(tmp_path / "run"), colour],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    assert len(told["accepted"]) < 601
    assert len(event_files(tmp_path / "run")) == 1
    assert steps(tmp_path / "run") == told["accepted"]
    (error,) = told["errors"]
    assert error[:2] == ["StorageError", errno.EFBIG]
    assert error[2] > 601 - len(told["accepted"])
    assert sum("cannot write" in message for message in told["said"]) == 1


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (outgoing, "Taken"),
        (outgoing.Taken, "batch"),
        (Batch, "parted"),
        (LocalStorage, "take"),
        (drain, "_framed"),
    ],
)
def test_no_memory_for_a_moment(owner: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever wants for memory while entries are written, they are written and counted once, and a flush ends."""
    real, times = getattr(owner, name), iter([MemoryError(), MemoryError()])

    def short_of_memory(*args: Any) -> Any:
        if error := next(times, None):
            raise error
        return real(*args)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            monkeypatch.setattr(owner, name, short_of_memory)
            for step in range(5):
                await writer.add_scalar("a", 1.0, step)
            while writer.stats.pending:
                with suppress(MemoryError):
                    await writer.flush(timeout=20)
            assert (writer.stats.accepted, writer.stats.written) == (5, 5)

    asyncio.run(main())
    assert steps(tmp_path) == list(range(5))


def test_without_a_loop_the_end_still_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no loop could be made, for want of descriptors say, the end of the process knows of the writer."""
    monkeypatch.setattr(LoopThread, "start", lambda _: False)
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("a", 1.0, 0)
    assert writer._pipeline in exits._watched
    writer.close()
    assert writer._pipeline not in exits._watched
    assert steps(tmp_path) == [0]


def test_where_the_program_lets_no_thread_have_a_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a policy whose loops are for the main thread, as those of GUI toolkits are, adds neither hang nor raise."""
    monkeypatch.setattr("asyncio.events.new_event_loop", Mock(side_effect=RuntimeError("not in this thread")))
    writer = SummaryWriter(tmp_path)
    assert ends(lambda: writer.add_scalar("a", 1.0, 0))
    assert eventually(lambda: steps_so_far(tmp_path) == [0])
    writer.add_scalar("a", 1.0, 1)
    writer.flush()
    assert writer.stats.written == 2
    writer.close()
    assert steps(tmp_path) == [0, 1]


@pytest.fixture
def soon_stuck_without_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no thread have a loop, and whoever waits for a write find out early that it is stuck."""
    monkeypatch.setattr(LoopThread, "start", lambda _: False)
    monkeypatch.setattr("asynctb.pipeline.in_thread.LOOK", 0.02)
    monkeypatch.setattr("asynctb.pipeline.drain.STUCK_AFTER", 0.1)


@pytest.mark.usefixtures("soon_stuck_without_a_loop")
def test_without_a_loop_a_stuck_write_holds_up_nobody_for_long(tmp_path: Path, disk: Disk) -> None:
    """Where no task watches over the writing, those who wait find out themselves: then adds and flushes return."""
    with SummaryWriter(tmp_path, max_bytes=2 * COST, on_storage_error="raise") as writer:
        disk.under(writer)
        held = disk.hold()
        writer.add_scalar("a", 1.0, 0)
        assert held.wait(AGES)

        def flush() -> None:
            with pytest.raises(StorageError, match="in flight"):
                writer.flush()

        assert ends(flush)
        with within(4.0):
            flush()
            for step in range(1, 100):  # without room they are dropped at once: a wait for each would take 5 s
                writer.add_scalar("a", 1.0, step)
        assert dropped(writer) == 98
        disk.heal()
        assert eventually(lambda: writer.stats.pending == 0)
        writer.add_scalar("a", 1.0, 100)
        writer.flush()
        assert writer.stats.written == 3
    assert steps(tmp_path) == [0, 1, 100]


@pytest.mark.usefixtures("soon_stuck_without_a_loop")
def test_without_a_loop_a_write_that_returns_at_last_is_not_held_for_stuck(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that returns just as it is found to be stuck leaves no failure behind that nothing would end."""
    with SummaryWriter(tmp_path) as writer:
        health, fail = writer._pipeline.health, writer._pipeline.health.fail_alone

        def fail_late(error: BaseException, *, stuck: bool) -> None:
            disk.heal()
            assert eventually(lambda: writer.stats.pending == 0)
            time.sleep(0.05)
            fail(error, stuck=stuck)

        monkeypatch.setattr(health, "fail_alone", fail_late)
        disk.under(writer)
        held = disk.hold()
        writer.add_scalar("a", 1.0, 0)
        assert held.wait(AGES)
        assert ends(writer.flush)
        assert eventually(lambda: health.failing is None)
        assert not health.hopeless


def test_ctrl_c_on_the_way_to_the_file_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the midst of a call to write leaves the next add to make it."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("a", 1.0, 0)
        assert eventually(lambda: steps_so_far(tmp_path) == [0])
        assert eventually(lambda: writer._pipeline.backlog.call_at == 1)  # the next add calls the task
        with monkeypatch.context() as patch:
            patch.setattr(LocalStorage, "rouse", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                writer.add_scalar("a", 1.0, 1)
        writer.add_scalar("a", 1.0, 2)
        assert eventually(lambda: steps_so_far(tmp_path) == [0, 1, 2])
