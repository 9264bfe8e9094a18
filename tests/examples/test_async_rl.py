"""The training's two clocks hold together, also across a kill."""

import os
import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.examples.running import interrupted, needs, rise, run, shown, start, steps, values
from tests.readback import python_loader, rust_server
from tests.readback.events import run_events
from tests.readback.points import Point

pytestmark = needs("gymnasium")


def test_clocks_and_dashboards(tmp_path: Path) -> None:
    """Updates are counted one by one; an episode's step is the environment's clock, which its moves have advanced."""
    run("async_rl.py", "--updates", "8", "--actors", "8", cwd=tmp_path)
    runs = shown(tmp_path / "runs" / "async_rl")
    policy, env = runs["policy"], runs["env"]
    for tag in ("return/mean", "return/best", "staleness", "weights", "actions"):
        assert steps(policy[tag]) == list(range(1, 9)), tag
    assert steps(policy["best"]) == [8]
    assert set(values(policy["weights"])) == {8 * 4}
    means, moves = values(policy["return/mean"]), values(policy["actions"])
    assert moves == pytest.approx([32 * mean for mean in means])
    assert means[-1] > 2 * means[0]
    assert env["return"][0].step == env["return"][0].value
    assert advanced_by_moves(env["return"])
    assert sum(moves) <= env["return"][-1].step


def test_says_that_all_is_done(tmp_path: Path) -> None:
    """Started again when nothing is left to do, it says so, and how there would be."""
    options = ("async_rl.py", "--updates", "4", "--actors", "8")
    first, again = (run(*options, cwd=tmp_path) for _ in range(2))
    assert "--updates" not in first
    assert again.startswith("All 4 updates were done before; --updates")


@pytest.mark.skipif(os.name != "posix", reason="no SIGTERM to send")
def test_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    """What had been said to be done is in the run after a SIGTERM; started again, both clocks go on without a seam."""
    with start("async_rl.py", "--updates", "1000", cwd=tmp_path) as process:
        try:
            assert process.stdout
            for line in process.stdout:
                if line.startswith("update   6"):
                    process.send_signal(signal.SIGTERM)
                    break
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (-signal.SIGTERM, "")
    logdir = tmp_path / "runs" / "async_rl"
    logged = [event.step for event in run_events(logdir)["policy"] if has(event, "return/mean")]
    assert logged == list(range(1, len(logged) + 1))
    assert len(logged) >= 6 + out.count("update")

    more = len(logged) + 1
    out = run("async_rl.py", "--updates", str(more), cwd=tmp_path)
    first = int(out.split()[1])
    assert first in range(5, len(logged) + 2, 4)  # behind a checkpoint, of which every fourth update makes one
    python, rust = python_loader.load(logdir), rust_server.load(logdir)
    for loader in (python, rust):
        assert steps(loader["policy"]["return/mean"]) == list(range(1, more + 1))
        assert rise(loader["env"]["return"])
    # The default loader forgets old points only as new ones reach them, so a few may be left between two episodes.
    assert advanced_by_moves(python["env"]["return"])


@pytest.mark.skipif(os.name != "posix", reason="no SIGINT to send")
def test_stops_at_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C ends it with a message, and both of its runs are there."""
    interrupted("async_rl.py", "--updates", "1000", tag="return/mean", cwd=tmp_path)
    runs = shown(tmp_path / "runs" / "async_rl")
    assert runs["policy"]["return/mean"]
    assert advanced_by_moves(runs["env"]["return"])


def has(event: Any, tag: str) -> bool:
    return any(value.tag == tag for value in event.summary.value)


def advanced_by_moves(episodes: list[Point]) -> bool:
    return all(later.step - earlier.step == later.value for earlier, later in pairwise(episodes))
