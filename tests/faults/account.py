"""What is in a log directory, to be compared with what another one holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from tests.readback.events import events, read_records, run_files
from tests.readback.points import Series, Value

Values: TypeAlias = dict[str, list[tuple[str, int, bytes]]]
"""Tag, step and value, in the order of the files, by run."""
Shown: TypeAlias = dict[str, list[tuple[int, Value]]]
"""Step and value of each point, by run and tag."""

TIMED = "_hparams_/"  # tags whose value tells the time


def stored(log_dir: Path, *, prefix: bool = False) -> Values:
    """Read back what every run holds, by a parser that takes no fault; `prefix` takes a torn end.

    What a disk that fails for good has left of a file's first record, when it could not be opened, is no fault.
    """
    found: Values = {}
    for run, paths in run_files(log_dir).items():
        for path in paths:
            all_of_it = events(path, prefix=prefix or _is_vain(path))
            assert not all_of_it or all_of_it[0].file_version, path
            values = [_value(event, value) for event in all_of_it for value in event.summary.value]
            found.setdefault(run, []).extend(values)
    return {run: values for run, values in found.items() if values}


def vain_files(log_dir: Path) -> list[Path]:
    """Return the event files without a whole record."""
    return [path for paths in run_files(log_dir).values() for path in paths if _is_vain(path)]


def steps_of(values: Values, tag: str, run: str = ".") -> list[int]:
    """Return the steps of one tag."""
    return [step for each, step, _ in values.get(run, []) if each == tag]


def files_beside(log_dir: Path) -> dict[str, bytes]:
    """Return the contents of all files that are no event files, hidden ones as well."""
    paths = [path for path in log_dir.rglob("*") if path.is_file() and "tfevents" not in path.name]
    return {path.relative_to(log_dir).as_posix(): path.read_bytes() for path in paths}


def shown(load: Callable[[Path], Series], folder: Path) -> dict[str, Shown]:
    """Return what a reader of TensorBoard's shows of each log directory in a folder."""
    found: dict[str, Shown] = {}
    for run, tags in load(folder).items():
        case, _, below = run.partition("/")
        for tag, points in tags.items():
            found.setdefault(case, {})[f"{below}:{tag}"] = [(point.step, point.value) for point in points]
    return found


def _value(event: Any, value: Any) -> tuple[str, int, bytes]:
    return value.tag, event.step, b"" if value.tag.startswith(TIMED) else value.SerializeToString()


def _is_vain(path: Path) -> bool:
    return not read_records(path, prefix=True)
