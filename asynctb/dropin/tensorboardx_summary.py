"""The names of `tensorboardX.summary`, where they are not torch's."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from asynctb import summary as torchs
from asynctb.encode.arrays import as_array
from asynctb.errors import EncodeError
from asynctb.methods.base import ArrayLike, Number
from asynctb.summary import (
    Summary,
    audio,
    custom_scalars,
    histogram_raw,
    hparams,
    image_boxes,
    mesh,
    pr_curve,
    pr_curve_raw,
    text,
)

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
    "text",
    "video",
]

FRAMES = "NTCHW"  # number, time, channel, height, width
_NOT_IN_TAGS = re.compile(r"[^-/\w.]")


def clean(tag: Any) -> Any:
    """Return a tag as tensorboardX stores it: letters, digits and `-/_.` are left, and no `/` begins it."""
    return _NOT_IN_TAGS.sub("_", tag).lstrip("/") if isinstance(tag, str) else tag


def scalar(name: str, scalar: Number, display_name: str = "", summary_description: str = "") -> Summary:
    """Return a number, with a title and a description for its chart."""
    summary = torchs.scalar(clean(name), scalar)
    if display_name or summary_description:
        metadata = summary.value[0].metadata
        metadata.display_name, metadata.summary_description = display_name, summary_description
    return summary


def histogram(name: str, values: ArrayLike, bins: Any = "tensorflow", max_bins: int | None = None) -> Summary:
    """Return a distribution."""
    return torchs.histogram(clean(name), values, bins, max_bins)


def image(tag: str, tensor: ArrayLike, rescale: Number = 1, dataformats: str = "CHW") -> Summary:
    """Return an image, or a batch as a grid."""
    return torchs.image(clean(tag), tensor, rescale, dataformats)


def video(tag: str, tensor: ArrayLike, fps: Number = 4, dataformats: str = FRAMES) -> Summary:
    """Return a video."""
    return torchs.video(clean(tag), frames_first(tag, tensor, dataformats), fps)


def frames_first(tag: str, tensor: ArrayLike, dataformats: Any) -> ArrayLike:
    """Return videos in the order of `add_video`: (N, T, C, H, W)."""
    letters = str(dataformats).upper()
    if letters == FRAMES:
        return tensor
    if sorted(letters) != sorted(FRAMES):
        raise EncodeError(tag, f"dataformats: the letters of {FRAMES!r}, in any order", dataformats)
    array = as_array(tag, tensor)
    if array.ndim != len(FRAMES):
        raise EncodeError(tag, f"a video with the dimensions {letters}", tensor)
    return np.transpose(array, [letters.index(letter) for letter in FRAMES])
