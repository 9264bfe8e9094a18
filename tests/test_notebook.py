"""In a notebook an event loop is already running: each cell runs on it, and it goes on between the cells."""

import asyncio
import gc
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.pipeline.backlog import MAX_ENTRIES
from tests.readback.events import run_events

T = TypeVar("T")


class Notebook:
    """A kernel's loop, in a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.Thread(target=loop.run_forever, daemon=True)
        self._thread.start()

    def cell(self, code: Callable[[], T]) -> T:
        """Run plain code as a notebook does: in a coroutine, and without an await in it."""

        async def run() -> T:
            return code()

        return self.awaiting(run())

    def awaiting(self, code: Coroutine[Any, Any, T]) -> T:
        """Run code with a top-level await."""
        return asyncio.run_coroutine_threadsafe(code, self._loop).result(30)

    def shut_down(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture(params=["asyncio", "uvloop"])
def notebook(request: pytest.FixtureRequest) -> Iterator[Notebook]:
    """A notebook on a loop of each kind."""
    make_loop = asyncio.new_event_loop
    if request.param == "uvloop":
        make_loop = pytest.importorskip("uvloop", reason="uvloop is not installed").new_event_loop
    notebook = Notebook(make_loop())
    yield notebook
    notebook.shut_down()


def numbers(logdir: Path) -> list[float]:
    return [value.simple_value for event in run_events(logdir)["."] for value in event.summary.value]


def test_script_in_one_cell(tmp_path: Path, notebook: Notebook) -> None:
    """A script that never heard of asyncio runs in a cell, though it makes the loop wait for room and for the disk."""
    count = 2 * MAX_ENTRIES

    def cell() -> None:
        with SummaryWriter(tmp_path, max_bytes=10_000) as writer:
            for i in range(count):
                writer.add_scalar("x", i)
            writer.flush()
            assert numbers(tmp_path) == list(range(count))
            writer.add_scalar("x", count)

    notebook.cell(cell)
    assert numbers(tmp_path) == list(range(count + 1))


def test_script_in_many_cells(tmp_path: Path, notebook: Notebook) -> None:
    """A writer lives across cells; closed in one of them, it goes on in a later one."""
    writer = notebook.cell(lambda: SummaryWriter(tmp_path))
    notebook.cell(lambda: writer.add_scalar("x", 1))
    notebook.cell(writer.flush)
    assert numbers(tmp_path) == [1]
    notebook.cell(lambda: writer.log({"x": 2}))
    notebook.cell(writer.close)
    assert numbers(tmp_path) == [1, 2]
    notebook.cell(lambda: writer.add_scalar("x", 3))
    notebook.cell(lambda: writer.flush(sync=True))
    notebook.cell(writer.close)
    assert numbers(tmp_path) == [1, 2, 3]


def test_cell_that_is_run_again(tmp_path: Path, notebook: Notebook) -> None:
    """A cell that makes the writer, run again, leaves the first one unclosed; what that had taken is written too."""
    names: dict[str, SummaryWriter] = {}

    def cell() -> None:
        names["writer"] = SummaryWriter(tmp_path)
        names["writer"].add_scalar("x", len(list(tmp_path.iterdir())))

    notebook.cell(cell)
    notebook.cell(cell)
    notebook.cell(lambda: names.pop("writer").close())
    gc.collect()
    wait_for(lambda: numbers(tmp_path) == [1, 2])


def wait_for(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(100):
        if true():
            return
        pause.wait(0.05)
    raise AssertionError


def test_awaits_in_many_cells(tmp_path: Path, notebook: Notebook) -> None:
    """With top-level awaits an AsyncSummaryWriter lives across cells too, and writes between them by itself."""
    writer = AsyncSummaryWriter(tmp_path)
    notebook.awaiting(writer.add_scalar("x", 1))
    wait_for(lambda: numbers(tmp_path) == [1])
    notebook.cell(lambda: writer.nowait.add_scalar("x", 2))
    wait_for(lambda: numbers(tmp_path) == [1, 2])
    notebook.awaiting(writer.log({"x": 3}))
    notebook.awaiting(writer.flush())
    assert numbers(tmp_path) == [1, 2, 3]
    notebook.awaiting(writer.close())


def test_both_writers_on_one_loop(tmp_path: Path) -> None:
    """Both writers log from one coroutine, and closing the one does not end the other."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path / "async") as awaited:
            with SummaryWriter(tmp_path / "sync") as plain:
                for i in range(100):
                    plain.add_scalar("x", i)
                    await awaited.add_scalar("x", i)
            plain.add_scalar("x", 100)
            await awaited.add_scalar("x", 100)
        plain.add_scalar("x", 101)
        plain.close()

    asyncio.run(main())
    assert numbers(tmp_path / "async") == list(range(101))
    assert numbers(tmp_path / "sync") == list(range(102))
