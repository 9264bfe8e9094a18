"""What is still being encoded when the program ends is stored all the same, and holds up the end for no longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.program import run
from tests.readback.events import run_events

long = pytest.mark.long

KINDS = ("image", "text", "video", "embedding")
COUNT = 10
WITHIN = 20.0  # seconds, on whatever machine: a deadlock at exit takes `exit_timeout`, which is a minute in the program


def check(way: str, folder: Path, count: int, *kinds: str) -> None:
    ended = run("media_left", way, folder, count, *kinds, hang=100)
    assert ended.err == ""
    assert ended.seconds < WITHIN
    for kind in kinds:
        order = [event.step for event in run_events(folder / kind)["."] if event.HasField("summary")]
        each = 1 if kind == "embedding" else 2
        assert order == [step for step in range(count) for _ in range(each)]
        assert len(list((folder / kind).glob("*/*/tensors.tsv"))) == (count if kind == "embedding" else 0)


WAYS_OUT = ["the script ends", "asyncio.run ends", "the loop is left open", "a forked child returns"]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_nothing_that_is_being_encoded_is_lost(way: str, tmp_path: Path) -> None:
    """All entries are in their files, in order, soon after the program's last line."""
    check(way, tmp_path, COUNT, *KINDS)


@long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS_OUT)
def test_nothing_that_is_being_encoded_is_ever_lost(way: str, kind: str, tmp_path: Path) -> None:
    """The same of a writer alone, time and again, and of more than the encoders have room for."""
    for repetition in range(20):
        check(way, tmp_path / str(repetition), 3 * COUNT, kind)


def test_a_drawing_that_takes_too_long_costs_only_itself(tmp_path: Path) -> None:
    """What was accepted behind a figure whose add is cancelled by the loop's end is stored, though time has run out."""
    run("media_left", "a drawing takes too long", tmp_path, 100)
    order = [event.step for event in run_events(tmp_path)["."] if event.HasField("summary")]
    assert order == list(range(-1, 100))
