"""The same call to torch's SummaryWriter and to ours, and what it leaves."""

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asynctb import SummaryWriter
from tests.readback.events import run_events
from tests.readback.imports import module

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

T = 1.7e9


def theirs(method: str, *args: Any, **options: Any) -> "Event":
    """The event that torch writes; what it warns of is not ours."""
    writer = module("torch.utils.tensorboard").SummaryWriter
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _event(writer, method, args, options)


def ours(method: str, *args: Any, **options: Any) -> "Event":
    """The event that we write."""
    return _event(SummaryWriter, method, args, options)


def _event(make: Any, method: str, args: Any, options: Any) -> "Event":
    with tempfile.TemporaryDirectory() as folder:
        with make(folder) as writer:
            getattr(writer, method)(*args, global_step=3, walltime=T, **options)
        _, event = run_events(Path(folder))["."]
    return event
