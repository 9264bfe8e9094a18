"""Each tag of each run counts its own steps, in the order of acceptance, and says once what TensorBoard would hide."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.entry import Record
from asynctb.pipeline.steps import BACKWARDS, OTHER_PLUGIN, Steps
from tests.inputs import INT64_MAX, INT64_MIN, holds

SOME_STEPS = st.one_of(
    st.none(),
    st.integers(-3, 8),
    st.sampled_from([INT64_MAX, INT64_MAX - 1, INT64_MIN]),
    st.integers(INT64_MIN, INT64_MAX),
)
ENTRIES = st.builds(
    lambda tags, plugin, run: Record(tuple(tags), b"", plugin, run),
    st.lists(st.sampled_from("abc"), max_size=3, unique=True),
    st.sampled_from(["scalars", "scalars", "text"]),
    st.sampled_from(["", "", "sub"]),
)
ADDS = st.lists(st.tuples(ENTRIES, SOME_STEPS), max_size=25)
PURGE_STEPS = st.none() | st.sampled_from([0, 5, INT64_MIN, INT64_MAX])


class Said(NamedTuple):
    """A notice, by what it is about."""

    message: str
    run: str
    tag: str


def said(steps: Steps) -> list[Said]:
    """What the user is told, and that the message is one."""
    notices = []
    for message, args in steps.notices:
        assert message % args
        texts = [arg for arg in args if isinstance(arg, str)]
        tag, where = texts[0], texts[1]
        notices.append(Said(message, "sub" if "'sub'" in where else "", tag))
    return notices


def point(*tags: str, plugin: str = "scalars", run: str = "") -> Record:
    return Record(tags, b"", plugin, run)


@holds(400)
@given(ADDS, st.booleans(), PURGE_STEPS)
def test_steps_are_those_of_the_contract(adds: list[tuple[Record, int | None]], auto: bool, purge: int | None) -> None:
    """Any adds get the steps and cause the notices that the contract gives them, each notice once for a tag."""
    steps = Steps(auto, purge)
    last: dict[tuple[str, str], int] = {}
    plugin: dict[tuple[str, str], str] = {}
    notices: set[Said] = set()
    for entry, given_step in adds:
        series = [(entry.run, tag) for tag in entry.tags]
        wanted = given_step
        if given_step is None and auto and series:
            known = [last[each] for each in series if each in last]
            wanted = (max(known) + 1) if known else (purge or 0)
            wanted = min(wanted, INT64_MAX)
        assert steps.stamp(entry, given_step) == wanted
        if wanted is None:
            continue
        for run, tag in series:
            if wanted <= last.get((run, tag), INT64_MIN - 1):
                notices.add(Said(BACKWARDS, run, tag))
            if plugin.setdefault((run, tag), entry.plugin) != entry.plugin:
                notices.add(Said(OTHER_PLUGIN, run, tag))
            last[run, tag] = wanted
    assert sorted(said(steps)) == sorted(notices)


def test_none_is_one_more_than_the_last() -> None:
    """A tag without steps counts from 0, one by one, and goes on behind whatever step it was last given."""
    steps = Steps()
    assert [steps.stamp(point("a"), step) for step in (None, None, 10, None, 3, None)] == [0, 1, 10, 11, 3, 4]


def test_each_tag_and_each_run_counts_for_itself() -> None:
    """Tags do not share a clock, nor do runs with the same tag."""
    steps = Steps()
    for _ in range(3):
        steps.stamp(point("a"), None)
    assert steps.stamp(point("b"), None) == 0
    assert steps.stamp(point("a", run="sub"), None) == 0
    assert steps.stamp(point("a"), None) == 3


def test_tags_of_one_event_step_together() -> None:
    """An event of several tags takes one more than the largest last step among them, and gives it to all."""
    steps = Steps()
    steps.stamp(point("a"), 7)
    steps.stamp(point("b"), 3)
    assert steps.stamp(point("b", "new", "a"), None) == 8
    assert [steps.stamp(point(tag), None) for tag in ("a", "b", "new")] == [9, 9, 9]
    assert steps.notices == []


@pytest.mark.parametrize(
    ("purge", "first"), [(None, 0), (0, 0), (5, 5), (-5, -5), (INT64_MIN, INT64_MIN), (INT64_MAX, INT64_MAX)]
)
def test_a_resumed_run_starts_at_its_purge_step(purge: int | None, first: int) -> None:
    """Each tag's first automatic step is the purge step, where one is given."""
    steps = Steps(purge_step=purge)
    assert [steps.stamp(point(tag), None) for tag in ("a", "b")] == [first, first]


def test_automatic_steps_can_be_switched_off() -> None:
    """Without automatic steps a step that was not given stays absent, and moves no clock."""
    steps = Steps(auto_step=False)
    assert [steps.stamp(point("a"), step) for step in (None, 5, None, 6)] == [None, 5, None, 6]
    assert steps.notices == []


@pytest.mark.parametrize("step", [None, 5])
def test_an_event_without_tags_keeps_its_step(step: int | None) -> None:
    """An event without a step axis, a graph for example, keeps the step that it was given, or none."""
    assert Steps().stamp(point(), step) == step


def test_the_last_step_of_all_is_not_passed() -> None:
    """At the end of int64 automatic steps stay there, which is then said like any step that does not rise."""
    steps = Steps()
    steps.stamp(point("a"), INT64_MAX)
    assert [steps.stamp(point("a"), None) for _ in range(2)] == [INT64_MAX, INT64_MAX]
    assert said(steps) == [Said(BACKWARDS, "", "a")]


def test_a_step_that_does_not_rise_is_told_with_its_run() -> None:
    """The notice names the step, the tag, its run and the step before."""
    steps = Steps()
    for step in (5, 5, 4):
        steps.stamp(point("loss", run="eval"), step)
    ((message, args),) = steps.notices
    for part in ("step 5", "'loss'", "run 'eval'", "last step 5"):
        assert part in message % args


def test_another_dashboard_is_told_with_both() -> None:
    """The notice of a tag that changed its dashboard names both, and comes once."""
    steps = Steps()
    for plugin in ("scalars", "text", "images"):
        steps.stamp(point("loss", plugin=plugin), None)
    ((message, args),) = steps.notices
    for part in ("'loss'", "'scalars'", "'text'"):
        assert part in message % args


def test_both_can_be_wrong_at_once() -> None:
    """A step that does not rise in another dashboard is told as both."""
    steps = Steps()
    steps.stamp(point("a"), 5)
    steps.stamp(point("a", plugin="text"), 5)
    assert [each.message for each in said(steps)] == [BACKWARDS, OTHER_PLUGIN]
