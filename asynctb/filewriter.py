"""The parts of torch's writer that programs reach for: `file_writer`, `all_writers`, and what is inside of them.

torch's SummaryWriter is made of such parts, one FileWriter for each run. Ours is not: here they are views of the
writer, made when somebody asks for them, which hand on what they are given.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar, Protocol, Self

from asynctb.encode import ready_made
from asynctb.encode.tags import sub_run
from asynctb.entry import Entry, Farewell, Record
from asynctb.errors import EncodeError
from asynctb.methods.base import Make, Step, WallTime
from asynctb.pipeline.core import Pipeline
from asynctb.settings import Settings

__all__ = ["EventWriter", "FileWriter", "FileWriters"]


class Owner(Protocol):
    """The writer behind a FileWriter."""

    @property
    def _home(self) -> str:
        """The log directory."""
        ...

    def _emit(self, method: str, tag: str, step: Step, walltime: WallTime, make: Make, *args: Any) -> None: ...
    def _event_file(self, run: str) -> str: ...
    def _get_file_writer(self) -> FileWriter: ...
    def flush(self) -> None:
        """Return when everything accepted before is written."""

    def close(self) -> None:
        """Write everything accepted, and end."""


class EventWriter:
    """The event file of one run, by the names of TensorBoard's and tensorboardX's `EventFileWriter`."""

    def __init__(self, owner: Owner, run: str) -> None:
        self._owner = owner
        self._run = run
        # Where sub-runs and embeddings go: some programs append to it.
        self._logdir = os.path.join(owner._home, run) if run else owner._home

    @property
    def _file_name(self) -> str:
        """The path of the event file now being written, which is opened if there is none."""
        return self._owner._event_file(self._run)

    @property
    def _ev_writer(self) -> Self:
        """What tensorboardX has its `_file_name` in."""
        return self

    def get_logdir(self) -> str:
        """Return the directory of the event file."""
        return self._logdir

    def add_event(self, event: Any) -> None:
        """Store an `Event` message as it is, with its own wall time and step."""
        wall_time, step = ready_made.own_time(event)
        self._owner._emit("add_event", "add_event", step, wall_time, ready_made.event, event, True, self._run)

    def flush(self) -> None:
        """Return when everything accepted before is written."""
        self._owner.flush()

    def close(self) -> None:
        """Write everything accepted. The run's own also ends; the next add, or `reopen()`, opens a new file."""
        if self._run:
            self._owner.flush()
        else:
            self._owner.close()

    def reopen(self) -> None:
        """Open a new file if the writer is closed."""
        self._owner._get_file_writer()


class FileWriter:
    """One run of a writer, by the names of torch's `FileWriter`."""

    event_writer: EventWriter

    @classmethod
    def of(cls, owner: Owner, run: str = "") -> Self:
        """Return the view of one run of a writer."""
        self = cls.__new__(cls)
        self._set_up(owner, run)
        return self

    def _set_up(self, owner: Owner, run: str) -> None:
        self._owner = owner
        self._run = run
        self.event_writer = EventWriter(owner, run)

    def get_logdir(self) -> str:
        """Return the directory of the event file."""
        return self.event_writer.get_logdir()

    def add_summary(self, summary: Any, global_step: Step = None, walltime: WallTime = None) -> None:
        """Add a `Summary` message, as `SummaryWriter.add_summary` does."""
        make, stepped = ready_made.summary, global_step is not None
        self._owner._emit("add_summary", "add_summary", global_step, walltime, make, summary, stepped, self._run)

    def add_event(self, event: Any, step: Step = None, walltime: WallTime = None) -> None:
        """Add an `Event` message, as `SummaryWriter.add_event` does."""
        make, stepped = ready_made.event, step is not None
        self._owner._emit("add_event", "add_event", step, walltime, make, event, stepped, self._run)

    def add_graph(self, graph_profile: Any, walltime: WallTime = None) -> None:
        """Add a `GraphDef`, or a pair of one and its `RunMetadata`, as `torch.utils.tensorboard` draws them."""
        from asynctb.encode.graph.ready import is_ready, ready

        if not is_ready(graph_profile):
            raise EncodeError("add_graph", "a GraphDef, or a pair of a GraphDef and a RunMetadata", graph_profile)
        make = self._in_run(ready)
        self._owner._emit("add_graph", "add_graph", None, walltime, make, "add_graph", graph_profile)

    def add_onnx_graph(self, graph: Any, walltime: WallTime = None) -> None:
        """Add a `GraphDef` that an ONNX model was made into."""
        self.add_graph(graph, walltime)

    def flush(self) -> None:
        """Return when everything accepted before is written."""
        self.event_writer.flush()

    def close(self) -> None:
        """Write everything accepted. The run's own also ends; the next add, or `reopen()`, opens a new file."""
        self.event_writer.close()

    def reopen(self) -> None:
        """Open a new file if the writer is closed."""
        self.event_writer.reopen()

    def _in_run(self, make: Callable[..., list[Any]]) -> Make:
        return lambda *args: [entry._replace(run=self._run) for entry in make(*args)]


class FileWriters:
    """What a SummaryWriter has of torch's parts."""

    _FileWriter: ClassVar[type[FileWriter]] = FileWriter

    _enabled: bool
    _pipeline: Pipeline
    _settings: Settings
    # The view of its own run, and all of them by directory: there are none before somebody asks for them.
    _own: FileWriter | None
    _writers: dict[str, FileWriter] | None

    @abstractmethod
    def _run(self) -> Pipeline: ...
    @abstractmethod
    def _emit(self, method: str, tag: str, step: Step, walltime: WallTime, make: Make, *args: Any) -> None: ...
    @abstractmethod
    def flush(self) -> None:
        """Return when everything accepted before is written."""

    @abstractmethod
    def close(self) -> None:
        """Write everything accepted, and end."""

    @property
    def _home(self) -> str:
        return os.fsdecode(self._settings.log_dir)  # whatever a program has set `log_dir` to

    @property
    def file_writer(self) -> FileWriter | None:
        """The writer's own run, for programs that have messages to add; None while it is closed, as in torch."""
        return None if self._pipeline.closed else self._main

    @property
    def all_writers(self) -> dict[str, FileWriter] | None:
        """Its runs by directory, with those of `add_scalars`; None while it is closed, as in torch.

        What a program puts there is flushed and closed with the writer.
        """
        if self._pipeline.closed:
            return None
        writers = self._writers
        if writers is None:
            writers = self._writers = {self._main.get_logdir(): self._main}
        for run in self._pipeline.steps.runs():
            folder = os.path.join(self._home, run)
            if folder not in writers:
                writers[folder] = self._FileWriter.of(self, run)
        return writers

    @property
    def _main(self) -> FileWriter:
        main = self._own
        if main is None:
            main = self._own = self._FileWriter.of(self)
        return main

    def _get_file_writer(self) -> FileWriter:
        """Return the writer's own run, opening a new file if it is closed."""
        if self._enabled:
            self._run()
        return self._main

    def _event_file(self, run: str) -> str:
        if not self._enabled:
            return ""
        storage = self._run().storage
        if storage.path(run) is None:
            self.flush()  # a sub-run's file is made when the first of its entries is written
        return str(storage.path(run) or "")

    @staticmethod
    def _encode(rawstr: str) -> str:
        """Return a tag as torch makes a folder's name of it."""
        return rawstr.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")

    def _others(self) -> list[FileWriter]:
        """Return what a program has put into `all_writers`."""
        return [each for each in list((self._writers or {}).values()) if getattr(each, "_owner", None) is not self]

    def _flush_others(self) -> None:
        for writer in self._others():
            writer.flush()

    def _close_others(self) -> None:
        others, self._writers, self._own = self._others(), None, None
        with ExitStack() as stack:  # so that each is closed, whatever others raise
            for writer in reversed(others):
                stack.callback(writer.close)

    def _placed(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return entries where they go: below the directory that a program has moved sub-runs and embeddings to."""
        if self._own is None:
            return entries
        home, moved = self._home, self._own.get_logdir()
        if moved == home:
            return entries
        folder = os.path.relpath(moved, home).replace(os.sep, "/")
        return [_below(folder, entry) if entry.run else entry for entry in entries]


def _below(folder: str, entry: Entry) -> Entry:
    folder = sub_run("_logdir", folder)
    if isinstance(entry, Farewell):
        return Farewell(f"{folder}/{entry.run}", partial(_record_below, folder, entry))
    if isinstance(entry.run, str):
        return entry._replace(run=f"{folder}/{entry.run}")
    return entry._replace(run=tuple(asset._replace(path=f"{folder}/{asset.path}") for asset in entry.run))


def _record_below(folder: str, farewell: Farewell, well: bool) -> Record:
    return farewell.record(well)._replace(run=f"{folder}/{farewell.run}")
