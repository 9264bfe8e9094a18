"""A run that was killed is gone on with: in a new file behind the old ones, and readers show the old and the new."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.program import HANG, end, run, start
from tests.faults.programs.resumed import MEGABYTES
from tests.readback import python_loader, rust_server
from tests.readback.both import assert_same_in_both
from tests.readback.events import TornTail, events, run_files

pytestmark = pytest.mark.timeout(600)

NOW = 1_700_000_000.0
KILLED = -signal.SIGKILL


def killed(folder: Path, *args: object) -> None:
    """Have a run log what it is told to, and kill it."""
    program = logging(folder, *args)
    program.kill()
    end(program, expect=[KILLED])


def logging(folder: Path, *args: object) -> subprocess.Popen[str]:
    """Start a run, and return it when it has flushed its points."""
    program = start("resumed", folder, *args)
    assert program.stdout is not None
    if program.stdout.readline() != "logged\n":
        end(program)
    return program


def files(folder: Path) -> list[Path]:
    return run_files(folder)["."]


@pytest.mark.parametrize(
    ("first", "second"),
    [("async", "sync"), *(pytest.param(kind, kind, marks=pytest.mark.long) for kind in ("async", "sync"))],
)
def test_a_killed_run_is_gone_on_with_whatever_the_clock_says(first: str, second: str, tmp_path: Path) -> None:
    """Each run has a file behind those before it, also where the clock stands still or was set back."""
    clocks = [NOW, NOW - 3600, NOW - 3600, NOW + 1]
    for number, clock in enumerate(clocks):
        before = files(tmp_path) if number else []
        kind = second if number % 2 else first
        killed(tmp_path, kind, 10 * number, 10 * (number + 1), "--clock", clock)
        assert files(tmp_path)[:-1] == before
    assert_same_in_both(
        tmp_path, {".": {"a": [(step, clocks[step // 10], float(step)) for step in range(10 * len(clocks))]}}
    )


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_resumed_run_purges_what_it_repeats(kind: str, tmp_path: Path) -> None:
    """With `purge_step`, readers show what the killed run did before that step, and then the new points."""
    killed(tmp_path, kind, 0, 10, "--clock", NOW, "--tags", "a", "old")
    run("resumed", tmp_path, kind, 5, 15, "--clock", NOW - 60, "--purge-step", 5, "--ends")
    for shown, left in ((python_loader.load(tmp_path)["."], 5), (rust_server.load(tmp_path)["."], 10)):
        again = [(step, NOW if step < 5 else NOW - 60) for step in range(15)]
        assert [(point.step, point.wall_time) for point in shown["a"]] == again
        # Tags that do not come again: the default loader purges tag by tag, when new points come.
        assert [point.step for point in shown["old"]] == list(range(left))


@pytest.mark.parametrize("disk", [["--pieces"], pytest.param([], marks=pytest.mark.long)], ids=["in pieces", "at once"])
@pytest.mark.parametrize("kills", [1, pytest.param(30, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_kill_in_the_middle_of_a_big_record(kind: str, kills: int, disk: list[str], tmp_path: Path) -> None:
    """The record is torn and all before it is whole; the next run has a new file, and both loaders show the rest."""
    chance, torn = random.Random(kind), 0
    for kill in range(kills):
        folder = tmp_path / str(kill)
        program = logging(folder, kind, 0, 10, "--big", *disk)
        kill_at_size(program, folder, chance.uniform(0.01, 0.8) * MEGABYTES * 1e6)
        if is_torn(files(folder)[0]):  # a disk that takes all at once may have been quicker
            torn += 1
            run("resumed", folder, kind, 10, 20, "--ends")
            assert len(files(folder)) == 2
            for loader in (python_loader, rust_server):
                assert [point.step for point in loader.load(folder)["."]["a"]] == list(range(20))
        files(folder)[0].unlink()  # it is big
    if disk:
        assert torn == kills


def kill_at_size(program: subprocess.Popen[str], folder: Path, size: float) -> None:
    (file,) = files(folder)
    deadline = time.monotonic() + HANG
    while file.stat().st_size < size and program.poll() is None and time.monotonic() < deadline:
        pass
    program.kill()
    end(program, expect=[KILLED])


def is_torn(file: Path) -> bool:
    """Tell whether the big record is torn; fails unless everything else is there."""
    found = events(file, prefix=True)
    assert [event.step for event in found[1:11]] == list(range(10))
    torn = len(found) == 11
    if torn:
        with pytest.raises(TornTail):
            events(file)
    return torn
