"""Options that no writer could work with are refused; figures of two files add up."""

import inspect
import math
import threading
from collections import Counter
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.errors import EncodeError
from asynctb.pipeline.options import Options, Stats
from tests.inputs import holds

NUMBERS = ["max_queue", "flush_secs", "max_bytes", "exit_timeout"]
EACH_NUMBER = pytest.mark.parametrize("name", NUMBERS)

COUNTS = st.integers(0, 1000)
STATS = st.builds(
    Stats,
    accepted=COUNTS,
    written=COUNTS,
    pending=COUNTS,
    pending_bytes=COUNTS,
    dropped=st.dictionaries(st.sampled_from(["full", "storage", "closed"]), st.integers(1, 9)),
    last_error=st.none() | st.builds(OSError),
)


def test_defaults_are_torchs() -> None:
    """The options that torch has too have torch's defaults."""
    torch = pytest.importorskip("torch.utils.tensorboard", reason="torch is not installed")
    theirs = inspect.signature(torch.SummaryWriter).parameters
    assert {name: getattr(Options(), name) for name in ("max_queue", "flush_secs")} == {
        name: theirs[name].default for name in ("max_queue", "flush_secs")
    }


def test_defaults_are_the_contracts() -> None:
    """The options that are ours have the contract's defaults: 64 MiB, waiting for room, 5 s at the exit."""
    options = Options()
    assert (options.max_bytes, options.overflow, options.exit_timeout) == (64 * 1024 * 1024, "wait", 5)


@EACH_NUMBER
@pytest.mark.parametrize("value", [0, 1, 0.5, 10**6])
def test_numbers_are_kept(name: Any, value: Any) -> None:
    """Any number that is not negative is taken as it is."""
    assert getattr(Options(**{name: value}), name) == value


@EACH_NUMBER
@pytest.mark.parametrize("value", [-1, -0.5, -math.inf, math.nan, "10", None, True, [], 1j])
def test_what_is_no_such_number_is_refused(name: str, value: Any) -> None:
    """Negative numbers, NaN, truth values and everything else are refused, with the option's name."""
    with pytest.raises(EncodeError) as caught:
        Options(**{name: value})
    assert (caught.value.tag, caught.value.got is value) == (name, True)


@pytest.mark.parametrize("value", [math.inf, 1e300, threading.TIMEOUT_MAX * 2])
def test_for_ever_is_as_long_as_a_lock_can_wait(value: float) -> None:
    """An exit timeout without end is one that a lock can wait for: otherwise the exit itself would fail."""
    timeout = Options(exit_timeout=value).exit_timeout
    lock = threading.Lock()
    assert lock.acquire(timeout=timeout)
    assert timeout == threading.TIMEOUT_MAX


@pytest.mark.parametrize(("name", "choices"), [("overflow", ("wait", "drop")), ("on_storage_error", ("raise", "log"))])
def test_choices_are_taken_and_told(name: str, choices: tuple[str, ...]) -> None:
    """Each choice is taken, and anything else is refused with the option's name and all choices."""
    for choice in choices:
        assert getattr(Options(**{name: choice}), name) == choice  # type: ignore[arg-type]
    unfit: list[Any] = ["", "WAIT", None, True, [], 5]
    for wrong in unfit:
        with pytest.raises(EncodeError) as caught:
            Options(**{name: wrong})
        assert caught.value.tag == name
        assert all(repr(choice) in str(caught.value) for choice in choices)


def test_options_are_frozen() -> None:
    """Options cannot be changed under a running writer."""
    with pytest.raises(FrozenInstanceError):
        Options().max_queue = 5  # type: ignore[misc]


# Figures


@holds()
@given(STATS, STATS)
def test_figures_add_up(early: Stats, late: Stats) -> None:
    """The figures of two files are the sums of theirs, reason by reason, with the latest error that there was."""
    both = early + late
    for name in ("accepted", "written", "pending", "pending_bytes"):
        assert getattr(both, name) == getattr(early, name) + getattr(late, name)
    assert both.dropped == Counter(early.dropped) + Counter(late.dropped)
    assert both.last_error is (late.last_error if late.last_error is not None else early.last_error)


@holds()
@given(STATS, STATS, STATS)
def test_figures_add_up_in_any_grouping(first: Stats, second: Stats, third: Stats) -> None:
    """Nothing is counted twice or lost over several files, and no figures are neutral."""
    assert (first + second) + third == first + (second + third)
    assert first + Stats() == Stats() + first == first


def test_no_drops_cannot_be_added_to() -> None:
    """The figures of a writer that dropped nothing share no mutable count with others."""
    with pytest.raises(TypeError):
        Stats().dropped["full"] = 1  # type: ignore[index]
