"""Rule 6: an accepted scalar is in the file as soon as the loop is free, whatever `flush_secs` and `max_queue` say."""

import asyncio
import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.contract.disk import Disk
from tests.contract.seen import comes, event_files, eventually, steps, steps_so_far

Run = Callable[[Coroutine[Any, Any, Any]], Any]

LAZY: dict[str, Any] = {"flush_secs": 1e9, "max_queue": 10**6}  # nothing but promptness writes anything


async def found_while_asleep(log_dir: Path, wanted: list[int], tag: str = "a") -> bool:
    """Tell whether steps come to a file, looked for from another thread, so that it is not this that wakes the loop."""
    return await asyncio.to_thread(eventually, lambda: steps_so_far(log_dir, tag) == wanted)


@pytest.mark.parametrize("options", [LAZY, {}, {"max_queue": 0}, {"max_queue": 1}], ids=str)
def test_an_awaited_scalar(options: dict[str, Any], run: Run, tmp_path: Path) -> None:
    """An awaited scalar comes to the file by itself, and so does each one after it."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, **options) as writer:
            for step in range(5):
                await writer.add_scalar("a", 1.0, step)
                assert await found_while_asleep(tmp_path, list(range(step + 1)))

    run(main())


@pytest.mark.parametrize("max_queue", [1, 5, 64])
def test_a_full_queue(max_queue: int, run: Run, tmp_path: Path) -> None:
    """Entries that reach `max_queue` at once come to the file by themselves, and so do those beyond it."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, flush_secs=1e9, max_queue=max_queue) as writer:
            for step in range(max_queue):
                await writer.add_scalar("a", 1.0, step)
            assert await found_while_asleep(tmp_path, list(range(max_queue)))
            for step in range(max_queue, 3 * max_queue + 1):
                await writer.add_scalar("a", 1.0, step)
            assert await found_while_asleep(tmp_path, list(range(3 * max_queue + 1)))

    run(main())


def test_a_crowd_does_not_linger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once `max_queue` entries are pending they are written without waiting for company."""
    monkeypatch.setattr("asynctb.pipeline.driver.LINGER", 1e6)
    monkeypatch.setattr("asynctb.storage.local.LOOK", 1e6)  # nor does anyone stand in for the task

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, flush_secs=1e9, max_queue=5) as writer:
            for step in range(4):
                await writer.add_scalar("a", 1.0, step)
            await asyncio.sleep(0.1)
            assert steps_so_far(tmp_path) == []  # so that the patch is seen to work
            await writer.add_scalar("a", 1.0, 4)
            assert await found_while_asleep(tmp_path, list(range(5)))
            writer.nowait.add_scalar("a", 1.0, 5)
            await writer.flush()  # which does not linger either
            assert steps_so_far(tmp_path) == list(range(6))

    asyncio.run(main())


def test_room_is_made_without_lingering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds that wait for room are not kept waiting for company."""
    monkeypatch.setattr("asynctb.pipeline.driver.LINGER", 1e6)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, **LAZY, max_bytes=500) as writer:
            for step in range(20):
                await asyncio.wait_for(writer.add_scalar("a", 1.0, step), 5)

    asyncio.run(main())
    assert steps(tmp_path) == list(range(20))


def test_every_method(run: Run, tmp_path: Path) -> None:
    """Points of sub-runs, logs and texts come to their files by themselves, too."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, **LAZY) as writer:
            await writer.add_scalars("b", {"k": 1.0})
            assert await asyncio.to_thread(eventually, lambda: steps_so_far(tmp_path, "b", "b_k") == [0])
            await writer.log({"c": 1.0})
            assert await found_while_asleep(tmp_path, [0], "c")
            await writer.add_text("d", "words")
            assert await found_while_asleep(tmp_path, [0], "d/text_summary")
            await writer.add_text("d", "\u00e9" * 300_000)
            assert await found_while_asleep(tmp_path, [0, 1], "d/text_summary")

    run(main())


def test_while_others_keep_the_loop_busy(run: Run, tmp_path: Path) -> None:
    """A scalar comes to the file while other tasks never let the loop sleep."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, **LAZY) as writer:
            await writer.add_scalar("a", 1.0, 0)
            assert await comes(lambda: steps_so_far(tmp_path) == [0])

            async def spin() -> None:
                for _ in range(10**9):
                    await asyncio.sleep(0)

            spinning = asyncio.create_task(spin())
            await writer.add_scalar("a", 1.0, 1)
            assert await found_while_asleep(tmp_path, [0, 1])
            spinning.cancel()

    run(main())


def test_nowait_in_a_task(run: Run, tmp_path: Path) -> None:
    """What `nowait` accepted in a task that then sleeps comes to the file."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, **LAZY) as writer:
            for step in range(3):
                assert writer.nowait.add_scalar("a", 1.0, step)
                assert await found_while_asleep(tmp_path, list(range(step + 1)))

    run(main())


def test_nowait_in_another_thread(run: Run, tmp_path: Path) -> None:
    """What `nowait` accepted in another thread comes to the file though the loop was asleep."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, **LAZY) as writer:
            for step in range(3):
                thread = threading.Thread(target=writer.nowait.add_scalar, args=("a", 1.0, step))
                thread.start()
                assert await found_while_asleep(tmp_path, list(range(step + 1)))
                thread.join()

    run(main())


def test_nowait_in_a_callback(run: Run, tmp_path: Path) -> None:
    """What `nowait` accepted in `call_soon`, `call_later` and a done-callback comes to the file."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with AsyncSummaryWriter(tmp_path, **LAZY) as writer:
            loop.call_later(0.02, writer.nowait.add_scalar, "a", 1.0, 0)
            assert await found_while_asleep(tmp_path, [0])
            loop.call_soon(writer.nowait.add_scalar, "a", 1.0, 1)
            assert await found_while_asleep(tmp_path, [0, 1])
            task = asyncio.create_task(asyncio.sleep(0.02))
            task.add_done_callback(lambda _: writer.nowait.add_scalar("a", 1.0, 2))
            assert await found_while_asleep(tmp_path, [0, 1, 2])
            loop.run_in_executor(None, int).add_done_callback(lambda _: writer.nowait.add_scalar("a", 1.0, 3))
            assert await found_while_asleep(tmp_path, [0, 1, 2, 3])

    run(main())


Handle = Callable[[Callable[[], object]], None]


@pytest.fixture
def on_signal() -> Iterator[Handle]:
    """Have something called by a signal handler."""
    before = signal.getsignal(signal.SIGUSR1)

    def handle(call: Callable[[], object]) -> None:
        def handler(number: int, frame: FrameType | None) -> None:
            call()

        signal.signal(signal.SIGUSR1, handler)

    yield handle
    signal.signal(signal.SIGUSR1, before)


def interrupt_soon() -> None:
    """Send this process the signal from a thread, once its loop is asleep."""
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()


def test_nowait_in_a_signal_handler(run: Run, tmp_path: Path, on_signal: Handle) -> None:
    """What `nowait` accepted in a signal handler comes to the file though the loop was asleep."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, **LAZY) as writer:
            on_signal(lambda: writer.nowait.add_scalar("a", 1.0))
            for count in range(1, 4):
                interrupt_soon()
                assert await found_while_asleep(tmp_path, list(range(count)))

    run(main())


def test_nowait_in_the_loops_own_signal_handler(run: Run, tmp_path: Path) -> None:
    """What `nowait` accepted in a handler of `loop.add_signal_handler` comes to the file."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with AsyncSummaryWriter(tmp_path, **LAZY) as writer:
            loop.add_signal_handler(signal.SIGUSR1, writer.nowait.add_scalar, "a", 1.0)
            interrupt_soon()
            assert await found_while_asleep(tmp_path, [0])
            loop.remove_signal_handler(signal.SIGUSR1)

    run(main())


def test_a_signal_handler_after_a_full_stop(run: Run, tmp_path: Path, on_signal: Handle) -> None:
    """A handler's entry comes to the file after thousands of awaited ones, when the writer has gone to sleep."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, **LAZY) as writer:
            await asyncio.gather(*(writer.add_scalar("a", 1.0) for _ in range(3000)))
            assert await found_while_asleep(tmp_path, list(range(3000)))
            on_signal(lambda: writer.nowait.add_scalar("b", 1.0))
            interrupt_soon()
            assert await found_while_asleep(tmp_path, [0], "b")

    run(main())


def test_a_script(tmp_path: Path, on_signal: Handle) -> None:
    """What a SummaryWriter accepted, in a script, a thread or a signal handler, comes to the file by itself."""
    with SummaryWriter(tmp_path, **LAZY) as writer:
        for step in range(3):
            writer.add_scalar("a", 1.0, step)
            assert eventually(lambda: len(steps_so_far(tmp_path)) == step + 1)  # noqa: B023  # called at once
        thread = threading.Thread(target=writer.add_scalar, args=("a", 1.0, 3))
        thread.start()
        thread.join()
        assert eventually(lambda: steps_so_far(tmp_path) == [0, 1, 2, 3])
        on_signal(lambda: writer.add_scalar("a", 1.0, 4))
        signal.raise_signal(signal.SIGUSR1)
        assert eventually(lambda: steps_so_far(tmp_path) == [0, 1, 2, 3, 4])


def test_a_script_that_never_adds_more(tmp_path: Path, on_signal: Handle) -> None:
    """The very first add of a SummaryWriter, in a signal handler, comes to the file."""
    with SummaryWriter(tmp_path, **LAZY) as writer:
        on_signal(lambda: writer.add_scalar("a", 1.0))
        signal.raise_signal(signal.SIGUSR1)
        assert eventually(lambda: steps_so_far(tmp_path) == [0])


def test_the_file_is_there_at_once(tmp_path: Path) -> None:
    """A writer that was opened has a file that TensorBoard can read before anything is added."""
    with SummaryWriter(tmp_path / "sync"):
        assert len(event_files(tmp_path / "sync")) == 1
        assert steps(tmp_path / "sync") == []

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path / "async"):
            assert len(event_files(tmp_path / "async")) == 1
            assert steps(tmp_path / "async") == []

    asyncio.run(main())


def test_flush_secs_syncs(run: Run, tmp_path: Path, disk: Disk) -> None:
    """A file with new data is synced after `flush_secs` without any call, and then left alone."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, flush_secs=0.05) as writer:
            disk.under(writer)
            for rounds in range(1, 4):
                await writer.add_scalar("a", 1.0)
                assert await comes(lambda: disk.calls["sync"] == rounds)  # noqa: B023  # called at once
            await asyncio.sleep(0.2)
            assert disk.calls["sync"] == 3

    run(main())


def hold_by_sleeping(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not until() and time.monotonic() < deadline:
        time.sleep(0.05)


def hold_by_computing(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not until() and time.monotonic() < deadline:
        sum(range(300_000))


@pytest.mark.parametrize("hold", [hold_by_sleeping, hold_by_computing])
def test_a_loop_that_is_held(hold: Callable[[Callable[[], bool]], None], run: Run, tmp_path: Path) -> None:
    """What was accepted comes to the file also while a computation holds the loop: right after it, and after a rest."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, **LAZY) as writer:
            for count in (3, 6, 9):
                for step in range(count - 3, count):
                    await writer.add_scalar("a", 1.0, step)
                hold(lambda: len(steps_so_far(tmp_path)) == count)  # noqa: B023
                assert steps_so_far(tmp_path) == list(range(count))
                await asyncio.sleep(1.2 if count == 3 else 0)  # longer than the file thread looks around by itself
            await writer.flush()  # they are counted right after they are in the file
            assert (writer.stats.written, writer.stats.pending) == (9, 0)

    run(main())
    assert steps(tmp_path) == list(range(9))


def test_a_disk_that_fails_while_the_loop_is_held(
    run: Run, tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure that the task was not there for is found and told by it, and nothing is lost."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            disk.under(writer)
            disk.fail(errno.EIO)
            before = disk.calls["write_at"]
            await writer.add_scalar("a", 1.0, 0)
            hold_by_sleeping(lambda: disk.calls["write_at"] > before)
            assert disk.calls["write_at"] > before
            assert not caplog.messages
            assert await asyncio.to_thread(eventually, lambda: any("cannot write" in said for said in caplog.messages))
            disk.heal()

    run(main())
    assert steps(tmp_path) == [0]
