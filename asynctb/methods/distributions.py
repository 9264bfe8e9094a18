"""Histograms, precision-recall curves and tensors: the Histograms, Distributions and PR Curves dashboards."""

from __future__ import annotations

from typing import Any, SupportsIndex

from asynctb.encode.pr_curve import pr_curve, pr_curve_raw
from asynctb.encode.tensor import tensor_values
from asynctb.methods.base import Family, R_co, Step, WallTime

__all__ = ["DistributionMethods"]


class DistributionMethods(Family[R_co]):
    """Many numbers by step."""

    def add_tensor(self, tag: str, tensor: Any, global_step: Step = None, walltime: WallTime = None) -> R_co:
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
        labels: Any,
        predictions: Any,
        global_step: Step = None,
        num_thresholds: SupportsIndex = 127,
        weights: Any = None,
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
        true_positive_counts: Any,
        false_positive_counts: Any,
        true_negative_counts: Any,
        false_negative_counts: Any,
        precision: Any,
        recall: Any,
        global_step: Step = None,
        num_thresholds: SupportsIndex = 127,
        weights: Any = None,
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
