"""Arrays are encoded at once where that costs less than a thread, and otherwise left with their owner."""

from typing import Any

import numpy as np
import pytest

from asynctb.encode.arrays import Held, held
from asynctb.encode.drafts import draft
from asynctb.entry import Draft, Record

SMALL = np.zeros(4, np.uint8)


def prepare(*arrays: Any) -> Any:
    """Encode arrays as their bytes."""
    return lambda: b"".join(array.tobytes() for array in arrays)


class Unread:
    """An array that must not be read yet."""

    nbytes = 4

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        pytest.fail("it was read at the call")


@pytest.mark.parametrize(("at_once", "kind"), [(4, Record), (3, Draft), (-1, Draft)])
def test_small_arrays_are_encoded_at_once(at_once: int, kind: type) -> None:
    """Up to so many bytes there is a record, with more a draft of that size."""
    entry = draft(["t"], "p", [held("t", SMALL)], prepare, at_once=at_once)
    assert type(entry) is kind
    assert isinstance(entry, Record) or (isinstance(entry, Draft) and entry.size == 4)


def test_what_is_far_is_not_read_at_the_call() -> None:
    """A small array on a device would make the caller wait for the device."""
    entry = draft(["t"], "p", [Held("t", Unread(), "an array", 4, far=True)], prepare, at_once=100)
    assert isinstance(entry, Draft)
    assert entry.far


def test_what_encoding_needs_counts() -> None:
    """A few bytes of which much is made are counted with that, and made in a thread."""
    entry = draft(["t"], "p", [held("t", SMALL)], prepare, at_once=100, least=1 << 20)
    assert isinstance(entry, Draft)
    assert entry.size == 1 << 20
