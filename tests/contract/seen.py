"""What stands in the files, and how long to look for it."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.readback.events import run_events

SOON = 2.0  # seconds within which something prompt must have happened, on whatever machine


class Point(NamedTuple):
    """One value of one event."""

    tag: str
    step: int
    value: Any


def points(log_dir: str | os.PathLike[str], run: str = ".") -> list[Point]:
    """Return the points of a run in the order of its files; every file must be whole."""
    return _points(log_dir, run, prefix=False)


def points_so_far(log_dir: str | os.PathLike[str], run: str = ".") -> list[Point]:
    """Return the points of a run that is being written."""
    return _points(log_dir, run, prefix=True) if os.path.isdir(log_dir) else []


def steps(log_dir: str | os.PathLike[str], tag: str = "a", run: str = ".") -> list[int]:
    """Return a tag's steps in the order of the files."""
    return [point.step for point in points(log_dir, run) if point.tag == tag]


def steps_so_far(log_dir: str | os.PathLike[str], tag: str = "a", run: str = ".") -> list[int]:
    """Return a tag's steps in files that are being written."""
    return [point.step for point in points_so_far(log_dir, run) if point.tag == tag]


def event_files(log_dir: str | os.PathLike[str]) -> list[Path]:
    """Return all event files below a directory."""
    return sorted(Path(log_dir).rglob("*tfevents*"))


def eventually(condition: Callable[[], object], seconds: float = SOON) -> bool:
    """Tell whether a condition comes true in time, looking often."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.003)
    return True


async def comes(condition: Callable[[], object], seconds: float = SOON) -> bool:
    """Tell whether a condition comes true in time, while the loop runs on."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.003)
    return True


def _points(log_dir: str | os.PathLike[str], run: str, *, prefix: bool) -> list[Point]:
    return [
        Point(value.tag, event.step, _value(value))
        for event in run_events(log_dir, prefix=prefix).get(run, [])
        for value in event.summary.value
    ]


def _value(value: Any) -> Any:
    if value.HasField("tensor") and value.tensor.string_val:
        return value.tensor.string_val[0].decode()
    return value.tensor.float_val[0] if value.HasField("tensor") else value.simple_value
