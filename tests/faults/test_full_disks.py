"""On disks that are really full, or closed to writers: all that was accepted is read back once they have room again."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, StorageError, SummaryWriter
from asynctb.pipeline.health import PATIENCE
from tests.contract.seen import event_files
from tests.faults.account import shown, steps_of, stored
from tests.faults.colours import COLOURS
from tests.faults.program import run
from tests.readback import python_loader, rust_server

AMPLE = 5.0  # seconds beyond those promised, for a machine that is busy with other things
ADDED = 4100  # by the program, over all

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no limits and no mounts like these here")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a disk of its own")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, how: str, colours: list[str], code: int) -> None:
    """Fill a disk under each writer, one after the other, and have both readers read them all."""
    accepted: dict[str, list[int]] = {}
    for colour in colours:
        told: dict[str, Any] = json.loads(run("fill", folder / "logs" / colour, colour, how).out)
        accepted[colour] = told["accepted"]
        assert told["waited"] < PATIENCE + AMPLE
        assert told["healed"] < 1 + AMPLE
        assert told["error"] == [code, told["expected"]]
        assert set(told["dropped"]) == {"storage"}
        assert len(told["accepted"]) + told["dropped"]["storage"] == ADDED
        assert sum("cannot write" in line for line in told["told"]) == 1
        assert steps_of(stored(folder / "logs" / colour), "a") == told["accepted"]
        assert len(event_files(folder / "logs" / colour)) == 1, "it goes on at the exact byte"
    for load in (python_loader.load, rust_server.load):
        found = shown(load, folder / "logs")
        assert {colour: [step for step, _ in found[colour][":a"]] for colour in colours} == accepted


def test_a_limit_on_file_sizes(tmp_path: Path) -> None:
    """A file that may not grow takes a part of a write, and then none: so it goes without root."""
    fill(tmp_path, "limit", COLOURS, errno.EFBIG)


def test_a_full_disk(disk: Path) -> None:
    """A disk without room takes a part of a write, and then none."""
    fill(disk, "full", ["asyncio", "script"], errno.ENOSPC)


def remount(disk: Path, flag: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{flag}", str(disk)], check=True)


def test_a_disk_that_is_closed_to_writers(disk: Path) -> None:
    """A read-only disk is told where a file is to be opened; what waits in memory is stored once it can be."""
    remount(disk, "ro")
    with pytest.raises(StorageError) as raised:
        SummaryWriter(disk / "script")
    assert raised.value.errno == errno.EROFS

    async def main() -> None:
        writer = AsyncSummaryWriter(disk / "async")
        assert all(writer.nowait.add_scalar("a", 1.0, step) for step in range(10))
        for _ in range(2):
            with pytest.raises(StorageError) as raised:
                await writer.flush()
            assert (raised.value.errno, raised.value.unwritten) == (errno.EROFS, 10)
        remount(disk, "rw")
        await writer.add_scalar("a", 1.0, 10)
        await writer.close()

    asyncio.run(main())
    assert steps_of(stored(disk / "async"), "a") == list(range(11))
