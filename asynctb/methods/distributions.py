"""Histograms, precision-recall curves and tensors: the Histograms, Distributions and PR Curves dashboards."""

from __future__ import annotations

from collections.abc import Sequence

from asynctb.encode.histogram import histogram, histogram_raw
from asynctb.methods.base import ArrayLike, Family, Number, R_co, Step, WallTime

__all__ = ["DistributionMethods"]


class DistributionMethods(Family[R_co]):
    """Many numbers by step."""

    def add_histogram(
        self,
        tag: str,
        values: ArrayLike,
        global_step: Step = None,
        bins: str | int | Sequence[float] | ArrayLike = "tensorflow",
        walltime: WallTime = None,
        max_bins: int | None = None,
    ) -> R_co:
        """Add the distribution of many values to the Histograms and Distributions dashboards.

        Args:
            tag: the histogram's name; `/` groups histograms under a heading.
            values: real numbers of any shape. What is not finite is left out, which the log says once for the tag.
            global_step: the histogram's step; None for one more than this tag's last step, from 0.
            bins: how values are put into buckets. "tensorflow": 774 on each side of 0, from 1e-12 to 1e20, each a
                tenth wider than the one before; values beyond count in the outermost. Or how many of equal width, up
                to 10,000; or their edges, in rising order; or one of the rules of `numpy.histogram_bin_edges`: "auto",
                "doane", "fd", "rice", "scott", "sqrt", "sturges".
            walltime: seconds since the epoch; None for now.
            max_bins: how many buckets are stored at most: neighbours are joined until they are so few. An empty one
                before them, which holds the left limit of the first, does not count.

        Buckets before the first that holds a value and behind the last are not stored. The sums of the values and of
        their squares are taken in float64.

        Raises:
            EncodeError: for values that are no array of real numbers, of which none is finite, or whose range is
                beyond float64 where `bins` divides it; and for `bins` and `max_bins` that are none of the above.
        """
        return self._emit(
            "add_histogram", tag, global_step, walltime, histogram, tag, values, bins, max_bins, self._notices.once
        )

    def add_histogram_raw(
        self,
        tag: str,
        min: Number,
        max: Number,
        num: Number,
        sum: Number,
        sum_squares: Number,
        bucket_limits: ArrayLike,
        bucket_counts: ArrayLike,
        global_step: Step = None,
        walltime: WallTime = None,
    ) -> R_co:
        """Add a distribution that was counted elsewhere, as it is.

        Args:
            tag: the histogram's name.
            min: the least value.
            max: the greatest value.
            num: how many values there are.
            sum: the sum of all values.
            sum_squares: the sum of their squares.
            bucket_limits: the right limit of each bucket, (N,).
            bucket_counts: how many values each bucket holds, (N,).
            global_step: the histogram's step; None for one more than this tag's last step, from 0.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for numbers that are none, and lists that are not of one length.
        """
        return self._emit(
            "add_histogram_raw",
            tag,
            global_step,
            walltime,
            histogram_raw,
            tag,
            min,
            max,
            num,
            sum,
            sum_squares,
            bucket_limits,
            bucket_counts,
        )
