"""What TensorBoard shows with `--load_fast=false`: its multiplexer and accumulators, and the provider over them."""

import os
from typing import TYPE_CHECKING

from tests.readback.events import PathLike
from tests.readback.imports import module
from tests.readback.points import Series
from tests.readback.provider import read_series

if TYPE_CHECKING:
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.compat.proto.summary_pb2 import SummaryMetadata

EVENT_PROCESSING = "tensorboard.backend.event_processing"


def load(logdir: PathLike, *, purge_orphaned: bool = True) -> Series:
    """Return every point of every tag that a dashboard would list."""
    loader = multiplexer(logdir, purge_orphaned=purge_orphaned)
    return read_series(module(f"{EVENT_PROCESSING}.data_provider").MultiplexerDataProvider(loader, os.fspath(logdir)))


def multiplexer(logdir: PathLike, *, purge_orphaned: bool = True) -> "EventMultiplexer":
    """Return TensorBoard's own loader with all of `logdir` in it, unsampled: for what no dashboard lists."""
    multiplexers = module(f"{EVENT_PROCESSING}.plugin_event_multiplexer")
    keep_all = {module(f"{EVENT_PROCESSING}.tag_types").TENSORS: 0}
    loader = multiplexers.EventMultiplexer(size_guidance=keep_all, purge_orphaned_data=purge_orphaned)
    return loader.AddRunsFromDirectory(os.fspath(logdir)).Reload()


def metadata(logdir: PathLike, run: str, tag: str) -> "SummaryMetadata":
    """Return the metadata that TensorBoard took from the first value of the tag."""
    return multiplexer(logdir).SummaryMetadata(run, tag)


def plugin_of(logdir: PathLike, run: str, tag: str) -> str:
    """Return the name of the dashboard that shows the tag."""
    return metadata(logdir, run, tag).plugin_data.plugin_name
