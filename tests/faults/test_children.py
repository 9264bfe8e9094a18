"""Rule 10: whenever a process is forked, and however the child ends, both log to files of their own."""

import os
from pathlib import Path

import pytest

from tests.faults.owners import steps_by_tag
from tests.faults.program import run

if not hasattr(os, "fork"):
    pytest.skip("there is no fork on this system", allow_module_level=True)

# What each moment of programs/children.py leaves, beside ten points of the parent.
MOMENTS: dict[str, dict[str, int]] = {
    "in_the_midst_of_a_write": {"parent/held": 1, "child/a": 10, "thread/a": 10},
    "while_the_encoders_work": {"parent/heavy": 10, "child/heavy": 1, "child/a": 10},
    "in_the_midst_of_an_import": {"child/heavy": 1, "child/a": 10},
    "while_others_wait_for_room": {"parent/held": 1, "parent/wait": 5, "child/a": 10},
    "a_fork_of_a_fork": {"child/a": 10, "grandchild/a": 10},
    "closed_or_flushed_first": {"closer/a": 10},
    "execute": {"executed/a": 20},
    "inside_a_block": {"parent/block": 1, "child/a": 10},
    "in_a_coroutine": {"parent/task": 100, "parent/held": 1, "child/a": 10, "nowait/a": 10},
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_fork_at_any_moment(moment: str, tmp_path: Path) -> None:
    """A child hangs at nothing, all that parent and child added is there once, and no file is of both."""
    run("children", tmp_path, moment)
    found = steps_by_tag(tmp_path)
    assert {tag: len(steps) for tag, steps in found.items()} == {"parent/a": 10, **MOMENTS[moment]}
    assert all(found[tag] == list(range(count)) for tag, count in MOMENTS[moment].items() if count in (1, 10))
