"""The same call to torch's SummaryWriter and to ours, and the values that each of them stored."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from asynctb import SummaryWriter
from tests.readback.events import run_events
from tests.readback.imports import module

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

__all__ = ["by_ours", "by_torch", "same"]


def by_torch(method: str, *args: Any, **options: Any) -> dict[str, list["Event"]]:
    """Call torch's writer; return the events of each run. What torch warns of is not ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _by(module("torch.utils.tensorboard").SummaryWriter, {}, method, args, options)


def by_ours(method: str, *args: Any, **options: Any) -> dict[str, list["Event"]]:
    """Call our writer, which leaves steps out as torch does; return the events of each run."""
    return _by(SummaryWriter, {"auto_step": False}, method, args, options)


def _by(
    writer: Any, arguments: Mapping[str, Any], method: str, args: tuple[Any, ...], options: Mapping[str, Any]
) -> dict[str, list["Event"]]:
    with TemporaryDirectory() as folder:
        with writer(folder, **arguments) as made:
            getattr(made, method)(*args, **options)
        return {run: events[1:] for run, events in run_events(Path(folder)).items()}


def same(method: str, *args: Any, **options: Any) -> None:
    """Assert that both writers store the same events, but for the wall time that nobody gave."""
    theirs, ours = by_torch(method, *args, **options), by_ours(method, *args, **options)
    for event in (event for run in (theirs, ours) for events in run.values() for event in events):
        event.wall_time = 0
    assert ours == theirs
