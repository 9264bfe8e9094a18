"""A child never hangs, never writes into its parent's file, and starts its own; a copy carries arguments only."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.faults.owners import steps_by_tag
from tests.faults.program import run
from tests.readback.events import events, run_events


@pytest.mark.timeout(600)
@pytest.mark.parametrize("forks", [50, pytest.param(1000, marks=pytest.mark.long)])
def test_forks_under_load_neither_hang_nor_mix(forks: int, tmp_path: Path) -> None:
    """Children that are forked while threads log each write a file of their own; no point is lost or doubled."""
    done = run("forks", tmp_path, forks, hang=60 + forks / 5)
    found = steps_by_tag(tmp_path)
    parents = [found.pop(tag) for tag in sorted(found) if tag.startswith("parent/")]
    assert sum(map(len, parents)) == int(done.out)
    for steps in parents:
        assert steps == list(range(len(steps)))
    for child in range(forks):
        assert found.pop(f"child{child}/scalar") == list(range(20))
        assert found.pop(f"child{child}/image") == [0]
    assert not found


def pickled(writer: SummaryWriter) -> SummaryWriter:
    twin: SummaryWriter = pickle.loads(pickle.dumps(writer))
    return twin


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_of_a_sync_writer_opens_its_own_file(
    duplicate: Callable[[SummaryWriter], SummaryWriter], tmp_path: Path
) -> None:
    """A copy has the arguments and none of the state, touches no disk before its first add, and purges nothing."""
    with SummaryWriter(tmp_path, purge_step=5, filename_suffix=".x") as writer:
        writer.add_scalar("original", 1.0)
        twin = duplicate(writer)
        assert twin.log_dir == writer.log_dir
        assert twin.stats.accepted == 0
        assert len(list(tmp_path.iterdir())) == 1
        twin.add_scalar("twin", 2.0)
        twin.close()
    first, second = sorted(tmp_path.iterdir())
    assert first.name.endswith(".x")
    assert second.name.endswith(".x")
    assert [event.WhichOneof("what") for event in events(second)] == ["file_version", "summary"]


def test_a_copy_of_an_async_writer_opens_its_own_file(tmp_path: Path) -> None:
    """A pickled AsyncSummaryWriter comes back with its arguments, unopened, and usable on any loop."""

    async def log(writer: AsyncSummaryWriter, tag: str) -> None:
        async with writer:
            await writer.add_scalar(tag, 1.0)

    writer = AsyncSummaryWriter(tmp_path, auto_step=False)
    asyncio.run(log(writer, "original"))
    twin = pickle.loads(pickle.dumps(writer))
    asyncio.run(log(twin, "twin"))
    assert len(list(tmp_path.iterdir())) == 2
    assert [v.tag for e in run_events(tmp_path)["."] for v in e.summary.value] == ["original", "twin"]
