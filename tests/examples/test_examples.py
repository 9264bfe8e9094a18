"""Every example runs as a user runs it: in a process of its own, and in a directory of its own."""

import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from tests.examples.running import EXAMPLES, interrupted, run
from tests.readback.events import run_events

OPTIONS: dict[str, list[str]] = {  # of each example those that keep it short
    "gallery.py": [],
    "plain_script.py": [],
    "quickstart.py": ["--updates", "10", "--seconds", "5"],
}


def points(logdir: Path) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """Steps and values of every scalar by run and tag; other entries have the value 0."""
    series = defaultdict(list)
    for name, events in run_events(logdir).items():
        for event in events:
            for value in event.summary.value:
                series[name, value.tag].append((event.step, value.simple_value))
    return series


def test_every_example_is_run() -> None:
    """An example has a row in the table or a file of tests, or it would never run; neither is left over."""
    files = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    rows = {name.removesuffix(".py") for name in OPTIONS}
    examples = {path.stem for path in EXAMPLES.iterdir() if path.suffix in {".py", ".ipynb"}}
    assert examples == rows | files - {"examples"}
    assert not rows & files


@pytest.mark.parametrize("name", OPTIONS)
def test_runs_without_complaint(name: str, tmp_path: Path) -> None:
    """An example ends with exit code 0, warns of nothing, says nothing on stderr, and leaves its run below `runs`."""
    run(name, *OPTIONS[name], cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert points(tmp_path / "runs")


def test_quickstart_learns(tmp_path: Path) -> None:
    """After a fifth of its updates the returns have trebled, all clocks are there, and the steps of each tag rise."""
    out = run("quickstart.py", "--updates", "60", "--seconds", "15", "--log-dir", "run", cwd=tmp_path)
    series = points(tmp_path / "run")
    returns = [value for _, value in series[".", "episode/return"]]
    fifth = len(returns) // 5
    assert mean(returns[-fifth:]) >= 3 * mean(returns[:fifth])
    assert {tag.partition("/")[0] for _, tag in series} == {"episode", "learner", "queue"}
    for (_, tag), values in series.items():
        assert all(earlier < later for (earlier, _), (later, _) in pairwise(values)), tag
    assert f"of {len(returns)} episodes" in out
    assert "tensorboard --logdir run" in out


def test_quickstart_draws_with_what_the_terminal_has(tmp_path: Path) -> None:
    """Where stdout takes ASCII only, the curve is drawn with ASCII."""
    out = run("quickstart.py", *OPTIONS["quickstart.py"], cwd=tmp_path, encoding="ascii")
    assert "|###" in out


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_quickstart_stops_at_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C ends it with a message instead of a traceback, and what was logged until then is there."""
    interrupted("quickstart.py", "--log-dir", "run", tag="episode/return", cwd=tmp_path)
    assert points(tmp_path / "run")[".", "episode/return"]
