"""What all families of `add_*` share: how an add gives back what its writer gives back, and its first checks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from time import time
from typing import Any, Generic, Protocol, SupportsFloat, SupportsInt, TypeAlias, TypeVar, cast

from asynctb.encode.arrays import INT64_MAX, INT64_MIN, as_step, as_wall_time
from asynctb.encode.custom_scalars import Layout
from asynctb.entry import Draft, Entry, Record
from asynctb.notices import Notices

__all__ = ["ArrayLike", "Family", "Make", "Number", "R_co", "Step", "WallTime", "checked"]

R_co = TypeVar("R_co", covariant=True)

Number: TypeAlias = SupportsFloat | str
"""One real number: Python's, numpy's, a one-element array or tensor of any library, or numeric text."""

ArrayLike: TypeAlias = Any
"""Real numbers: an array or tensor of any library, on any device, with or without gradient; or nested lists of them."""

Step: TypeAlias = SupportsInt | None
"""A global step within int64; None for one more than the tag's last."""

WallTime: TypeAlias = SupportsFloat | None
"""Seconds since the epoch; None for now."""

Make: TypeAlias = Callable[..., Entry | Sequence[Entry]]
"""Checks an add's arguments and returns what is to be stored; raises `EncodeError`."""


class Curves(Protocol):
    """The tags of which a writer knows all but the number and the step of their next point."""

    def get(self, tag: str, /) -> Any:
        """Return one, or None."""

    def learn(self, tag: str, head: Callable[[str], bytes], plugin: str) -> None:
        """Have a tag among them if it has a point; `head` gives what the payload of each of its numbers begins with."""


class Family(ABC, Generic[R_co]):
    """Some of the `add_*`. All raise `EncodeError` for what cannot be stored, and then store nothing of it."""

    _notices: Notices
    _layout: Layout
    _curves: Curves

    @abstractmethod
    def _emit(self, method: str, tag: str, step: Step, walltime: WallTime, make: Make, *args: Any) -> R_co:
        """Check at once, take the wall time at once, and store what `make` returns for these arguments."""

    @abstractmethod
    def _emit_point(self, curve: Any, number: float, step: int | None, wall_time: float) -> R_co:
        """Store the next number of one of `_curves`: what is logged most, on the shortest way."""


def checked(
    tag: str, step: Step, walltime: WallTime, make: Make, args: tuple[Any, ...]
) -> tuple[Sequence[Entry], int | None, float]:
    """Run an add's checks: return its entries, its step and its wall time, now if none was given."""
    wall_time = time() if walltime is None else as_wall_time(tag, walltime)
    made = make(*args)
    # Entries are tuples themselves, so it takes their type to tell one from several.
    entries = (made,) if type(made) is Record or type(made) is Draft else cast("Sequence[Entry]", made)
    if type(step) is int and INT64_MIN <= step <= INT64_MAX:
        return entries, step, wall_time
    return entries, as_step(tag, step), wall_time
