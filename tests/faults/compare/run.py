"""Run one program for one writer, in a process of its own, and read back what is left."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.faults.compare.board import Board
from tests.faults.compare.outcome import Outcome
from tests.faults.compare.scenarios import Scenario
from tests.faults.compare.writers import tag_of
from tests.readback import python_loader, rust_server
from tests.readback.events import BadRecord, EventFileError, events, run_files

PROGRAMS = Path(__file__).parent / "programs"
STARTS_WITHIN = 60.0  # seconds for the imports, on a machine that has other things to do
TELLING = ("asynctb:", "Exception in thread", "Error")
LOOK = 0.005


class DidNotRunError(Exception):
    """The program failed before it came to its fault: no outcome, but a mistake of this tool."""


def run(scenario: Scenario, writer: str, hang: float) -> Outcome:
    """Run a scenario once."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        board = Board(folder / "board")
        with (folder / "err").open("w+b") as err:
            process = _start(scenario, writer, folder, err)
            try:
                hung, ended = _watch(process, board, scenario, hang)
            finally:
                _kill(process)
            err.seek(0)
            said = err.read().decode(errors="replace")
        if not board.moments[0]:
            raise DidNotRunError(f"{scenario.name} with {writer}:\n{said}")
        return _outcome(scenario, folder, board, said, hung, ended)


def _start(scenario: Scenario, writer: str, folder: Path, err: Any) -> subprocess.Popen[bytes]:
    program = PROGRAMS / f"{scenario.program}.py"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", str(program), writer, str(folder), *scenario.args],
        stdout=subprocess.DEVNULL,
        stderr=err,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # so that its children end with it
    )


def _watch(process: subprocess.Popen[bytes], board: Board, scenario: Scenario, hang: float) -> tuple[bool, float]:
    """Wait for the end of the program, kill it if that is its fault; return whether it hung, and when it ended."""
    deadline = time.monotonic() + STARTS_WITHIN
    while not (ready := board.moments[0]) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(LOOK)
    if scenario.kill:
        while not board.counts[0] and process.poll() is None and time.monotonic() < deadline:
            time.sleep(LOOK)
        time.sleep(random.uniform(*scenario.kill))
        process.send_signal(signal.SIGKILL)
    try:
        process.wait(max(0.0, ready + hang - time.monotonic()))
    except subprocess.TimeoutExpired:
        return True, time.monotonic()
    return False, time.monotonic()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End what still runs of it, its children included."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _outcome(scenario: Scenario, folder: Path, board: Board, said: str, hung: bool, ended: float) -> Outcome:
    report: dict[str, Any] = {}
    if (folder / "report").exists():
        report = json.loads((folder / "report").read_text())
    found = _found(folder / "logs")
    done = board.moments[1]
    dropped = report.get("dropped", 0)
    counts = board.counts
    for slot in report.get("uncounted", ()):
        counts[slot] = 0
    wanted = {tag_of(slot) for slot, count in enumerate(counts) if count}
    stored = {point: times for point, times in found.items() if point[0] in wanted}
    accepted = sum(counts) - dropped
    if scenario.kill and len(stored) == accepted + 1:
        accepted += 1  # killed between an add and the count of it
    return Outcome(
        accepted=accepted,
        stored=len(stored),
        twice=sum(stored.values()) - len(stored),
        dropped=dropped,
        told="raised" in report or any(word in said for word in TELLING),
        raised=report.get("raised"),
        refused=report.get("refused", 0),
        dead=report.get("dead", False),
        hung=(board.running or "start") if hung else None,
        children=report.get("children", 0),
        children_hung=report.get("children_hung", 0),
        ways=report.get("ways", 0),
        escaped=report.get("escaped", 0),
        shown=_shown(folder / "logs", wanted) if "shown" in scenario.shows else None,
        longest=board.moments[2],
        lag=report.get("lag"),
        held=report.get("held"),
        delay=ended - done if done else None,
    )


def _found(logs: Path) -> Counter[tuple[str, float]]:
    """Return how often each point is in front of all tears: its tag, and its step or, without one, its place."""
    points: Counter[tuple[str, float]] = Counter()
    without: Counter[str] = Counter()
    for files in run_files(logs).values():
        for file in files:
            for event in _events(file):
                for value in event.summary.value:
                    without[value.tag] += 1
                    points[value.tag, event.step or value.simple_value or -without[value.tag]] += 1
    return points


def _events(file: Path) -> list[Any]:
    """Return the events up to the first thing that is wrong, where every reader stops."""
    if file.is_symlink():
        return []
    try:
        return events(file, prefix=True)
    except BadRecord as bad:
        with tempfile.NamedTemporaryFile() as front:
            front.write(file.read_bytes()[: bad.offset])
            front.flush()
            return events(front.name, prefix=True)


def _shown(logs: Path, tags: set[str]) -> int:
    """Return how many points the less lucky of TensorBoard's two loaders shows; one that gives up shows none."""
    counts = []
    for load in (python_loader.load, rust_server.load):
        try:
            series = load(logs)
        except EventFileError:
            raise
        except Exception:  # what such a file does to a loader is the result
            counts.append(0)
        else:
            counts.append(sum(len(points) for run in series.values() for tag, points in run.items() if tag in tags))
    return min(counts)
