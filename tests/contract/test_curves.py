"""What is known of a curve shortens the way of its next number, and changes nothing else."""

import asyncio
import logging
import tempfile
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb import AsyncSummaryWriter, EncodeError, SummaryWriter
from asynctb.methods import base, scalars
from tests.contract.disk import Disk
from tests.contract.seen import points, steps
from tests.inputs import DOUBLES, INT64_MAX, INT64_MIN, holds
from tests.readback.events import run_events

TAGS = st.sampled_from(["a", "b/c", "", "a" * 40])
STEPS = (
    st.none() | st.integers(-2, 40) | st.sampled_from([INT64_MIN, INT64_MAX, INT64_MAX - 1, INT64_MAX + 1, 2.0, "3"])
)
ACTS = st.one_of(
    st.tuples(st.just("add_scalar"), TAGS, DOUBLES | st.integers(-3, 3) | st.just("0.5"), STEPS),
    st.tuples(st.just("add_scalar"), TAGS, DOUBLES, STEPS, st.sampled_from([None, 1.5])),
    st.tuples(st.just("add_scalar"), TAGS, DOUBLES, STEPS, st.none(), st.just(True)),
    st.tuples(st.just("add_text"), TAGS, st.just("words"), STEPS),
    st.tuples(st.just("log"), st.dictionaries(TAGS, DOUBLES, max_size=2), STEPS),
)
Act = tuple[Any, ...]


class Nothing:
    """What is known of no curve."""

    def get(self, _: str) -> None:
        return None

    def learn(self, *_: object) -> None:
        pass


def add(writer: Any, act: Act) -> tuple[Any, str]:
    """Make a call; return what came of it, and how it failed."""
    try:
        return getattr(writer, act[0])(*act[1:]), ""
    except EncodeError as error:
        return None, str(error)


def by_script(log_dir: str, acts: Sequence[Act], known: bool) -> list[str]:
    with SummaryWriter(log_dir) as writer:
        if not known:
            writer._curves = Nothing()  # type: ignore[assignment]
        return [add(writer, act)[1] for act in acts]


def by_nowait(log_dir: str, acts: Sequence[Act], known: bool) -> list[str]:
    async def log() -> list[str]:
        async with AsyncSummaryWriter(log_dir) as writer:
            if not known:
                writer.nowait._curves = Nothing()  # type: ignore[assignment]
            return [add(writer.nowait, act)[1] for act in acts]

    return asyncio.run(log())


def by_await(log_dir: str, acts: Sequence[Act], known: bool) -> list[str]:
    async def log() -> list[str]:
        async with AsyncSummaryWriter(log_dir) as writer:
            if not known:
                writer._curves = Nothing()  # type: ignore[assignment]
            failures = []
            for act in acts:
                coroutine, failure = add(writer, act)
                failures.append(failure)
                if coroutine is not None:
                    await coroutine
            return failures

    return asyncio.run(log())


def story(log: Callable[[str, Sequence[Act], bool], list[str]], acts: Sequence[Act], known: bool) -> Any:
    """Return all that is seen of some adds: the events, the failures, and what is logged."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("asynctb")
    logger.addHandler(handler)
    try:
        with tempfile.TemporaryDirectory() as log_dir:
            with (
                mock.patch.object(base, "time", return_value=7.0),
                mock.patch.object(scalars, "time", return_value=7.0),
            ):
                failures = log(log_dir, acts, known)
            events = [each for each in run_events(log_dir)["."] if each.HasField("summary")]
            return [each.SerializeToString(deterministic=True) for each in events], failures, sorted(said)
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("log", [by_script, by_nowait, by_await])
def test_the_short_way_is_the_long_one(log: Callable[[str, Sequence[Act], bool], list[str]]) -> None:
    """Any adds make the same events, fail alike and are told of alike, whether curves are known or not."""

    @given(st.lists(ACTS, max_size=12))
    @holds(60)
    def check(acts: list[Act]) -> None:
        assert story(log, acts, True) == story(log, acts, False)

    check()


def test_a_known_curve_is_known(tmp_path: Any) -> None:
    """The second point of a tag makes it known, and the third goes the short way."""
    with SummaryWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_scalar("a", 1.0, step)
        with mock.patch.object(writer, "_emit", side_effect=AssertionError):
            writer.add_scalar("a", 1.0, 3)
    assert steps(tmp_path) == [0, 1, 2, 3]


def test_numbers_among_other_entries(tmp_path: Any) -> None:
    """Numbers and other entries that are written together stay in the order in which they were accepted."""
    disk = Disk()
    with SummaryWriter(tmp_path) as writer:
        for step in range(2):
            writer.add_scalar("a", 1.0, step)
        writer.flush()
        disk.under(writer)
        held = disk.hold()
        writer.add_scalar("a", 1.0, 2)
        assert held.wait(20)
        for step in range(3, 100):
            writer.add_scalar("a", 1.0, step)
            writer.add_text("t", "words", step)
        disk.release()
    found = [(point.tag[0], point.step) for point in points(tmp_path)]
    assert found == [("a", 0), ("a", 1), ("a", 2), *((tag, step) for step in range(3, 100) for tag in "at")]
