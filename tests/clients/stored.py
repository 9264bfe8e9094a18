"""What a run has stored, as text, without what docs/differences.md says to differ."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from tests.parity.decoded import frames_in, graph, pixels, without_additions
from tests.readback.events import events, run_files
from tests.readback.imports import module

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

Stored: TypeAlias = dict[str, list[list[str]]]  # of each run, of each of its files, its events
TIME = re.compile(r"\d{10}\.\d+")  # the name of a run of `add_hparams`
FULL = 128  # a byte from which on a colour of a GIF is rather 255 than 0


class Differences(NamedTuple):
    """What of a run is not compared."""

    clocks: frozenset[str] = frozenset()  # tags whose values tell how long something took
    videos: frozenset[str] = frozenset()  # tags whose GIFs the writer encodes; their colours are full or not there


def stored(logdir: Path, but: Differences) -> Stored:
    """Return what the files hold, without wall times and the names of the files."""
    return {
        TIME.sub("TIME", run): sorted([_told(event, but) for event in events(path)] for path in paths)
        for run, paths in run_files(logdir).items()
    }


def writers(logdir: Path) -> set[str]:
    """Return the names of the writers that the files were made by, as each says in its first event."""
    return {events(path)[0].source_metadata.writer for paths in run_files(logdir).values() for path in paths}


def kinds(logdir: Path) -> set[str]:
    """Return the kinds of what is stored: fields of a value or an event, and for hyperparameters the plugin."""
    found = [event for paths in run_files(logdir).values() for path in paths for event in events(path)]
    values = [value for event in found for value in event.summary.value]
    return {str(event.WhichOneof("what")) for event in found} | {
        str(value.WhichOneof("value") or value.metadata.plugin_data.plugin_name) for value in values
    }


def _told(event: Event, but: Differences) -> str:
    event.wall_time = 0
    event.source_metadata.writer = ""
    told = []
    if event.graph_def:
        told.append(str(without_additions(graph(event))))
        event.graph_def = b""
    for value in event.summary.value:
        told += _contents(value, value.tag in but.videos)
        if value.tag in but.clocks:
            value.simple_value = 0
    return "\n".join([str(event), *told])


def _contents(value: Summary.Value, video: bool) -> Iterator[str]:
    """Take out of a value what can be written in more than one way, and tell what it says."""
    if value.HasField("image"):
        yield _picture(value.image.encoded_image_string, video)
        value.image.encoded_image_string = b""
    if value.HasField("histo"):
        yield _sums(value.histo)
    if value.metadata.plugin_data.plugin_name == "hparams":
        yield _hparams(value.metadata.plugin_data.content)
        value.metadata.plugin_data.content = b""


def _picture(file: bytes, video: bool) -> str:
    """PNGs are the same pixels; of GIFs that our writer encodes, times and blurred colours are others than torch's."""
    if video:
        frames, _ = frames_in(file)
        return _array(frames >= FULL)
    return _array(pixels(file)) if file.startswith(b"\x89PNG") else hashlib.sha256(file).hexdigest()


def _array(array: Any) -> str:
    return f"{array.dtype} {array.shape} {hashlib.sha256(np.ascontiguousarray(array)).hexdigest()}"


def _sums(histo: HistogramProto) -> str:
    """Sums are added up in another order than torch's, and may differ in their last digits."""
    largest = max(abs(histo.min), abs(histo.max)) or 1.0
    told = f"{histo.sum / (histo.num * largest):.9f} {histo.sum_squares / (histo.num * largest**2):.9f}"
    histo.sum = histo.sum_squares = 0
    return told


def _hparams(content: bytes) -> str:
    """A boolean hyperparameter is a number to torch; and a map has no order on the wire."""
    data = module("tensorboard.plugins.hparams.plugin_data_pb2").HParamsPluginData.FromString(content)
    types = module("tensorboard.plugins.hparams.api_pb2")
    for info in data.experiment.hparam_infos:
        if info.type == types.DATA_TYPE_BOOL:
            info.type = types.DATA_TYPE_FLOAT64
    for value in data.session_start_info.hparams.values():
        if value.HasField("bool_value"):
            value.number_value = value.bool_value
    return str(data)
