"""Builders of `Summary` messages, by the names and arguments of `torch.utils.tensorboard.summary`.

For programs that make summaries themselves and hand them to `add_summary`. What they get are messages of
`asynctb.proto`, whose `SerializeToString()` any writer takes; values are what the `add_*` of the same names take.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, SupportsIndex

import numpy as np

from asynctb.encode.audio import audio as encode_audio
from asynctb.encode.boxes import image_with_boxes
from asynctb.encode.custom_scalars import Layout
from asynctb.encode.custom_scalars import custom_scalars as encode_custom_scalars
from asynctb.encode.histogram import histogram as encode_histogram
from asynctb.encode.histogram import histogram_raw as encode_histogram_raw
from asynctb.encode.hparams import Session
from asynctb.encode.hparams import hparams as encode_hparams
from asynctb.encode.image import image as encode_image
from asynctb.encode.mesh import mesh as encode_mesh
from asynctb.encode.pr_curve import pr_curve as encode_pr_curve
from asynctb.encode.pr_curve import pr_curve_raw as encode_pr_curve_raw
from asynctb.encode.scalar import scalar as encode_scalar
from asynctb.encode.tensor import tensor_values
from asynctb.encode.text import text as encode_text
from asynctb.encode.video import video as encode_video
from asynctb.entry import Entry, Farewell, Record
from asynctb.methods.base import ArrayLike, Number
from asynctb.notices import Notices
from asynctb.proto import event_pb2
from asynctb.proto.summary_pb2 import Summary

__all__ = [
    "Summary",
    "audio",
    "custom_scalars",
    "histogram",
    "histogram_raw",
    "hparams",
    "image",
    "image_boxes",
    "mesh",
    "pr_curve",
    "pr_curve_raw",
    "scalar",
    "tensor_proto",
    "text",
    "video",
]

_notices = Notices()


def summary_of(entry: Entry) -> Summary:
    """Return what an add would store, as a message; raises `EncodeError` as the add would."""
    assert not isinstance(entry, Farewell)
    payload = entry.what if isinstance(entry, Record) else entry.take()()
    return event_pb2.Event.FromString(payload).summary


def hparams(
    hparam_dict: Mapping[str, Any] | None = None,
    metric_dict: Mapping[str, Number | None] | None = None,
    hparam_domain_discrete: Mapping[str, Collection[Any]] | None = None,
) -> tuple[Summary, Summary, Summary]:
    """Return a session's three summaries: the experiment, the session's start, and its end."""
    session = Session(run_name=".", domains=hparam_domain_discrete)
    experiment, start, end, *_ = encode_hparams(hparam_dict or {}, metric_dict or {}, session)
    return summary_of(experiment), summary_of(start), summary_of(end)


def scalar(
    name: str, tensor: Number, collections: Any = None, new_style: bool = False, double_precision: bool = False
) -> Summary:
    """Return a number, as `add_scalar` stores it; `collections` has no effect, as in torch."""
    return summary_of(encode_scalar(name, tensor, new_style, double_precision))


def tensor_proto(tag: str, tensor: ArrayLike) -> Summary:
    """Return a tensor, as `add_tensor` stores it."""
    return summary_of(tensor_values(tag, tensor))


def histogram(name: str, values: ArrayLike, bins: Any = "tensorflow", max_bins: int | None = None) -> Summary:
    """Return a distribution, as `add_histogram` stores it."""
    return summary_of(encode_histogram(name, values, bins, max_bins, _notices.once))


def histogram_raw(
    name: str,
    min: Number,
    max: Number,
    num: Number,
    sum: Number,
    sum_squares: Number,
    bucket_limits: ArrayLike,
    bucket_counts: ArrayLike,
) -> Summary:
    """Return a distribution that was counted elsewhere, as `add_histogram_raw` stores it."""
    return summary_of(encode_histogram_raw(name, min, max, num, sum, sum_squares, bucket_limits, bucket_counts))


def image(tag: str, tensor: ArrayLike, rescale: Number = 1, dataformats: str = "NCHW") -> Summary:
    """Return an image, or a batch as a grid, as `add_image` stores it."""
    if rescale == 1:
        return summary_of(encode_image(tag, tensor, dataformats))
    return image_boxes(tag, tensor, np.zeros((0, 4)), rescale, dataformats)


def image_boxes(
    tag: str,
    tensor_image: ArrayLike,
    tensor_boxes: ArrayLike,
    rescale: Number = 1,
    dataformats: str = "CHW",
    labels: str | Sequence[str] | None = None,
) -> Summary:
    """Return an image with boxes, as `add_image_with_boxes` stores it."""
    return summary_of(image_with_boxes(tag, tensor_image, tensor_boxes, rescale, dataformats, labels))


def video(tag: str, tensor: ArrayLike, fps: Number = 4) -> Summary:
    """Return a video, as `add_video` stores it."""
    return summary_of(encode_video(tag, tensor, fps))


def audio(tag: str, tensor: ArrayLike, sample_rate: Number = 44100) -> Summary:
    """Return a sound, as `add_audio` stores it."""
    return summary_of(encode_audio(tag, tensor, sample_rate, _notices.once))


def custom_scalars(layout: Mapping[str, Mapping[str, Sequence[Any]]]) -> Summary:
    """Return a layout of the Custom Scalars dashboard, this one alone."""
    return summary_of(encode_custom_scalars(layout, (), Layout()))


def text(tag: str, text: str | Sequence[Sequence[object]]) -> Summary:
    """Return a text or a table, as `add_text` stores it."""
    return summary_of(encode_text(tag, text))


def pr_curve_raw(
    tag: str,
    tp: ArrayLike,
    fp: ArrayLike,
    tn: ArrayLike,
    fn: ArrayLike,
    precision: ArrayLike,
    recall: ArrayLike,
    num_thresholds: SupportsIndex = 127,
    weights: ArrayLike = None,
) -> Summary:
    """Return a precision-recall curve of numbers that are there, as `add_pr_curve_raw` stores it."""
    return summary_of(encode_pr_curve_raw(tag, [tp, fp, tn, fn, precision, recall], num_thresholds))


def pr_curve(
    tag: str,
    labels: ArrayLike,
    predictions: ArrayLike,
    num_thresholds: SupportsIndex = 127,
    weights: ArrayLike = None,
) -> Summary:
    """Return a precision-recall curve, as `add_pr_curve` stores it."""
    return summary_of(encode_pr_curve(tag, labels, predictions, num_thresholds, weights))


def mesh(
    tag: str,
    vertices: ArrayLike,
    colors: ArrayLike = None,
    faces: ArrayLike = None,
    config_dict: dict[str, Any] | None = None,
    display_name: str | None = None,
    description: str | None = None,
) -> Summary:
    """Return a mesh, as `add_mesh` stores it; a name and a description go with each of its parts."""
    summary = summary_of(encode_mesh(tag, vertices, colors, faces, config_dict, _notices.once))
    for value in summary.value if display_name or description else ():
        value.metadata.display_name = display_name or ""
        value.metadata.summary_description = description or ""
    return summary
