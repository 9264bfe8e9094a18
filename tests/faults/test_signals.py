"""A signal that ends a program, as a preempted job's SIGTERM does, costs nothing where that was asked for."""

from __future__ import annotations

import asyncio
import mmap
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import pytest

from asynctb import AsyncSummaryWriter, EncodeError, SummaryWriter, flush_on_signal
from tests.contract.disk import Disk
from tests.contract.heavy import LARGE, Heavy
from tests.contract.seen import points, steps
from tests.faults.program import end, run, start

SIGNAL = signal.SIGUSR1

T = TypeVar("T")


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Yield a disk that does as it is told, and holds nobody up after the test."""
    disk = Disk()
    yield disk
    disk.heal()


@pytest.fixture
def quiet() -> Iterator[list[int]]:
    """Install a handler that notes that it was called, and put back what was there after the test."""
    called: list[int] = []
    before = signal.signal(SIGNAL, lambda signum, _: called.append(signum))
    yield called
    signal.signal(SIGNAL, before)


@pytest.mark.parametrize("kind", ["script", "asyncio", "uvloop"])
@pytest.mark.parametrize("alive", [0.05, 0.3, *(pytest.param(0.01 * n, marks=pytest.mark.long) for n in range(60))])
def test_a_terminated_program_loses_nothing(kind: str, alive: float, tmp_path: Path) -> None:
    """Every add that returned before SIGTERM is in the file, which is whole, and the program ended by the signal."""
    logs, shared = tmp_path / "logs", tmp_path / "counts"
    shared.write_bytes(bytes(8))
    child = start("terminated", logs, shared, kind)
    with shared.open("r+b") as file, mmap.mmap(file.fileno(), 8) as counts:
        deadline = time.monotonic() + 30
        while counts[:] == bytes(8) and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.01)
        time.sleep(alive)
        child.terminate()
        ended = end(child, expect=[-signal.SIGTERM])
        accepted = int.from_bytes(counts[:], "little")
    found = steps(logs)
    assert found == list(range(len(found)))
    assert accepted > 0
    assert accepted <= len(found) <= accepted + 1, ended.err


@pytest.mark.parametrize("how", ["sync", "async"])
def test_the_earlier_handler_comes_after_the_flush(how: str, quiet: list[int], tmp_path: Path) -> None:
    """What was there is called once, when all that was accepted is written; the writer goes on."""
    pending: list[int] = []

    def earlier(signum: int, frame: FrameType | None) -> None:
        pending.append(writer.stats.pending)

    signal.signal(SIGNAL, earlier)
    undo = flush_on_signal(SIGNAL)
    writer: AsyncSummaryWriter | SummaryWriter

    async def log() -> None:
        nonlocal writer
        async with AsyncSummaryWriter(tmp_path) as writer:
            for step in range(5):
                await writer.add_scalar("a", step, step)
            signal.raise_signal(SIGNAL)
            await writer.add_scalar("a", 5, 5)

    if how == "async":
        asyncio.run(log())
    else:
        with SummaryWriter(tmp_path) as writer:
            for step in range(5):
                writer.add_scalar("a", step, step)
            signal.raise_signal(SIGNAL)
            writer.add_scalar("a", 5, 5)
    assert pending == [0]
    assert steps(tmp_path) == list(range(6))
    undo()
    assert signal.getsignal(SIGNAL) is earlier


def test_a_handler_of_the_loop_is_called_once(quiet: list[int], tmp_path: Path) -> None:
    """A handler of the loop's own that was there before is called once, with the entries written."""

    async def log() -> list[int]:
        loop, called, seen = asyncio.get_running_loop(), asyncio.Event(), []
        async with AsyncSummaryWriter(tmp_path) as writer:

            def stop() -> None:
                seen.append(writer.stats.pending)
                called.set()

            loop.add_signal_handler(SIGNAL, stop)
            flush_on_signal(SIGNAL)
            await writer.add_scalar("a", 0, 0)
            os.kill(os.getpid(), SIGNAL)
            await asyncio.wait_for(called.wait(), 20)
            await asyncio.sleep(0.05)
            loop.remove_signal_handler(SIGNAL)
        return seen

    assert asyncio.run(log()) == [0]


def test_an_ignored_signal_stays_ignored(quiet: list[int], tmp_path: Path) -> None:
    """Where the signal was ignored, it is a flush and nothing else."""
    signal.signal(SIGNAL, signal.SIG_IGN)
    flush_on_signal(SIGNAL)
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("a", 0, 0)
        signal.raise_signal(SIGNAL)
        assert writer.stats.written == 1


def test_sync(quiet: list[int], tmp_path: Path, disk: Disk) -> None:
    """With `sync`, what was written is synced before the earlier handler comes."""

    def earlier(signum: int, frame: FrameType | None) -> None:
        quiet.append(disk.calls["sync"])

    signal.signal(SIGNAL, earlier)
    flush_on_signal(SIGNAL, sync=True)
    with SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        writer.add_scalar("a", 0, 0)
        signal.raise_signal(SIGNAL)
    assert quiet[0] >= 1


def test_a_stuck_disk_delays_it_by_the_timeout(
    quiet: list[int], tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """The earlier handler comes when the timeout is over, and the log says what is missing."""
    flush_on_signal(SIGNAL, timeout=0.3)
    with SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        disk.hold()
        writer.add_scalar("a", 0, 0)
        began = time.monotonic()
        signal.raise_signal(SIGNAL)
        assert 0.3 <= time.monotonic() - began < 10
        assert quiet == [SIGNAL]
        assert "1 entry is not stored" in caplog.text
        disk.release()


def test_signals_in_a_hot_script(quiet: list[int], tmp_path: Path) -> None:
    """Signals that strike anywhere in a loop of adds wait for nothing that the loop holds, and lose nothing."""
    flush_on_signal(SIGNAL, timeout=100)
    stop = threading.Event()

    def shower() -> None:
        while not stop.wait(0.001):
            signal.pthread_kill(threading.main_thread().ident or 0, SIGNAL)

    thread = threading.Thread(target=shower)
    began, step = time.monotonic(), 0
    with SummaryWriter(tmp_path) as writer:
        thread.start()
        while len(quiet) < 300 and time.monotonic() - began < 60:
            writer.add_scalar("a", step, step)
            step += 1
        stop.set()
        thread.join()
        assert len(quiet) >= 300
        assert time.monotonic() - began < 90  # one that waits for itself takes all of the timeout
    assert steps(tmp_path) == list(range(step))


def test_a_signal_while_an_add_waits_for_room(quiet: list[int], tmp_path: Path, disk: Disk) -> None:
    """What a signal interrupts goes on after it, also an add that was in line."""
    with SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        for step in range(2000):
            writer.add_scalar("a", step, step)
        writer.flush()
        held = disk.hold()
        for step in range(2000, 4000):
            writer.add_scalar("a", step, step)
        assert held.wait(20)
        flush_on_signal(SIGNAL, timeout=0.2)
        threading.Timer(0.2, signal.pthread_kill, [threading.main_thread().ident, SIGNAL]).start()
        threading.Timer(0.8, disk.release).start()
        writer.add_scalar("a", 4000, 4000)
        assert quiet == [SIGNAL]
    assert steps(tmp_path) == list(range(4001))


def struck_while_handing_over(log_dir: Path, strike: Callable[[Heavy], T]) -> T:
    """Call `strike` while an add of two values hands over the first, and return its result once the add is done."""
    first, second = Heavy("first", size=LARGE), Heavy("second", size=LARGE)
    first.may_take.clear()
    for heavy in (first, second):
        heavy.may_encode.set()

    async def log() -> T:
        async with AsyncSummaryWriter(log_dir) as writer:
            add = asyncio.create_task(writer._accept("add", [first.draft, second.draft], None, 0.0))
            while not first.taking.is_set():
                await asyncio.sleep(0.001)
            result = strike(first)
            await add
        return result

    return asyncio.run(log())


def test_what_no_add_has_given_away_holds_nothing_up(quiet: list[int], tmp_path: Path) -> None:
    """A value that its coroutine still has to hand over is not waited for: the coroutine cannot go on meanwhile."""
    flush_on_signal(SIGNAL, timeout=60)

    def strike(first: Heavy) -> float:
        threading.Timer(0.2, first.may_take.set).start()
        began = time.monotonic()
        signal.raise_signal(SIGNAL)
        return time.monotonic() - began

    assert 0.2 < struck_while_handing_over(tmp_path, strike) < 20
    assert {point.tag for point in points(tmp_path)} == {"first", "second"}


FORKED = """
import os, signal, sys, time
import asynctb

asynctb.flush_on_signal()
writer = asynctb.SummaryWriter(sys.argv[1])
writer.add_scalar("parent", 0, 0)
if (child := os.fork()) == 0:
    for step in range(100):
        writer.add_scalar("child", step, step)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
_, status = os.waitpid(child, 0)
assert os.WTERMSIG(status) == signal.SIGTERM, status
"""

POOL = """
import multiprocessing, os, sys, time
import asynctb

def work(writer):
    for step in range(100):
        writer.add_scalar("child", step, step)
    open(f"{sys.argv[1]}.{os.getpid()}", "w").close()
    time.sleep(60)

if __name__ == "__main__":
    asynctb.flush_on_signal()
    writer = asynctb.SummaryWriter(sys.argv[1])
    child = multiprocessing.get_context("fork").Process(target=work, args=(writer,))
    child.start()
    while not os.path.exists(f"{sys.argv[1]}.{child.pid}"):
        time.sleep(0.01)
    child.terminate()
    child.join()
    assert child.exitcode == -15, child.exitcode
"""


@pytest.mark.parametrize("program", [FORKED, POOL], ids=["fork", "multiprocessing"])
def test_a_forked_child_inherits_it(program: str, tmp_path: Path) -> None:
    """A child that is terminated has what it logged in its own file."""
    run(program, tmp_path / "logs")
    assert steps(tmp_path / "logs", "child") == list(range(100))


def test_again_in_the_meantime(quiet: list[int], tmp_path: Path, disk: Disk) -> None:
    """The same signal once more, while it is being handled, changes nothing: its handler comes once."""
    flush_on_signal(SIGNAL, timeout=0.5)
    with SummaryWriter(tmp_path) as writer:
        disk.under(writer)
        disk.hold()
        writer.add_scalar("a", 0, 0)
        threading.Timer(0.2, signal.pthread_kill, [threading.main_thread().ident, SIGNAL]).start()
        signal.raise_signal(SIGNAL)
        disk.release()
    assert quiet == [SIGNAL]


@pytest.mark.parametrize("bad", [-1, float("nan"), "5", None, True])
def test_bad_timeouts(bad: Any) -> None:
    """A timeout that is no number of seconds is refused, by name."""
    with pytest.raises(EncodeError, match="timeout"):
        flush_on_signal(SIGNAL, timeout=bad)


def test_where_it_cannot_be() -> None:
    """A signal that nobody may handle, a number that is none, and another thread than the main one are refused."""
    with pytest.raises(OSError, match="Invalid argument"):
        flush_on_signal(signal.SIGKILL)
    with pytest.raises(ValueError, match="signal number out of range"):
        flush_on_signal(4711)
    errors: list[BaseException] = []

    def install() -> None:
        try:
            flush_on_signal(SIGNAL)
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=install)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


def test_undoing_leaves_a_later_handler_alone(quiet: list[int]) -> None:
    """Where another handler has been installed since, undoing changes nothing."""
    undo = flush_on_signal(SIGNAL)
    signal.signal(SIGNAL, signal.SIG_IGN)
    undo()
    assert signal.getsignal(SIGNAL) == signal.SIG_IGN


def test_a_signal_that_ends_nothing_throws_nothing_away(tmp_path: Path) -> None:
    """After a signal whose default is to be ignored, an add that was still to hand over its value stores it."""
    undo = flush_on_signal(signal.SIGWINCH, timeout=0.1)

    def strike(first: Heavy) -> None:
        signal.raise_signal(signal.SIGWINCH)
        first.may_take.set()

    struck_while_handing_over(tmp_path, strike)
    undo()
    assert {point.tag for point in points(tmp_path)} == {"first", "second"}


@pytest.mark.parametrize("timeout", [float("inf"), 1e300])
def test_any_length_of_timeout(timeout: float, quiet: list[int], tmp_path: Path) -> None:
    """A timeout that no lock can wait for is as long as one can."""
    flush_on_signal(SIGNAL, timeout=timeout)
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("a", 0, 0)
        signal.raise_signal(SIGNAL)
        assert writer.stats.written == 1
    assert quiet == [SIGNAL]


def test_an_exception_does_not_swallow_it(quiet: list[int], tmp_path: Path) -> None:
    """A section that an exception ends, as Ctrl-C does, makes the call that was put off all the same."""
    flush_on_signal(SIGNAL)
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("a", 0, 0)

        def section() -> None:
            signal.raise_signal(SIGNAL)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            writer._pipeline.backlog._locked(section)
        assert quiet == [SIGNAL]
