"""Sample event files, of TensorBoard's own messages and checksums: the readers are tried on what none of ours wrote."""

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.readback.imports import module

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

NAME = "events.out.tfevents.1700000000.host.1.0"


def write(folder: Path, *events: "Event", name: str = NAME) -> Path:
    """Write a file of a version event and `events`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    whole = [event(0, file_version="brain.Event:2"), *events]
    path.write_bytes(b"".join(frame(each.SerializeToString()) for each in whole))
    return path


def frame(body: bytes) -> bytes:
    """Make a record of `body`."""
    masked_crc = module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow").masked_crc32c
    length = struct.pack("<Q", len(body))
    return length + struct.pack("<I", masked_crc(length)) + body + struct.pack("<I", masked_crc(body))


def event(step: int, wall_time: float = 1.7e9, **what: Any) -> "Event":
    """Make an Event; the keyword is its `what`."""
    return module("tensorboard.compat.proto.event_pb2").Event(step=step, wall_time=wall_time, **what)


def scalar(tag: str, value: float, step: int, wall_time: float = 1.7e9) -> "Event":
    """Make a point of the scalar dashboard, as torch writes it."""
    return _summary(step, wall_time, tag=tag, simple_value=value)


def tensor(plugin: str, tag: str, value: object, step: int, wall_time: float = 1.7e9) -> "Event":
    """Make a point of the dashboard `plugin`: strings in `value` make a tensor of strings."""
    proto = module("tensorboard.util.tensor_util").make_tensor_proto(value)
    return _summary(step, wall_time, tag=tag, tensor=proto, metadata={"plugin_data": {"plugin_name": plugin}})


def text(tag: str, value: object, step: int, wall_time: float = 1.7e9) -> "Event":
    """Make a point of the text dashboard: one string, or nested lists of them."""
    return tensor("text", tag, value, step, wall_time)


def start(step: int, wall_time: float = 1.7e9) -> "Event":
    """Make the event that tells a restart at `step`."""
    return event(step, wall_time, session_log={"status": "START"})


def _summary(step: int, wall_time: float, **value: Any) -> "Event":
    return event(step, wall_time, summary={"value": [value]})
