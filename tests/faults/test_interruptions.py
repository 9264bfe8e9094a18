"""Adds from whatever may interrupt a program, all of it at once, and while the disk fails: see also test_reentry.py."""

import json
import signal
import threading
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from asynctb import SummaryWriter
from asynctb.encode.scalar import scalar
from asynctb.entry import wire_size
from asynctb.pipeline.loop_thread import LoopThread
from tests.contract.disk import Disk
from tests.contract.interrupt import Interruption, Moment, ends, interrupt
from tests.contract.seen import points
from tests.faults.owners import steps_by_tag
from tests.faults.program import run

if not hasattr(signal, "setitimer"):
    pytest.skip("there are no timers on this system", allow_module_level=True)


COST = wire_size(scalar("a", 1.0))  # bytes of the bound that a point of tag "a" takes

# Closed, it is opened again by what its end has to say: then it is the log's thread that adds.
LOG_EVERYTHING = """
import logging, sys
from asynctb import SummaryWriter
writer = SummaryWriter(sys.argv[1])

class Handler(logging.Handler):
    def emit(self, record):
        writer.add_text("log", record.getMessage())

logging.basicConfig(level=logging.DEBUG, handlers=[Handler()])
for round in range(3):
    logging.info("round %d", round)
    writer.close()
"""


def test_a_root_handler_that_hears_everything(tmp_path: Path) -> None:
    """A handler that logs to the writer each message of a program, asyncio's of the writer's own loop too, ends."""
    run(LOG_EVERYTHING, tmp_path, hang=20)
    texts = [point.value for point in points(tmp_path)]
    assert [text for text in texts if text.startswith("round")] == [f"round {number}" for number in range(3)]
    assert any("selector" in text for text in texts)


def test_an_add_strikes_where_another_is_let_in(tmp_path: Path, disk: Disk) -> None:
    """An add in a signal handler that strikes where one that struck before comes in, and finds no room, goes on."""
    seen: set[Moment] = set()
    for number in count():
        log_dir = tmp_path / str(number)
        writer = SummaryWriter(log_dir, max_bytes=3 * COST)
        writer.add_scalar("a", 1.0)
        writer.flush()
        disk.under(writer)
        held = disk.hold()
        writer.add_scalar("a", 1.0)
        assert held.wait(10)
        for _ in range(2):
            writer.add_scalar("a", 1.0)  # and now it is full
        struck_before: list[Any] = []

        def strike(writer: SummaryWriter = writer) -> None:
            writer.add_scalar("i", 1.0)

        def first_strike(writer: SummaryWriter = writer, before: list[Any] = struck_before) -> bool:
            if not before and writer._pipeline.backlog.interrupted():
                before.append(strike(writer))
                return False
            return len(before) > 0

        strikes: list[Interruption] = []

        def act(writer: SummaryWriter = writer, strikes: list[Interruption] = strikes) -> None:
            threading.Timer(0.005, disk.release).start()
            with interrupt(seen, strike, when=first_strike) as struck:
                strikes.append(struck)
                writer.flush()

        assert ends(act), f"no end after a strike at {strikes[0].where}"
        writer.close()
        where = strikes[0].where
        assert len(points(log_dir)) == 5 + (where is not None), f"after a strike at {where}"
        if where is None:
            return


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("colour", "seconds"),
    [
        ("sync", 1.5),
        ("debug", 1.5),
        *(pytest.param(name, 60, marks=pytest.mark.long) for name in ("sync", "async", "debug")),
    ],
)
def test_everything_interrupts_at_once(colour: str, seconds: float, tmp_path: Path) -> None:
    """Signal handlers, finalizers, weakref callbacks and the root logger's handler lose nothing, and nothing hangs."""
    told = json.loads(run("reentry", tmp_path, colour, seconds, hang=60 + 2 * seconds).out)
    calls, dropped = told["calls"], told["dropped"]
    refused = calls.pop("refused", 0)
    heard = calls.pop("heard")
    assert min(heard, *(calls[tag] for tag in ("main", "signal", "finalizer", "weakref"))) > 0
    assert told["accepted"] + sum(dropped.values()) == sum(calls.values()) + refused
    assert dropped["storage"] > 0
    found = steps_by_tag(tmp_path, apart=False)
    assert sum(map(len, found.values())) == told["written"] == told["accepted"]
    for tag, steps in found.items():
        assert len(steps) <= calls[tag]
        assert steps == list(range(len(steps))) or tag == "back"
    if colour != "sync":  # what `nowait` returned True for is there; the awaited ones are dropped for the disk alone
        certain = ("signal", "finalizer", "weakref", "log handler")
        assert {tag: len(found.get(tag, ())) for tag in certain} == {tag: calls.get(tag, 0) for tag in certain}


def test_a_finalizer_on_a_thread_that_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An add on the very thread whose beginning another add waits for, as a finalizer's may be, waits for nothing."""
    begin = LoopThread.start

    def begin_interrupted(runner: LoopThread) -> bool:
        thread = threading.Thread(target=writer.add_scalar, args=("b", 1.0, 0), daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        return begin(runner)

    monkeypatch.setattr(LoopThread, "start", begin_interrupted)
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("a", 1.0, 0)
    assert {point.tag for point in points(tmp_path)} == {"a", "b"}
