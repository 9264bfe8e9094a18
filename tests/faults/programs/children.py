"""A parent that logs before and after a fork, at the moment that is named, and children that log and end in some way.

Each child adds the steps 0 to 9 of a tag of its own, and so does the parent, half of them after the fork.
"""

from __future__ import annotations

import asyncio
import faulthandler
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.contract.disk import Disk
from tests.contract.seen import comes

STEPS = range(10)
HANG = 30  # seconds after which a child that has not ended never will, and tells where it stands
LOG_DIR, MOMENT = sys.argv[1:]
LARGE = np.random.default_rng(1).normal(size=300_000)

IN_ANOTHER_PROGRAM = """
import os, sys
from asynctb import SummaryWriter
inherited = [os.path.realpath("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd")]
assert not any("tfevents" in name for name in inherited), inherited
writer = SummaryWriter(sys.argv[1])
for step in range(10):
    writer.add_scalar("executed/a", step, step)
"""

faulthandler.register(signal.SIGALRM, chain=True)  # and then it ends


def add_all(add: Callable[..., object], tag: str, steps: range = STEPS) -> None:
    for step in steps:
        assert add(tag, float(step), step) is not False


def fork(child: Callable[[], object]) -> None:
    """Have a child do something, and then end as a script does, or as it likes; fails if it does."""
    if (pid := os.fork()) == 0:
        signal.alarm(HANG)
        child()
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0


def begin_write(writer: SummaryWriter | AsyncSummaryWriter, disk: Disk) -> threading.Event:
    """Have the file thread stop in the midst of a write, with half a batch in its hands; it tells when it has."""
    disk.under(writer)
    held = disk.hold()
    add = writer.add_scalar if isinstance(writer, SummaryWriter) else writer.nowait.add_scalar
    add("parent/held", 0.0, 0)
    return held


@contextmanager
def a_write_in_flight(writer: SummaryWriter, disk: Disk) -> Generator[None]:
    assert begin_write(writer, disk).wait(10)
    yield
    disk.release()


# Moments in a script


def in_the_midst_of_a_write(writer: SummaryWriter) -> None:
    """The child's disk is another: a write that is held up in the parent is none of its concern."""
    disk = Disk()

    def child() -> None:
        disk._gates = {}
        add_all(writer.add_scalar, "child/a")

    with a_write_in_flight(writer, disk):
        fork(child)
        thread = threading.Thread(target=fork, args=(child_that_leaves(writer, "thread/a", disk),))
        thread.start()
        thread.join()


def child_that_leaves(writer: SummaryWriter, tag: str, disk: Disk) -> Callable[[], None]:
    def child() -> None:
        disk._gates = {}
        add_all(writer.add_scalar, tag)
        writer.flush()
        os._exit(0)

    return child


def while_the_encoders_work(writer: SummaryWriter) -> None:
    for step in STEPS:
        writer.add_histogram("parent/heavy", LARGE, step)

    def child() -> None:
        writer.add_histogram("child/heavy", LARGE, 0)
        add_all(writer.add_scalar, "child/a")

    fork(child)


def in_the_midst_of_an_import(writer: SummaryWriter) -> None:
    """numpy imports some of its parts when they are first asked for: a child would wait for its parent's thread."""
    began, may_end = threading.Event(), threading.Event()

    class Slow(MetaPathFinder, Loader):
        def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
            return ModuleSpec(name, self) if name == "numpy.ma" else None

        def exec_module(self, module: ModuleType) -> None:
            began.set()
            may_end.wait()

    def child() -> None:
        writer.add_histogram("child/heavy", LARGE, 0)
        add_all(writer.add_scalar, "child/a")

    # Older numpys import all of themselves at once; then there is such a moment only if it is made.
    for name in [name for name in sys.modules if f"{name}.".startswith("numpy.ma.")]:
        del sys.modules[name]
    sys.meta_path.insert(0, Slow())
    thread = threading.Thread(target=import_module, args=("numpy.ma",))
    thread.start()
    assert began.wait(10)
    try:
        fork(child)
    finally:
        may_end.set()
        thread.join()


def while_others_wait_for_room(writer: SummaryWriter) -> None:
    disk = Disk()
    small = SummaryWriter(LOG_DIR, max_bytes=100)
    with a_write_in_flight(small, disk):
        threads = [threading.Thread(target=small.add_scalar, args=("parent/wait", 0.0, n)) for n in range(5)]
        for thread in threads:
            thread.start()
        fork(child_that_leaves(small, "child/a", disk))
    for thread in threads:
        thread.join()
    small.close()


def a_fork_of_a_fork(writer: SummaryWriter) -> None:
    def grandchild() -> None:
        add_all(writer.add_scalar, "grandchild/a")

    def child() -> None:
        add_all(writer.add_scalar, "child/a", STEPS[:5])
        fork(grandchild)
        add_all(writer.add_scalar, "child/a", STEPS[5:])

    fork(child)


def closed_or_flushed_first(writer: SummaryWriter) -> None:
    def child() -> None:
        writer.flush()
        writer.close()
        writer.close()
        add_all(writer.add_scalar, "closer/a")

    fork(child)
    fork(writer.close)
    fork(writer.flush)
    fork(lambda: None)


def execute(writer: SummaryWriter) -> None:
    command = [sys.executable, "-c", IN_ANOTHER_PROGRAM, LOG_DIR]
    if os.fork() == 0:
        os.execv(command[0], command)
    assert os.wait()[1] == 0
    subprocess.run(command, check=True, close_fds=False)


def inside_a_block(writer: SummaryWriter) -> None:
    """The child leaves the parent's `with` block by its own end."""
    with SummaryWriter(LOG_DIR) as mine:
        mine.add_scalar("parent/block", 0.0, 0)
        if os.fork() == 0:
            add_all(mine.add_scalar, "child/a")
            sys.exit(0)
        assert os.wait()[1] == 0


# Moments in a coroutine


async def in_a_coroutine(writer: AsyncSummaryWriter) -> None:
    """A child of a coroutine has no loop running: it may run one of its own, or log by `nowait`."""

    async def in_the_child() -> None:
        for step in STEPS:
            await writer.add_scalar("child/a", step, step)
        await writer.flush()

    def child() -> None:
        asyncio.run(in_the_child())
        os._exit(0)  # it must not go on in its parent's coroutine

    others = [asyncio.create_task(writer.add_scalar("parent/task", step, step)) for step in range(100)]
    await asyncio.sleep(0)
    fork(child)
    disk = Disk()
    assert await comes(begin_write(writer, disk).is_set)
    process = multiprocessing.get_context("fork").Process(target=by_nowait, args=(writer, disk))
    process.start()
    process.join()
    assert process.exitcode == 0
    disk.release()
    await asyncio.gather(*others)


def by_nowait(writer: AsyncSummaryWriter, disk: Disk) -> None:
    disk._gates = {}
    add_all(writer.nowait.add_scalar, "nowait/a")


async def on_a_loop(moment: Callable[[AsyncSummaryWriter], Awaitable[None]]) -> None:
    async with AsyncSummaryWriter(LOG_DIR) as writer:
        for step in STEPS[:5]:
            await writer.add_scalar("parent/a", step, step)
        await moment(writer)
        for step in STEPS[5:]:
            await writer.add_scalar("parent/a", step, step)


def in_a_script(moment: Callable[[SummaryWriter], None]) -> None:
    writer = SummaryWriter(LOG_DIR)
    add_all(writer.add_scalar, "parent/a", STEPS[:5])
    moment(writer)
    add_all(writer.add_scalar, "parent/a", STEPS[5:])


if MOMENT == "in_a_coroutine":
    asyncio.run(on_a_loop(in_a_coroutine))
else:
    in_a_script(globals()[MOMENT])
