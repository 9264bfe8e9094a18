"""An agent's rollouts can be read back, and none is longer than it may be."""

import os
from pathlib import Path

import pytest

from tests.examples.running import interrupted, rows, run, shown, steps, values


def test_rollouts_are_tables(tmp_path: Path) -> None:
    """Each slot shows a whole conversation of every round, from its prompt to its reward, within bounds."""
    run("agent.py", "--rounds", "6", "--rollouts", "8", cwd=tmp_path)
    (tags,) = shown(tmp_path / "runs").values()
    slots = [tag for tag in tags if tag.startswith("rollout/")]
    assert sorted(slots) == [f"rollout/{slot}/text_summary" for slot in range(4)]
    for slot in slots:
        assert steps(tags[slot]) == list(range(6))
        for point in tags[slot]:
            head, first, *middle, last = rows(point)
            assert head == ["role", "text"]
            assert first[0] == "prompt"
            assert first[1].endswith("You have a tool `multiply`.")
            assert last in (["reward", "0"], ["reward", "1"])
            assert {role for role, _ in middle} <= {"call", "tool", "answer", "…"}
            assert len(middle) <= 11
            assert all(len(text) < 340 for _, text in middle)


def test_numbers_of_all_rollouts(tmp_path: Path) -> None:
    """Every round has its rewards and its tokens, also of rollouts that no slot shows."""
    run("agent.py", "--rounds", "5", "--rollouts", "8", cwd=tmp_path)
    (tags,) = shown(tmp_path / "runs").values()
    numbers = {"reward/mean", "reward/min", "reward/max", "tokens/total", "tokens/mean", "calls/mean"}
    assert {tag for tag in tags if not tag.startswith("rollout/")} == numbers | {"tokens/each"}
    for tag in numbers:
        assert steps(tags[tag]) == list(range(5)), tag
    assert values(tags["tokens/total"]) == [8 * mean for mean in values(tags["tokens/mean"])]
    assert values(tags["tokens/each"]) == [8] * 5


@pytest.mark.skipif(os.name != "posix", reason="no SIGINT to send")
def test_stops_at_ctrl_c(tmp_path: Path) -> None:
    """Ctrl-C ends it with a message, and the rounds until then are there."""
    interrupted("agent.py", "--rounds", "1000", tag="rollout/3", cwd=tmp_path)
    (tags,) = shown(tmp_path / "runs").values()
    assert steps(tags["reward/mean"])[0] == 0
