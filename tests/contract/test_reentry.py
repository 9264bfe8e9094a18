"""Adds from a signal handler, a finalizer, a log handler or a callback neither deadlock nor lose anything."""

import asyncio
import errno
import gc
import logging
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.encode.scalar import scalar
from asynctb.entry import Draft, wire_size
from tests.contract.disk import Disk
from tests.contract.interrupt import ASYNCIO, Interruption, Moment, ends, interrupt
from tests.contract.seen import comes, eventually, points, steps, steps_so_far

Run = Callable[[Coroutine[Any, Any, Any]], Any]

COST = wire_size(scalar("a", 1.0))  # bytes of the bound that a point of tag "a" takes
LONG = "\u00e9" * 300_000  # so long that it is encoded in a thread


def assert_rises(log_dir: Path, tag: str, count: int) -> None:
    """All steps of a tag are there, in order."""
    assert steps(log_dir, tag) == list(range(count))


# Real signals, at random moments


@contextmanager
def signals(call: Callable[[], object]) -> Iterator[None]:
    """Call something about every millisecond that the process works, from a signal handler, one call at a time."""
    busy = False

    def handler(number: int, frame: FrameType | None) -> None:
        nonlocal busy
        if not busy:
            busy = True
            call()
            busy = False

    before = signal.signal(signal.SIGVTALRM, handler)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.001, 0.001)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@pytest.mark.parametrize("places", [3, 1000])
def test_signals_in_a_hot_loop(places: int, run: Run, tmp_path: Path) -> None:
    """`nowait` in a signal handler, in the middle of awaited adds, keeps the order of both and loses nothing."""
    accepted = refused = 0

    def handle(writer: AsyncSummaryWriter) -> None:
        nonlocal accepted, refused
        if writer.nowait.add_scalar("i", 1.0, accepted):
            accepted += 1
        else:
            refused += 1

    async def main() -> int:
        async with AsyncSummaryWriter(tmp_path, max_bytes=places * COST) as writer:
            step = 0
            with signals(lambda: handle(writer)):
                while accepted + refused < 40 or accepted < 10:
                    await writer.add_scalar("a", 1.0, step)
                    step += 1
            assert writer.stats.accepted == step + accepted
            return step

    assert_rises(tmp_path, "a", run(main()))
    assert_rises(tmp_path, "i", accepted)


@pytest.mark.parametrize("places", [3, 1000])
def test_signals_in_a_hot_script(places: int, tmp_path: Path) -> None:
    """Adds to a SummaryWriter in a signal handler, in the middle of its own adds, wait for room without a deadlock."""
    accepted = 0

    def handle() -> None:
        nonlocal accepted
        step, accepted = accepted, accepted + 1
        writer.add_scalar(f"i/{step}", 1.0)  # one may interrupt the other: their order is nobody's

    with SummaryWriter(tmp_path, max_bytes=places * COST) as writer:
        step = 0
        with signals(handle):
            while accepted < 40:
                writer.add_scalar("a", 1.0, step)
                step += 1
        writer.flush()
        assert writer.stats.written == step + accepted
    assert_rises(tmp_path, "a", step)
    assert {p.tag for p in points(tmp_path)} == {"a", *(f"i/{number}" for number in range(accepted))}


def test_signals_with_heavy_entries(tmp_path: Path) -> None:
    """Long texts in a signal handler are stored too, whatever they interrupt."""
    accepted = 0

    def handle() -> None:
        nonlocal accepted
        if accepted < 30 and writer.nowait.add_text("i", LONG, accepted):
            accepted += 1

    writer = AsyncSummaryWriter(tmp_path)

    async def main() -> int:
        async with writer:
            step = 0
            with signals(handle):
                while accepted < 30:
                    await writer.add_scalar("a", 1.0, step)
                    step += 1
            return step

    assert_rises(tmp_path, "a", asyncio.run(main()))
    assert_rises(tmp_path, "i/text_summary", accepted)


# A strike at each moment


def strike_script(writer: SummaryWriter, act: Callable[[int], object]) -> tuple[int, int]:
    """Do something again and again, an add striking one moment later each time, until none is left to strike at.

    Return how often it was done, and how many struck.
    """
    seen: set[Moment] = set()
    for number in count(1):
        with interrupt(seen, lambda: writer.add_scalar("i", 1.0, number - 1)) as struck:  # noqa: B023
            act(number - 1)
        if struck.where is None:
            return number, number - 1
    raise AssertionError


ACTS: dict[str, Callable[[SummaryWriter, int], object]] = {
    "add_scalar": lambda writer, number: writer.add_scalar("a", 1.0, number),
    "a step back": lambda writer, number: writer.add_scalar("back", 1.0, -number),
    "add_scalars": lambda writer, number: writer.add_scalars("b", {"k": 1.0, "l": 1.0}, number),
    "log": lambda writer, number: writer.log({"a": 1.0, f"new/{number}": "words"}, number),
    "add_text": lambda writer, number: writer.add_text("t", LONG, number),
    "flush": lambda writer, number: (writer.add_scalar("a", 1.0, number), writer.flush()),
    "stats": lambda writer, number: writer.stats,
}


@pytest.mark.parametrize("name", ACTS)
def test_an_add_strikes_anywhere_in_a_script(name: str, tmp_path: Path) -> None:
    """An add that strikes at any moment of a SummaryWriter's call is stored, in order, and so is what it struck."""
    found: list[tuple[int, int]] = []
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("first", 1.0)
        assert ends(lambda: found.append(strike_script(writer, lambda number: ACTS[name](writer, number))), 60)
        writer.flush()
        assert (writer.stats.accepted, writer.stats.pending) == (writer.stats.written, 0)
    ((done, struck),) = found
    assert struck > 1
    assert_rises(tmp_path, "i", struck)
    for tag, run, of in (
        ("a", ".", "add_scalar log flush"),
        ("t/text_summary", ".", "add_text"),
        ("b", "b_k", "add_scalars"),
    ):
        if name in of.split():
            assert steps(tmp_path, tag, run) == list(range(done))


def test_an_add_strikes_where_another_waits(tmp_path: Path, disk: Disk) -> None:
    """An add that strikes another one while that waits in line is stored, and both go on."""
    with SummaryWriter(tmp_path, max_bytes=3 * COST) as writer:
        disk.under(writer)
        seen: set[Moment] = set()
        for number in count(1):
            disk.hold()
            for _ in range(3):
                writer.add_scalar("b", 1.0)
            strikes: list[Interruption] = []

            def act(number: int = number, strikes: list[Interruption] = strikes) -> None:
                late = threading.Timer(0.01, disk.release)
                late.start()
                with interrupt(seen, lambda: writer.add_scalar("i", 1.0, number - 1)) as struck:
                    strikes.append(struck)
                    writer.add_scalar("a", 1.0, number - 1)
                late.join()

            assert ends(act), f"stuck after a strike at {strikes[0].where}"
            writer.flush()
            if strikes[0].where is None:
                break
    assert_rises(tmp_path, "a", number)
    assert_rises(tmp_path, "i", number - 1)


@pytest.mark.parametrize("end", ["flush", "flush in time", "stats"])
def test_an_add_that_waits_strikes_anywhere(end: str, tmp_path: Path, disk: Disk) -> None:
    """An add that has to wait for room gets it, at whatever moment of a `flush()` it strikes."""
    ends_of: dict[str, Callable[[], object]] = {
        "flush": lambda: writer.flush(),
        "flush in time": lambda: writer.flush(timeout=0.001),
        "stats": lambda: writer.stats,
    }
    writer = SummaryWriter(tmp_path, max_bytes=3 * COST)
    disk.under(writer)
    seen: set[Moment] = set()
    for number in count(1):
        disk.hold()
        for _ in range(3):
            writer.add_scalar("a", 1.0)
        strikes: list[Interruption] = []

        def act(number: int = number, strikes: list[Interruption] = strikes) -> None:
            def strike() -> None:
                disk.release()
                writer.add_scalar("i", 1.0, number - 1)

            with interrupt(seen, strike) as struck:
                strikes.append(struck)
                late = threading.Timer(0.01, disk.release)
                late.start()
                ends_of[end]()
            late.join()

        assert ends(act, 4), f"a deadlock after a strike at {strikes[0].where}"
        writer.flush()
        if strikes[0].where is None:
            break
    writer.close()
    assert_rises(tmp_path, "i", number - 1)


def test_an_add_strikes_anywhere_in_close(tmp_path: Path) -> None:
    """An add that strikes at any moment of a SummaryWriter's `close()` is stored, and so is one after it."""
    seen: set[Moment] = set()
    for number in count(1):
        log_dir = tmp_path / str(number)
        writer = SummaryWriter(log_dir)
        writer.add_scalar("a", 1.0, 0)
        strikes: list[Interruption] = []

        def act(writer: SummaryWriter = writer, number: int = number, strikes: list[Interruption] = strikes) -> None:
            with interrupt(seen, lambda: writer.add_scalar("a", 1.0, 1)) as struck:
                strikes.append(struck)
                writer.close()
            writer.add_scalar("a", 1.0, 2)
            writer.close()

        where = strikes[0].where if (ended := ends(act)) else None
        writer._pipeline.running = (
            writer._pipeline.running and ended
        )  # a thread that goes round and round would slow down the others
        assert ended, f"no end after a strike at {strikes[0].where}"
        assert steps(log_dir) == [0, 1, 2] if where else [0, 2], f"after a strike at {where}"
        if where is None:
            return


def test_an_add_strikes_anywhere_in_the_first_add(tmp_path: Path) -> None:
    """An add that strikes at any moment of a SummaryWriter's first add, which begins its thread, is stored."""
    seen: set[Moment] = set()
    for number in count(1):
        log_dir = tmp_path / str(number)
        writer = SummaryWriter(log_dir)
        strikes: list[Interruption] = []

        def act(writer: SummaryWriter = writer, number: int = number, strikes: list[Interruption] = strikes) -> None:
            with interrupt(seen, lambda: writer.add_scalar("i", 1.0)) as struck:
                strikes.append(struck)
                writer.add_scalar("a", 1.0)
            writer.add_scalar("a", 1.0)
            writer.close()

        try:
            assert ends(act)
        except Exception as error:
            raise AssertionError(f"after a strike at {strikes[0].where}") from error
        where = strikes[0].where
        assert sorted(point.tag for point in points(log_dir)) == ["a", "a", *["i"] * (where is not None)]
        if where is None:
            return


def test_nowait_strikes_anywhere_in_an_awaited_add(tmp_path: Path) -> None:
    """`nowait` that strikes at any moment of an awaited add, or of the writer's task, is stored in order."""

    async def main() -> int:
        async with AsyncSummaryWriter(tmp_path, max_bytes=4 * COST) as writer:
            seen: set[Moment] = set()
            for number in count(1):
                await writer.flush()  # so that there is room for both
                with interrupt(seen, lambda: writer.nowait.add_scalar("i", 1.0, number - 1)) as struck:  # noqa: B023
                    await writer.add_scalar("a", 1.0, number - 1)
                if struck.where is None:
                    assert dict(writer.stats.dropped) == {}
                    return number
        raise AssertionError

    done = asyncio.run(main())
    assert done > 10
    assert_rises(tmp_path, "a", done)
    assert_rises(tmp_path, "i", done - 1)


def test_nowait_strikes_anywhere_between_opening_and_closing(tmp_path: Path) -> None:
    """`nowait` that strikes at any moment between the opening of a writer and its end is stored, or says that not."""

    async def main(writer: AsyncSummaryWriter, number: int, accepted: list[bool]) -> str | None:
        with interrupt(seen, lambda: accepted.append(writer.nowait.add_scalar("i", 1.0))) as struck:
            async with writer:
                await writer.add_scalar("a", 1.0)
        return struck.where

    seen: set[Moment] = set()
    for number in count(1):
        accepted: list[bool] = []
        log_dir = tmp_path / str(number)
        where = asyncio.run(main(AsyncSummaryWriter(log_dir), number, accepted))
        assert sorted(point.tag for point in points(log_dir)) == ["a", *["i"] * sum(accepted)], f"struck at {where}"
        if where is None:
            return


def test_nowait_strikes_anywhere_in_the_writers_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`nowait` in a handler that strikes at any moment of the writer's task comes to the file by itself."""
    monkeypatch.setattr("asynctb.pipeline.driver.LINGER", 0.001)
    asleep: list[str | None] = []

    async def main() -> int:
        async with AsyncSummaryWriter(tmp_path, flush_secs=1e9, max_queue=10**6) as writer:
            driver = writer._pipeline.drivers.latest
            assert driver is not None

            def in_task() -> bool:
                return asyncio.current_task(driver.loop) is driver.task

            seen: set[Moment] = set()
            for number in count(1):
                strike = partial(writer.nowait.add_scalar, "i", 1.0, number - 1)
                with interrupt(seen, strike, ASYNCIO, when=in_task) as struck:
                    writer.nowait.add_scalar("a", 1.0, number - 1)
                    await comes(lambda: not writer.stats.pending, 0.3)
                    await asyncio.sleep(0.005)  # until the task has gone to sleep again
                if not await comes(lambda: not writer.stats.pending, 0.3):
                    asleep.append(struck.where)
                    await writer.flush()
                if struck.where is None:
                    return number
        raise AssertionError

    done = asyncio.run(main())
    assert done > 50
    assert_rises(tmp_path, "a", done)
    assert_rises(tmp_path, "i", done - 1)
    assert asleep == [], "nothing woke the writer's task after these strikes"


# Finalizers


class Adds:
    """Adds when it is thrown away, by the garbage collector only."""

    def __init__(self, add: Callable[[], object]) -> None:
        self.add = add
        self.me = self

    def __del__(self) -> None:
        self.add()


@contextmanager
def eager_collector() -> Iterator[None]:
    """Have the garbage collector run at nearly every allocation."""
    before = gc.get_threshold()
    gc.set_threshold(3)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def collected(condition: Callable[[], object]) -> bool:
    """Tell whether a condition comes true as garbage is collected; where a thread collects, others do nothing."""
    return eventually(lambda: (gc.collect(), condition())[1])


def test_finalizers_in_a_script(tmp_path: Path) -> None:
    """Adds from `__del__`, wherever the collector runs it, in the script or in the writer's threads, are all stored."""
    many = 500
    added = []

    def add() -> None:
        added.append(1)
        writer.add_scalar(f"i/{len(added)}", 1.0)

    with SummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
        with eager_collector():
            for step in range(many):
                Adds(add)
                writer.add_scalar("a", 1.0, step)
        assert collected(lambda: len(added) == many)
        writer.flush()
        assert writer.stats.accepted + sum(writer.stats.dropped.values()) == 2 * many
    assert_rises(tmp_path, "a", many)
    assert len(points(tmp_path)) == writer.stats.accepted


def test_finalizers_beside_awaited_adds(run: Run, tmp_path: Path) -> None:
    """`nowait` from `__del__`, wherever the collector runs it, stores what it accepts."""
    many = 500
    accepted: list[bool] = []

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=20 * COST) as writer:
            with eager_collector():
                for step in range(many):
                    Adds(lambda: accepted.append(writer.nowait.add_scalar("i", 1.0)))
                    await writer.add_scalar("a", 1.0, step)
            assert collected(lambda: len(accepted) == many)

    run(main())
    assert_rises(tmp_path, "a", many)
    assert_rises(tmp_path, "i", sum(accepted))


def test_a_finalizer_while_a_log_is_read(tmp_path: Path) -> None:
    """Adds from the user's own code that an add calls, as a mapping's `items`, come before that add."""

    class Metrics(dict[str, Any]):
        def items(self) -> Any:
            writer.add_scalar("i", 1.0)
            return super().items()

    class Number:
        def __float__(self) -> float:
            writer.add_scalar("i", 1.0)
            return 2.0

    with SummaryWriter(tmp_path) as writer:
        writer.log(Metrics(a=1.0))
        writer.add_scalar("a", Number())
    assert points(tmp_path) == [("i", 0, 1.0), ("a", 0, 1.0), ("i", 1, 1.0), ("a", 1, 2.0)]


# Log handlers


class Handler(logging.Handler):
    """A log handler that has something done for each message."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__()
        self.call = call
        self.threads: set[str] = set()
        self.handled = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.handled += 1
        self.threads.add(threading.current_thread().name)
        self.call()


@contextmanager
def logged_to(call: Callable[[], object]) -> Iterator[Handler]:
    """Have something done for each of the library's messages."""
    handler = Handler(call)
    logger = logging.getLogger("asynctb")
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)


def fail_to_encode() -> bytes:
    raise MemoryError


def make_it_speak(writer: SummaryWriter) -> None:
    """Add what the library has something to say to."""
    writer.add_scalar("back", 1.0, 1)
    writer.add_scalar("back", 1.0, 0)
    writer.add_text("dashboard", "words")
    writer.add_scalar("dashboard/text_summary", 1.0)
    writer.log({"words": "words"})
    writer._store("add_heavy", [Draft(("heavy",), 100, lambda: fail_to_encode, "images")], 0, 0.0)
    writer.add_scalars("x" * 250, {"x" * 250: 1.0})  # no file may have that name


def test_a_log_handler_that_logs_to_the_writer(tmp_path: Path) -> None:
    """Adds from a log handler, called by the writer's own messages on whatever thread, are stored."""
    writer = SummaryWriter(tmp_path)
    with logged_to(lambda: writer.add_scalar("said", 1.0)) as handler:
        assert ends(lambda: make_it_speak(writer))
        assert ends(writer.flush)
        assert eventually(lambda: handler.handled == 5)
        assert len(handler.threads) > 1  # the adder's, and one of the writer's own
        assert ends(writer.close)
    assert_rises(tmp_path, "said", 5)


@pytest.mark.parametrize("act", ["add", "flush", "close and add"])
def test_a_log_handler_while_the_disk_fails(act: str, tmp_path: Path, disk: Disk) -> None:
    """A log handler that uses the writer, called by the messages of a failing disk, holds up nobody."""
    acts: dict[str, Callable[[], object]] = {
        "add": lambda: writer.add_scalar("said", 1.0),
        "flush": lambda: (writer.add_scalar("said", 1.0), writer.flush()),
        "close and add": lambda: (writer.close(), writer.add_scalar("said", 1.0)),
    }
    writer = SummaryWriter(tmp_path, max_bytes=5 * COST)
    writer.add_scalar("a", 1.0)
    writer.flush()
    disk.under(writer)
    disk.fail(errno.ENOSPC)

    def work() -> None:
        for _ in range(50):
            writer.add_scalar("a", 1.0)
        writer.flush()

    with logged_to(acts[act]) as handler:
        assert ends(work)
        assert handler.handled > 0
        disk.heal()
        assert ends(writer.flush)
        assert ends(writer.close)
    got = points(tmp_path)
    assert len(got) == writer.stats.written
    assert "said" in {point.tag for point in got} or act == "add"  # there may have been no room for it


@pytest.mark.parametrize("failing", ["until it closes", "for ever"])
def test_a_log_handler_while_the_writer_closes(failing: str, tmp_path: Path, disk: Disk) -> None:
    """A log handler that adds to a writer which is being closed, on the writer's own threads, does not hold that up."""
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("a", 1.0)
    writer.flush()
    disk.under(writer)
    disk.fail(errno.ENOSPC)
    writer.add_scalar("a", 1.0)
    assert eventually(lambda: disk.calls["write_at"] > 1)
    if failing == "until it closes":
        disk.fail(0, errors=iter([OSError(errno.ENOSPC, "full")]))  # once more: its healing is told while it closes
    with logged_to(lambda: writer.add_scalar("said", 1.0)) as handler:
        begin = time.monotonic()
        assert ends(lambda: writer.close(timeout=30), 60)
        took = time.monotonic() - begin
        assert handler.handled > 0
    disk.heal()
    writer.close()
    assert took < 20
    assert "said" in {point.tag for point in points(tmp_path)}


def test_a_log_handler_of_an_async_writer(run: Run, tmp_path: Path, disk: Disk) -> None:
    """`nowait` from a log handler, called by the writer's messages on the loop, is stored or counted."""
    accepted: list[bool] = []

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
            with logged_to(lambda: accepted.append(writer.nowait.add_scalar("said", 1.0))):
                disk.under(writer)
                await writer.add_scalar("a", 1.0, 1)
                await writer.add_scalar("a", 1.0, 0)
                disk.fail(errno.ENOSPC)
                for step in range(50):
                    await writer.add_scalar("a", 1.0, step)
                disk.heal()
                assert await comes(lambda: not writer.stats.pending)
                await writer.flush()
                assert len(accepted) >= 3
                # The message that all is well again comes after it is, and is logged like any other.
                assert await comes(lambda: writer.stats.accepted == writer.stats.written)

    run(main())
    assert_rises(tmp_path, "said", sum(accepted))


def test_a_log_handler_that_raises(tmp_path: Path, disk: Disk) -> None:
    """A log handler that raises does not end the writer's task, nor reach whoever adds."""

    def fail() -> None:
        raise ZeroDivisionError

    with SummaryWriter(tmp_path) as writer, logged_to(fail) as handler:
        disk.under(writer)
        disk.fail(errno.ENOSPC)
        make_it_speak(writer)
        assert eventually(lambda: handler.handled >= 4)
        disk.heal()
        writer.add_scalar("a", 1.0)
        writer.flush()
        assert writer.stats.pending == 0
    assert steps(tmp_path) == [0]


def test_everything_logs_to_the_writer(tmp_path: Path) -> None:
    """A root handler that logs every message of a program to the writer takes messages from several threads."""
    log = logging.getLogger("program")
    with SummaryWriter(tmp_path, max_bytes=5 * COST) as writer:
        handler = Handler(lambda: writer.add_scalar("said", 1.0))
        log.addHandler(handler)
        try:
            threads = [
                threading.Thread(target=lambda: [log.warning("%d", number) for number in range(200)]) for _ in range(3)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            log.removeHandler(handler)
    assert_rises(tmp_path, "said", 600)


# Callbacks


def test_callbacks_of_adds(run: Run, tmp_path: Path) -> None:
    """`nowait` from the done-callbacks of adds, cancelled ones too, and from the loop's callbacks is stored."""
    accepted: list[bool] = []

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path, max_bytes=50 * COST) as writer:

            def callback(_: Any = None) -> None:
                accepted.append(writer.nowait.add_scalar("i", 1.0))

            tasks = [asyncio.create_task(writer.add_scalar("a", 1.0)) for _ in range(200)]
            for number, task in enumerate(tasks):
                task.add_done_callback(callback)
                asyncio.get_running_loop().call_soon(callback)
                if number % 7 == 0:
                    task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await writer.flush()
            flush = asyncio.create_task(writer.flush())
            flush.add_done_callback(callback)
            await flush
            await asyncio.sleep(0)
            assert len(accepted) == 401
            assert await comes(lambda: steps_so_far(tmp_path, "i")[-1:] == [sum(accepted) - 1])

    run(main())
    assert any(accepted)
    assert_rises(tmp_path, "i", sum(accepted))


def test_a_callback_while_it_closes(run: Run, tmp_path: Path) -> None:
    """`nowait` beside a `close()` is either stored or returns False."""
    accepted: list[bool] = []

    async def main() -> None:
        writer = AsyncSummaryWriter(tmp_path)
        await writer.add_scalar("a", 1.0)
        closing = asyncio.create_task(writer.close())
        while not closing.done():
            accepted.append(writer.nowait.add_scalar("i", 1.0))
            await asyncio.sleep(0)
        assert not writer.nowait.add_scalar("i", 1.0)
        assert writer.stats.dropped == {"closed": accepted.count(False) + 1}

    run(main())
    assert accepted
    assert_rises(tmp_path, "i", sum(accepted))
