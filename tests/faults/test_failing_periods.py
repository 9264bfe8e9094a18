"""While the disk fails nothing of the program stops; what was accepted is read back, and what was not is counted."""

from __future__ import annotations

import errno
import os
import shutil
import time
from itertools import chain, cycle, repeat
from pathlib import Path

import numpy as np
import pytest

from asynctb import AsyncSummaryWriter, StorageError
from asynctb.encode.scalar import scalar
from asynctb.entry import wire_size
from asynctb.pipeline.health import PATIENCE
from tests.contract.disk import Disk
from tests.contract.seen import comes, event_files
from tests.faults.account import shown, steps_of, stored
from tests.faults.colours import COLOURS, Writer, done, dropped, opened, play
from tests.readback import python_loader, rust_server
from tests.storage.points import LONG

COST = wire_size(scalar("a", 1.0))
ROOM = 100  # points of tag "a" that find room
PERIODS = 2
AMPLE = 5.0  # seconds beyond those promised, for a machine that is busy with other things
CODES = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EAGAIN, errno.ESTALE]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have failed writes tried again at once."""
    monkeypatch.setattr("asynctb.pipeline.driver.FIRST_RETRY", 0.001)
    monkeypatch.setattr("asynctb.pipeline.driver.LAST_RETRY", 0.001)


def failure(code: int) -> OSError:
    return OSError(code, os.strerror(code))


class Log:
    """Adds points, and keeps account of those that were accepted, and of the time that it took."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.accepted: list[int] = []
        self.refused = 0
        self.seconds = 0.0
        self.step = 0

    async def add(self, count: int) -> None:
        """Add that many points, every third by `nowait`, where the writer has one."""
        for step in range(self.step, self.step + count):
            before, begin = dropped(self.writer), time.monotonic()
            if isinstance(self.writer, AsyncSummaryWriter) and step % 3 == 0:
                self.writer.nowait.add_scalar("a", 1.0, step)
            else:
                await done(self.writer.add_scalar("a", 1.0, step))
            self.seconds += time.monotonic() - begin
            lost = dropped(self.writer) - before
            self.refused += lost
            self.accepted += [] if lost else [step]
        self.step += count


def both_readers(folder: Path, accepted: dict[str, list[int]]) -> None:
    """Fail unless both of TensorBoard's readers show exactly what was accepted."""
    for load in (python_loader.load, rust_server.load):
        found = shown(load, folder)
        assert {case: [step for step, _ in found[case][":a"]] for case in accepted} == accepted, load.__module__


async def fail_and_heal(colour: str, log_dir: Path, code: int, caplog: pytest.LogCaptureFixture) -> list[int]:
    """Go through periods of failing writes, some of them short, with twice as many adds as find room."""
    disk = Disk()
    caplog.clear()
    writer = await opened(colour, log_dir, max_bytes=ROOM * COST, on_storage_error="raise")
    disk.under(writer)
    log = Log(writer)
    for period in range(1, PERIODS + 1):
        await log.add(10)
        disk.most = 29
        disk.fail(code, errors=chain([None], repeat(failure(code))))
        log.seconds, before = 0.0, log.refused
        await log.add(2 * ROOM)
        assert log.seconds < PATIENCE + AMPLE
        assert log.refused > before
        with pytest.raises(StorageError, match="were dropped while it was failing") as raised:
            await done(writer.flush())
        stats = writer.stats
        assert raised.value.errno == code
        assert raised.value.unwritten == stats.pending + log.refused - before
        assert sum(stats.dropped.values()) == log.refused
        assert set(stats.dropped) <= {"storage", "full"}
        assert sum("cannot write" in record.message for record in caplog.records) == period
        disk.heal()
        begin = time.monotonic()
        assert await comes(lambda: not writer.stats.pending, LONG)
        assert time.monotonic() - begin < 1 + AMPLE
        assert await comes(lambda: writer._pipeline.health.failing is None, LONG)
    await log.add(10)
    await done(writer.close())
    assert writer.stats.written == len(log.accepted)
    assert steps_of(stored(log_dir), "a") == log.accepted
    return log.accepted


def fail_all(cases: list[tuple[str, int]], folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    accepted: dict[str, list[int]] = {}
    for colour, code in cases:
        name = f"{colour}-{errno.errorcode[code]}"
        accepted[name] = play(colour, fail_and_heal(colour, folder / name, code, caplog))
    both_readers(folder, accepted)


def test_failing_and_healing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Adds wait a second in all for each failure, it is told once, and after it writing goes on at the exact byte."""
    fail_all([("asyncio", errno.ENOSPC), ("script", errno.EDQUOT)], tmp_path, caplog)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_failing_and_healing_in_all_ways(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The same for every error and every loop."""
    fail_all([(colour, code) for colour in COLOURS for code in CODES], tmp_path, caplog)


# Failures that pass by


PASSING = {
    "EINTR": [errno.EINTR],
    "EAGAIN": [errno.EAGAIN, 0],
    "any": [errno.EINTR, 0, errno.EIO, errno.EAGAIN, 0, 0, errno.ENOSPC],
}


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("what", PASSING)
def test_a_failure_that_passes_costs_nothing(what: str, colour: str, tmp_path: Path, hasty: None) -> None:
    """Calls that fail now and then, and short writes between them, lose nothing and drop nothing."""
    disk = Disk()

    async def story() -> list[int]:
        writer = await opened(colour, tmp_path, on_storage_error="raise")
        disk.under(writer)
        disk.most = 101
        errors = [failure(code) if code else None for code in PASSING[what]]
        disk.fail(0, errors=chain(errors * 5, cycle([None, *errors[:1], None])))
        log = Log(writer)
        await log.add(200)
        assert await comes(lambda: not writer.stats.pending, LONG)
        disk.heal()
        await done(writer.close())
        assert not dropped(writer)
        return log.accepted

    assert play(colour, story()) == steps_of(stored(tmp_path), "a") == list(range(200))
    assert len(event_files(tmp_path)) == 1


# For good


@pytest.mark.parametrize("colour", ["asyncio", "script"])
def test_a_disk_that_never_heals(colour: str, tmp_path: Path) -> None:
    """`close()` ends and says how many entries of which kind are missing; what stands on the disk is a prefix."""
    disk = Disk()

    async def story() -> Log:
        writer = await opened(colour, tmp_path, max_bytes=10**6, on_storage_error="raise")
        log = Log(writer)
        await log.add(10)
        await done(writer.flush())
        disk.under(writer)
        disk.most = 29
        disk.fail(errno.EROFS, errors=chain([None, None], repeat(failure(errno.EROFS))))
        await log.add(100)
        await done(writer.add_image("i", np.zeros((3, 4, 4), np.uint8)))
        begin = time.monotonic()
        with pytest.raises(StorageError, match="1 of add_image") as raised:
            await done(writer.close())
        assert time.monotonic() - begin < PATIENCE + AMPLE
        assert raised.value.unwritten == 101
        assert writer.stats.pending == 101
        return log

    log = play(colour, story())
    found = steps_of(stored(tmp_path, prefix=True), "a")
    assert found == log.accepted[: len(found)]
    assert len(found) >= 10


# Deleted


@pytest.mark.skipif(os.name != "posix", reason="open files cannot be removed here")
@pytest.mark.parametrize("what", ["folder", "file"])
@pytest.mark.parametrize("colour", ["uvloop", "script"])
def test_deleted_under_a_failing_disk(what: str, colour: str, tmp_path: Path, hasty: None) -> None:
    """What is deleted while a record is torn is begun anew, with all that was not yet whole in the old file."""
    disk = Disk()

    async def story() -> None:
        writer = await opened(colour, tmp_path / "run", on_storage_error="raise")
        log = Log(writer)
        await log.add(5)
        await done(writer.flush())
        disk.under(writer)
        disk.most = 29
        disk.fail(errno.ENOSPC, errors=chain([None, None], repeat(failure(errno.ENOSPC))))
        await log.add(20)
        assert await comes(lambda: disk.calls["write_at"] > 4, LONG)
        (old,) = event_files(tmp_path / "run")
        gone = steps_of(stored(tmp_path / "run", prefix=True), "a")
        if what == "folder":  # in one step: the writer makes a new file as soon as the old one is gone
            shutil.rmtree((tmp_path / "run").rename(tmp_path / "gone"))
        else:
            old.unlink()
        disk.heal()
        begin = time.monotonic()
        await log.add(5)
        assert await comes(lambda: not writer.stats.pending, LONG)
        assert time.monotonic() - begin < 1 + AMPLE
        await done(writer.close())
        assert not dropped(writer)
        found = steps_of(stored(tmp_path / "run"), "a")
        assert found == log.accepted[-len(found) :]
        assert set(gone) | set(found) == set(log.accepted)

    play(colour, story())
