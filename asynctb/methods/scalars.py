"""Numbers: curves of the Scalars and Time Series dashboards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import time
from typing import Any

from asynctb.encode.arrays import INT64_MAX, INT64_MIN, as_number
from asynctb.encode.scalar import PLUGIN, head, log, scalar, scalars
from asynctb.entry import Record
from asynctb.methods.base import Family, Number, R_co, Step, WallTime

__all__ = ["ScalarMethods"]


class ScalarMethods(Family[R_co]):
    """Numbers by step."""

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
        curve = self._curves.get(tag) if isinstance(tag, str) else None
        if (
            curve is not None
            and not new_style
            and walltime is None
            and (global_step is None or (type(global_step) is int and INT64_MIN <= global_step <= INT64_MAX))
        ):
            wall_time = time()
            number = scalar_value if type(scalar_value) is float else as_number(tag, scalar_value)
            return self._emit_point(curve, number, global_step, wall_time)
        emitted = self._emit(
            "add_scalar", tag, global_step, walltime, scalar, tag, scalar_value, new_style, double_precision
        )
        if curve is None:
            self._curves.learn(tag, head, PLUGIN)
        return emitted

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
