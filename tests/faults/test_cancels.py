"""Rule 9 at random: adds, flushes and closes cancelled at any step, on a disk that is slow or fails in between."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.faults.cancelling import KINDS, CancelledWork
from tests.loops import loop_factory

# None is for ever; the rest are seconds after which an anyio scope cancels what is in it.
PATIENCE = st.sampled_from([None, None, 0.0, 0.001, 0.01])


class Cancelled(RuleBasedStateMachine):
    """Any sequence of what can be done to a writer."""

    loops = "asyncio"

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = loop_factory(self.loops)()
        self.work = CancelledWork(self.loop, Path(self.folder.name) / "run")

    @rule(kind=st.sampled_from(KINDS), count=st.sampled_from([1, 1, 3, 30]), patience=PATIENCE)
    def add(self, kind: str, count: int, patience: float | None) -> None:
        for _ in range(count):
            self.work.add(kind, patience)

    @rule(patience=PATIENCE)
    def flush(self, patience: float | None) -> None:
        self.work.flush(patience)

    @rule(patience=PATIENCE)
    def close(self, patience: float | None) -> None:
        self.work.close(patience)

    @rule(which=st.integers(0, 40))
    def cancel(self, which: int) -> None:
        self.work.cancel(which)

    @rule(turns=st.integers(0, 8), seconds=st.sampled_from([0.0, 0.0, 0.001, 0.03]))
    def go_on(self, turns: int, seconds: float) -> None:
        self.work.go_on(turns, seconds)

    @rule()
    def hold(self) -> None:
        self.work.hold()

    @rule(most=st.integers(1, 100))
    def fail(self, most: int) -> None:
        self.work.fail(most)

    @rule()
    def heal(self) -> None:
        self.work.heal()

    def teardown(self) -> None:
        try:
            self.work.check()
        finally:
            self.work.heal()
            self.loop.close()
            self.folder.cleanup()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("examples", [15, pytest.param(1000, marks=pytest.mark.long)])
def test_any_sequence_of_cancels(loop: str, examples: int) -> None:
    """What returned is stored once and in order, what was cancelled whole or not at all, and the file is whole."""
    loop_factory(loop)

    class CancelledOnIt(Cancelled):
        loops = loop

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        CancelledOnIt,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("cancels", [100, pytest.param(1000, marks=pytest.mark.long)])
def test_so_many_cancels(loop: str, cancels: int, tmp_path: Path) -> None:
    """The same of so many cancels in a row, each writer's last one that of a `close()`."""
    chance = random.Random(cancels)
    done = number = 0
    while done < cancels:
        number += 1
        event_loop = loop_factory(loop)()
        work = CancelledWork(event_loop, tmp_path / str(number))
        for _ in range(60):
            work.add(chance.choice(KINDS), chance.choice([None, None, None, 0.0, 0.002]))
            if chance.random() < 0.1:
                work.flush(chance.choice([None, 0.001]))
            if chance.random() < 0.3:
                work.go_on(chance.randrange(5), chance.choice([0.0, 0.001]))
            if chance.random() < 0.3:
                work.cancel(chance.randrange(5))
            if chance.random() < 0.05:
                chance.choice([work.hold, work.heal])()
        work.close(chance.choice([None, 0.001]))
        work.go_on(chance.randrange(20))
        work.cancel(0)
        work.check()
        event_loop.close()
        done += work.cancels
