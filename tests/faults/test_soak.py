"""A long life costs no more than a short one: memory, threads and descriptors stay what they are."""

import json
import sys
from pathlib import Path

import pytest

from tests.faults.program import run
from tests.readback.events import run_events

if sys.platform != "linux":
    pytest.skip("what a process has is read off /proc", allow_module_level=True)

MARGIN = 10 << 20  # bytes of memory by which a process may differ from itself after a tenth of its life
FEW = 300  # objects by which it may
RUN = 2_000  # bytes that a run may cost: its name, its steps and where its file is
long = pytest.mark.long


def live(log_dir: Path, what: str, count: int) -> dict[str, dict[str, int]]:
    """Return what a life took after a tenth of it, at most from then on, and at its end."""
    told: dict[str, dict[str, int]] = json.loads(run("soak", log_dir, what, count, hang=1500).out)
    print(what, count, told)
    return told


@pytest.mark.timeout(1600)
@pytest.mark.parametrize("what", ["scalars", "scalars, async"])
@pytest.mark.parametrize("count", [150_000, pytest.param(10_000_000, marks=long)])
def test_scalars_for_ever(what: str, count: int, tmp_path: Path) -> None:
    """However many scalars a writer takes in, it holds none of them once they are written."""
    told = live(tmp_path, what, count)
    assert told["most"]["rss"] < told["warm"]["rss"] + MARGIN
    assert told["most"]["objects"] < told["warm"]["objects"] + FEW
    assert told["most"]["threads"] == told["warm"]["threads"]
    assert told["most"]["fds"] == told["warm"]["fds"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["writers", "writers, async"])
@pytest.mark.parametrize("count", [60, pytest.param(1000, marks=long)])
def test_writers_one_after_the_other(what: str, count: int, tmp_path: Path) -> None:
    """A writer that is closed leaves nothing behind; the threads of a few may still be ending."""
    told = live(tmp_path, what, count)
    assert told["most"]["rss"] < told["warm"]["rss"] + MARGIN
    assert told["most"]["objects"] < told["warm"]["objects"] + FEW
    assert told["most"]["threads"] < told["warm"]["threads"] + 15
    assert told["most"]["fds"] < told["warm"]["fds"] + 15


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=long)])
def test_runs_of_one_writer(count: int, tmp_path: Path) -> None:
    """A writer with many runs keeps few files open and little memory for each run; each has its point."""
    told = live(tmp_path, "runs", count)
    assert told["most"]["rss"] < told["warm"]["rss"] + MARGIN + RUN * count
    assert told["most"]["threads"] == told["warm"]["threads"]
    assert told["most"]["fds"] < 100
    runs = run_events(tmp_path)
    del runs["."]
    assert len(runs) == count
    for run_name, events in runs.items():
        assert [event.step for event in events if event.summary.value] == [int(run_name.removeprefix("runs_run"))]
