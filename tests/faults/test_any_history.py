"""Adds, faults, deletions and endings in any order: the files hold what a plain list says."""

from __future__ import annotations

import asyncio
import errno
import shutil
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asynctb import AsyncSummaryWriter, StorageError, SummaryWriter
from tests.faults.account import stored
from tests.faults.colours import Writer, done, opened
from tests.loops import loop_factory
from tests.readback.events import run_files
from tests.storage.faults import FaultyFiles, never
from tests.storage.points import LONG, posix

HEAVY = np.zeros(100_000, np.float32)  # above what is taken in place
ROOM = 3 * HEAVY.nbytes  # bytes
RUNS = {".": {"a", "h"}, "b_k": {"b"}}  # and the tags in it of which each entry has one
CODES = [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.ESTALE]


class SlowFiles(FaultyFiles):
    """A faulty disk that may also be slow."""

    seconds = 0.0

    def write_at(self, fd: int, data: memoryview, offset: int) -> int:
        time.sleep(self.seconds)
        return super().write_at(fd, data, offset)


class History(RuleBasedStateMachine):
    """Of one writer; `said` is what it has accepted, by run, and `gone` what need not be there any more."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.log_dir = Path(self.folder.name) / "logs"
        self.files = SlowFiles()
        self.step = 0
        self.said: dict[str, list[int]] = {run: [] for run in RUNS}
        self.gone: set[int] = set()
        self.torn = False
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr("asynctb.storage.local.files_for_this_system", lambda: self.files)
        self.patch.setattr("asynctb.pipeline.driver.PATIENCE", 0.02)
        self.patch.setattr("asynctb.pipeline.driver.FIRST_RETRY", 0.001)
        self.patch.setattr("asynctb.pipeline.driver.LAST_RETRY", 0.002)

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize(colour=st.sampled_from(["asyncio", "uvloop", "script"]), overflow=st.sampled_from(["wait", "drop"]))
    def open(self, colour: str, overflow: Literal["wait", "drop"]) -> None:
        self.runner = asyncio.Runner(loop_factory=loop_factory(colour))
        options: dict[str, Any] = {"max_bytes": ROOM, "overflow": overflow, "on_storage_error": "raise"}
        self.writer: Writer = self.run(opened(colour, self.log_dir, **options))

    # What it accepts is known by its own count; nothing else is being added meanwhile.

    async def _add(self, run: str, call: Any) -> None:
        before = self.writer.stats.accepted
        with suppress(asyncio.CancelledError):
            await done(call())
        accepted = self.writer.stats.accepted - before
        assert accepted in (0, 1)
        self.said[run] += [self.step] * accepted
        self.step += 1

    @rule(count=st.integers(1, 30))
    def add(self, count: int) -> None:
        for _ in range(count):
            self.run(self._add(".", lambda: self.writer.add_scalar("a", 1.0, self.step)))

    @rule()
    def add_heavy(self) -> None:
        self.run(self._add(".", lambda: self.writer.add_tensor("h", HEAVY, self.step)))

    @rule()
    def add_to_sub_run(self) -> None:
        self.run(self._add("b_k", lambda: self.writer.add_scalars("b", {"k": 1.0}, self.step)))

    @rule()
    def log(self) -> None:
        self.run(self._add(".", lambda: self.writer.log({"a": 1.0, "c": 2.0}, self.step)))

    @rule(count=st.integers(1, 30))
    def nowait(self, count: int) -> None:
        if isinstance(self.writer, AsyncSummaryWriter):
            for _ in range(count):
                if self.writer.nowait.add_scalar("a", 1.0, self.step):
                    self.said["."].append(self.step)
                self.step += 1

    @rule(after=st.integers(0, 3))
    def cancel(self, after: int) -> None:
        if isinstance(self.writer, AsyncSummaryWriter):
            writer = self.writer

            async def add() -> None:
                task = asyncio.create_task(writer.add_scalar("a", 1.0, self.step))
                for _ in range(after):
                    await asyncio.sleep(0)
                task.cancel()
                await task

            self.run(self._add(".", add))

    @rule(sync=st.booleans())
    def flush(self, sync: bool) -> None:
        """Whoever is told that all is written finds it written."""
        try:
            self.run(done(self.writer.flush(sync=sync)))
        except StorageError:
            assert self.files.reached, "a healthy disk fails nobody"
        else:
            self._all_is_there(self._found())

    @rule(seconds=st.sampled_from([0.0, 0.003, 0.05]))
    def idle(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    # The disk

    @rule(
        after=st.integers(0, 8),
        times=st.sampled_from([1, 2, 10**9]),
        code=st.sampled_from(CODES),
        short=st.none() | st.integers(1, 60),
        left=st.sampled_from([0, 0.5, 1]),
    )
    def fail(self, after: int, times: int, code: int, short: int | None, left: float) -> None:
        begin = self.files.count + after
        self.files.code, self.files.short, self.files.left = code, short, left
        self.files.fails = partial(_within, range(begin, begin + times))

    @rule()
    def heal(self) -> None:
        self.files.fails, self.files.short, self.files.seconds = never, None, 0.0

    @rule(seconds=st.sampled_from([0.001, 0.02]))
    def slow_down(self, seconds: float) -> None:
        self.files.seconds = seconds

    @rule(run=st.sampled_from(list(RUNS)))
    def delete_file(self, run: str) -> None:
        for path in run_files(self.log_dir).get(run, [])[-1:]:
            self._all_may_go()
            path.unlink(missing_ok=True)

    @rule()
    def delete_folder(self) -> None:
        self._all_may_go()
        shutil.rmtree(self.log_dir, ignore_errors=True)

    def _all_may_go(self) -> None:
        self.gone.update(step for steps in self.said.values() for step in steps)

    # Ends

    @precondition(lambda self: isinstance(self.writer, SummaryWriter) and not self.writer._pipeline.closed)
    @rule()
    def close_and_go_on(self) -> None:
        """What `close()` did not tell of is there; what it did may be missing, and the rest of it is a torn end."""
        told = 0
        try:
            self.run(done(self.writer.close()))
        except StorageError as error:
            told = error.unwritten
            self.torn = True
        pending = self.writer._pipeline.backlog.pending
        assert (pending > 0) <= (told >= pending)
        found = self._found()
        there = {step for steps in found.values() for step in steps} | self.gone
        missing = {step for steps in self.said.values() for step in steps} - there
        assert len(missing) <= pending
        self.gone |= missing

    # What must hold

    def _found(self) -> dict[str, list[int]]:
        values = stored(self.log_dir, prefix=True)
        return {run: [step for tag, step, _ in values.get(run, []) if tag in tags] for run, tags in RUNS.items()}

    def _all_is_there(self, found: dict[str, list[int]]) -> None:
        for run, said in self.said.items():
            assert not set(said) - set(found[run]) - self.gone, run

    @precondition(lambda self: hasattr(self, "writer"))
    @invariant()
    def readable(self) -> None:
        """At any moment a reader finds only what was accepted, in order and once, and no fault but a torn end."""
        with suppress(FileNotFoundError):  # a temporary file is gone between two looks
            for run, found in self._found().items():
                assert found == [step for step in self.said[run] if step in set(found)], run
        stats = self.writer.stats
        assert stats.pending_bytes <= ROOM + HEAVY.nbytes * 2
        assert set(stats.dropped) <= {"storage", "full"}

    def teardown(self) -> None:
        try:
            if hasattr(self, "writer"):
                self._end()
        finally:
            self.patch.undo()
            if hasattr(self, "runner"):
                self.runner.close()
            with suppress(OSError):
                self.folder.cleanup()

    def _end(self) -> None:
        self.heal()
        deadline = time.monotonic() + LONG
        before = self.writer._pipeline
        while before.backlog.pending and time.monotonic() < deadline and not before.closed:
            self.run(asyncio.sleep(0.001))
        self.run(done(self.writer.close()))
        self._all_is_there(self._found())
        if not self.torn:
            stored(self.log_dir)
        assert self.files.open == set()


def _within(numbers: range, number: int) -> bool:
    return number in numbers


def machine(examples: int, steps: int) -> Any:
    case: Any = type("Case", (History,), {}).TestCase
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # what depends on threads can hardly be made smaller
    )
    return posix(case)


test_any_history = machine(12, 25)
test_many_histories = pytest.mark.long(pytest.mark.timeout(1200)(machine(300, 50)))
