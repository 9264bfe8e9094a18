"""How an example is run, and what TensorBoard then shows of it."""

import html
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import asynctb
from tests.readback import python_loader, rust_server
from tests.readback.events import run_events
from tests.readback.points import Point, Series, differences

EXAMPLES = Path(__file__).parents[2] / "examples"
LIBRARY = Path(asynctb.__file__).parents[1]  # so that the examples import what the tests import


def needs(*packages: str) -> pytest.MarkDecorator:
    """Skip where one of these is missing. The extra `examples` has them all, and no test of the step of that name may.

    A test says so itself, for a skip is known by its place.
    """
    missing = [package for package in packages if find_spec(package) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(LIBRARY), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "RAY_USAGE_STATS_ENABLED": "0"}


def start(name: str, *options: str, cwd: Path, encoding: str = "utf-8") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(EXAMPLES / name), *options],
        cwd=cwd,
        env={**environment(), "PYTHONIOENCODING": encoding},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding=encoding,
    )


def run(name: str, *options: str, cwd: Path, encoding: str = "utf-8") -> str:
    with start(name, *options, cwd=cwd, encoding=encoding) as process:
        try:
            out, err = process.communicate(timeout=100)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, ""), (process.returncode, err)
    return out


def interrupted(name: str, *options: str, tag: str, cwd: Path) -> str:
    """Press Ctrl-C once this tag is in an event file. An example ends with a message then, instead of a traceback."""
    with start(name, *options, cwd=cwd) as process:
        try:
            while not any(tag.encode() in path.read_bytes() for path in cwd.rglob("*tfevents*")):
                assert process.poll() is None, "it ended before it logged the tag"
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, err) == (130, ""), (process.returncode, err)
    assert "\nStopped." in out
    return out


def shown(logdir: Path) -> Series:
    """Return what TensorBoard shows: both of its loaders must show the same, of files that are whole.

    Of a histogram that is how many values it has: the loaders round its buckets each in their own way.
    """
    assert run_events(logdir)
    python, rust = counted(python_loader.load(logdir)), counted(rust_server.load(logdir))
    assert differences(python, rust) == [], differences(python, rust)
    return python


def counted(series: Series) -> Series:
    return {
        run: {tag: [_counted(point) for point in points] for tag, points in tags.items()}
        for run, tags in series.items()
    }


def _counted(point: Point) -> Point:
    buckets: Any = point.value
    match buckets:
        case ((float(), float(), float()), *_):
            return replace(point, value=sum(count for _, _, count in buckets))
    return point


def steps(points: list[Point]) -> list[int]:
    return [point.step for point in points]


def values(points: list[Point]) -> list[Any]:
    return [point.value for point in points]


def rise(points: list[Point]) -> bool:
    return all(earlier < later for earlier, later in pairwise(steps(points)))


def rows(text: Point) -> list[list[str]]:
    """Return the cells of a table as a browser shows them, its head first."""
    cells: Any = text.value
    lines = cells[0].splitlines()
    return [[html.unescape(cell) for cell in line[2:-2].split(" | ")] for line in (lines[0], *lines[2:])]
