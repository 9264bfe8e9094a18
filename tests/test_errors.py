"""Errors say whose mistake it is, what was wanted and what came, and survive a pickle."""

import copy
import errno
import os
import pickle
import re

import numpy as np
import pytest

import asynctb
from asynctb import errors
from asynctb.errors import AsynctbError, CorruptRecord, EncodeError, StorageError, WriterClosed, WrongLoop, describe

LONGEST = 1000  # characters of a message that a terminal still shows as one


class Unshowable:
    """Its repr fails, as that of a half-made object does."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


array = type("array", (), {})  # named as MLX names its arrays, and as reprlib knows Python's

UNWIELDY = {
    "an integer that Python does not print": 10**5000,
    "the same in a list": [10**5000],
    "a class that is named array": array(),
    "an object without a repr": Unshowable(),
    "a long text": "x" * 100_000,
    "many bytes": bytes(100_000),
    "a long list": list(range(100_000)),
    "a deep list": [[[[["x" * 80] * 6] * 6] * 6] * 6] * 6,
    "a large dict": {str(number): "y" * 100 for number in range(1000)},
    "a large array": np.zeros((1000, 1000)),
}
EACH_UNWIELDY = pytest.mark.parametrize("value", UNWIELDY.values(), ids=UNWIELDY)


def bare(kind: type[AsynctbError]) -> AsynctbError:
    """Make an error of any of our classes."""
    arguments = {EncodeError: ("loss", "a number", None), StorageError: ("no disk",), CorruptRecord: (7, "torn")}
    return kind(*arguments.get(kind, ("why",)))


EACH = pytest.mark.parametrize("kind", [getattr(errors, name) for name in errors.__all__])


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (EncodeError, ValueError),
        (StorageError, OSError),
        (WriterClosed, RuntimeError),
        (WrongLoop, RuntimeError),
        (CorruptRecord, Exception),
    ],
)
def test_each_is_ours_and_pythons(kind: type[AsynctbError], builtin: type[Exception]) -> None:
    """Each error is caught by our base class and by the built-in one that a caller would expect."""
    with pytest.raises(builtin) as caught:
        raise bare(kind)
    assert isinstance(caught.value, AsynctbError)


def test_the_tree_is_drawn_as_it_is() -> None:
    """The module's docstring draws every class, and no other."""
    assert errors.__doc__ is not None
    drawn = re.findall(r"^(?:[├└]── )?([A-Z]\w+)(?=$|  )", errors.__doc__, re.MULTILINE)
    assert sorted(drawn) == sorted(errors.__all__)


@EACH
def test_each_is_public(kind: type[AsynctbError]) -> None:
    """Users can catch each error by its name in the package."""
    assert getattr(asynctb, kind.__name__) is kind


def test_encode_error_names_tag_wanted_and_got() -> None:
    """The message of a bad value names its tag, what was wanted, and what came with its type."""
    error = EncodeError("loss/train", "one real number", [1, 2])
    assert (error.tag, error.wanted, error.got) == ("loss/train", "one real number", [1, 2])
    assert str(error) == "'loss/train': wanted one real number, got [1, 2] (list)"


@EACH_UNWIELDY
def test_describe_is_short_and_names_the_type(value: object) -> None:
    """Whatever came is described in a few words that end with its type, and never fails."""
    text = describe(value)
    assert text.endswith(f"({type(value).__name__})")
    assert len(text) < LONGEST


@EACH_UNWIELDY
def test_any_value_may_stand_where_a_tag_should(value: object) -> None:
    """A message can be made also when the bad value came as the tag, or is the tag's whole trouble."""
    if isinstance(value, str):
        assert repr(value) in str(EncodeError(value, "a tag", value))
    else:
        assert len(str(EncodeError(value, "a tag: text", value))) < 2 * LONGEST


def test_storage_error_tells_the_systems_error() -> None:
    """A storage error has the number, text and file of the operating system's, where there was one."""
    cause = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "runs/a")
    error = StorageError("3 entries are not stored", 3, cause)
    assert (error.unwritten, error.errno, error.strerror) == (3, errno.ENOENT, os.strerror(errno.ENOENT))
    assert error.filename == "runs/a"
    assert str(error) == "3 entries are not stored"


@pytest.mark.parametrize("cause", [None, TimeoutError("too long"), ValueError("odd")])
def test_storage_error_without_the_systems(cause: Exception | None) -> None:
    """A storage error that the system gave no number for has none."""
    error = StorageError("too late", 1, cause)
    assert (error.errno, error.filename, error.unwritten) == (None, None, 1)
    assert StorageError("too late").unwritten == 0


def test_corrupt_record_tells_where_and_why() -> None:
    """A corrupt record's error has its place and the check that failed."""
    error = CorruptRecord(46, "the checksum of its length does not fit")
    assert (error.offset, error.reason) == (46, "the checksum of its length does not fit")
    assert str(error) == "corrupt record at byte 46: the checksum of its length does not fit"


@EACH
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_each_survives_a_process_boundary(kind: type[AsynctbError], again: object) -> None:
    """A copy, as a worker process sends it home, is of the same class and says and holds the same."""
    assert callable(again)
    error = bare(kind)
    other = again(error)
    assert type(other) is kind
    assert (str(other), vars(other)) == (str(error), vars(error))


def test_a_pickled_storage_error_keeps_the_systems_facts() -> None:
    """A storage error from a worker process still tells a full disk from a missing one."""
    error = StorageError("no room", 2, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a"))
    other = pickle.loads(pickle.dumps(error))
    assert (other.errno, other.strerror, other.filename) == (error.errno, error.strerror, error.filename)
    assert (other.unwritten, other.message) == (2, "no room")
