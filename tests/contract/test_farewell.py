"""What is stored when the writer is closed: the end of a live session, once, however the writer comes to its end."""

import asyncio
import errno
import gc
import os
import pickle
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, StorageError, SummaryWriter
from asynctb.encode.hparams import END, START
from asynctb.entry import Farewell, Record
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.steps import Steps
from asynctb.proto import hparams_pb2
from tests.contract.disk import Disk
from tests.contract.seen import comes, event_files, eventually, points
from tests.readback.events import run_events

Run = Callable[[Coroutine[Any, Any, Any]], Any]

OWN: dict[str, Any] = {"run_name": ".", "live": True}
SUCCESS, FAILURE = "STATUS_SUCCESS", "STATUS_FAILURE"


def ends(log_dir: Path) -> dict[str, list[str]]:
    """Return how the sessions of all runs have ended, in the order of the files; each must have begun."""
    found: dict[str, list[str]] = {}
    for run, events in run_events(log_dir).items():
        values = [value for event in events for value in event.summary.value]
        tags = Counter(value.tag for value in values)
        if tags[START]:
            found[run] = [_status(value.metadata.plugin_data.content) for value in values if value.tag == END]
    return found


def _status(content: bytes) -> str:
    end = hparams_pb2.HParamsPluginData.FromString(content).session_end_info
    assert end.end_time_secs > 1e9
    return hparams_pb2.Status.Name(end.status)


def write_sync(log_dir: Path, error: BaseException | None) -> None:
    with SummaryWriter(log_dir) as writer:
        writer.add_hparams({"lr": 1}, {}, **OWN)
        writer.add_scalar("a", 1.0)
        if error is not None:
            raise error


def write_async(log_dir: Path, error: BaseException | None) -> None:
    async def main() -> None:
        async with AsyncSummaryWriter(log_dir) as writer:
            await writer.add_hparams({"lr": 1}, {}, **OWN)
            writer.nowait.add_scalar("a", 1.0)
            if error is not None:
                raise error

    asyncio.run(main())


both = pytest.mark.parametrize("write", [write_sync, write_async])


@both
def test_good_ends(write: Callable[..., None], tmp_path: Path) -> None:
    """A block that is left without an exception ends its session well, behind everything else."""
    write(tmp_path, None)
    assert ends(tmp_path) == {".": [SUCCESS]}
    assert [point.tag for point in points(tmp_path)] == [START, "a", END]


@both
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_bad_ends(write: Callable[..., None], error: type[BaseException], tmp_path: Path) -> None:
    """A block that is left by an exception ends its session as a failure."""
    with pytest.raises(error):
        write(tmp_path, error())
    assert ends(tmp_path) == {".": [FAILURE]}


def test_a_cancelled_block_is_a_failure(run: Run, tmp_path: Path) -> None:
    """A task that is cancelled in its block, and once more in the close, ends its session as a failure."""

    async def work(inside: asyncio.Event) -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_hparams({"lr": 1}, {}, **OWN)
            inside.set()
            await asyncio.sleep(60)

    async def main() -> None:
        inside = asyncio.Event()
        task = asyncio.create_task(work(inside))
        await inside.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())
    assert eventually(lambda: ends(tmp_path) == {".": [FAILURE]})


def test_a_close_in_the_block_comes_first(tmp_path: Path) -> None:
    """A session that `close()` has ended well stays so, whatever happens behind it."""
    with pytest.raises(ZeroDivisionError), SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 1}, {}, **OWN)
        writer.close()
        raise ZeroDivisionError
    assert ends(tmp_path) == {".": [SUCCESS]}


def test_several_sessions(tmp_path: Path) -> None:
    """Each live session has its end in its own run; one that began twice ends once."""
    with SummaryWriter(tmp_path) as writer:
        for name in (".", "a", "a", "b/c"):
            writer.add_hparams({"lr": 1}, {"m": 2}, run_name=name, live=True)
        writer.add_hparams({"lr": 1}, {}, run_name="over")
        assert writer.stats.accepted == 4 * 3 + 3
    assert writer.stats.accepted == writer.stats.written == 4 * 3 + 3 + 3
    for path in event_files(tmp_path / "over"):
        path.unlink()  # its end has no time
    assert ends(tmp_path) == {".": [SUCCESS], "a": [SUCCESS], "b/c": [SUCCESS]}


def test_a_writer_that_goes_on(tmp_path: Path) -> None:
    """A session ends with the `close()` that follows it, and one that begins after that with the next."""
    writer = SummaryWriter(tmp_path)
    writer.add_hparams({"lr": 1}, {}, run_name="a", live=True)
    writer.close()
    assert ends(tmp_path) == {"a": [SUCCESS]}
    writer.add_hparams({"lr": 1}, {}, run_name="b", live=True)
    assert ends(tmp_path).get("b", []) == []
    writer.close()
    writer.close()
    assert ends(tmp_path) == {"a": [SUCCESS], "b": [SUCCESS]}


def test_nowait_before_opening(run: Run, tmp_path: Path) -> None:
    """A session that began before the file was open, and all that there is, ends like any other."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        assert writer.nowait.add_hparams({"lr": 1}, {}, **OWN)
        await writer.close()

    run(main())
    assert ends(tmp_path) == {".": [SUCCESS]}


def test_nothing_accepted_nothing_ended(run: Run, tmp_path: Path, disk: Disk) -> None:
    """A session that found no room has no end either; nor has one of a disabled writer."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=1000) as writer:
            disk.under(writer)
            held = disk.hold()
            await writer.add_text("t", "a" * 900)
            assert await comes(held.is_set)
            assert not writer.nowait.add_hparams({"lr": 1}, {}, **OWN)
            disk.release()
        assert writer.stats.accepted == 1

    run(main())
    assert ends(tmp_path) == {}
    with SummaryWriter(tmp_path / "none", enabled=False) as writer:
        writer.add_hparams({"lr": 1}, {}, **OWN)
    assert not (tmp_path / "none").exists()


def test_one_in_line(run: Run, tmp_path: Path, disk: Disk) -> None:
    """A session that was in line for room when the writer was closed comes in, and ends as well."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path, max_bytes=1000)
        await writer.flush()
        disk.under(writer)
        held = disk.hold()
        await writer.add_text("t", "a" * 900)
        assert await comes(held.is_set)
        late = asyncio.create_task(writer.add_hparams({"lr": 1}, {}, **OWN))
        await asyncio.sleep(0.05)
        assert not late.done()
        closing = asyncio.create_task(writer.close())
        await asyncio.sleep(0.05)
        disk.release()
        await asyncio.gather(late, closing)

    run(main())
    assert ends(tmp_path) == {".": [SUCCESS]}


def test_threads_close_at_once(tmp_path: Path) -> None:
    """Closes of several threads at once end a session once."""
    for rounds in range(20):
        writer = SummaryWriter(tmp_path / str(rounds))
        for number in range(20):
            writer.add_hparams({"lr": 1}, {}, run_name=str(number), live=True)
        threads = [threading.Thread(target=writer.close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ends(tmp_path / str(rounds)) == {str(number): [SUCCESS] for number in range(20)}


def test_sessions_begin_while_it_is_closed(tmp_path: Path) -> None:
    """Beside repeated closes, each session that begins ends, and once."""
    writer = SummaryWriter(tmp_path)

    def work(number: int) -> None:
        for count in range(100):
            writer.add_hparams({"lr": 1}, {}, run_name=f"{number}-{count}", live=True)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        writer.close()
        time.sleep(0.002)
    writer.close()
    assert ends(tmp_path) == {f"{number}-{count}": [SUCCESS] for number in range(3) for count in range(100)}


def test_a_cancelled_close(run: Run, tmp_path: Path, disk: Disk) -> None:
    """A close that is cancelled while the disk hangs ends the session when it hangs no more."""

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        await writer.add_hparams({"lr": 1}, {}, **OWN)
        await writer.flush()
        disk.under(writer)
        held = disk.hold()
        await writer.add_scalar("a", 1.0)
        assert await comes(held.is_set)
        task = asyncio.create_task(writer.close())
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait({task})
        disk.release()
        await writer.close()

    run(main())
    assert ends(tmp_path) == {".": [SUCCESS]}


def test_a_failing_disk(tmp_path: Path, disk: Disk) -> None:
    """An end that cannot be stored is reported with the rest, by the name of its method."""
    writer = SummaryWriter(tmp_path, on_storage_error="raise")
    writer.add_hparams({"lr": 1}, {}, **OWN)
    writer.flush()
    disk.under(writer)
    disk.fail(errno.ENOSPC)
    with pytest.raises(StorageError, match="add_hparams") as raised:
        writer.close()
    assert raised.value.unwritten == 1


# Ends without a close


def test_an_unclosed_writer_says_nothing(tmp_path: Path) -> None:
    """Nobody knows how a session went whose writer is dropped unclosed: it has no end."""
    writer = SummaryWriter(tmp_path / "sync")
    writer.add_hparams({"lr": 1}, {}, **OWN)
    del writer
    gc.collect()
    assert eventually(lambda: ends(tmp_path / "sync") == {".": []})

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path / "async")
        await writer.add_hparams({"lr": 1}, {}, **OWN)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        asyncio.run(main())
        gc.collect()
    assert eventually(lambda: ends(tmp_path / "async") == {".": []})


SCRIPT = """
import sys
from asynctb import SummaryWriter
writer = SummaryWriter(sys.argv[1])
writer.add_hparams({"lr": 1}, {"m": 1}, run_name=".", live=True)
"""


def test_a_program_that_ends(tmp_path: Path) -> None:
    """A program that ends without a `close()` has stored the session's start, and no end."""
    subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], check=True, timeout=60)
    assert ends(tmp_path) == {".": []}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forking beside threads
def test_a_child_does_not_end_its_parents_session(tmp_path: Path) -> None:
    """The close of a forked child, or of a copy, is not the end of a session that is its parent's."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 1}, {}, **OWN)
        writer.flush()
        child = os.fork()
        if not child:
            writer.add_scalar("child", 1.0)
            writer.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        with pickle.loads(pickle.dumps(writer)) as copy:
            copy.add_scalar("copy", 1.0)
        assert ends(tmp_path) == {".": []}
    assert ends(tmp_path) == {".": [SUCCESS]}


# Interrupted in the midst of it, as by a signal handler


def backlog() -> Backlog:
    return Backlog(Steps(), 1 << 20, drop=False, on_ready=lambda: None, on_notice=lambda notice: None)


def farewell(run: str = "") -> Farewell:
    def record(well: bool) -> Record:
        return Record((), b"well" if well else b"badly", "p", run)

    return Farewell(run, record)


@pytest.mark.parametrize("well", [True, False])
def test_a_close_that_interrupts(well: bool) -> None:
    """A door that is closed in the midst of a section has its farewells said once, when the section ends."""
    held = backlog()
    held.farewells.well = well
    assert held.offer("m", [farewell("a"), farewell("b")], None, 0.0, True) is not None

    def section() -> None:
        held.close()
        held.say_farewell(1.0)
        assert held.pending == 0

    held._locked(section)
    held.say_farewell(2.0)
    taken = held.take()
    assert taken is not None
    batch = taken.batch()
    assert batch.kinds() == {"m": 2}
    assert {run: list(columns[2]) for run, columns in batch.events.items()} == {
        run: [b"well" if well else b"badly"] for run in "ab"
    }


def test_a_farewell_that_interrupts() -> None:
    """A session that begins in a signal handler, in the midst of a section, ends like any other."""
    held = backlog()
    held._locked(lambda: held.offer("m", [farewell()], None, 0.0, False))
    assert held.pending == 0
    held.close()
    held.say_farewell(1.0)
    assert held.pending == 1


def test_a_door_that_closes_while_it_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A door that is closed between two steps of a session's coming in leaves it with one end."""
    for early in (True, False):
        held = backlog()

        class Closing(dict[Any, Any]):
            def __setitem__(self, key: Any, value: Any, held: Backlog = held, early: bool = early) -> None:
                if not early:
                    super().__setitem__(key, value)
                held.close()
                held.say_farewell(1.0)
                if early:
                    super().__setitem__(key, value)

        monkeypatch.setattr(held.farewells, "_of", Closing())
        assert held.offer("m", [farewell()], None, 0.0, True) is not None
        assert held.pending == 1
