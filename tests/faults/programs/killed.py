"""Logs in child after child, and has each die at a moment of its own; tests/faults/kills.py reads what is left."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.faults.kills import BOUND, SLACK
from tests.faults.page import Page

SPIN = 2.0  # seconds of computation that hold the loop
LONGEST = 30.0  # seconds after which what is waited for never comes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("kind")
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--together", type=int, default=4, help="how many children live at a time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--aim", default="anywhere", choices=AIMS)
    # Of these, each child takes the next value.
    parser.add_argument("--rate", type=float, nargs="+", default=[0], help="events a second; 0 for flat out")
    parser.add_argument("--flush-every", type=int, nargs="+", default=[0])
    parser.add_argument("--block-at", type=int, nargs="+", default=[0], help="how many events a computation follows")
    parser.add_argument("--death", nargs="+", default=["SIGKILL"], choices=["SIGKILL", "SIGTERM", "os._exit"])
    options = parser.parse_args()
    for first in range(0, options.kills, options.together):
        minders = [mind(options, kill) for kill in range(first, min(first + options.together, options.kills))]
        statuses = [os.waitstatus_to_exitcode(os.waitpid(minder, 0)[1]) for minder in minders]
        assert not any(statuses), statuses


def mind(options: argparse.Namespace, kill: int) -> int:
    """Have a process of its own see to one life and death; return its id."""
    if minder := os.fork():
        return minder
    with fatal():
        folder = options.folder / f"{kill:03}"
        folder.mkdir(parents=True)
        page = Page(folder / "page")
        life = Life(
            options.kind,
            str(folder / "logs"),
            page,
            *(each[kill % len(each)] for each in (options.rate, options.flush_every, options.block_at)),
        )
        if (child := os.fork()) == 0:
            page.watch(folder / "canary")
            life.log()
            raise AssertionError("no child ends by itself")
        try:
            AIMS[options.aim](page, random.Random(f"{options.seed} {kill}"))
            die(child, options.death[kill % len(options.death)], page)
        except BaseException:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGABRT)  # it tells where it stood
            raise
        os._exit(0)
    raise AssertionError


@contextmanager
def fatal() -> Generator[None, None, None]:
    """End the process with a status that tells of any exception."""
    try:
        yield
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(70)


def die(child: int, death: str, page: Page) -> None:
    if death == "os._exit":
        page.have_it_exit()
        expected = 0
    else:
        number = signal.Signals[death]
        expected = -number
        page.die()
        os.kill(child, number)
    wait(lambda: os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == expected, f"it ended by itself, with {status}"


# Where to aim: each returns in the moment in which the child is to die


def anywhere(_: Page, chance: random.Random) -> None:
    time.sleep(chance.uniform(0.005, 0.8))


def soon(_: Page, chance: random.Random) -> None:
    time.sleep(chance.uniform(0.005, 0.25))


def past_the_bound(page: Page, chance: random.Random) -> None:
    """A little later than 50 ms after an event, when the next is still to come."""
    event = chance.randint(0, 2)
    wait(lambda: page.accepted > event)

    def is_past_it() -> bool:
        now = time.monotonic()
        return page.age(event, now) > BOUND + SLACK + page.worst(now) + 0.005

    wait(is_past_it)


def after_a_flush(page: Page, chance: random.Random) -> None:
    time.sleep(chance.uniform(0.005, 0.25))
    flushed = page.flushed
    wait(lambda: page.flushed > flushed)


def in_the_block(page: Page, chance: random.Random) -> None:
    wait(lambda: page.blocked > 0)
    time.sleep(chance.uniform(0.5, SPIN - 0.2))


AIMS = {aim.__name__: aim for aim in (anywhere, soon, past_the_bound, after_a_flush, in_the_block)}


def wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not until():
        assert time.monotonic() < deadline, "HANG"
        time.sleep(0.0002)


class Life(NamedTuple):
    """What a child does: it logs for ever, and closes nothing."""

    kind: str
    logs: str
    page: Page
    rate: float
    flush_every: int
    block_at: int

    def log(self) -> None:
        if self.kind == "sync":
            self.log_sync()
        elif self.kind == "uvloop":
            import uvloop

            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self.log_async())
        else:
            asyncio.run(self.log_from_a_thread() if self.kind == "nowait" else self.log_async())

    def log_sync(self) -> None:
        writer, accepted = SummaryWriter(self.logs), 0
        while True:
            writer.add_scalar("a", accepted, accepted)
            accepted = self.page.accept()
            if accepted == self.block_at:
                compute(self.page)
            if self.flush_every and accepted % self.flush_every == 0:
                writer.flush()
                self.page.flush()
            if self.rate:
                time.sleep(1 / self.rate)

    async def log_async(self) -> None:
        writer, accepted = AsyncSummaryWriter(self.logs), 0

        def numbers(step: int) -> Awaitable[None]:
            return writer.log({"a": step, "b": {"c": -step}}, step)

        def scalar(step: int) -> Awaitable[None]:
            return writer.add_scalar("a", step, step)

        add = numbers if self.kind == "log" else scalar
        while True:
            await add(accepted)
            accepted = self.page.accept()
            if accepted == self.block_at:
                compute(self.page)
            if self.flush_every and accepted % self.flush_every == 0:
                await writer.flush()
                self.page.flush()
            if self.rate:
                await asyncio.sleep(1 / self.rate)

    async def log_from_a_thread(self) -> None:
        async with AsyncSummaryWriter(self.logs) as writer:

            def log() -> None:
                accepted = 0
                while writer.nowait.add_scalar("a", accepted, accepted):
                    accepted = self.page.accept()
                    time.sleep(1 / self.rate)

            threading.Thread(target=log, daemon=True).start()
            await asyncio.sleep(LONGEST)


def compute(page: Page) -> None:
    """Hold the loop, and most of the time the GIL as well."""
    page.block()
    until = time.monotonic() + SPIN
    while time.monotonic() < until:
        sum(range(100))


if __name__ == "__main__":
    main()
