"""A writer under a test runner that gives each test a loop of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.program import PROGRAMS, run
from tests.faults.programs.cases_with_loops import STEPS, TESTS
from tests.readback.events import run_events, run_files

PYTEST = """
import os, sys, pytest
os.environ["LOGS"] = sys.argv[2]
options = ["-q", "-c", os.devnull, "-p", "no:cacheprovider", "-p", "no:randomly", "-W", "ignore::ResourceWarning"]
sys.exit(pytest.main([*options, sys.argv[1]]))
"""


@pytest.mark.parametrize("repetitions", [1, pytest.param(20, marks=pytest.mark.long)])
def test_loops_that_end_with_each_test(repetitions: int, tmp_path: Path) -> None:
    """A writer goes on in its file from loop to loop, and whichever way it ends, nothing is lost."""
    for repetition in range(repetitions):
        folder = tmp_path / str(repetition)
        ended = run(PYTEST, PROGRAMS / "cases_with_loops.py", folder)
        assert f"{TESTS} passed" in ended.out
        assert "asynctb" not in ended.err
        wanted = {"left open": range(TESTS * STEPS), "closed": range(TESTS * STEPS)}
        wanted |= {f"own/{test}": range(test * STEPS, (test + 1) * STEPS) for test in range(TESTS)}
        assert {run: len(files) for run, files in run_files(folder).items()} == dict.fromkeys(wanted, 1)
        for name, found in run_events(folder).items():
            assert [event.step for event in found if event.HasField("summary")] == list(wanted[name]), name
