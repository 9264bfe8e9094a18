"""What encoders leave, taken apart again: by protobuf, and by Pillow."""

from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageSequence

from asynctb.entry import Draft, Entry, Record
from asynctb.proto import event_pb2, summary_pb2

Pixels = npt.NDArray[Any]


class Shown(NamedTuple):
    """An image file: its pixels (T, H, W, C) as RGB or RGBA, how many milliseconds each frame is shown, its format."""

    frames: Pixels
    durations: list[int]
    format: str | None
    loop: Any


def value_of(entry: Entry) -> summary_pb2.Summary.Value:
    """Return the one value of an entry."""
    assert isinstance(entry, (Draft, Record))
    wire = entry.take()() if isinstance(entry, Draft) else entry.what
    event = event_pb2.Event.FromString(wire)
    assert event.SerializeToString() == wire  # nothing is there that protobuf does not write itself
    (value,) = event.summary.value
    return value


def opened(file: bytes, mode: str | None = "RGB") -> Shown:
    """Return what is in an image file."""
    with Image.open(BytesIO(file)) as image:
        frames, durations = [], []
        for frame in ImageSequence.Iterator(image):
            frames.append(np.asarray(frame.convert(mode) if mode else frame))
            durations.append(round(frame.info.get("duration", 0)))
        return Shown(np.stack(frames), durations, image.format, image.info.get("loop"))


def pixels_of(entry: Entry, mode: str | None = None) -> Pixels:
    """Return the pixels of an entry of one image, whose recorded size must be theirs."""
    recorded = value_of(entry).image
    (pixels,) = opened(recorded.encoded_image_string, mode).frames
    assert pixels.shape[:2] == (recorded.height, recorded.width)
    assert mode or pixels.shape[2] == recorded.colorspace
    return pixels
