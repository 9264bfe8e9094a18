"""Nothing accepted is lost, however the program ends: each way out in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.readback.events import events, run_events

COUNTS = [0, 1, 10, 3000]
TAG = "accepted"

ASYNC_LOOP = """
async def log(writer, steps):
    for step in steps:
        await writer.add_scalar(TAG, step, step)
"""

# Every script logs range(COUNT) to TAG, in order, and never closes its writer unless its name says so.
WAYS_OUT = {
    "the main coroutine returns": """
        async def main():
            await log(AsyncSummaryWriter(DIR), range(COUNT))
        asyncio.run(main())
    """,
    "an exception leaves asyncio.run": """
        async def main():
            await log(AsyncSummaryWriter(DIR), range(COUNT))
            raise LookupError("meant to happen")
        asyncio.run(main())
    """,
    "sys.exit in a coroutine": """
        async def main():
            await log(AsyncSummaryWriter(DIR), range(COUNT))
            sys.exit(3)
        asyncio.run(main())
    """,
    "Ctrl-C": """
        async def main():
            await log(AsyncSummaryWriter(DIR), range(COUNT))
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)
        asyncio.run(main())
    """,
    "Ctrl-C twice": """
        async def stubborn(writer):
            try:
                await asyncio.sleep(60)
            finally:
                await log(writer, range(COUNT // 2, COUNT))
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(60)
        async def main():
            writer = AsyncSummaryWriter(DIR)
            await log(writer, range(COUNT // 2))
            asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
            await stubborn(writer)
        asyncio.run(main())
    """,
    "adds in a finally block, when all tasks have been cancelled": """
        async def late(writer):
            try:
                await asyncio.sleep(60)
            finally:
                await log(writer, range(COUNT // 2, COUNT))
        async def main():
            writer = AsyncSummaryWriter(DIR)
            tasks.append(asyncio.create_task(late(writer)))
            await asyncio.sleep(0)
            await log(writer, range(COUNT // 2))
        tasks = []
        asyncio.run(main())
    """,
    "owner and writer tasks are cancelled together": """
        async def main():
            writer = AsyncSummaryWriter(DIR)
            await log(writer, range(COUNT))
            for task in asyncio.all_tasks():
                task.cancel()
            await asyncio.sleep(60)
        asyncio.run(main())
    """,
    "a writer closed while its owner is cancelled": """
        async def main():
            async with AsyncSummaryWriter(DIR) as writer:
                await log(writer, range(COUNT))
                asyncio.current_task().cancel()
                await asyncio.sleep(60)
        asyncio.run(main())
    """,
    "the loop is stopped": """
        async def main():
            await log(writer, range(COUNT))
            asyncio.get_running_loop().stop()
            await asyncio.sleep(60)
        writer, loop = AsyncSummaryWriter(DIR), asyncio.new_event_loop()
        try:
            loop.run_until_complete(main())
        except RuntimeError:
            pass
    """,
    "the loop is closed over the writer": """
        writer, loop = AsyncSummaryWriter(DIR), asyncio.new_event_loop()
        loop.run_until_complete(log(writer, range(COUNT)))
        loop.close()
    """,
    "the writer is closed and the loop right after": """
        writer, loop = AsyncSummaryWriter(DIR), asyncio.new_event_loop()
        loop.run_until_complete(log(writer, range(COUNT)))
        loop.run_until_complete(writer.close())
        loop.close()
    """,
    "two runs of asyncio with one writer": """
        writer = AsyncSummaryWriter(DIR)
        asyncio.run(log(writer, range(COUNT // 2)))
        asyncio.run(log(writer, range(COUNT // 2, COUNT)))
    """,
    "nowait, after the loop has closed": """
        writer = AsyncSummaryWriter(DIR)
        asyncio.run(log(writer, range(COUNT // 2)))
        for step in range(COUNT // 2, COUNT):
            assert writer.nowait.add_scalar(TAG, step, step)
    """,
    "nowait, and no loop ever": """
        writer = AsyncSummaryWriter(DIR)
        for step in range(COUNT):
            assert writer.nowait.add_scalar(TAG, step, step)
    """,
    "a script returns": """
        writer = SummaryWriter(DIR)
        for step in range(COUNT):
            writer.add_scalar(TAG, step, step)
    """,
    "a script drops its writer": """
        def work():
            writer = SummaryWriter(DIR)
            for step in range(COUNT):
                writer.add_scalar(TAG, step, step)
        work()
    """,
    "a script ends with an exception": """
        writer = SummaryWriter(DIR)
        for step in range(COUNT):
            writer.add_scalar(TAG, step, step)
        raise LookupError("meant to happen")
    """,
    "Ctrl-C in a script": """
        writer = SummaryWriter(DIR)
        for step in range(COUNT):
            writer.add_scalar(TAG, step, step)
        os.kill(os.getpid(), signal.SIGINT)
    """,
    "adds in an exit handler older than the writer": """
        atexit.register(lambda: [writer.add_scalar(TAG, step, step) for step in range(COUNT // 2, COUNT)])
        writer = SummaryWriter(DIR)
        for step in range(COUNT // 2):
            writer.add_scalar(TAG, step, step)
    """,
    "adds in an exit handler younger than the writer": """
        writer = SummaryWriter(DIR)
        atexit.register(lambda: [writer.add_scalar(TAG, step, step) for step in range(COUNT // 2, COUNT)])
        for step in range(COUNT // 2):
            writer.add_scalar(TAG, step, step)
    """,
    "a forked child leaves through sys.exit": """
        if os.fork() == 0:
            writer = SummaryWriter(DIR)
            for step in range(COUNT):
                writer.add_scalar(TAG, step, step)
            sys.exit(0)
        os.wait()
    """,
}


def run_script(tmp_path: Path, body: str, count: int) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a script with the imports it needs; return how it ended, and after how many seconds."""
    script = tmp_path / "script.py"
    head = "import asyncio, atexit, multiprocessing, os, signal, sys\nfrom asynctb import *\n"
    names = f"COUNT, DIR, TAG = {count}, {str(tmp_path / 'logs')!r}, {TAG!r}\n"
    lines = [line[8:] for line in body.splitlines()]
    script.write_text(head + names + ASYNC_LOOP + "\n".join(lines) + "\n")
    began = time.monotonic()
    # A fork beside threads warns from 3.12 on, as it should: here it is the point.
    options = ["-W", "error", "-W", "ignore::ResourceWarning", "-W", "ignore:This process:DeprecationWarning"]
    done = subprocess.run(
        [sys.executable, *options, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    return done, time.monotonic() - began


def steps_on_disk(logdir: Path) -> list[int]:
    """Return the steps of TAG, over all files in their order."""
    events = run_events(logdir).get(".", []) if logdir.exists() else []
    return [event.step for event in events for value in event.summary.value if value.tag == TAG]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("way", WAYS_OUT)
def test_nothing_accepted_is_lost(way: str, count: int, tmp_path: Path) -> None:
    """All that was accepted is in the file, in order, the program ends at once, and nothing is said about it."""
    done, seconds = run_script(tmp_path, WAYS_OUT[way], count)
    assert steps_on_disk(tmp_path / "logs") == list(range(count)), done.stderr
    assert seconds < 5, done.stderr
    assert "asynctb:" not in done.stderr
    if not any(word in way for word in ("exception", "Ctrl-C", "cancelled", "sys.exit in a coroutine")):
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""


SICK_DISK = """
        import time
        from asynctb.storage.files import PosixFiles
        class Stuck(PosixFiles):
            def write_at(self, fd, data, offset):
                if offset:
                    time.sleep(60)
                return super().write_at(fd, data, offset)
        {make}
        writer._pipeline.storage._files = Stuck()
        {log}
"""


@pytest.mark.parametrize(
    ("make", "log"),
    [
        ("writer = AsyncSummaryWriter(DIR, exit_timeout=1)", "asyncio.run(log(writer, range(COUNT)))"),
        (
            "writer = SummaryWriter(DIR, exit_timeout=1)",
            "[writer.add_scalar(TAG, step, step) for step in range(COUNT)]",
        ),
    ],
    ids=["async", "sync"],
)
def test_a_stuck_disk_delays_the_end_by_exit_timeout(make: str, log: str, tmp_path: Path) -> None:
    """The program ends about when exit_timeout says, and the log tells how many entries of which kind are missing."""
    done, seconds = run_script(tmp_path, SICK_DISK.format(make=make, log=log), 7)
    assert done.returncode == 0, done.stderr
    assert 1 <= seconds < 10
    assert "7 entries are not stored" in done.stderr
    assert "7 of add_scalar" in done.stderr


MULTIPROCESSING = """
        def work(writer):
            for step in range(COUNT):
                writer.add_scalar(TAG, step, step)
        if __name__ == "__main__":
            writer = SummaryWriter(DIR)
            writer.add_scalar("parent", 1)
            context = multiprocessing.get_context({method!r})
            children = [context.Process(target=work, args=(writer,)) for _ in range(2)]
            for child in children:
                child.start()
            writer.add_scalar("parent", 2)
            for child in children:
                child.join()
            assert [child.exitcode for child in children] == [0, 0]
"""


@pytest.mark.parametrize("count", [1, 1000])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_returning_child_of_multiprocessing_loses_nothing(method: str, count: int, tmp_path: Path) -> None:
    """Each child that returns has its own file, with all it added; the parent's file has the parent's points only."""
    done, _ = run_script(tmp_path, MULTIPROCESSING.format(method=method), count)
    assert done.returncode == 0, done.stderr
    logs = tmp_path / "logs"
    assert sorted(steps_on_disk(logs)) == sorted([*range(count)] * 2)
    files = sorted(logs.iterdir())
    assert len(files) == 3, files
    by_file = {frozenset(tags_in(file)) for file in files}
    assert by_file == {frozenset({"parent"}), frozenset({TAG})}


def tags_in(file: Path) -> set[str]:
    """Return the tags of a file."""
    return {value.tag for event in events(file) for value in event.summary.value}
