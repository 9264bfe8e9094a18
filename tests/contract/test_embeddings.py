"""An embedding keeps the contract like any entry, though it is files and no event: whole, in order, once, or not."""

import asyncio
import errno
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

from asynctb import AsyncSummaryWriter, EncodeError, StorageError, SummaryWriter
from asynctb.proto.projector_pb2 import ProjectorConfig
from tests.contract.disk import Disk
from tests.contract.seen import eventually, points, steps

LARGE = np.arange(200_000, dtype=np.float32).reshape(-1, 4)  # so large that it is copied and encoded in threads
SMALL = np.eye(3, dtype=np.float32)


def names(log_dir: Path) -> list[str]:
    """The embeddings that the configuration names; each must have its files, whole."""
    path = log_dir / "projector_config.pbtxt"
    config = text_format.Parse(path.read_text(), ProjectorConfig()) if path.exists() else ProjectorConfig()
    for info in config.embeddings:
        for each in (info.tensor_path, info.metadata_path, info.sprite.image_path):
            assert not each or (log_dir / each).stat().st_size
    return [info.tensor_name for info in config.embeddings]


def files(log_dir: Path) -> list[str]:
    """All files but event files, those in the making included."""
    paths = (path.relative_to(log_dir).as_posix() for path in log_dir.rglob("*") if path.is_file())
    return sorted(path for path in paths if "tfevents" not in path)


def matrix(log_dir: Path, folder: str = "00000/default") -> list[list[float]]:
    lines = (log_dir / folder / "tensors.tsv").read_text().splitlines()
    return [list(map(float, line.split("\t"))) for line in lines]


@pytest.mark.parametrize("mat", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("sync", [False, True])
def test_flush_waits_for_it(mat: Any, sync: bool, tmp_path: Path) -> None:
    """After a flush an embedding is there, all of it, and counts as one entry."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(mat, range(len(mat)), np.zeros((len(mat), 1, 2, 2)))
        writer.flush(sync=sync)
        assert names(tmp_path) == ["default:00000"]
        assert matrix(tmp_path) == mat.tolist()
        assert (writer.stats.accepted, writer.stats.written, writer.stats.pending_bytes) == (1, 1, 0)


@pytest.mark.parametrize("mat", [SMALL, LARGE], ids=["small", "large"])
def test_awaited_and_not(mat: Any, tmp_path: Path) -> None:
    """It can be awaited, and it can be had from `nowait`; both times the caller has its array back."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            mine = mat.copy()
            await writer.add_embedding(mine, tag="awaited")
            mine[:] = -1
            mine = mat.copy()
            assert writer.nowait.add_embedding(mine, tag="nowait")
            mine[:] = -1
            await writer.flush()
            assert names(tmp_path) == ["awaited:00000", "nowait:00000"]

    asyncio.run(main())
    assert matrix(tmp_path, "00000/awaited") == matrix(tmp_path, "00000/nowait") == mat.tolist()


@pytest.mark.parametrize(
    ("mat", "more"),
    [
        (np.where(LARGE == 7, np.nan, LARGE), {}),
        (LARGE, {"metadata": ["a"] * (len(LARGE) - 1) + ["\ud800"]}),
        (LARGE, {"label_img": np.zeros((len(LARGE), 2, 2, 2))}),
    ],
    ids=["a number", "a label", "images"],
)
@pytest.mark.parametrize("colour", ["await", "nowait", "sync"])
def test_nothing_of_a_bad_one_is_stored(mat: Any, more: dict[str, Any], colour: str, tmp_path: Path) -> None:
    """A bad value that only a thread finds raises from the add, and no file is written, nor named."""
    if colour == "sync":
        with SummaryWriter(tmp_path) as writer:
            with pytest.raises(EncodeError):
                writer.add_embedding(mat, **more)
            writer.add_embedding(SMALL, tag="good")
            writer.flush()
            assert writer.stats.accepted == writer.stats.written == 1
    else:

        async def main() -> None:
            async with AsyncSummaryWriter(tmp_path) as writer:
                with pytest.raises(EncodeError):
                    if colour == "await":
                        await writer.add_embedding(mat, **more)
                    else:
                        writer.nowait.add_embedding(mat, **more)
                await writer.add_embedding(SMALL, tag="good")
                await writer.flush()
                assert writer.stats.accepted == writer.stats.written == 1

        asyncio.run(main())
    assert files(tmp_path) == ["00000/good/tensors.tsv", "projector_config.pbtxt"]
    assert names(tmp_path) == ["good:00000"]


@pytest.mark.parametrize("delay", [0, 0.0005, 0.002, 0.01])
def test_a_cancelled_one_is_whole_or_not_there(delay: float, tmp_path: Path) -> None:
    """An add that is cancelled, whenever that is, leaves all of its files or none."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            for number in range(10):
                add = writer.add_embedding(LARGE, range(len(LARGE)), tag=str(number))
                task = asyncio.create_task(add)
                await asyncio.sleep(delay)
                task.cancel()
                await asyncio.wait({task})

    asyncio.run(main())
    there = names(tmp_path)
    assert {path.split("/")[1] for path in files(tmp_path) if "/" in path} == {name.split(":")[0] for name in there}


def test_order_is_that_of_acceptance(tmp_path: Path) -> None:
    """The configuration names embeddings in the order of their adds, whatever each costs to encode."""
    with SummaryWriter(tmp_path) as writer:
        for number in range(8):
            writer.add_embedding(LARGE if number % 3 == 0 else SMALL, tag=str(number), global_step=number)
            writer.add_scalar("a", number)
    assert names(tmp_path) == [f"{number}:{number:05}" for number in range(8)]
    assert steps(tmp_path, "a") == list(range(8))


def test_a_resumed_run_keeps_what_is_there(tmp_path: Path) -> None:
    """A writer adds to what earlier ones, other ones and people have put into the configuration."""
    config = tmp_path / "projector_config.pbtxt"
    config.write_text("# mine\nembeddings { tensor_name: 'hand' }\n")
    first = SummaryWriter(tmp_path)
    first.add_embedding(SMALL, tag="a")
    first.close()
    first.add_embedding(SMALL, tag="b")  # in its second file
    second = SummaryWriter(tmp_path)
    second.add_embedding(SMALL, tag="c")
    second.add_embedding(2 * SMALL, tag="a")
    for writer in (first, second):
        writer.close()
    assert sorted(names(tmp_path)) == ["a:00000", "b:00000", "c:00000", "hand"]
    assert config.read_text().startswith("# mine\nembeddings { tensor_name: 'hand' }\nembeddings {\n")
    assert matrix(tmp_path, "00000/a") == (2 * SMALL).tolist()


def test_a_path_that_can_have_no_file_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Where a file is in the way of a folder, that embedding is dropped, counted and told; all else goes on."""
    (tmp_path / "00001").write_text("in the way")
    with caplog.at_level(logging.WARNING, "asynctb"), SummaryWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_embedding(SMALL, range(3), global_step=step)
            writer.add_scalar("a", step, step)
        writer.flush()
        assert dict(writer.stats.dropped) == {"path": 1}
        assert (writer.stats.written, writer.stats.pending) == (5, 0)
    assert names(tmp_path) == ["default:00000", "default:00002"]
    assert steps(tmp_path, "a") == [0, 1, 2]
    assert [record for record in caplog.records if "can have no file" in record.message]


@pytest.mark.parametrize("call", ["create", "write_at", "replace", "open_to_read"])
def test_a_disk_that_heals_gets_it(call: str, disk: Disk, tmp_path: Path) -> None:
    """What a failing disk does not take is stored when it heals; flush says that it was not."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            await writer.add_embedding(SMALL, tag="before")
            await writer.flush()
            disk.fail(errno.ENOSPC, call)
            await writer.add_embedding(LARGE, range(len(LARGE)))
            with pytest.raises(StorageError):
                await writer.flush()
            disk.heal()
            await writer.flush()
            assert writer.stats.written == writer.stats.accepted == 2

    asyncio.run(main())
    assert names(tmp_path) == ["before:00000", "default:00000"]
    assert not [path for path in files(tmp_path) if "tmp" in path]


def test_close_reports_what_is_not_stored(disk: Disk, tmp_path: Path) -> None:
    """A writer that closes over a failing disk says that the embedding is missing, and none of it is left."""
    writer = SummaryWriter(tmp_path, on_storage_error="raise", exit_timeout=0.1)
    disk.under(writer)
    writer.add_embedding(SMALL)
    disk.fail(errno.EIO, "replace")
    with pytest.raises(StorageError) as raised:
        writer.close(timeout=0.5)
    assert raised.value.unwritten == 1
    assert eventually(lambda: files(tmp_path) == [])  # the last try may outlast the close by a moment


def test_a_slow_disk_holds_up_no_loop(disk: Disk, tmp_path: Path) -> None:
    """While a file of it is in the making, the loop is free, and its adds return."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            held = disk.hold("replace")
            await writer.add_embedding(SMALL)
            await asyncio.to_thread(held.wait, 10)
            begin = time.perf_counter()
            for step in range(100):
                await writer.add_scalar("a", step)
            assert time.perf_counter() - begin < 10
            disk.release()
            await writer.flush()

    asyncio.run(main())
    assert names(tmp_path) == ["default:00000"]
    assert steps(tmp_path, "a") == list(range(100))


WAYS_OUT = {
    "the end": "",
    "an exception": "raise LookupError('meant to happen')",
    "sys.exit": "sys.exit(3)",
}
PROGRAM = """
import asyncio, sys
import numpy as np
from asynctb import AsyncSummaryWriter, SummaryWriter

mat = np.arange(200_000, dtype=np.float32).reshape(-1, 4)
if sys.argv[2] == "sync":
    writer = SummaryWriter(sys.argv[1])
    writer.add_embedding(mat, range(len(mat)), np.zeros((len(mat), 1, 2, 2)))
else:
    async def main():
        writer = AsyncSummaryWriter(sys.argv[1])
        await writer.add_embedding(mat, range(len(mat)), np.zeros((len(mat), 1, 2, 2)))
        return writer
    writer = asyncio.run(main())
"""


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("way", WAYS_OUT)
def test_what_is_accepted_is_there_at_exit(way: str, colour: str, tmp_path: Path) -> None:
    """A program that ends without closing its writer leaves the embedding whole."""
    program = PROGRAM + WAYS_OUT[way]
    subprocess.run([sys.executable, "-c", program, str(tmp_path), colour], timeout=60, check=False, capture_output=True)
    assert names(tmp_path) == ["default:00000"]
    assert len(matrix(tmp_path)) == 50_000
    assert len((tmp_path / "00000/default/metadata.tsv").read_text().splitlines()) == 50_000
    assert not [path for path in files(tmp_path) if "tmp" in path]


def add_in_child(writer: SummaryWriter) -> None:
    writer.add_embedding(SMALL, tag="child")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_adds_its_own(tmp_path: Path) -> None:
    """A forked child adds to the configuration, stores nothing of its parent's, and leaves what the parent stores."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_embedding(LARGE, tag="parent")
        child = multiprocessing.get_context("fork").Process(target=add_in_child, args=(writer,))
        child.start()
        child.join(30)
        assert child.exitcode == 0
    assert sorted(names(tmp_path)) == ["child:00000", "parent:00000"]


def test_room_is_given_back(tmp_path: Path) -> None:
    """Embeddings larger than the bound are let in one by one, and their room comes back."""
    with SummaryWriter(tmp_path, max_bytes=1 << 20) as writer:
        for step in range(5):
            writer.add_embedding(LARGE, global_step=step)
            writer.add_scalar("a", step)
        writer.flush()
        assert (writer.stats.written, writer.stats.pending_bytes) == (10, 0)
    assert names(tmp_path) == [f"default:0000{step}" for step in range(5)]
    assert len(points(tmp_path)) == 5


def test_many_threads_add(tmp_path: Path) -> None:
    """Adds of several threads are all there."""
    with SummaryWriter(tmp_path) as writer:

        def add(thread: int) -> None:
            for step in range(20):
                writer.add_embedding(SMALL, tag=str(thread), global_step=step)

        threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(names(tmp_path)) == [f"{thread}:{step:05}" for thread in range(4) for step in range(20)]
