"""Histograms, precision-recall curves and tensors: the Histograms, Distributions and PR Curves dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import SupportsIndex

from asynctb.encode.histogram import histogram, histogram_raw
from asynctb.encode.pr_curve import pr_curve, pr_curve_raw
from asynctb.encode.tensor import tensor_values
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

    def add_tensor(self, tag: str, tensor: ArrayLike, global_step: Step = None, walltime: WallTime = None) -> R_co:
        """Add a tensor as it is: all its elements, its shape and its type.

        No dashboard of TensorBoard shows it. It is for programs that read event files; TensorBoard's own readers list
        it under the plugin `tensor`, and its `tensor_util.make_ndarray` makes the array of it.

        Args:
            tag: the tensor's name.
            tensor: an array or tensor of real or complex numbers, of any shape. bfloat16 and float8 become float32.
            global_step: the tensor's step; None for one more than this tag's last step, from 0.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for what is no array of numbers, and for a tensor of 2 GiB or more.
        """
        return self._emit("add_tensor", tag, global_step, walltime, tensor_values, tag, tensor)

    def add_pr_curve(
        self,
        tag: str,
        labels: ArrayLike,
        predictions: ArrayLike,
        global_step: Step = None,
        num_thresholds: SupportsIndex = 127,
        weights: ArrayLike = None,
        walltime: WallTime = None,
    ) -> R_co:
        """Add a precision-recall curve to the PR Curves dashboard.

        At each threshold, a prediction counts as positive if it reaches it. Precision is `TP / (TP + FP)`, recall is
        `TP / (TP + FN)`, with 1e-7 in place of a sum that is less.

        Args:
            tag: the curve's name.
            labels: what is true, for each element: 0 or 1, a bool, or something between.
            predictions: the probability that an element is positive, from 0 to 1, in the shape of `labels`; sides of
                length 1 do not count.
            global_step: the curve's step; None for one more than this tag's last step, from 0.
            num_thresholds: how many thresholds there are, equidistant from 0 to 1, both included; at most 1,048,576.
            weights: how much each element counts: one number, or an array that can be broadcast to `labels`.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for labels or predictions that are not from 0 to 1, or not of one shape; for weights that are
                negative, not finite or of another shape; for a number of thresholds that is no integer, or below 1.
        """
        args = (tag, labels, predictions, num_thresholds, weights)
        return self._emit("add_pr_curve", tag, global_step, walltime, pr_curve, *args)

    def add_pr_curve_raw(
        self,
        tag: str,
        true_positive_counts: ArrayLike,
        false_positive_counts: ArrayLike,
        true_negative_counts: ArrayLike,
        false_negative_counts: ArrayLike,
        precision: ArrayLike,
        recall: ArrayLike,
        global_step: Step = None,
        num_thresholds: SupportsIndex = 127,
        weights: ArrayLike = None,
        walltime: WallTime = None,
    ) -> R_co:
        """Add a precision-recall curve of numbers that are already there to the PR Curves dashboard.

        Args:
            tag: the curve's name.
            true_positive_counts: for each threshold, how many elements are rightly taken for positive; the thresholds
                are equidistant from 0 to 1, both included. All six arrays have one dimension and one length.
            false_positive_counts: how many are wrongly taken for positive.
            true_negative_counts: how many are rightly taken for negative.
            false_negative_counts: how many are wrongly taken for negative.
            precision: for each threshold; NaN where it is not defined.
            recall: for each threshold; NaN where it is not defined.
            global_step: the curve's step; None for one more than this tag's last step, from 0.
            num_thresholds: has no effect: the arrays have as many elements as there are thresholds.
            weights: has no effect, as in torch.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for arrays that are empty, not of one dimension or not of one length, and for counts that are
                not finite.
        """
        counts = (true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts)
        rows = [*counts, precision, recall]
        return self._emit("add_pr_curve_raw", tag, global_step, walltime, pr_curve_raw, tag, rows, num_thresholds)
