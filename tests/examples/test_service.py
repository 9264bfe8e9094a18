"""The service counts every request once, on both of its clocks."""

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.examples.running import interrupted, needs, rows, run, shown, steps, values
from tests.readback.points import Point

pytestmark = needs("fastapi", "httpx", "uvicorn")


class Served(NamedTuple):
    out: str
    folder: Path
    tags: dict[str, list[Point]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Let it serve for some windows."""
    folder = tmp_path_factory.mktemp("service")
    out = run("service.py", "--seconds", "2.5", cwd=folder)
    (tags,) = shown(folder / "runs").values()
    return Served(out, folder, tags)


def test_every_request_is_there(served: Served) -> None:
    """Requests that were answered are as many as points, as the windows' sum, and as histograms count."""
    found = re.search(r"^logging  on: +(\d+) requests", served.out)
    assert found
    answered = int(found[1])
    assert answered
    assert steps(served.tags["request/ms"]) == list(range(1, answered + 1))
    assert sum(values(served.tags["window/requests"])) == answered
    assert sum(values(served.tags["window/ms"])) == answered


def test_windows_follow_each_other(served: Served) -> None:
    """There is a window for every second and one for the rest, and in each the percentiles are in order."""
    windows = steps(served.tags["window/requests"])
    assert windows == list(range(1, len(windows) + 1))
    assert len(windows) >= 3
    percentiles = (values(served.tags[f"window/p{rank}_ms"]) for rank in (50, 90, 99))
    assert all(p50 <= p90 <= p99 for p50, p90, p99 in zip(*percentiles, strict=True))


def test_samples_are_questions_with_their_answers(served: Served) -> None:
    """A window shows a few prompts, each beside the answer that it got."""
    assert steps(served.tags["window/samples/text_summary"])[0] == 1
    for point in served.tags["window/samples/text_summary"]:
        head, *samples = rows(point)
        assert head == ["prompt", "answer"]
        assert 1 <= len(samples) <= 4
        for prompt, answer in samples:
            assert prompt.startswith("client ")
            assert answer == prompt[::-1]


def test_all_is_written_once(served: Served) -> None:
    """One service of the two writes: one file, of as many events as it says; none was dropped."""
    assert len(list(served.folder.rglob("*tfevents*"))) == 1
    of_percentiles = {"window/p90_ms", "window/p99_ms"}  # which share the event of the first of them
    events = sum(len(points) for tag, points in served.tags.items() if tag not in of_percentiles)
    assert f"\n{events} events written and 0 dropped" in served.out


def test_a_restart_hides_nothing(tmp_path: Path) -> None:
    """Started again, the service counts from 1 again, in a run of its own: both loaders show all of both."""
    for _ in range(2):
        run("service.py", "--seconds", "1", cwd=tmp_path)  # so that no two begin in the same second
    runs = shown(tmp_path / "runs")
    assert len(runs) == 2
    assert {steps(tags["window/requests"])[0] for tags in runs.values()} == {1}


@pytest.mark.skipif(os.name != "posix", reason="no SIGINT to send")
def test_stops_at_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C ends the servers in peace: each request until then is in the run, and in the last window."""
    interrupted("service.py", "--seconds", "60", tag="request/ms", cwd=tmp_path)
    (tags,) = shown(tmp_path / "runs").values()
    assert steps(tags["request/ms"])[-1] == sum(values(tags["window/requests"]))
