"""Precision-recall curves, by the counts of torch, which are those of TensorBoard's pr_curve summary."""

from __future__ import annotations

import operator
from functools import partial
from typing import Any

import numpy as np

from asynctb.encode.arrays import Array, held
from asynctb.encode.drafts import draft
from asynctb.encode.pieces import payload, tensor_value
from asynctb.encode.ranges import check_range
from asynctb.encode.tags import encode_tag
from asynctb.entry import Encode, Entry
from asynctb.errors import EncodeError, Shape
from asynctb.proto import plugins_pb2

__all__ = ["pr_curve", "pr_curve_raw"]

PLUGIN = "pr_curves"
LEAST = 1e-7  # TensorBoard's: what a rate is divided by where there is nothing to divide by
MOST_THRESHOLDS = 1 << 20  # more than anybody can see, and TensorBoard sends all of them as text
# Elements counted at a time, as numpy's histogram does: sums are rounded as torch's, and temporaries stay in the cache.
BLOCK = 1 << 16
AT_ONCE = 32 << 10  # bytes up to which counting takes less than the 0.1 ms of a thread's turn
FEW_THRESHOLDS = 1024
THRESHOLD = 6 * 8  # bytes of its counts and rates while they are made
LARGEST = float(np.finfo(np.float32).max)  # of what is stored
RAW = ("true positives", "false positives", "true negatives", "false negatives", "precision", "recall")


def pr_curve(tag: str, labels: Any, predictions: Any, num_thresholds: Any, weights: Any) -> Entry:
    """Return the counts of right and wrong predictions, precision and recall at each of equidistant thresholds."""
    encode_tag(tag)
    count = _thresholds(tag, num_thresholds)
    sources = [held(tag, labels, "labels: an array of numbers"), held(tag, predictions, "an array of probabilities")]
    if weights is not None:
        sources.append(held(tag, weights, "weights: a number, or an array of numbers"))
    least = max(0, count - FEW_THRESHOLDS) * THRESHOLD
    return draft([tag], PLUGIN, sources, partial(_prepare, tag, count), at_once=AT_ONCE, least=least)


def _thresholds(tag: str, num_thresholds: Any) -> int:
    wanted = f"a number of thresholds: an integer from 1 to {MOST_THRESHOLDS}"
    try:
        count = operator.index(num_thresholds)
    except TypeError as error:
        raise EncodeError(tag, wanted, num_thresholds) from error
    if not 1 <= count <= MOST_THRESHOLDS:
        raise EncodeError(tag, wanted, num_thresholds)
    return count


def _prepare(tag: str, count: int, labels: Array, predictions: Array, weights: Array | None = None) -> Encode:
    if labels.squeeze().shape != predictions.squeeze().shape:
        raise EncodeError(tag, f"predictions of the labels' shape {labels.shape}", Shape(predictions.shape))
    check_range(tag, labels, "labels in [0, 1]", 0, 1)
    check_range(tag, predictions, "predictions in [0, 1]", 0, 1)
    if weights is not None:
        check_range(tag, weights, "weights that are finite and not negative", 0, LARGEST / max(1, labels.size))
        weights = _spread(tag, weights, labels)
    return lambda: _payload(tag, _curve(labels.reshape(-1), predictions.reshape(-1), weights, count))


def _spread(tag: str, weights: Array, labels: Array) -> Array:
    if weights.squeeze().shape == labels.squeeze().shape:
        return weights.reshape(-1)
    try:
        return np.broadcast_to(weights, labels.shape).reshape(-1)
    except ValueError as error:
        raise EncodeError(tag, f"weights that fit the labels' shape {labels.shape}", Shape(weights.shape)) from error


def _curve(labels: Array, predictions: Array, weights: Array | None, count: int) -> Array:
    """Return six rows: true positives, false positives, true negatives, false negatives, precision, recall."""
    right, wrong = np.zeros(count), np.zeros(count)
    for start in range(0, labels.size, BLOCK):
        part = slice(start, start + BLOCK)
        bins, positive = _bins(predictions[part], count), labels[part].astype(np.float64)
        weight = 1.0 if weights is None else weights[part]
        right += np.bincount(bins, positive * weight, count)
        wrong += np.bincount(bins, (1.0 - positive) * weight, count)
    tp, fp = np.cumsum(right[::-1])[::-1], np.cumsum(wrong[::-1])[::-1]
    fn, tn = tp[0] - tp, fp[0] - fp
    precision, recall = tp / np.maximum(LEAST, tp + fp), tp / np.maximum(LEAST, tp + fn)
    return np.stack((tp, fp, tn, fn, precision, recall))


def _bins(predictions: Array, count: int) -> Array:
    """Return the last threshold that each prediction reaches."""
    exact = predictions.astype(np.promote_types(predictions.dtype, np.float32), copy=False)
    bins: Array = np.floor(exact * exact.dtype.type(count - 1)).astype(np.intp)
    return bins


def pr_curve_raw(tag: str, rows: list[Any], num_thresholds: Any) -> Entry:
    """Return a curve of six arrays as they are; it has as many thresholds as they have elements."""
    encode_tag(tag)
    _thresholds(tag, num_thresholds)
    sources = [held(tag, row, f"{name}: an array of numbers") for name, row in zip(RAW, rows, strict=True)]
    return draft([tag], PLUGIN, sources, partial(_prepare_raw, tag), at_once=AT_ONCE)


def _prepare_raw(tag: str, *rows: Array) -> Encode:
    (length, *_) = rows[0].shape or (0,)
    for name, row in zip(RAW, rows, strict=True):
        if row.shape != (length,) or not 0 < length <= MOST_THRESHOLDS:
            raise EncodeError(tag, f"{name}: one dimension, and as many elements as the others", Shape(row.shape))
    for name, row in zip(RAW[:4], rows, strict=False):
        check_range(tag, row, f"finite {name}", -LARGEST, LARGEST)  # TensorBoard shows nothing of a tag that has others
    return lambda: _payload(tag, np.stack(rows))


def _payload(tag: str, curve: Array) -> bytes:
    content = plugins_pb2.PrCurvePluginData(num_thresholds=curve.shape[1]).SerializeToString()
    with np.errstate(over="ignore"):
        singles = curve.astype(np.float32)
    return payload(tensor_value(tag, singles, PLUGIN, content))
