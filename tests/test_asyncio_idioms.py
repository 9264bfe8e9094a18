"""An awaited add is an ordinary coroutine call: whatever asyncio and its frameworks do with one works."""

import asyncio
import gc
import inspect
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio
import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter, WrongLoop
from tests.readback.events import run_events

METHODS = ["add_scalar", "add_scalars", "add_text", "log"]
CALLS: dict[str, tuple[Any, ...]] = {
    "add_scalar": ("x", 1),
    "add_scalars": ("m", {"a": 1}),
    "add_text": ("t", "text"),
    "log": ({"x": 1},),
}


def values(logdir: Path, tag: str = "x") -> list[float]:
    """The numbers of a tag, in the order of the file, if there is one."""
    events = run_events(logdir).get(".", [])
    return [value.simple_value for event in events for value in event.summary.value if value.tag == tag]


def steps(logdir: Path, tag: str = "x") -> list[int]:
    return [event.step for event in run_events(logdir)["."] if any(value.tag == tag for value in event.summary.value)]


# Ways to await


async def with_gather(writer: AsyncSummaryWriter) -> None:
    assert await asyncio.gather(*(writer.add_scalar("x", i) for i in range(5))) == [None] * 5


async def with_create_task(writer: AsyncSummaryWriter) -> None:
    tasks = [asyncio.create_task(writer.add_scalar("x", i), name=str(i)) for i in range(5)]
    assert [await task for task in tasks] == [None] * 5


async def with_task_group(writer: AsyncSummaryWriter) -> None:
    async with asyncio.TaskGroup() as group:
        for i in range(5):
            group.create_task(writer.add_scalar("x", i))


async def with_wait_for(writer: AsyncSummaryWriter) -> None:
    for i in range(5):
        await asyncio.wait_for(writer.add_scalar("x", i), 10)


async def with_timeout(writer: AsyncSummaryWriter) -> None:
    async with asyncio.timeout(10):
        for i in range(5):
            await writer.add_scalar("x", i)


async def with_shield(writer: AsyncSummaryWriter) -> None:
    for i in range(5):
        await asyncio.shield(writer.add_scalar("x", i))


async def with_as_completed(writer: AsyncSummaryWriter) -> None:
    for done in asyncio.as_completed([writer.add_scalar("x", i) for i in range(5)]):
        await done


async def with_threads(writer: AsyncSummaryWriter) -> None:
    loop = asyncio.get_running_loop()

    def log() -> None:
        for i in range(5):
            asyncio.run_coroutine_threadsafe(writer.add_scalar("x", i), loop).result(10)

    await asyncio.to_thread(log)


async def with_anyio(writer: AsyncSummaryWriter) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(writer.add_scalar, "x", 0)
    with anyio.fail_after(10):
        for i in range(1, 5):
            await writer.add_scalar("x", i)


WAYS = [
    with_gather,
    with_create_task,
    with_task_group,
    with_wait_for,
    with_timeout,
    with_shield,
    with_as_completed,
    with_threads,
    with_anyio,
]


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_await(tmp_path: Path, way: Callable[[AsyncSummaryWriter], Any]) -> None:
    """Each way to await a coroutine awaits an add, and what was awaited is stored."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await way(writer)

    asyncio.run(main())
    found = sorted(values(tmp_path)) if way is with_as_completed else values(tmp_path)
    assert found == [0, 1, 2, 3, 4]


async def ended_by_wait_for(add: Coroutine[Any, Any, None]) -> None:
    await asyncio.wait_for(add, 0)


async def ended_by_timeout(add: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(0):
        await add


async def ended_by_cancel(add: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(add)
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        raise TimeoutError from None


@pytest.mark.parametrize("end", [ended_by_wait_for, ended_by_timeout, ended_by_cancel])
def test_ways_that_end_too_early(tmp_path: Path, end: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """An add that is ended while it waits for room is stored or is not, and those after it keep their order."""
    ended = 0

    async def main() -> None:
        nonlocal ended
        async with AsyncSummaryWriter(tmp_path, max_bytes=0) as writer:  # one entry is admitted whatever the bound
            for i in range(0, 100, 2):
                await writer.add_scalar("x", i)
                try:
                    await end(writer.add_scalar("x", i + 1))
                except TimeoutError:
                    ended += 1
            assert writer.stats.dropped == {}
        assert writer.stats.accepted == len(values(tmp_path))

    asyncio.run(main())
    found = values(tmp_path)
    assert ended > 0
    assert found == sorted(set(found))
    assert set(range(0, 100, 2)) <= set(found)
    assert len(found) >= 100 - ended
    assert steps(tmp_path) == list(range(len(found)))


# What frameworks ask


@pytest.mark.parametrize("name", METHODS)
def test_is_a_coroutine_function(tmp_path: Path, name: str) -> None:
    """Frameworks that ask whether to await an add are told that they should: of the class, and of a writer."""
    adds = [getattr(AsyncSummaryWriter, name), getattr(AsyncSummaryWriter(tmp_path), name)]
    for add in adds:
        if sys.version_info < (3, 14):
            assert asyncio.iscoroutinefunction(add)
        if sys.version_info >= (3, 12):
            assert inspect.iscoroutinefunction(add)
        assert add.__qualname__ == f"AsyncSummaryWriter.{name}"


@pytest.mark.parametrize("name", METHODS)
def test_is_no_coroutine_function(tmp_path: Path, name: str) -> None:
    """Of the adds that are not awaited, in a script or through `nowait`, they are told that they should not."""
    with SummaryWriter(tmp_path) as writer:
        nowait = AsyncSummaryWriter(tmp_path).nowait
        for add in (getattr(SummaryWriter, name), getattr(writer, name), getattr(nowait, name)):
            assert not inspect.iscoroutinefunction(add)
            if sys.version_info < (3, 14):
                assert not asyncio.iscoroutinefunction(add)


@pytest.mark.parametrize("name", METHODS)
def test_call_gives_a_coroutine(tmp_path: Path, name: str) -> None:
    """Calling an add gives a coroutine object, named after the method, whatever the class of the writer."""

    class Mine(AsyncSummaryWriter):
        pass

    for writer in (AsyncSummaryWriter(tmp_path), AsyncSummaryWriter(tmp_path, enabled=False), Mine(tmp_path)):
        call = getattr(writer, name)(*CALLS[name])
        assert inspect.iscoroutine(call)
        assert call.__qualname__.endswith(f"{type(writer).__name__}.{name}")
        call.close()


def test_background_tasks(tmp_path: Path) -> None:
    """An add given to Starlette's BackgroundTasks runs on the loop after the response, and not in a thread."""
    applications = pytest.importorskip("starlette.applications", reason="starlette is not installed")
    background = pytest.importorskip("starlette.background")
    responses = pytest.importorskip("starlette.responses")
    routing = pytest.importorskip("starlette.routing")
    httpx = pytest.importorskip("httpx", reason="httpx is not installed")
    names: set[str] = set()

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:

            async def respond(request: Any) -> Any:
                tasks = background.BackgroundTasks()
                tasks.add_task(writer.add_scalar, "x", 1)
                tasks.add_task(writer.log, {"x": 2, "y": 3})
                tasks.add_task(writer.add_scalar, "x", scalar_value=4, global_step=9)
                return responses.PlainTextResponse("hello", background=tasks)

            app = applications.Starlette(routes=[routing.Route("/", respond)])
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                assert (await client.get("/")).text == "hello"
            names.update(thread.name for thread in threading.enumerate())

    asyncio.run(main())
    assert values(tmp_path) == [1, 2, 4]
    assert steps(tmp_path) == [0, 1, 9]
    assert not [name for name in names if "AnyIO" in name]


# What is not awaited


def forget(coroutine: object) -> None:
    del coroutine
    gc.collect()


@pytest.mark.parametrize("name", METHODS)
def test_forgotten_await(tmp_path: Path, name: str) -> None:
    """An add that is not awaited stores nothing, and Python's warning names the method that was called."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            with pytest.warns(RuntimeWarning, match=rf"'AsyncSummaryWriter\.{name}' was never awaited"):
                forget(getattr(writer, name)(*CALLS[name]))
            assert writer.stats.accepted == 0
            await writer.add_scalar("y", 1)

    asyncio.run(main())
    events = run_events(tmp_path)
    assert list(events) == ["."]
    assert [value.tag for event in events["."] for value in event.summary.value] == ["y"]


def test_forgotten_add_takes_no_step(tmp_path: Path) -> None:
    """Steps are given where an add is accepted, so that a forgotten one leaves no gap."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            late = writer.add_scalar("x", 1)
            writer.add_scalar("x", 2).close()
            await writer.add_scalar("x", 3)
            await late

    asyncio.run(main())
    assert list(zip(values(tmp_path), steps(tmp_path), strict=True)) == [(3, 0), (1, 1)]


# Many


@pytest.mark.parametrize("max_bytes", [0, 300, 2000, 64 << 20])
def test_gathered_adds_keep_their_order(tmp_path: Path, max_bytes: int) -> None:
    """Thousands of adds of one tag in one gather, with room for hardly any, are stored in their order."""
    count = 3000

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=max_bytes) as writer:
            await asyncio.gather(*(writer.add_scalar("x", i) for i in range(count)))
            assert writer.stats.accepted == count

    asyncio.run(main())
    assert values(tmp_path) == list(range(count))
    assert steps(tmp_path) == list(range(count))


@pytest.mark.parametrize("max_bytes", [0, 2000, 5000])
def test_late_and_small_adds_do_not_jump_the_queue(tmp_path: Path, max_bytes: int) -> None:
    """Adds that come while larger ones wait, for which there would be room, are stored in the order of their coming."""
    count = 2000

    async def main() -> None:
        tasks = []
        async with AsyncSummaryWriter(tmp_path, max_bytes=max_bytes) as writer:
            for i in range(count):
                add = writer.add_scalar("x", i, i) if i % 7 else writer.add_text("t", "a" * 1500, i)
                tasks.append(asyncio.create_task(add))
                await asyncio.sleep(0 if i % 50 else 0.001)
            await asyncio.gather(*tasks)

    asyncio.run(main())
    assert [event.step for event in run_events(tmp_path)["."][1:]] == list(range(count))


def test_hot_loop_lets_others_run(tmp_path: Path) -> None:
    """A loop that only logs gives way to others every so often, although no add of it has to wait."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            task = asyncio.create_task(other())
            for _ in range(5000):
                await writer.add_scalar("x", 1)
            task.cancel()

    asyncio.run(main())
    assert turns >= 10


# Other schedulers


def test_trio(tmp_path: Path) -> None:
    """Under trio every awaited call says that it needs asyncio and what to use instead; what it names works."""
    trio = pytest.importorskip("trio", reason="trio is not installed")

    async def main() -> AsyncSummaryWriter:
        writer = AsyncSummaryWriter(tmp_path / "awaited")
        for call in (writer.__aenter__, writer.flush, writer.close, lambda: writer.add_scalar("x", 1)):
            with pytest.raises(WrongLoop, match=r"asyncio.*SummaryWriter.*nowait"):
                await call()
        assert not (tmp_path / "awaited").exists()
        with SummaryWriter(tmp_path / "sync") as plain:
            plain.add_scalar("x", 1)
        unawaited = AsyncSummaryWriter(tmp_path / "nowait")
        assert unawaited.nowait.add_scalar("x", 2)
        return unawaited

    unawaited = trio.run(main)
    assert values(tmp_path / "sync") == [1]
    asyncio.run(unawaited.close())
    assert values(tmp_path / "nowait") == [2]


# Cancellation


class Meter:
    """A worker that logs until it is cancelled, and how far it came."""

    def __init__(self, logdir: Path, **options: Any) -> None:
        self.writer = AsyncSummaryWriter(logdir, **options)
        self.begun = asyncio.Event()
        self.returned = 0

    async def log(self) -> None:
        async with self.writer as writer:
            while True:
                await writer.add_scalar("x", self.returned)
                self.returned += 1
                self.begun.set()
                if self.returned % 7 == 0:
                    await asyncio.sleep(0)

    def check(self, logdir: Path) -> None:
        """All that was accepted is there and in order: what had returned, and at most the add that was cancelled."""
        found = values(logdir)
        assert found == list(range(len(found)))
        assert 0 <= len(found) - self.returned <= 1
        stats = self.writer.stats
        assert (stats.accepted, stats.written, stats.pending) == (len(found), len(found), 0)


ROOM = pytest.mark.parametrize("options", [{}, {"max_bytes": 0}], ids=["room", "no room"])


@ROOM
@pytest.mark.parametrize("seconds", [0, 0.001, 0.02, 0.1])
def test_cancelled_anyio_group(tmp_path: Path, options: dict[str, Any], seconds: float) -> None:
    """A writer in an anyio task group that is cancelled leaves everything written that it had accepted."""
    meter = Meter(tmp_path, **options)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(meter.log)
            await meter.begun.wait()
            await anyio.sleep(seconds)
            group.cancel_scope.cancel()

    asyncio.run(main())
    meter.check(tmp_path)


@ROOM
def test_anyio_deadline(tmp_path: Path, options: dict[str, Any]) -> None:
    """So does one that runs into a deadline."""
    meter = Meter(tmp_path, **options)

    async def main() -> None:
        with anyio.move_on_after(0.05):
            await meter.log()

    asyncio.run(main())
    assert meter.returned
    meter.check(tmp_path)


def test_cancelled_before_it_is_open(tmp_path: Path) -> None:
    """One that is cancelled while its file is being opened raises nothing else, and holds up nobody."""
    meter = Meter(tmp_path)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(meter.log)
            await asyncio.sleep(0)
            group.cancel_scope.cancel()
        await meter.writer.close()

    asyncio.run(main())
    assert meter.returned == 0
    meter.check(tmp_path)


@pytest.mark.parametrize("turns", [0, 1, 2])
def test_closed_on_the_next_loop(tmp_path: Path, turns: int) -> None:
    """A loop may end while a first add is having the file opened: on the next loop the writer goes on, or is closed."""
    goes_on, closed = AsyncSummaryWriter(tmp_path / "on"), AsyncSummaryWriter(tmp_path / "closed")

    async def main() -> None:
        tasks = [asyncio.create_task(writer.add_scalar("x", 1)) for writer in (goes_on, closed)]
        for _ in range(turns):
            await asyncio.sleep(0)
        assert not any(task.done() for task in tasks)

    async def later() -> None:
        await goes_on.add_scalar("x", 2)
        await goes_on.close()
        await closed.close()

    asyncio.run(main())
    asyncio.run(later())
    assert values(tmp_path / "on") == [2]
    assert values(tmp_path / "closed") == []


@ROOM
def test_failing_task_group(tmp_path: Path, options: dict[str, Any]) -> None:
    """So does one in an asyncio.TaskGroup of which another task fails."""
    meter = Meter(tmp_path, **options)

    async def fail() -> None:
        await meter.begun.wait()
        await asyncio.sleep(0.02)
        raise LookupError

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(meter.log())
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    assert caught.value.split(LookupError)[1] is None
    meter.check(tmp_path)


@pytest.mark.parametrize("first", ["its task", "the writer's own task"])
@pytest.mark.parametrize("moment", ["not begun", "opening", "open"])
def test_end_of_asyncio_run(tmp_path: Path, first: str, moment: str) -> None:
    """At its end `asyncio.run` cancels all tasks, at any moment and in any order: a task that then logs once more and
    closes its writer is not held up, nobody cancels it again, and what it logged is written.
    """
    writer = AsyncSummaryWriter(tmp_path)
    opened = asyncio.Event()
    logged: list[int] = []

    async def add(number: int) -> None:
        await writer.add_scalar("x", number)
        opened.set()
        logged.append(number)

    async def log() -> None:
        try:
            await add(1)
            await asyncio.sleep(1000)
        finally:
            await add(2)
            await writer.close(timeout=3)

    async def main() -> None:
        task = asyncio.create_task(log())
        others: set[asyncio.Task[Any]] = set()
        while not others:  # it has the writer's task begin at once
            await asyncio.sleep(0)
            others = asyncio.all_tasks() - {task, asyncio.current_task()}
        if moment == "opening":
            await asyncio.sleep(0)
        elif moment == "open":
            await opened.wait()
            await asyncio.sleep(0.01)  # it waits for company now
        for each in [task, *others] if first == "its task" else [*others, task]:
            each.cancel()
        done, _ = await asyncio.wait([task], timeout=2)
        assert done == {task}
        assert task.cancelled()

    try:
        asyncio.run(main())
    finally:
        asyncio.run(writer.close())
    assert logged == values(tmp_path) == ([1, 2] if moment == "open" else [2])
