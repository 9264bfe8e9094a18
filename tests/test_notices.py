"""The writer speaks through `logging`, not too often, and whatever listens to it cannot end it."""

import logging
import warnings
from collections.abc import Iterator

import pytest

from asynctb.notices import EVERY, MANY, Notices, logger


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notices(clock: Clock) -> Notices:
    return Notices(clock)


class Failing(logging.Handler):
    """A handler with a fault of its own."""

    def handle(self, record: logging.LogRecord) -> bool:
        raise RuntimeError("the log server is down")


@pytest.fixture
def failing_handler() -> Iterator[None]:
    handler = Failing()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)


def test_say_logs_under_the_packages_name(notices: Notices, caplog: pytest.LogCaptureFixture) -> None:
    """What is said is a warning of the logger `asynctb`, with its arguments put in."""
    notices.say("%d entries in %s", 3, "runs")
    assert caplog.record_tuples == [("asynctb", logging.WARNING, "3 entries in runs")]


def test_the_level_is_as_told(notices: Notices, caplog: pytest.LogCaptureFixture) -> None:
    """A level that is given is the record's."""
    caplog.set_level(logging.DEBUG, "asynctb")
    notices.say("quietly", level=logging.INFO)
    assert notices.sometimes("key", "loudly", level=logging.ERROR)
    assert [record.levelno for record in caplog.records] == [logging.INFO, logging.ERROR]


def test_once_is_once_for_a_key(notices: Notices, caplog: pytest.LogCaptureFixture) -> None:
    """What is said once is not said again under the same key, with whatever words, but is under another."""
    for tag in ("a", "b", "a"):
        notices.once(("log", tag), "skips %r", tag)
    notices.once(("log", "a"), "other words")
    assert [record.getMessage() for record in caplog.records] == ["skips 'a'", "skips 'b'"]


def test_each_writer_says_it_once(caplog: pytest.LogCaptureFixture) -> None:
    """Two writers do not silence each other."""
    Notices().once("key", "first")
    Notices().once("key", "second")
    assert [record.getMessage() for record in caplog.records] == ["first", "second"]


def test_keys_made_up_as_the_program_runs_end_some_day(notices: Notices) -> None:
    """Neither the memory nor the log grows for ever with tags that are made up: so many different things are said."""
    before, logger.disabled = logger.disabled, True
    try:
        for number in range(MANY + 1000):
            notices.once(number, "tag %d", number)
    finally:
        logger.disabled = before
    assert len(notices._said) == MANY


def test_sometimes_is_every_few_seconds(notices: Notices, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """What is said sometimes is said at once, then not until some seconds have passed since it was said."""
    told = []
    for seconds in (0.0, 1.0, EVERY - 1.5, 0.4, 0.2, EVERY, EVERY / 2):
        clock.now += seconds
        told.append(notices.sometimes("full", "dropped"))
    assert told == [True, False, False, False, True, True, False]
    assert len(caplog.records) == sum(told)


def test_sometimes_is_for_each_key(notices: Notices) -> None:
    """One kind of message does not keep another from being said."""
    assert notices.sometimes("full", "dropped")
    assert notices.sometimes("sync", "not synced")


def test_a_first_message_is_said_right_after_the_machine_started(notices: Notices, clock: Clock) -> None:
    """The very first message is said whatever the clock shows, also just after it began at zero."""
    clock.now = 0.0
    assert notices.sometimes("full", "dropped")


@pytest.mark.usefixtures("failing_handler")
def test_a_failing_handler_ends_nothing(notices: Notices) -> None:
    """A log handler that raises does not raise into the writer."""
    notices.say("one")
    notices.once("key", "two")
    assert notices.sometimes("key", "three")


def test_a_message_that_does_not_fit_its_arguments_ends_nothing(
    notices: Notices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message whose arguments do not fit, or fail to be shown, does not raise into the writer."""
    monkeypatch.setattr(logging, "raiseExceptions", False)

    class Unshowable:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    notices.say("%d of %s", "many")
    notices.say("%s", Unshowable())


def test_nothing_is_said_through_warnings(notices: Notices) -> None:
    """No message goes through `warnings`, where `-W error` would make it an exception."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        notices.say("one")
        notices.once("key", "two")
        notices.sometimes("key", "three")
    assert caught == []
