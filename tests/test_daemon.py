"""Calls run in order on our own threads, which hold up neither each other nor the end of the program."""

import gc
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, wait

import pytest

from asynctb.daemon import DaemonExecutor, Looks

New = Callable[..., DaemonExecutor]

LONG = 10  # seconds after which a test would rather fail than wait


def threads_of(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(name)]


def until(what: Callable[[], bool]) -> None:
    """Wait for what comes soon, and fail if it does not."""
    deadline = time.monotonic() + LONG
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test's threads have."""
    return f"test-{request.node.name}-{time.monotonic_ns()}"


@pytest.fixture
def new() -> Iterator[New]:
    """Make an executor whose threads end with the test."""
    made: list[DaemonExecutor] = []

    def make(name: str, workers: int = 1, looks: Looks | None = None) -> DaemonExecutor:
        made.append(DaemonExecutor(name, workers, looks))
        return made[-1]

    yield make
    for executor in made:
        executor.shutdown()


def test_calls_run_in_the_order_they_came(new: New, name: str) -> None:
    """One worker runs what was submitted in order, each call after the one before has ended."""
    done: list[int] = []
    executor = new(name)
    futures = [executor.submit(done.append, number) for number in range(500)]
    wait(futures, LONG)
    assert done == list(range(500))
    assert len(threads_of(name)) == 1


def test_a_result_comes_back(new: New, name: str) -> None:
    """A call is given its arguments, and its future its result."""
    assert new(name).submit(sorted, [2, 1], reverse=True).result(LONG) == [2, 1]


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(3), KeyboardInterrupt()])
def test_an_error_comes_back_and_ends_no_thread(new: New, name: str, error: BaseException) -> None:
    """What a call raises, also to end the program, is its future's; the next call runs in the same thread."""

    def fail() -> None:
        raise error

    executor = new(name)
    before = executor.submit(threading.get_ident).result(LONG)
    assert executor.submit(fail).exception(LONG) is error
    assert executor.submit(threading.get_ident).result(LONG) == before


def test_no_thread_before_the_first_call(new: New, name: str) -> None:
    """An executor that nothing was submitted to has no thread."""
    executor = new(name, 4)
    assert threads_of(name) == []
    executor.submit(int).result(LONG)
    assert len(threads_of(name)) == 1


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_as_many_calls_as_workers_run_at_once(new: New, name: str, workers: int) -> None:
    """Each worker begins when a call finds all others at work: as many calls as workers can meet, and no more."""
    executor = new(name, workers)
    everyone = threading.Barrier(workers + 1)
    futures = []
    for number in range(workers):
        futures.append(executor.submit(everyone.wait, LONG))
        until(lambda: everyone.n_waiting == number + 1)  # noqa: B023
    behind = executor.submit(int)
    assert not behind.done()
    mine = everyone.wait(LONG)
    assert {mine, *(future.result(LONG) for future in futures)} == set(range(workers + 1))
    behind.result(LONG)
    assert len(threads_of(name)) == workers


def test_an_idle_worker_is_used_before_another_begins(new: New, name: str) -> None:
    """Calls that come one after the other are run by the one thread that waits for them."""
    executor = new(name, 4)
    executor.submit(int).result(LONG)
    for _ in range(20):
        until(lambda: len(executor._idle) == 1)
        executor.submit(int).result(LONG)
    assert len(threads_of(name)) == 1


def test_many_threads_may_submit_at_once(new: New, name: str) -> None:
    """Calls from many threads at once, the very first included, never begin a second thread of one worker's."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for attempt in range(20):
            executor = new(f"{name}-{attempt}/")
            ready = threading.Barrier(8)
            futures: list[Future[int]] = []

            def submit(ready: threading.Barrier, executor: DaemonExecutor, futures: list[Future[int]]) -> None:
                ready.wait(LONG)
                futures.append(executor.submit(threading.get_ident))

            threads = [threading.Thread(target=submit, args=(ready, executor, futures)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(LONG)
            assert len({future.result(LONG) for future in futures}) == 1
            assert len(threads_of(f"{name}-{attempt}/")) == 1
    finally:
        sys.setswitchinterval(before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
def test_a_signal_handler_may_submit(new: New, name: str) -> None:
    """A call submitted by a signal handler, in the middle of another submit, is run like any other."""
    executor, futures = new(name, 2), []
    before = signal.signal(signal.SIGALRM, lambda *_: futures.append(executor.submit(int)))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            futures.append(executor.submit(int))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert {future.result(LONG) for future in futures} == {0}
    assert 1 <= len(threads_of(name)) <= 2


def test_a_cancelled_call_is_not_run(new: New, name: str) -> None:
    """A call that was cancelled before its turn is left out, and those behind it are run."""
    ran: list[int] = []
    executor, gate = new(name), threading.Event()
    first = executor.submit(gate.wait, LONG)
    second, third = executor.submit(ran.append, 2), executor.submit(ran.append, 3)
    assert second.cancel()
    gate.set()
    wait([third], LONG)
    assert first.done()
    assert ran == [3]
    with pytest.raises(CancelledError):
        second.result(LONG)


def test_an_idle_thread_keeps_nothing_alive(new: New, name: str) -> None:
    """What a call was given and what it returned can go as soon as the call's own future does."""

    class Large:
        """Stands for an array."""

    executor, large = new(name), Large()
    given, made = weakref.ref(large), weakref.ref(executor.submit(Large).result(LONG))
    executor.submit(lambda value: None, large).result(LONG)
    del large
    gc.collect()
    until(lambda: given() is None and made() is None)


def test_shutdown_ends_threads_after_what_was_submitted(new: New, name: str) -> None:
    """A shutdown waits for nobody, and the threads end once all that was submitted is done."""
    executor, gate = new(name, 2), threading.Event()
    futures = [executor.submit(gate.wait, LONG) for _ in range(4)]
    executor.shutdown()
    assert not any(future.done() for future in futures)
    gate.set()
    wait(futures, LONG)
    until(lambda: not threads_of(name))


def test_shutdown_can_wait(new: New, name: str) -> None:
    """A shutdown that is told to wait returns when the threads have ended."""
    executor = new(name, 2)
    futures = [executor.submit(time.sleep, 0.02) for _ in range(4)]
    executor.shutdown(wait=True)
    assert all(future.done() for future in futures)
    assert threads_of(name) == []


def test_a_call_after_the_shutdown_leaves_no_thread_behind(name: str) -> None:
    """A thread that a late call has begun ends with its executor, of which nobody knows any more, after its calls."""
    executor = DaemonExecutor(name)
    executor.submit(int)
    executor.shutdown(wait=True)
    late = [executor.submit(time.sleep, 0.001) for _ in range(10)]
    del executor
    gc.collect()
    until(lambda: not threads_of(name))
    assert all(each.done() for each in late)


def test_a_call_after_the_shutdown_begins_a_thread(new: New, name: str) -> None:
    """An executor that was shut down runs what is submitted later, in a new thread."""
    executor = new(name)
    executor.submit(int).result(LONG)
    executor.shutdown(wait=True)
    assert executor.submit(sum, [1, 2]).result(LONG) == 3


def no_thread_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be an interpreter at its end."""

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", start)


def test_where_no_thread_begins_the_caller_is_told(new: New, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first thread cannot begin, submit raises, and the call will not be run behind the caller's back."""
    ran: list[int] = []
    executor = new(name)
    with monkeypatch.context() as patch:
        no_thread_begins(patch)
        with pytest.raises(RuntimeError, match="shutdown"):
            executor.submit(ran.append, 1)
    executor.submit(ran.append, 2).result(LONG)
    assert ran == [2]


def test_at_the_interpreters_end_the_caller_is_told(new: New, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where threads stand still for good, submit raises although there is one, and the call is not run."""
    ran: list[int] = []
    executor = new(name)
    executor.submit(int).result(LONG)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "is_finalizing", lambda: True)
        with pytest.raises(RuntimeError, match="end"):
            executor.submit(ran.append, 1)
    executor.submit(ran.append, 2).result(LONG)
    assert ran == [2]


def test_where_no_second_thread_begins_the_first_does_it_all(
    new: New, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a further thread cannot begin, the one that there is runs the call in its turn."""
    executor, gate = new(name, 2), threading.Event()
    first = executor.submit(gate.wait, LONG)
    no_thread_begins(monkeypatch)
    second = executor.submit(int)
    gate.set()
    assert (first.result(LONG), second.result(LONG)) == (True, 0)
    assert len(threads_of(name)) == 1


def test_a_stuck_call_does_not_hold_up_the_end_of_the_program() -> None:
    """A program ends at once while a call is stuck, and another is waiting behind it."""
    program = """
import time
from asynctb.daemon import DaemonExecutor, Looks
executor = DaemonExecutor("stuck")
executor.submit(time.sleep, 600)
executor.submit(print, "never")
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")


class Looker:
    """Looks until it is told that it is enough."""

    def __init__(self) -> None:
        self.count = 0
        self.enough = 1 << 30

    def look(self) -> bool:
        self.count += 1
        return self.count < self.enough


def test_an_idle_thread_looks(new: New, name: str) -> None:
    """An idle thread looks while it is told to, calls go on being made, and it looks once more when it was enough."""
    looker, looks = Looker(), Looks(0.001)
    looks.call = lambda: looker.look
    executor = new(name, 1, looks)
    executor.submit(int).result(LONG)
    time.sleep(0.02)
    assert looker.count == 0  # nobody has asked for it
    looks.on = True
    assert executor.submit(lambda: 7).result(LONG) == 7
    until(lambda: looker.count > 5)
    assert executor.submit(lambda: 8).result(LONG) == 8
    looker.enough = looker.count + 3
    until(lambda: not looks.on and looker.count > looker.enough)
    seen = looker.count
    time.sleep(0.02)
    assert looker.count == seen
    assert executor.submit(lambda: 9).result(LONG) == 9


def test_a_looking_thread_keeps_nothing_alive(new: New, name: str) -> None:
    """What an idle thread looks with may go, which ends its looking; and a shutdown ends the thread."""
    lookers, looks = [Looker()], Looks(0.001)
    gone = weakref.ref(lookers[0])
    looks.call = weakref.WeakMethod(lookers[0].look)
    looks.on = True
    executor = new(name, 1, looks)
    executor.submit(int).result(LONG)
    until(lambda: lookers[0].count > 2)
    lookers.clear()
    until(lambda: gone() is None and not looks.on)
    looks.on = True
    executor.shutdown()
    until(lambda: not threads_of(name))


def test_a_look_overrules_nobody() -> None:
    """Whoever wants more looks while the last one is being made gets them."""
    looks = Looks(0.001)

    def look() -> bool:
        looks.on = True  # as another thread might
        return False

    looks.call = lambda: look
    looks.look()
    assert looks.on
