"""Rule 10 in pools of processes, which hand writers over by fork or by pickle, and end their workers in their ways."""

import multiprocessing
from pathlib import Path

import pytest

from tests.faults.owners import steps_by_tag
from tests.faults.program import run

long = pytest.mark.long

POOLS = [
    ("fork", "sync", "global", "closed"),
    ("fork", "async", "global", "closed"),
    ("fork", "sync", "global", "terminated"),
    ("fork", "sync", "executor", "closed"),
    ("forkserver", "sync", "argument", "closed"),
    ("spawn", "async", "executor", "closed"),
]
MORE = [
    (method, colour, by, end)
    for method in ("fork", "spawn", "forkserver")
    for colour in ("sync", "async")
    for by in ("argument", "global", "executor")
    for end in ("closed", "terminated")
    if (method, colour, by, end) not in POOLS
    # Nobody can await there, nothing ends an executor, and a killed process may lose what was not flushed.
    if end == "closed" or (colour == "sync" and by != "executor")
]


@pytest.mark.parametrize(
    ("method", "colour", "by", "end"), [*POOLS, *(pytest.param(*pool, marks=long) for pool in MORE)]
)
def test_a_pool_of_processes_that_log(method: str, colour: str, by: str, end: str, tmp_path: Path) -> None:
    """A writer that a pool's processes got by fork or pickle hangs in none of them and loses nothing in their ends."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this system")
    run("pools", tmp_path, method, colour, by, end)
    found = steps_by_tag(tmp_path)
    assert found.pop("parent/a") == [0, 1]
    assert sorted(tag.split("/")[1] for tag in found) == [str(job) for job in range(8)]
    assert all(steps == list(range(10)) for steps in found.values())
