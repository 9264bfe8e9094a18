"""One file that cannot be written holds up no other: what is stored is counted as written, and gives its room back."""

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asynctb import AsyncSummaryWriter, StorageError, SummaryWriter
from asynctb.encode.scalar import scalar
from asynctb.entry import wire_size
from tests.contract.disk import Disk
from tests.contract.seen import comes, event_files, eventually, points, steps, steps_so_far
from tests.storage.faults import FaultyFiles, from_then_on
from tests.storage.points import LONG, made, posix, wire

COST = wire_size(scalar("a", 1.0))
ROOM = 50  # points of tag "a" that find room
SICK = "b_sick"


class SickDisk(Disk):
    """A disk on which some files can be had, and some cannot."""

    def __init__(self, sick: Callable[[str, str], bool]) -> None:
        super().__init__()
        self.sick = sick

    def create(self, root: Path, run: str, name: str) -> int:
        if self.sick(run, name):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().create(root, run, name)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asynctb.pipeline.driver.PATIENCE", 0.2)
    monkeypatch.setattr("asynctb.pipeline.driver.FIRST_RETRY", 0.001)
    monkeypatch.setattr("asynctb.pipeline.driver.LAST_RETRY", 0.001)


def healthy(run: str, name: str) -> bool:
    return False


def sick_sub_run(run: str, name: str) -> bool:
    return run == SICK


def sick_assets(run: str, name: str) -> bool:
    return name.endswith(".tmp")


@pytest.mark.parametrize("what", ["sub-run", "asset"])
def test_a_sick_file_holds_up_no_other(what: str, tmp_path: Path) -> None:
    """Many times what finds room goes through the healthy file, nothing of it is dropped, and the sick one is told."""
    disk = SickDisk(sick_sub_run if what == "sub-run" else sick_assets)

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path, max_bytes=ROOM * COST)
        disk.under(writer)
        if what == "sub-run":
            await writer.add_scalars("b", {"sick": 1.0}, 0)
        else:
            await writer.add_embedding(np.ones((2, 2)), tag="e")
        assert await comes(lambda: writer._pipeline.backlog.impatient, LONG)
        for step in range(6 * ROOM):
            await writer.add_scalar("a", 1.0, step)
            if step % (ROOM // 2) == 0:  # from now on an add that finds no room waits for none
                assert await comes(lambda: writer.stats.pending == 1, LONG)
        assert await comes(lambda: writer.stats.pending == 1, LONG)
        assert (writer.stats.written, dict(writer.stats.dropped)) == (6 * ROOM, {})
        with pytest.raises(StorageError, match=r"1 of add_(scalars|embedding)") as raised:
            await writer.flush()
        assert raised.value.unwritten == 1
        disk.sick = healthy
        assert await comes(lambda: not writer.stats.pending, LONG)
        await writer.flush()
        assert (writer.stats.pending, writer.stats.pending_bytes) == (0, 0)
        await writer.close()

    asyncio.run(main())
    assert steps(tmp_path) == list(range(6 * ROOM))
    if what == "sub-run":
        assert steps(tmp_path, "b", SICK) == [0]
    else:
        assert list(tmp_path.rglob("tensors.tsv"))


def test_a_flush_waits_for_what_came_before_it(tmp_path: Path) -> None:
    """However much is written behind an entry that is not, no flush takes it for written."""
    disk = SickDisk(sick_sub_run)

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        disk.under(writer)
        for step in range(3):
            await writer.add_scalars("b", {"sick": 1.0, "fine": 1.0}, step)
            flushing = asyncio.create_task(writer.flush())
            await asyncio.sleep(0)  # it begins
            await writer.add_scalar("a", 1.0, step)
            await writer.add_scalar("a", 1.0, step + 10)
            assert await comes(lambda: writer.stats.pending == step + 1, LONG)  # noqa: B023  # called at once
            assert isinstance(await asyncio.wait_for(asyncio.gather(flushing, return_exceptions=True), LONG), list)
            assert isinstance(flushing.exception(), StorageError)
        flushing = asyncio.create_task(writer.flush())
        await asyncio.sleep(0)
        disk.sick = healthy
        await asyncio.wait({flushing})
        assert await comes(lambda: not writer.stats.pending, LONG)
        await writer.flush()
        assert steps_so_far(tmp_path, "b", SICK) == [0, 1, 2]
        await writer.close()

    asyncio.run(main())


def test_close_writes_all_that_can_be_written(tmp_path: Path) -> None:
    """At the end the healthy file has everything, however many batches that takes; the rest is told."""
    disk = SickDisk(sick_sub_run)
    writer = SummaryWriter(tmp_path, on_storage_error="raise")
    disk.under(writer)
    writer.add_scalars("b", {"sick": 1.0}, 0)
    assert eventually(lambda: writer.stats.last_error is not None, LONG)
    held = disk.hold("found")  # the write of the healthy file
    writer.add_scalar("a", 1.0, 0)
    assert eventually(held.is_set, LONG)
    for step in range(1, 4):
        writer.add_tensor("t", np.full(1_200_000, step, np.float32), step)  # 4.8 MB: more than one batch together
    disk.release()
    with pytest.raises(StorageError) as raised:
        writer.close()
    assert raised.value.unwritten == 1
    assert [point.tag for point in points(tmp_path)] == ["a", "t", "t", "t"]


# Files that hold nothing


@posix
@pytest.mark.parametrize("colour", ["async", "sync"])
def test_a_full_disk_keeps_no_empty_file(colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk lets a file be made, but nothing be written to it, opening raises and leaves no file behind."""
    disk = Disk()
    disk.fail(errno.ENOSPC)
    monkeypatch.setattr("asynctb.storage.local.files_for_this_system", lambda: disk)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path):
            pass

    for _ in range(2):
        with pytest.raises(StorageError) as raised:
            asyncio.run(main()) if colour == "async" else SummaryWriter(tmp_path)
        assert raised.value.errno == errno.ENOSPC
    assert disk.calls["create"] == 2
    assert event_files(tmp_path) == []
    disk.heal()
    with SummaryWriter(tmp_path, purge_step=3) as writer:
        writer.add_scalar("a", 1.0, 3)
    assert steps(tmp_path) == [3]


def test_a_sub_run_keeps_no_empty_file(tmp_path: Path) -> None:
    """A sub-run's file that never got a byte is gone after `close()`; the others keep what they hold."""
    disk = Disk()
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("a", 1.0, 0)
        writer.flush()
        disk.under(writer)
        disk.fail(errno.ENOSPC)
        writer.add_scalars("b", {"k": 1.0}, 0)
        assert eventually(lambda: event_files(tmp_path / "b_k"), LONG)
    assert event_files(tmp_path / "b_k") == []
    assert steps(tmp_path) == [0]


@posix
def test_a_purge_survives_a_failed_opening(tmp_path: Path) -> None:
    """A file that took the place of an empty one purges as the first one would have."""
    files = FaultyFiles(code=errno.ENOSPC)
    storage = made(tmp_path, files, purge_step=0)
    real = files.write_at
    files.fails = from_then_on(10**6)

    def full(fd: int, data: memoryview, offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    files.write_at = full  # type: ignore[method-assign]
    with pytest.raises(OSError, match="No space"):
        storage.open()
    assert event_files(tmp_path) == []
    files.write_at = real  # type: ignore[method-assign]
    storage.open()
    healthy = made(tmp_path / "healthy", purge_step=0)
    healthy.open()
    assert storage.path("").read_bytes() == healthy.path("").read_bytes()


@posix
def test_only_entries_are_counted_as_lost(tmp_path: Path) -> None:
    """Of a sub-run that is given up, what is in the file, and what begins a file, is not counted as lost."""
    files = FaultyFiles(code=errno.ENOSPC)
    storage = made(tmp_path, files)
    storage.open()
    real = files.write_at

    def full(fd: int, data: memoryview, offset: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    files.write_at = full  # type: ignore[method-assign]
    with pytest.raises(OSError, match="No space"):
        storage.write(wire({"a": [0, 1]}))
    files.write_at = real  # type: ignore[method-assign]
    path = storage.path("a")
    assert path is not None
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("in the way")
    storage.write({})
    assert storage.take_lost() == 2
