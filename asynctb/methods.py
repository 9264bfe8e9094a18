"""Every `add_*`, once. What an add gives back is all in which the writers differ: a coroutine, None, or a bool."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any, Generic, SupportsFloat, SupportsInt, TypeAlias, TypeVar, cast

from asynctb.encode.arrays import INT64_MAX, INT64_MIN, as_step, as_wall_time
from asynctb.encode.scalar import log, scalar, scalars
from asynctb.encode.text import text
from asynctb.entry import Draft, Entry, Record
from asynctb.notices import Notices

__all__ = ["AddMethods", "Make", "Number", "Step", "WallTime"]

R_co = TypeVar("R_co", covariant=True)

Number: TypeAlias = SupportsFloat | str
"""One real number: Python's, numpy's, a one-element array or tensor of any library, or numeric text."""

Step: TypeAlias = SupportsInt | None
"""A global step within int64; None for one more than the tag's last."""

WallTime: TypeAlias = SupportsFloat | None
"""Seconds since the epoch; None for now."""

Make: TypeAlias = Callable[..., Entry | Sequence[Entry]]
"""Checks an add's arguments and returns what is to be stored; raises `EncodeError`."""


class AddMethods(ABC, Generic[R_co]):
    """What can be logged. All methods raise `EncodeError` at the call for what cannot, and then store nothing of it."""

    _notices: Notices

    @abstractmethod
    def _emit(self, method: str, tag: str, step: Step, walltime: WallTime, make: Make, *args: Any) -> R_co:
        """Check at once, take the wall time at once, and store what `make` returns for these arguments."""

    def add_scalar(
        self,
        tag: str,
        scalar_value: Number,
        global_step: Step = None,
        walltime: WallTime = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> R_co:
        """Add a point to a curve of the Scalars dashboard.

        Args:
            tag: the curve's name; `/` groups curves under a heading.
            scalar_value: one real number, NaN and infinities included. Any one-element array or tensor will do, on any
                device, with or without gradient.
            global_step: the point's place on the x axis; None for one more than this tag's last step, from 0.
            walltime: seconds since the epoch; None for now.
            new_style: store a tensor instead of a `simple_value`, which TensorBoard shows alike.
            double_precision: keep float64, of which TensorBoard's default loader shows no point (its Python loader
                does, with `--load_fast=false`); counts only with `new_style`, as in torch. Otherwise values are
                rounded to float32, and larger ones become infinite.

        Raises:
            EncodeError: for a tag that is no text or not encodable, a value that is not one real number, a step
                outside int64, a wall time that is not finite.
        """
        return self._emit(
            "add_scalar", tag, global_step, walltime, scalar, tag, scalar_value, new_style, double_precision
        )

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Number],
        global_step: Step = None,
        walltime: WallTime = None,
    ) -> R_co:
        """Add a point to each of several curves that share one chart of the Scalars dashboard.

        Each curve is a run of its own, in the directory `{main_tag}_{key}` below the log directory, as in torch (a `/`
        of the main tag becomes `_`, one of the key a directory). At most 64 files are open at once, however many keys.

        Args:
            main_tag: the chart's name, and the tag of every point.
            tag_scalar_dict: a number for each curve, by its name.
            global_step: the points' place on the x axis; None for one more than each curve's last step, from 0.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: as `add_scalar`, and for a name that leads out of the log directory. Nothing of the call is
                stored then.
        """
        return self._emit("add_scalars", main_tag, global_step, walltime, scalars, main_tag, tag_scalar_dict)

    def add_text(
        self,
        tag: str,
        text_string: str | Sequence[Sequence[object]],
        global_step: Step = None,
        walltime: WallTime = None,
        *,
        header: Sequence[object] | None = None,
    ) -> R_co:
        """Add a text, or a table, to the Text dashboard, under the tag `{tag}/text_summary`.

        Args:
            tag: the text's name.
            text_string: Markdown, stored as it is; or a list of rows, each a list of cells, which makes a table whose
                cells show their text literally, whatever Markdown or HTML is in it.
            global_step: the text's step; None for one more than this tag's last step, from 0.
            walltime: seconds since the epoch; None for now.
            header: the table's column names; only with a list of rows.

        Raises:
            EncodeError: for what is neither text nor rows of one length, and text that UTF-8 cannot encode.
        """
        return self._emit("add_text", tag, global_step, walltime, text, tag, text_string, header)

    def log(self, metrics: Mapping[str, Any], step: Step = None, walltime: WallTime = None) -> R_co:
        """Add a point to each of many curves, in one event.

        Args:
            metrics: numbers by tag; nested mappings join their keys with `/`. What is no number (None, text, a list, an
                array of several elements) is skipped, and said once per tag in the log.
            step: the points' place on the x axis; None for one more than the largest last step of these tags.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for what is no mapping, and for tags that are no text or not encodable.
        """
        return self._emit("log", "log", step, walltime, self._numbers, metrics)

    def _numbers(self, metrics: Mapping[str, Any]) -> Sequence[Record]:
        records, skipped = log(metrics)
        for tag, value in skipped:
            message = "asynctb: log skips tag %r: a %s is no number. (Said once for this tag.)"
            self._notices.once(("log", tag), message, tag, type(value).__name__)
        return records


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
