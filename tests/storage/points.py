"""Points to store, ways to store them on a failing disk, and what is read back by a parser that is not ours."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from asynctb.encode.scalar import scalar
from asynctb.encode.wire import event
from asynctb.record import frame
from asynctb.storage.local import LocalStorage
from tests.readback.events import events, run_files
from tests.storage.faults import FaultyFiles, never

NOW = 1_700_000_000.0
LONG = 10  # seconds after which a test would rather fail than wait
RUNS = ["", "a", "b/c"]

MADE: list[tuple[LocalStorage, FaultyFiles]] = []

posix = pytest.mark.skipif(os.name != "posix", reason="open files cannot be removed here")
links = pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="links need rights here")


def point(step: int) -> bytes:
    """A framed record that is known by its step."""
    return frame(event(NOW, step, scalar("x" * (1 + step % 3), step).what))


def points(*steps: int) -> bytes:
    return b"".join(map(point, steps))


def wire(batch: Mapping[str, list[int]]) -> dict[str, bytes]:
    return {run: points(*steps) for run, steps in batch.items()}


def stored(log_dir: Path, *, prefix: bool = False) -> dict[str, list[int]]:
    """Read back the steps of each run's points, by a parser that knows nothing of ours and takes no fault."""
    found: dict[str, list[int]] = {}
    for run, paths in run_files(log_dir).items():
        for path in paths:
            all_of_it = events(path, prefix=prefix)
            assert not all_of_it or all_of_it[0].file_version
            steps = [each.step for each in all_of_it if each.HasField("summary")]
            found.setdefault("" if run == "." else run, []).extend(steps)
    return found


def made(log_dir: Path, files: FaultyFiles | None = None, **more: Any) -> LocalStorage:
    """Make a storage that few files suffice; what is left open when it is closed after the test is the test's fault."""
    files = files or FaultyFiles()
    storage = LocalStorage(log_dir, files=files, **{"clock": lambda: NOW, "max_open": 2, **more})
    MADE.append((storage, files))
    return storage


def attempt(call: Callable[[], object]) -> bool:
    """Call, and tell whether the disk let it."""
    try:
        call()
    except OSError:
        return False
    return True


def insist(files: FaultyFiles, call: Callable[[], object], tries: int = 3) -> None:
    """Call until it succeeds, as the pipeline does; the disk heals after some tries."""
    for _ in range(tries):
        if attempt(call):
            return
    files.fails = never
    call()


def check_names(files: FaultyFiles) -> None:
    """Each file's name must sort behind all that stood in its folder when it was made."""
    for _, name, before in files.created:
        assert all(name > other for other in before)


def close_others(storage: LocalStorage) -> None:
    """Write to so many runs that the descriptors of all others are closed."""
    storage.write(wire({"other": [0], "others": [0]}))
