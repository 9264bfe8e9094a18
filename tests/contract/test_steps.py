"""Steps: each tag of each run has a clock of its own, and what TensorBoard would hide is said once."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.contract.seen import Point, points, steps
from tests.readback.events import run_events

COLOURS = ["await", "nowait", "sync"]
INT64_MAX = (1 << 63) - 1

Add = Callable[..., None]
"""Calls a method by its name."""


def write(colour: str, log_dir: Path, script: Callable[[Add], None], **options: Any) -> None:
    """Run what adds through one of the writers, each add after the other, and close it."""
    calls: list[tuple[str, tuple[Any, ...]]] = []
    script(lambda method, *args: calls.append((method, args)))

    async def main() -> None:
        async with AsyncSummaryWriter(log_dir, **options) as writer:
            for method, args in calls:
                if colour == "await":
                    await getattr(writer, method)(*args)
                else:
                    assert getattr(writer.nowait, method)(*args)

    if colour != "sync":
        asyncio.run(main())
        return
    with SummaryWriter(log_dir, **options) as writer:
        for method, args in calls:
            getattr(writer, method)(*args)


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    """Each of the ways to add."""
    return str(request.param)


def test_each_tag_counts_for_itself(colour: str, tmp_path: Path) -> None:
    """Without a step each tag counts from 0, and goes on from a step that is given."""

    def script(add: Add) -> None:
        add("add_scalar", "a", 1.0)
        add("add_scalar", "a", 2.0)
        add("add_scalar", "b", 3.0)
        add("add_scalar", "a", 4.0, 10)
        add("add_scalar", "a", 5.0)
        add("add_scalar", "b", 6.0)
        add("add_scalar", "b", 7.0, -3)
        add("add_scalar", "b", 8.0)

    write(colour, tmp_path, script)
    assert points(tmp_path) == [
        ("a", 0, 1.0),
        ("a", 1, 2.0),
        ("b", 0, 3.0),
        ("a", 10, 4.0),
        ("a", 11, 5.0),
        ("b", 1, 6.0),
        ("b", -3, 7.0),
        ("b", -2, 8.0),
    ]


def test_each_run_counts_for_itself(colour: str, tmp_path: Path) -> None:
    """The same tag has a clock in every run: each curve of `add_scalars` counts by itself."""

    def script(add: Add) -> None:
        add("add_scalar", "a", 1.0)
        add("add_scalars", "a", {"k": 1.0})
        add("add_scalars", "a", {"k": 1.0, "l": 1.0})
        add("add_scalars", "a", {"l": 1.0}, 7)
        add("add_scalars", "a", {"k": 1.0, "l": 1.0})
        add("add_scalar", "a", 1.0)

    write(colour, tmp_path, script)
    assert steps(tmp_path) == [0, 1]
    assert steps(tmp_path, "a", "a_k") == [0, 1, 2]
    assert steps(tmp_path, "a", "a_l") == [0, 7, 8]


def test_methods_share_a_tags_clock(colour: str, tmp_path: Path) -> None:
    """`add_scalar` and `log` count on from each other; a text has the clock of its own tag."""

    def script(add: Add) -> None:
        add("add_scalar", "a", 1.0)
        add("log", {"a": 2.0})
        add("add_scalar", "a", 3.0)
        add("add_text", "a", "words")
        add("add_text", "a", "words")

    write(colour, tmp_path, script)
    assert steps(tmp_path) == [0, 1, 2]
    assert steps(tmp_path, "a/text_summary") == [0, 1]


def test_log_takes_one_more_than_the_largest(colour: str, tmp_path: Path) -> None:
    """`log` without a step gives all its tags one more than the largest last step among them."""

    def script(add: Add) -> None:
        add("log", {"a": 1.0, "b": 1.0})
        add("add_scalar", "b", 1.0, 5)
        add("log", {"a": 1.0, "b": 1.0, "c": {"d": 1.0}})
        add("log", {"e": 1.0})
        add("log", {"e": 1.0, "a": 1.0})

    write(colour, tmp_path, script)
    assert points(tmp_path) == [
        ("a", 0, 1.0),
        ("b", 0, 1.0),
        ("b", 5, 1.0),
        ("a", 6, 1.0),
        ("b", 6, 1.0),
        ("c/d", 6, 1.0),
        ("e", 0, 1.0),
        ("e", 7, 1.0),
        ("a", 7, 1.0),
    ]


def test_a_log_is_one_event(colour: str, tmp_path: Path) -> None:
    """All numbers of a `log` are one event, with one step and one wall time."""
    write(colour, tmp_path, lambda add: add("log", {f"tag/{number}": number for number in range(100)}, 3, 4.0))
    (event,) = (event for event in run_events(tmp_path)["."] if event.HasField("summary"))
    assert (event.step, event.wall_time, len(event.summary.value)) == (3, 4.0, 100)


@pytest.mark.parametrize("purge_step", [100, 0, -5, 1 << 40])
def test_counting_starts_at_the_purge_step(purge_step: int, colour: str, tmp_path: Path) -> None:
    """A resumed run counts from its `purge_step`, in every tag and run."""

    def script(add: Add) -> None:
        for _ in range(2):
            add("add_scalar", "a", 1.0)
            add("add_scalars", "b", {"k": 1.0})
            add("log", {"c": 1.0, "d": 1.0})

    write(colour, tmp_path, script, purge_step=purge_step)
    for tag, run in (("a", "."), ("b", "b_k"), ("c", "."), ("d", ".")):
        assert steps(tmp_path, tag, run) == [purge_step, purge_step + 1]


def test_without_auto_step_the_field_is_absent(colour: str, tmp_path: Path) -> None:
    """With `auto_step=False` an add without a step has none, as in torch; steps that are given are kept."""

    def script(add: Add) -> None:
        add("add_scalar", "a", 1.0)
        add("add_scalar", "a", 1.0, 5)
        add("add_scalar", "a", 1.0)
        add("log", {"a": 1.0})
        for _ in range(30):  # so many that they are framed together
            add("add_scalar", "a", 1.0)

    write(colour, tmp_path, script, auto_step=False, purge_step=None)
    events = [event for event in run_events(tmp_path)["."] if event.HasField("summary")]
    assert [event.step for event in events] == [0, 5, *[0] * 32]
    # An absent field is not written: in wire form a step would be 0x10 and its number.
    assert all((event.SerializeToString()[9:10] == b"\x10") == (event.step == 5) for event in events)


@pytest.mark.parametrize("step", [0, 1, -1, INT64_MAX, -(1 << 63), 127, 128, 1 << 32])
def test_steps_of_all_of_int64(step: int, colour: str, tmp_path: Path) -> None:
    """Any step within int64 is stored as it is."""
    write(colour, tmp_path, lambda add: add("add_scalar", "a", 1.0, step))
    assert points(tmp_path) == [("a", step, 1.0)]


def test_counting_ends_at_the_last_step(colour: str, tmp_path: Path) -> None:
    """Behind the largest step there is none: counting stays there, and stores the points."""

    def script(add: Add) -> None:
        add("add_scalar", "a", 1.0, INT64_MAX)
        add("add_scalar", "a", 2.0)

    write(colour, tmp_path, script)
    assert points(tmp_path) == [("a", INT64_MAX, 1.0), ("a", INT64_MAX, 2.0)]


class Five:
    """A step of another library."""

    def __int__(self) -> int:
        return 5


def test_steps_of_other_kinds(colour: str, tmp_path: Path) -> None:
    """A step may be anything that `int()` takes, or a one-element array; fractions are cut off."""
    import numpy as np

    given: list[Any] = [0, True, 2.9, np.int32(3), np.array([4]), Five(), "6", np.float64(7.5)]

    def script(add: Add) -> None:
        for step in given:
            add("add_scalar", "a", 1.0, step)

    write(colour, tmp_path, script)
    assert steps(tmp_path) == list(range(8))


def messages(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [record.message for record in caplog.records if words in record.message]


def test_a_step_that_does_not_increase(colour: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A step that stands still or goes back is stored, and logged once for its tag in its run."""

    def script(add: Add) -> None:
        for step in (5, 5, 4, 6, 6):
            add("add_scalar", "a", 1.0, step)
        for step in (0, 1, 0):
            add("add_scalar", "b", 1.0, step)
            add("add_scalars", "a", {"k": 1.0}, step)
            add("log", {"c": 1.0, "d": 1.0}, step)
        add("add_scalar", "fine", 1.0, 0)
        add("add_scalar", "fine", 1.0)

    with caplog.at_level(logging.WARNING, "asynctb"):
        write(colour, tmp_path, script)
    assert steps(tmp_path) == [5, 5, 4, 6, 6]
    assert steps(tmp_path, "a", "a_k") == [0, 1, 0]
    said = messages(caplog, "does not come after")
    assert len(said) == len(caplog.records) == 5
    for what in ("step 5 of tag 'a' does", "tag 'b'", "tag 'a' in run 'a_k'", "tag 'c'", "tag 'd'"):
        assert sum(what in message for message in said) == 1


def test_a_tag_that_changes_dashboards(colour: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A tag that goes from one dashboard to another is stored, and logged once."""

    def script(add: Add) -> None:
        add("add_scalar", "a/text_summary", 1.0)
        for _ in range(3):
            add("add_text", "a", "words")
            add("add_scalar", "a/text_summary", 1.0)
        add("add_text", "fine", "words")

    with caplog.at_level(logging.WARNING, "asynctb"):
        write(colour, tmp_path, script)
    assert steps(tmp_path, "a/text_summary") == list(range(7))
    (said,) = messages(caplog, "dashboard")
    assert "'a/text_summary'" in said
    assert "'scalars'" in said
    assert "'text'" in said
    assert len(caplog.records) == 1


def test_a_dashboard_per_run(colour: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The same tag may go to another dashboard in another run."""

    def script(add: Add) -> None:
        add("add_scalars", "a/text_summary", {"k": 1.0})
        add("add_text", "a", "words")

    with caplog.at_level(logging.WARNING, "asynctb"):
        write(colour, tmp_path, script)
    assert caplog.records == []
    assert points(tmp_path) == [Point("a/text_summary", 0, "words")]


def test_what_was_dropped_takes_no_step(tmp_path: Path) -> None:
    """An add that finds no room leaves no gap in the steps."""
    writer = AsyncSummaryWriter(tmp_path, max_bytes=500)
    assert [writer.nowait.add_scalar("a", 1.0) for _ in range(5)] == [True, True, False, False, False]

    async def main() -> None:
        await writer.add_scalar("a", 1.0)
        await writer.close()

    asyncio.run(main())
    assert steps(tmp_path) == [0, 1, 2]
