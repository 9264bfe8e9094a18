"""The comparison with other writers: asynctb keeps its promise in every fault of it, and its words are the figures'."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.compare.outcome import Outcome
from tests.faults.compare.run import run
from tests.faults.compare.scenarios import SCENARIOS, Promise
from tests.faults.compare.table import BEGIN, END, cell, replaced
from tests.faults.compare.writers import KINDS, OURS

HANG = 45.0  # seconds, on a machine that has other things to do
CASES = [
    (name, writer)
    for name, scenario in SCENARIOS.items()
    for writer in OURS
    if scenario.coroutine or not KINDS[writer].awaited
]


@pytest.mark.parametrize(("name", "writer"), CASES)
def test_the_promise_is_kept(name: str, writer: str) -> None:
    """In this fault, asynctb does what the contract says."""
    scenario = SCENARIOS[name]
    outcome = run(scenario, writer, HANG)
    assert scenario.promised(writer).broken(outcome) == [], outcome


@pytest.mark.parametrize("name", ["threads-4", "no-steps"])
def test_a_writer_without_the_promise_is_found_out(name: str) -> None:
    """What tensorboardX is known to lose or to hide is seen: these checks can fail."""
    pytest.importorskip("tensorboardX")
    scenario = SCENARIOS[name]
    assert scenario.promise.broken(run(scenario, "tensorboardX", HANG))


GOOD = Outcome(accepted=10, stored=10, shown=10, ways=2, told=True)


@pytest.mark.parametrize(
    "bad",
    [
        {"hung": "close"},
        {"children_hung": 1},
        {"stored": 9},
        {"stored": 11},
        {"twice": 1},
        {"raised": "OSError from flush"},
        {"escaped": 1},
        {"shown": 9},
        {"longest": 9.0},
        {"held": 9.0},
        {"delay": 9.0},
        {"dead": True},
    ],
    ids=str,
)
def test_a_promise_can_be_broken(bad: dict[str, Any]) -> None:
    """Each part of an outcome counts."""
    assert Promise().broken(GOOD) == []
    assert len(Promise().broken(replace(GOOD, **bad))) >= 1


def test_silence_breaks_the_promise_to_tell() -> None:
    """Where entries may be lost, somebody must be told."""
    assert Promise(lost=None, told=True).broken(Outcome(accepted=5, told=True)) == []
    assert Promise(lost=None, told=True).broken(Outcome(accepted=5)) == ["nobody is told"]


@pytest.mark.parametrize(
    ("outcomes", "shows", "said"),
    [
        ([], {"lost"}, "-"),
        ([GOOD], {"lost"}, "0 of 10 lost"),
        ([GOOD, Outcome(accepted=10, stored=4)], {"lost"}, "**0 to 6 of 10 lost**, in 1 of 2 runs, silently"),
        ([replace(GOOD, stored=0, shown=0)], {"lost", "shown"}, "**10 of 10 lost**, and told"),
        ([replace(GOOD, dropped=1_500)], {"lost"}, "0 of 10 lost; 1,500 not accepted, and counted"),
        ([replace(GOOD, hung="close")], {"lost"}, "**hangs for ever** in `close`"),
        (
            [GOOD, replace(GOOD, hung="exit")],
            {"lost"},
            "**hangs for ever** at its end, in 1 of 2 runs; 0 of 10 lost",
        ),
        ([replace(GOOD, children=8, children_hung=8)], {"lost"}, "**8 of 8 children hang**; 0 of 10 lost"),
        (
            [replace(GOOD, raised="OSError from flush", dead=True)],
            {"lost"},
            "raises `OSError` from `flush`, then **dead for good**; 0 of 10 lost",
        ),
        ([replace(GOOD, shown=1)], {"shown"}, "**1 of 10 shown**"),
        ([replace(GOOD, escaped=1)], {"escaped"}, "**1 of 2 written outside**"),
        ([replace(GOOD, longest=1.04)], {"longest"}, "an add takes up to 1.0 s"),
        ([replace(GOOD, lag=0.002)], {"lag"}, "the loop is held for up to 2 ms"),
        ([replace(GOOD, stored=7), replace(GOOD, stored=9)], {"cost"}, "**1 to 3 of 10 lost**"),
        ([replace(GOOD, accepted=13), replace(GOOD, accepted=11)], {"cost"}, "2 lost in the median, 3 at most"),
    ],
)
def test_outcomes_become_words(outcomes: list[Outcome], shows: set[str], said: str) -> None:
    """A cell says what the runs came to."""
    assert cell(outcomes, shows) == said


def test_a_table_takes_the_place_of_the_last_one() -> None:
    """Only what is between the marks is new."""
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replaced(page, "new\n") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    with pytest.raises(SystemExit):
        replaced("no marks", "new")
