"""Who is measured: the ways to use asynctb, and the other writers, each with the settings that it is known for."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import time
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["ENTRANTS", "LIMIT", "OTHERS", "OURS", "Entrant", "awaited", "make", "workers"]

LIMIT = "limit"
"""Not a writer: what the work costs alone, measured in turns with the writers."""


class Entrant(NamedTuple):
    """One column: what it is called, the package that has to be there, and the package's name on the index."""

    title: str
    package: str
    distribution: str

    @property
    def installed(self) -> bool:
        """Whether it can be run here."""
        return importlib.util.find_spec(self.package) is not None

    @property
    def version(self) -> str:
        """The version of its package."""
        return importlib.metadata.version(self.distribution)


ENTRANTS = {
    "await": Entrant("await", "asynctb", "asynctb"),
    "log": Entrant("await log", "asynctb", "asynctb"),
    "nowait": Entrant("nowait", "asynctb", "asynctb"),
    "sync": Entrant("SummaryWriter", "asynctb", "asynctb"),
    "torch": Entrant("torch", "torch", "torch"),
    "torch-10000": Entrant("torch, max_queue=10000", "torch", "torch"),
    "torch-thread": Entrant("torch, to_thread", "torch", "torch"),
    "tensorboardX": Entrant("tensorboardX", "tensorboardX", "tensorboardX"),
    "EventFileWriter": Entrant("EventFileWriter", "tensorboard", "tensorboard"),
    LIMIT: Entrant("the work alone", "asynctb", "asynctb"),
}
OURS = ("await", "log", "nowait", "sync")
OTHERS = ("torch", "torch-10000", "torch-thread", "tensorboardX", "EventFileWriter")


def awaited(name: str) -> bool:
    """Tell whether an entrant's writer is opened and closed on an event loop."""
    return name in ("await", "log", "nowait")


def workers(name: str) -> str:
    """Return the name of the process in which an entrant runs: one for each package, and one for the limits."""
    return LIMIT if name == LIMIT else ENTRANTS[name].package


def make(name: str, folder: Path) -> Any:
    """Import an entrant's writer, and make one with the settings that its name says."""
    if awaited(name):
        return importlib.import_module("asynctb").AsyncSummaryWriter(folder)
    if name == "EventFileWriter":
        return _Events(folder)
    module = {"sync": "asynctb", "tensorboardX": "tensorboardX"}.get(name, "torch.utils.tensorboard")
    settings = {"max_queue": 10_000} if name == "torch-10000" else {}
    return importlib.import_module(module).SummaryWriter(str(folder), **settings)


class _Events:
    """TensorBoard's own writer of event files takes whole events; this makes them as a program would that uses it."""

    def __init__(self, folder: Path) -> None:
        event, summary = (importlib.import_module(f"tensorboard.compat.proto.{n}_pb2") for n in ("event", "summary"))
        module = importlib.import_module("tensorboard.summary.writer.event_file_writer")
        self._event, self._summary = event.Event, summary.Summary
        self._writer = module.EventFileWriter(str(folder))

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        """Make an event of one scalar, and add it."""
        summary = self._summary(value=[self._summary.Value(tag=tag, simple_value=value)])
        self._writer.add_event(self._event(wall_time=time.time(), step=step, summary=summary))

    def flush(self) -> None:
        """Write what is pending."""
        self._writer.flush()

    def close(self) -> None:
        """Write what is pending, and end."""
        self._writer.close()
