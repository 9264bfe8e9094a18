"""One core is left to the program, until something waits for long or somebody waits for it; and all is encoded."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest

from asynctb.entry import Draft
from asynctb.pipeline import crew
from asynctb.pipeline.crew import MOST, Crew
from asynctb.pipeline.places import Place
from tests.contract.seen import points
from tests.test_daemon import LONG, no_thread_begins, until


class Numbered(Place):
    """A place that can be told from others."""

    __slots__ = ("number",)
    number: int


class Work:
    """Places to be filled, and who is at it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.begun: list[str] = []
        self.done: list[int] = []

    def place(self, number: int) -> Place:
        """Return a place whose value has been taken; it is filled once the gate is open."""

        def encode() -> bytes:
            self.begun.append(threading.current_thread().name)
            assert self.gate.wait(LONG)
            return b"payload"

        place = Numbered(Draft(("tag",), 1, lambda: encode, "images"), self.finish)
        place.number = number
        place.take()
        return place

    def finish(self, place: Any) -> None:
        place.done = True
        self.done.append(place.number)


@pytest.fixture
def work() -> Iterator[Work]:
    """Yield work whose gate is open when the test is over."""
    work = Work()
    yield work
    work.gate.set()


@pytest.fixture
def new(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Crew]]:
    """Make a crew whose threads end with the test, and to which nothing is late, however slow the machine."""
    monkeypatch.setattr(crew, "LATE", LONG)
    made: list[Crew] = []

    def make(cores: int) -> Crew:
        made.append(Crew(cores))
        return made[-1]

    yield make
    for each in made:
        each._workers.shutdown()
        if each._relief is not None:
            each._relief.shutdown()


@pytest.mark.parametrize(("cores", "at_once"), [(1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (64, MOST)])
def test_one_core_is_left_to_the_program(cores: int, at_once: int, work: Work, new: Callable[[int], Crew]) -> None:
    """Threads encode side by side, one fewer than there are cores."""
    each = new(cores)
    for number in range(8):
        each.submit(work.place(number))
    until(lambda: len(work.begun) == at_once)
    time.sleep(0.02)
    assert len(work.begun) == at_once
    work.gate.set()
    until(lambda: sorted(work.done) == list(range(8)))


@pytest.mark.parametrize("cores", [2, 4])
def test_who_waits_gets_all_cores(cores: int, work: Work, new: Callable[[int], Crew]) -> None:
    """Somebody who waits for the encoders has the last core used as well, and nothing is encoded twice."""
    each = new(cores)
    for number in range(8):
        each.submit(work.place(number))
    until(lambda: len(work.begun) == cores - 1)
    each.hurry()
    until(lambda: len(work.begun) == cores)
    assert work.begun.count("asynctb-relief") == 1
    work.gate.set()
    until(lambda: sorted(work.done) == list(range(8)))


def test_the_relief_goes_when_what_was_urgent_is_done(work: Work, new: Callable[[int], Crew]) -> None:
    """What came after somebody began to wait is not urgent: it is left to the others."""
    each = new(2)
    for number in range(3):
        each.submit(work.place(number))
    until(lambda: len(work.begun) == 1)
    each.hurry()
    until(lambda: len(work.begun) == 2)
    for number in range(3, 6):
        each.submit(work.place(number))
    work.gate.set()
    until(lambda: sorted(work.done) == list(range(6)))
    assert work.begun.count("asynctb-relief") <= 2


def test_what_waits_for_long_gets_all_cores(work: Work, new: Callable[[int], Crew]) -> None:
    """A place that has been waiting for too long has the last core used, once another comes or goes."""
    with patch.object(crew, "LATE", 0.05):
        late = new(2)
        late.submit(work.place(0))
        until(lambda: work.begun)
        late.submit(work.place(1))
        time.sleep(0.1)
        assert len(work.begun) == 1
        late.submit(work.place(2))
        until(lambda: "asynctb-relief" in work.begun)
        work.gate.set()
        until(lambda: sorted(work.done) == [0, 1, 2])


def test_nobody_is_hurried_for_nothing(work: Work, new: Callable[[int], Crew]) -> None:
    """Where nothing waits no thread begins."""
    each = new(2)
    each.hurry()
    work.gate.set()
    each.submit(work.place(0))
    until(lambda: work.done == [0])
    assert "asynctb-relief" not in work.begun


def test_where_no_thread_can_begin_the_caller_encodes(
    work: Work, new: Callable[[int], Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the interpreter's end a place is filled where it is submitted; others' are not the caller's matter."""

    no_thread_begins(monkeypatch)
    work.gate.set()
    each = new(4)
    each._waiting.append((time.monotonic(), work.place(1)))
    each.submit(work.place(0))
    assert work.done == [0]
    assert work.begun == [threading.current_thread().name]


def test_the_first_come_is_the_first_encoded(work: Work, new: Callable[[int], Crew]) -> None:
    """One thread encodes in the order in which places came."""
    each = new(2)
    work.gate.set()
    for number in range(50):
        each.submit(work.place(number))
    until(lambda: len(work.done) == 50)
    assert work.done == list(range(50))


def test_without_a_thread_for_relief_the_others_do_it_all(
    work: Work, new: Callable[[int], Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no more threads can begin, nobody is told, and nothing is encoded in the caller's."""
    each = new(2)
    each.submit(work.place(0))
    until(lambda: len(work.begun) == 1)

    no_thread_begins(monkeypatch)
    each.submit(work.place(1))
    each.hurry()
    each.submit(work.place(2))
    assert work.done == []
    work.gate.set()
    until(lambda: work.done == [0, 1, 2])
    assert set(work.begun) == {"asynctb-encode"}


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_a_place_without_a_call_keeps_no_other_waiting(
    cores: int, work: Work, new: Callable[[int], Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between a place and the call for it costs no other place its turn."""
    each = new(cores)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(each._workers, "submit", Mock(side_effect=KeyboardInterrupt))
        each.submit(work.place(0))
    work.gate.set()
    each.submit(work.place(1))
    until(lambda: sorted(work.done) == [0, 1])


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_calls_do_not_pile_up(
    cores: int, work: Work, new: Callable[[int], Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long there is always something waiting, which the relief takes too, there are few calls."""
    each = new(cores)
    monkeypatch.setattr(crew, "LATE", 0)
    work.gate.set()
    left = iter(range(2000))

    def more(place: Any) -> None:
        work.done.append(place.number)
        place.done = True
        if (number := next(left, None)) is not None:
            each.submit(work.place(number))
            called.append(each._workers.called)

    called: list[int] = []
    work.finish = more  # type: ignore[method-assign]
    for number in range(3):
        each.submit(work.place(-number))
    until(lambda: len(work.done) == 2003)
    assert max(called) <= 10


def test_at_the_interpreters_end_no_old_call_counts(
    work: Work, new: Callable[[int], Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where threads stand still for good, a place is filled where it is submitted, whatever was called before."""
    each = new(2)
    for number in range(3):
        each.submit(work.place(number))
    until(lambda: len(work.begun) == 1)
    each._waiting.clear()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "is_finalizing", lambda: True)
        last = work.place(3)
        threading.Timer(0.05, work.gate.set).start()
        each.submit(last)
        assert last.done


def test_a_relief_that_cannot_be_called_costs_no_place(
    work: Work, new: Callable[[int], Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no memory to call the relief, what the worker has taken is encoded all the same."""
    each = new(2)
    for number in range(4):
        each.submit(work.place(number))
    until(lambda: work.begun)
    assert each._relief is not None
    monkeypatch.setattr(each._relief, "submit", Mock(side_effect=MemoryError))
    with pytest.raises(MemoryError):
        each.hurry()
    work.gate.set()
    until(lambda: sorted(work.done) == [0, 1, 2, 3])


SLOW_AT_EXIT = """
import sys, time
import numpy as np
from asynctb import SummaryWriter
from asynctb.pipeline import encoders
from asynctb.pipeline.crew import Crew
from asynctb.pipeline.places import Place
from tests.contract.seen import points
from tests.test_daemon import LONG, no_thread_begins, until

encode = Place.encode
Place.encode = lambda place: (time.sleep(2), encode(place))
encoders._crew = Crew(2)
writer = SummaryWriter(sys.argv[1], exit_timeout=3)
for step in range(2):
    writer.add_image("a", np.zeros((64, 64, 3), np.uint8), step, dataformats="HWC")
"""


def test_the_end_of_the_process_gets_all_cores(tmp_path: Path) -> None:
    """What one thread could not encode in the time that the end may take is encoded by two, and nothing is lost."""
    done = subprocess.run([sys.executable, "-c", SLOW_AT_EXIT, tmp_path], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(points(tmp_path)) == 2
