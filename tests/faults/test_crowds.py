"""Rules 3 and 5 in a crowd: memory stays bounded, and those who wait come in as they came."""

import asyncio
import json
import logging
import random
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.encode.scalar import scalar
from asynctb.entry import wire_size
from tests.contract.disk import Disk
from tests.contract.seen import comes, points
from tests.faults.program import run
from tests.readback.events import run_events

COST = wire_size(scalar("a", 1.0))  # bytes of the bound that a point of tag "a" takes
FRAME_BYTES = 256 * 256 * 3


def steps(log_dir: Path, tag: str = "a") -> list[int]:
    """Return a tag's steps, whatever its values are."""
    return [event.step for event in run_events(log_dir)["."] for value in event.summary.value if value.tag == tag]


class SlowDisk(Disk):
    """Takes its time for every write."""

    def write_at(self, fd: int, data: memoryview, offset: int) -> int:
        time.sleep(0.002)
        return super().write_at(fd, data, offset)


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read off /proc")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("frames", [400, pytest.param(10_000, marks=pytest.mark.long)])
def test_a_frame_in_each_coroutines_hand(frames: int, tmp_path: Path) -> None:
    """However many coroutines have a frame to log, accepted frames take `max_bytes` and the process little more."""
    max_bytes = 4 << 20
    told = json.loads(run("frames", tmp_path, frames, max_bytes, hang=60 + frames / 20).out)
    assert told["dropped"] == {}
    assert FRAME_BYTES < told["pending"] <= max_bytes
    # Copies of all would take 19 times the bound, in the short form; what waits for room costs little.
    assert told["grown"] < (40 << 20) + 4_000 * frames, f"{told['grown']:,} bytes"
    assert steps(tmp_path, "frame") == list(range(frames))


@pytest.mark.parametrize("max_bytes", [100 * COST, 64 << 20])
def test_ten_thousand_tasks_are_served_in_turn(max_bytes: int, tmp_path: Path) -> None:
    """Of ten thousand tasks that log at once each comes in when it came, through the narrowest gate too."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=max_bytes) as writer:
            await asyncio.gather(*(writer.add_scalar("a", 1.0, step) for step in range(10_000)))

    asyncio.run(main())
    assert steps(tmp_path) == list(range(10_000))


def test_mixed_sizes_in_a_crowd_are_served_in_turn(tmp_path: Path) -> None:
    """Small adds do not overtake large ones in line, nor one larger than the bound, which comes in alone."""
    max_bytes = 50_000
    chance = random.Random(1)
    sizes = [chance.choice([1, 1000, 10_000]) for _ in range(500)]
    sizes[250] = 2 * max_bytes
    arrays = {size: np.zeros(size, np.uint8) for size in set(sizes)}
    pending: list[int] = []

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=max_bytes) as writer:
            adds = [writer.add_tensor("a", arrays[size], step) for step, size in enumerate(sizes)]
            everyone = asyncio.gather(*adds)
            while not everyone.done():
                stats = writer.stats
                if stats.pending > 1:
                    pending.append(stats.pending_bytes)
                await asyncio.sleep(0)
            await everyone

    asyncio.run(main())
    assert steps(tmp_path) == list(range(500))
    assert max(pending) <= max_bytes


@pytest.mark.parametrize("entries", [3, 100])
def test_threads_in_a_narrow_gate(entries: int, tmp_path: Path) -> None:
    """What sixteen threads add to one writer, on a slow disk and with hardly any room, is there, each's in order."""
    threads, each = 16, 50

    def log(number: int) -> None:
        for step in range(each):
            writer.add_scalar(f"a/{number}", 1.0, step)

    with SummaryWriter(tmp_path, max_bytes=entries * COST) as writer:
        SlowDisk().under(writer)
        crowd = [threading.Thread(target=log, args=(number,)) for number in range(threads)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        assert (writer.stats.accepted, dict(writer.stats.dropped)) == (threads * each, {})
    for number in range(threads):
        assert steps(tmp_path, f"a/{number}") == list(range(each))


def test_a_crowd_that_drops(tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    """Beyond the bound adds are dropped at once, counted one by one, and told of rarely; scalars outlast media."""
    max_bytes = 200_000
    array = np.zeros(10_000, np.uint8)
    caplog.set_level(logging.WARNING, "asynctb")

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=max_bytes, overflow="drop") as writer:
            await writer.add_scalar("first", 1.0)
            await writer.flush()
            disk.under(writer)
            held = disk.hold()
            await writer.add_scalar("first", 2.0)
            assert await comes(held.is_set)
            await asyncio.gather(*(writer.add_tensor("media", array, step) for step in range(200)))
            await comes(lambda: writer.stats.pending_bytes > 0.7 * max_bytes)
            stats = writer.stats
            media = stats.accepted - 2
            assert dict(stats.dropped) == {"full": 200 - media}
            assert 0.65 * max_bytes < stats.pending_bytes <= 0.75 * max_bytes
            assert not writer.nowait.add_tensor("media", array)
            assert writer.nowait.add_scalar("a", 1.0, 0)
            await asyncio.gather(*(writer.add_scalar("a", 1.0, step) for step in range(1, 1500)))
            stats = writer.stats
            scalars = stats.accepted - media - 2
            assert 0 < scalars < 1500
            assert dict(stats.dropped) == {"full": 201 - media + 1500 - scalars}
            assert stats.pending_bytes <= max_bytes
            assert not writer.nowait.add_scalar("a", 1.0)
            assert len([record for record in caplog.records if "being dropped" in record.message]) == 1
            disk.release()
        assert steps(tmp_path, "media") == list(range(media))
        assert steps(tmp_path, "a") == list(range(scalars))

    asyncio.run(main())


def test_a_crowd_of_threads_at_the_bound(tmp_path: Path, disk: Disk) -> None:
    """`nowait` from many threads at the bound returns True as often as it was accepted, and the rest is counted."""
    told: list[bool] = []

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=100 * COST) as writer:
            disk.under(writer)
            disk.hold()

            def log(number: int) -> None:
                told.extend(writer.nowait.add_scalar(f"{number}", 1.0, step) for step in range(100))

            await asyncio.gather(*(asyncio.to_thread(log, number) for number in range(16)))
            assert (writer.stats.accepted, writer.stats.dropped["full"]) == (100, 1500)
            disk.release()

    asyncio.run(main())
    assert told.count(True) == len(points(tmp_path)) == 100
    for tag in {point.tag for point in points(tmp_path)}:
        assert all(first < second for first, second in pairwise(steps(tmp_path, tag)))
