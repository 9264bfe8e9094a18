"""Rules 11 and 13: one loop at a time, the same file on the next one, and nothing is opened before its time."""

import asyncio
import errno
import gc
import inspect
import os
import pickle
import threading
import warnings
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, EncodeError, StorageError, SummaryWriter, WrongLoop
from tests.contract.disk import Disk
from tests.contract.seen import comes, event_files, eventually, points, steps, steps_so_far
from tests.loops import NewLoop

Run = Callable[[Coroutine[Any, Any, Any]], Any]


async def add(writer: AsyncSummaryWriter, *numbers: int) -> None:
    for step in numbers:
        await writer.add_scalar("a", 1.0, step)


# Loops, one after the other


@pytest.mark.parametrize("flushed", [True, False])
def test_the_next_loop_continues_the_file(flushed: bool, run: Run, tmp_path: Path) -> None:
    """A writer that was not closed goes on in the same file when the next loop awaits it, with what came between."""
    writer = AsyncSummaryWriter(tmp_path)

    async def some(*numbers: int) -> None:
        await add(writer, *numbers)
        if flushed:
            await writer.flush()

    for first in range(0, 9, 3):
        run(some(first, first + 1))
        assert steps(tmp_path) == list(range(first + 2))  # the end of the loop has written what was pending
        assert writer.nowait.add_scalar("a", 1.0, first + 2)
        assert eventually(lambda: steps_so_far(tmp_path) == list(range(first + 3)))  # noqa: B023  # called at once
    run(writer.close())
    assert steps(tmp_path) == list(range(9))
    assert len(event_files(tmp_path)) == 1


def test_auto_steps_go_on_across_loops(tmp_path: Path) -> None:
    """Steps that are counted go on from loop to loop."""
    writer = AsyncSummaryWriter(tmp_path)

    async def some() -> None:
        for _ in range(3):
            await writer.add_scalar("a", 1.0)

    for _ in range(3):
        asyncio.run(some())
    asyncio.run(writer.close())
    assert steps(tmp_path) == list(range(9))


def test_flush_on_the_next_loop(run: Run, tmp_path: Path) -> None:
    """What `nowait` took in between two loops is in the file when a flush on the next one returns."""
    writer = AsyncSummaryWriter(tmp_path)
    run(add(writer, 0))

    async def flush() -> None:
        assert writer.nowait.add_scalar("a", 1.0, 2)
        await writer.flush()
        assert steps_so_far(tmp_path) == [0, 1, 2]
        await writer.close()

    assert writer.nowait.add_scalar("a", 1.0, 1)
    run(flush())


def test_a_loop_that_was_closed_over_its_tasks(tmp_path: Path) -> None:
    """A loop that is closed without cancelling anything loses nothing, and the next one goes on."""
    writer = AsyncSummaryWriter(tmp_path)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(add(writer, *range(100)))
    loop.close()
    del loop
    gc.collect()
    asyncio.run(add(writer, *range(100, 200)))
    asyncio.run(writer.close())
    assert steps(tmp_path) == list(range(200))
    assert len(event_files(tmp_path)) == 1


AWAITED: dict[str, Callable[[AsyncSummaryWriter], Coroutine[Any, Any, Any]]] = {
    "add_scalar": lambda writer: writer.add_scalar("a", 1.0, 9),
    "add_scalars": lambda writer: writer.add_scalars("a", {"k": 1.0}, 9),
    "log": lambda writer: writer.log({"a": 1.0}, 9),
    "add_text": lambda writer: writer.add_text("a", "words", 9),
    "flush": lambda writer: writer.flush(),
    "close": lambda writer: writer.close(),
    "__aenter__": lambda writer: writer.__aenter__(),
}


@pytest.mark.parametrize("name", AWAITED)
def test_a_second_loop_is_refused(name: str, run: Run, tmp_path: Path) -> None:
    """Awaiting a writer from a second loop while the first is open raises WrongLoop and harms nothing."""
    writer = AsyncSummaryWriter(tmp_path)

    async def elsewhere() -> None:
        with pytest.raises(WrongLoop) as raised:
            await AWAITED[name](writer)
        assert isinstance(raised.value, RuntimeError)
        assert writer.nowait.add_scalar("a", 1.0, 1)

    async def main() -> None:
        await writer.add_scalar("a", 1.0, 0)
        await asyncio.to_thread(asyncio.run, elsewhere())
        await writer.add_scalar("a", 1.0, 2)
        await writer.close()

    run(main())
    assert steps(tmp_path) == [0, 1, 2]
    assert writer.stats.accepted == 3


def test_a_second_loop_while_the_first_only_sleeps(tmp_path: Path) -> None:
    """A loop that does not run but is not closed keeps its writer; closing it sets the writer free."""
    writer = AsyncSummaryWriter(tmp_path)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(add(writer, 0))
    with pytest.raises(WrongLoop):
        asyncio.run(add(writer, 1))
    loop.run_until_complete(add(writer, 2))
    loop.run_until_complete(writer.flush())
    loop.close()
    asyncio.run(add(writer, 3))
    asyncio.run(writer.close())
    assert steps(tmp_path) == [0, 2, 3]


def test_outside_asyncio(tmp_path: Path) -> None:
    """Under trio, or driven by hand, an awaited add raises WrongLoop, which says what to do, and stores nothing."""
    trio = pytest.importorskip("trio")
    writer = AsyncSummaryWriter(tmp_path / "run")

    async def main() -> None:
        for name in AWAITED:
            if name != "close":
                with pytest.raises(WrongLoop, match="trio"):
                    await AWAITED[name](writer)

    trio.run(main)
    coroutine = writer.add_scalar("a", 1.0)
    with pytest.raises(WrongLoop):
        coroutine.send(None)
    assert writer.stats.accepted == 0
    assert not (tmp_path / "run").exists()


# nowait


def test_nowait_from_anywhere(run: Run, tmp_path: Path) -> None:
    """`nowait` accepts before a loop, in it, beside it in threads and other loops, between two and after the last."""
    writer = AsyncSummaryWriter(tmp_path)
    count = 0

    def nowait() -> None:
        nonlocal count
        assert writer.nowait.add_scalar("a", 1.0, count)
        count += 1

    async def elsewhere() -> None:
        nowait()

    async def main() -> None:
        nonlocal count
        nowait()
        await writer.add_scalar("a", 1.0, count)
        count += 1
        await asyncio.to_thread(nowait)
        await asyncio.to_thread(asyncio.run, elsewhere())
        asyncio.get_running_loop().call_soon(nowait)
        await asyncio.sleep(0)

    nowait()
    run(main())
    nowait()
    run(main())
    nowait()
    assert count == 13
    assert eventually(lambda: steps_so_far(tmp_path) == list(range(13)))
    run(writer.close())


def test_nowait_before_opening_queues(run: Run, tmp_path: Path) -> None:
    """What `nowait` takes in before the file is open waits in memory, and is the first that is written."""
    writer = AsyncSummaryWriter(tmp_path / "run")
    for step in range(1000):
        assert writer.nowait.add_scalar("a", 1.0, step)
    assert not (tmp_path / "run").exists()
    assert (writer.stats.accepted, writer.stats.pending, writer.stats.written) == (1000, 1000, 0)

    async def main() -> None:
        await writer.add_scalar("a", 1.0, 1000)
        assert await comes(lambda: len(steps_so_far(tmp_path / "run")) == 1001)
        await writer.close()

    run(main())
    assert steps(tmp_path / "run") == list(range(1001))


def test_nowait_before_opening_is_bounded(tmp_path: Path) -> None:
    """What waits for the opening counts against the bound, and beyond it `nowait` drops."""
    writer = AsyncSummaryWriter(tmp_path, max_bytes=1000)
    results = [writer.nowait.add_scalar("a", 1.0, step) for step in range(10)]
    assert results == [True] * 4 + [False] * 6
    assert writer.stats.dropped == {"full": 6}
    asyncio.run(writer.close())
    assert steps(tmp_path) == [0, 1, 2, 3]


# Opening


@pytest.mark.parametrize("name", AWAITED)
def test_without_a_block(name: str, run: Run, tmp_path: Path) -> None:
    """A writer may be awaited without `async with`: the first awaited call opens the file."""
    log_dir = tmp_path / "deep" / "run"
    writer = AsyncSummaryWriter(log_dir)

    async def main() -> None:
        await AWAITED[name](writer)
        assert len(list(log_dir.glob("*tfevents*"))) == (name != "close")  # what holds nothing needs no file
        await writer.close()

    run(main())


def test_making_a_writer_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An AsyncSummaryWriter that is made, copied, shown and thrown away makes no directory, file or thread."""
    monkeypatch.chdir(tmp_path)
    threads = threading.active_count()
    for log_dir in (None, tmp_path / "run", "relative"):
        writer = AsyncSummaryWriter(log_dir)
        repr(writer), writer.stats, writer.get_logdir(), pickle.loads(pickle.dumps(writer))
        asyncio.run(writer.close())
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() <= threads


def unusable(tmp_path: Path, kind: str) -> Path:
    """Return a directory that cannot be made."""
    file = tmp_path / "file"
    file.write_text("in the way")
    return {"is a file": file, "below a file": file / "run", "too long": tmp_path / ("x" * 300)}[kind]


UNUSABLE = ["is a file", "below a file", "too long"]


@pytest.mark.parametrize("kind", UNUSABLE)
@pytest.mark.parametrize("name", [name for name in AWAITED if name != "close"])
def test_opening_raises_where_it_is_awaited(name: str, kind: str, tmp_path: Path) -> None:
    """Where the directory cannot be made, `__aenter__`, or any awaited call without it, raises StorageError."""
    log_dir = unusable(tmp_path, kind)
    writer = AsyncSummaryWriter(log_dir)

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(StorageError, match="cannot open") as raised:
                await AWAITED[name](writer)
            assert raised.value.errno in (errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG)
            assert str(log_dir) in str(raised.value)
        assert (writer.stats.accepted, writer.stats.pending) == (0, 0)
        with suppress(StorageError):
            await writer.close()

    asyncio.run(main())


@pytest.mark.parametrize("kind", UNUSABLE)
def test_opening_raises_in_the_constructor(kind: str, tmp_path: Path) -> None:
    """Where the directory cannot be made, SummaryWriter() raises StorageError, and leaves no thread."""
    threads = threading.active_count()
    with pytest.raises(StorageError, match="cannot open") as raised:
        SummaryWriter(unusable(tmp_path, kind))
    assert isinstance(raised.value, OSError)
    assert threading.active_count() <= threads


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unwritable to root")
def test_a_directory_without_permission(tmp_path: Path) -> None:
    """A directory that may not be written to is refused where it is opened."""
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError):
        SummaryWriter(tmp_path / "run")


@pytest.mark.parametrize("colour", ["async", "sync"])
@pytest.mark.parametrize("scheme", ["s3", "gs", "hdfs", "S3", "abfs+x"])
def test_schemes_are_refused_by_name(scheme: str, colour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote directory is refused by the constructor, by its name, and no directory of that name is made."""
    monkeypatch.chdir(tmp_path)
    writer: Any = AsyncSummaryWriter if colour == "async" else SummaryWriter
    with pytest.raises(EncodeError, match=rf"{scheme.replace('+', '[+]')}://") as raised:
        writer(f"{scheme}://bucket/run")
    assert raised.value.tag == "log_dir"
    assert list(tmp_path.iterdir()) == []


def test_a_colon_is_no_scheme(tmp_path: Path) -> None:
    """A directory with a colon in its name is a directory."""
    for name in ("run:1", "C:", "a:/b"):
        with SummaryWriter(tmp_path / name) as writer:
            writer.add_scalar("a", 1.0)
        assert steps(tmp_path / name) == [0]


# Writers that nobody closes


def forget(writers: list[AsyncSummaryWriter]) -> None:
    """Drop the last references to writers."""
    writers.clear()
    gc.collect()


def test_an_unclosed_writer_warns(run: Run, tmp_path: Path) -> None:
    """An AsyncSummaryWriter that is dropped open gives a ResourceWarning that names it, and loses nothing."""

    async def main() -> None:
        writers = [AsyncSummaryWriter(tmp_path)]
        await add(writers[0], *range(100))
        writers[0].nowait.add_text("t", "\u00e9" * 300_000)
        with pytest.warns(ResourceWarning, match=f"unclosed AsyncSummaryWriter.*{tmp_path.name}"):
            forget(writers)

    run(main())
    assert eventually(lambda: steps_so_far(tmp_path, "t/text_summary") == [0])
    assert steps(tmp_path) == list(range(100))


def test_an_unclosed_writer_that_was_never_opened(tmp_path: Path) -> None:
    """A writer that only `nowait` was used of warns too when it is dropped, and its entries are written."""
    writers = [AsyncSummaryWriter(tmp_path / "run")]
    for step in range(100):
        assert writers[0].nowait.add_scalar("a", 1.0, step)
    with pytest.warns(ResourceWarning):
        forget(writers)
    assert eventually(lambda: len(steps_so_far(tmp_path / "run")) == 100)
    assert steps(tmp_path / "run") == list(range(100))


def test_a_task_may_be_collected_with_its_loop(new_loop: NewLoop, tmp_path: Path) -> None:
    """What the task waits in may be thrown away before the task itself, as a garbage collector knows no order."""
    loop, writer = new_loop(), AsyncSummaryWriter(tmp_path)
    loop.run_until_complete(writer.add_scalar("a", 1.0, 0))
    waiting: list[Any] = []
    while not any(coroutine.__name__ == "get" for coroutine in waiting):  # for its next call
        loop.run_until_complete(asyncio.sleep(0.001))
        assert writer._pipeline.drivers.latest is not None
        waiting = [writer._pipeline.drivers.latest.task.get_coro()]
        while inspect.iscoroutine(inner := waiting[-1].cr_await):
            waiting.append(inner)
    loop.close()
    for coroutine in reversed(waiting):
        coroutine.close()
    writer._pipeline.abandon()
    assert eventually(lambda: steps_so_far(tmp_path) == [0])


def test_what_needs_no_closing_does_not_warn(tmp_path: Path) -> None:
    """A writer that was closed, never used or disabled is dropped without a warning, and so is any SummaryWriter."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        AsyncSummaryWriter(tmp_path / "unused")
        writer = AsyncSummaryWriter(tmp_path / "closed")
        asyncio.run(writer.add_scalar("a", 1.0))
        asyncio.run(writer.close())
        disabled = AsyncSummaryWriter(tmp_path / "disabled", enabled=False)
        asyncio.run(disabled.add_scalar("a", 1.0))
        script = SummaryWriter(tmp_path / "sync")
        script.add_scalar("a", 1.0)
        del writer, disabled, script
        gc.collect()
    assert [str(warning.message) for warning in caught] == []
    assert eventually(lambda: steps_so_far(tmp_path / "sync") == [0])


def test_what_could_not_be_opened_does_not_warn(run: Run, tmp_path: Path) -> None:
    """A writer whose `async with` raised, its directory being unusable, has nothing to close and does not warn."""

    async def main() -> None:
        with pytest.raises(StorageError):
            async with AsyncSummaryWriter(unusable(tmp_path, "below a file")):
                pass

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(main())
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_opening_again(run: Run, tmp_path: Path) -> None:
    """Once the directory can be made, the next awaited call opens it, and what `nowait` took in meanwhile is stored."""
    log_dir = unusable(tmp_path, "below a file")

    async def main() -> None:
        writer = AsyncSummaryWriter(log_dir)
        assert writer.nowait.add_scalar("a", 1.0, 0)
        with pytest.raises(StorageError) as raised:
            await writer.add_scalar("a", 1.0, 100)
        assert raised.value.unwritten == 1
        assert writer.nowait.add_scalar("a", 1.0, 1)
        (tmp_path / "file").unlink()
        await writer.add_scalar("a", 1.0, 2)
        await writer.close()

    run(main())
    assert points(log_dir) == [("a", step, 1.0) for step in range(3)]


def test_gathered_openings_all_raise(run: Run, tmp_path: Path, disk: Disk) -> None:
    """Adds that all wait for an opening that fails all raise."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        disk.under(writer)
        disk.fail(errno.EACCES, "create")
        done = await asyncio.gather(*(writer.add_scalar("a", 1.0) for _ in range(5)), return_exceptions=True)
        assert [type(each) for each in done] == [StorageError] * 5
        disk.heal()
        await writer.add_scalar("a", 1.0)
        await writer.close()

    run(main())
    assert steps(tmp_path) == [0]
