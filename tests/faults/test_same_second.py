"""Writers of one directory and one second keep apart, and a restart is seen whatever the clock says."""

import json
import os
from functools import partial
from itertools import pairwise
from pathlib import Path
from unittest.mock import ANY

import pytest

from asynctb import SummaryWriter
from asynctb.storage.local import LocalStorage
from tests.faults.program import run
from tests.readback.both import assert_same_in_both

SECOND = 1_800_000_000
WRITERS, STEPS = 3, 10  # of each thread of programs/same_second.py, one after the other; and of each writer


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("processes", "threads"), [(4, 16), pytest.param(16, 16, marks=pytest.mark.long)])
def test_a_crowd_in_one_second(processes: int, threads: int, tmp_path: Path) -> None:
    """All files are distinct, a later writer's sorts behind, and both loaders show every point of every thread."""
    done = run("same_second", tmp_path, processes, threads, SECOND, hang=150)
    names: dict[str, list[str]] = json.loads(done.out)
    assert len(names) == processes * threads
    for mine in names.values():
        assert all(first < second for first, second in pairwise(mine))
    files = sorted(name for mine in names.values() for name in mine)
    assert files == sorted(os.listdir(tmp_path))
    assert len(set(files)) == processes * threads * WRITERS
    points = [(step, ANY, float(step)) for step in range(WRITERS * STEPS)]
    assert_same_in_both(tmp_path, {".": dict.fromkeys(names, points)})


@pytest.mark.parametrize("clock", [(SECOND, SECOND - 86_400), (SECOND, SECOND), (SECOND, -1.0, SECOND - 1, 0.0)])
def test_a_clock_that_steps_back_hides_no_restart(
    clock: tuple[float, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both loaders show the points of a restart though the clock was set back in between, sub-runs' too."""
    for number, now in enumerate(clock):
        monkeypatch.setattr("asynctb.settings.LocalStorage", partial(LocalStorage, clock=lambda now=now: now))
        with SummaryWriter(tmp_path) as writer:
            for step in range(number * STEPS, (number + 1) * STEPS):
                writer.add_scalar("a", step, step, walltime=max(1.0, now))
                writer.add_scalars("b", {"k": step}, step, walltime=max(1.0, now))
    points = [(step, ANY, float(step)) for step in range(len(clock) * STEPS)]
    assert_same_in_both(tmp_path, {".": {"a": points}, "b_k": {"b": points}})
