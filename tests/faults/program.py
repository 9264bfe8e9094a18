"""A program in a process of its own, which ends, or hangs and is told on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

PROGRAMS = Path(__file__).parent / "programs"
HANG = 60.0  # seconds after which a program that has not ended never will
# A fork beside threads warns from 3.12 on, and so does a writer left open, as they should: here that is the point.
OPTIONS = ["-W", "error", "-W", "ignore::ResourceWarning", "-W", "ignore:This process:DeprecationWarning"]


class Ended(NamedTuple):
    """How a program ended."""

    returncode: int
    out: str
    err: str
    seconds: float


def start(program: str | Path, *args: object) -> subprocess.Popen[str]:
    """Start a program of this folder, by its name; any script, by its path; or source text of several lines."""
    if isinstance(program, Path):
        what = [str(program)]
    else:
        what = ["-c", program] if "\n" in program else [str(PROGRAMS / f"{program}.py")]
    return subprocess.Popen(
        [sys.executable, *OPTIONS, *what, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that its children can be ended with it
        # Aborted, it tells where each of its threads stood; and it finds the package, and these tests, where we did.
        env={**os.environ, "PYTHONFAULTHANDLER": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def end(process: subprocess.Popen[str], hang: float = HANG, expect: Collection[int] = (0,)) -> Ended:
    """Wait for the end of a program; fails if it hangs, or if its exit status is not one of those expected."""
    began = time.monotonic()
    try:
        out, err = process.communicate(timeout=hang)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGABRT)
        _, err = process.communicate(timeout=HANG)
        raise AssertionError(f"HANG, after {hang:g} s:\n{err}") from None
    assert process.returncode in expect, f"exit status {process.returncode}:\n{out}\n{err}"
    return Ended(process.returncode, out, err, time.monotonic() - began)


def run(program: str | Path, *args: object, hang: float = HANG, expect: Collection[int] = (0,)) -> Ended:
    """Run a program from its start to its end."""
    return end(start(program, *args), hang, expect)
