"""What stored files and graphs say, however they are written."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from tests.readback.imports import module

ADDED = {"dtype", "parameters"}  # attributes that the nodes of torch's graphs do not have


def pixels(file: bytes) -> Any:
    """Return the pixels of a PNG, channels last."""
    with Image.open(BytesIO(file)) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def frames_in(file: bytes) -> tuple[Any, list[float]]:
    """Return the frames of an animation in RGB, and how long each is shown."""
    with Image.open(BytesIO(file)) as image:
        found = [
            (np.asarray(frame.convert("RGB")), frame.info.get("duration", 0)) for frame in ImageSequence.Iterator(image)
        ]
    return np.stack([pixels for pixels, _ in found]), [duration for _, duration in found]


def graph(event: Any) -> Any:
    """Return the graph of an event."""
    return module("tensorboard.compat.proto.graph_pb2").GraphDef.FromString(event.graph_def)


def without_additions(found: Any) -> Any:
    """Take out what our nodes have besides: device, type and count, and the shapes of what modules hold."""
    for node in found.node:
        node.device = ""
        if node.op == "prim::GetAttr":
            node.attr.pop("_output_shapes", None)
        for key in ADDED:
            node.attr.pop(key, None)
    return found
