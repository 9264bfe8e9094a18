"""What a run has left on disk, read back: a figure of a writer that has lost something is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.readback.events import read_records, run_events, run_files

__all__ = ["COUNTERS", "size"]


def size(folder: Path) -> int:
    """Return the bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _events(folder: Path) -> Iterator[Any]:
    for events in run_events(folder).values():
        yield from events


def _values(folder: Path) -> Iterator[Any]:
    for event in _events(folder):
        yield from event.summary.value


def records(folder: Path) -> int:
    """Count the records of event files that are whole, each but a file's first; for too many to be parsed."""
    return sum(len(read_records(path)) - 1 for paths in run_files(folder).values() for path in paths)


def values(folder: Path) -> int:
    """Count the values of summaries."""
    return sum(1 for _ in _values(folder))


def trials(folder: Path) -> int:
    """Count the sessions of the HParams dashboard."""
    return sum(value.tag == "_hparams_/session_start_info" for value in _values(folder))


def graphs(folder: Path) -> int:
    """Count graphs."""
    return sum(event.HasField("graph_def") for event in _events(folder))


def embeddings(folder: Path) -> int:
    """Count the Projector's tables."""
    return sum(1 for _ in folder.rglob("tensors.tsv"))


COUNTERS: dict[str, Callable[[Path], int]] = {
    function.__name__: function for function in (records, values, trials, graphs, embeddings)
}
