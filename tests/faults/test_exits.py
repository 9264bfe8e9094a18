"""Nothing accepted is lost, however the program ends without closing its writer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults.program import Ended, run
from tests.faults.programs.ways_out import TAG, WAYS_OUT
from tests.readback.events import events, run_events

pytestmark = pytest.mark.timeout(600)
long = pytest.mark.long

# Of the writers that one program leaves open: the number at which adds wait, `max_queue`, and hardly anything. The
# last have logged least and last, so that each has something pending when the end comes.
TOGETHER = (3000, 10, 1, 0)
ALONE = (0, 1, 3, 10, 1000, 3000)
REPETITIONS = range(20)
STUCK = 600.0  # seconds that a write takes
AT_ONCE = 20.0  # seconds from a program's start to its end, on whatever machine: a deadlock takes `exit_timeout`
OWN = 1.5  # seconds that a program may take beside one `exit_timeout`, and twice what it takes on a healthy disk
STUCK_WRITERS = (7, 6, 5, 4, 3, 2)  # so many that they must share it


def leave(
    way: str, folder: Path, *counts: int, loop: str = "asyncio", seconds: float = 0, timeout: float = 60
) -> Ended:
    """Have a program take a way out, each of its writers in a folder named by its count; see how it ended."""
    return run("ways_out", way, folder, loop, seconds, timeout, *counts, expect=[WAYS_OUT[way].status])


def steps_on_disk(logdir: Path) -> list[int]:
    """Return the steps of TAG, over all files in their order."""
    found = run_events(logdir).get(".", []) if logdir.exists() else []
    return [event.step for event in found for value in event.summary.value if value.tag == TAG]


def check(way: str, folder: Path, counts: tuple[int, ...], loop: str = "asyncio") -> None:
    ended = leave(way, folder, *counts, loop=loop)
    for count in counts:
        assert steps_on_disk(folder / str(count)) == list(range(count)), ended.err
    assert ended.seconds < AT_ONCE
    assert "asynctb:" not in ended.err
    if WAYS_OUT[way].status in (0, 3):
        assert ended.err == ""


@pytest.mark.parametrize("way", WAYS_OUT)
def test_nothing_accepted_is_lost(way: str, tmp_path: Path) -> None:
    """All that was accepted is in the files, in order, the program ends at once, and nothing is said about it."""
    check(way, tmp_path, TOGETHER)


@long
@pytest.mark.parametrize("count", ALONE)
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("way", WAYS_OUT)
def test_nothing_accepted_is_ever_lost(way: str, loop: str, count: int, tmp_path: Path) -> None:
    """The same of a writer alone, time and again."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")
        if "script" in way or "fork" in way:
            pytest.skip("it has a loop of its own")
    for repetition in REPETITIONS:
        check(way, tmp_path / str(repetition), (count,), loop)


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(way, marks=() if way in ("the main coroutine returns", "ctrl c twice in a script") else long)
        for way in WAYS_OUT
        # Two may take as long as `close()` may, one adds when all has been told, and one tells nothing.
        if not re.search("is closed and the loop right after|is left by cancellation|handler older|sudden", way)
    ],
)
def test_a_stuck_disk_delays_the_end_by_exit_timeout(way: str, tmp_path: Path) -> None:
    """The program ends about when exit_timeout says, for all of its writers; what is missing is told by its kind."""
    healthy = leave(way, tmp_path / "healthy", *STUCK_WRITERS)
    ended = leave(way, tmp_path / "stuck", *STUCK_WRITERS, seconds=STUCK, timeout=1)
    assert 1 <= ended.seconds < 1 + OWN + 2 * healthy.seconds
    for count in STUCK_WRITERS:
        assert f"{count} entries are not stored" in ended.err
        assert f"({count} of add_scalar)" in ended.err


MULTIPROCESSING = """
import multiprocessing, sys
from asynctb import SummaryWriter

def work(writer, count):
    for step in range(count):
        writer.add_scalar("accepted", step, step)

if __name__ == "__main__":
    _, folder, method, *counts = sys.argv
    writer = SummaryWriter(folder)
    writer.add_scalar("parent", 1)
    context = multiprocessing.get_context(method)
    children = [context.Process(target=work, args=(writer, int(count))) for count in counts]
    for child in children:
        child.start()
    writer.add_scalar("parent", 2)
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * len(children)
"""


@pytest.mark.parametrize("repetitions", [1, pytest.param(20, marks=long)])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_returning_child_of_multiprocessing_loses_nothing(method: str, repetitions: int, tmp_path: Path) -> None:
    """Each child that returns has its own file, with all it added; the parent's file has the parent's points only."""
    script = tmp_path / "program.py"
    script.write_text(MULTIPROCESSING)
    for repetition in range(repetitions):
        logs = tmp_path / f"logs{repetition}"
        run(script, logs, method, 1, 3000)
        found = sorted(
            [(value.tag, event.step) for event in events(file) for value in event.summary.value]
            for file in logs.iterdir()
        )
        mine = [[(TAG, step) for step in range(count)] for count in (1, 3000)]
        assert found == [*mine, [("parent", 0), ("parent", 1)]]
