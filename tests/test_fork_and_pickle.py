"""A child never hangs, never writes into its parent's file, and starts its own; a copy carries arguments only."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.readback.events import events, run_events

FORKS_UNDER_LOAD = """
import os, sys, threading
from asynctb import SummaryWriter

writer, stop = SummaryWriter(sys.argv[1]), threading.Event()

def log():
    step = 0
    while not stop.is_set():
        writer.add_scalar("parent", step, step)
        step += 1

threads = [threading.Thread(target=log) for _ in range(2)]
for thread in threads:
    thread.start()
for child in range(20):
    if (pid := os.fork()) == 0:
        for step in range(50):
            writer.add_scalar(f"child{child}", step, step)
        writer.flush()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
writer.close()
print(writer.stats.accepted)
"""


def test_forks_under_load_neither_hang_nor_mix(tmp_path: Path) -> None:
    """Twenty children, forked while two threads log, each write a file of their own; no point is lost or doubled."""
    options = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]
    done = subprocess.run(
        [sys.executable, *options, "-c", FORKS_UNDER_LOAD, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    by_tag: dict[str, list[int]] = {}
    for file in sorted(tmp_path.iterdir()):
        tags = {value.tag for event in events(file) for value in event.summary.value}
        assert len(tags) == 1, f"{file} holds points of several processes: {tags}"
        for event in events(file):
            for value in event.summary.value:
                by_tag.setdefault(value.tag, []).append(event.step)
    assert len(by_tag.pop("parent")) == int(done.stdout)
    assert by_tag == {f"child{child}": list(range(50)) for child in range(20)}


CHILD_OF_ASYNCIO = """
import asyncio, multiprocessing, sys
from asynctb import AsyncSummaryWriter

def work(writer):
    assert writer.nowait.add_scalar("child", 1, 1)

async def parent(writer):
    await writer.add_scalar("parent", 0, 0)
    child = multiprocessing.get_context("fork").Process(target=work, args=(writer,))
    child.start()
    child.join()
    assert child.exitcode == 0
    await writer.add_scalar("parent", 1, 1)
    await writer.close()

asyncio.run(parent(AsyncSummaryWriter(sys.argv[1])))
"""


def test_a_child_of_a_running_loop_logs_through_nowait(tmp_path: Path) -> None:
    """What a child forked inside a coroutine logs by nowait is in a file of its own once it ends."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD_OF_ASYNCIO, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tags = [{v.tag for e in events(file) for v in e.summary.value} for file in sorted(tmp_path.iterdir())]
    assert sorted(map(sorted, tags)) == [["child"], ["parent"]]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda writer: pickle.loads(pickle.dumps(writer))])
def test_a_copy_of_a_sync_writer_opens_its_own_file(duplicate, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
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


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="needs fork")
def test_the_parent_goes_on_in_its_file_after_a_fork(tmp_path: Path) -> None:
    """A child that adds nothing makes no file, and the parent's next add goes where the last one went."""
    script = (
        "import os, sys\nfrom asynctb import SummaryWriter\nwriter = SummaryWriter(sys.argv[1])\n"
        "writer.add_scalar('a', 0, 0)\n"
        "if os.fork() == 0: sys.exit(0)\n"
        "os.wait(); writer.add_scalar('a', 1, 1); writer.close()\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script, str(tmp_path)], timeout=30, check=True)
    (file,) = tmp_path.iterdir()
    assert [event.step for event in events(file)][1:] == [0, 1]
