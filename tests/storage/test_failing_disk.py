"""Whatever the disk does, each record stands in its run's files once, in order, and nothing behind a torn one."""

import errno
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from asynctb.storage.local import LocalStorage
from tests.readback.events import events, run_files
from tests.storage.faults import Fails, FaultyFiles, from_then_on, never, once
from tests.storage.points import (
    RUNS,
    attempt,
    check_names,
    insist,
    made,
    point,
    points,
    posix,
    stored,
    wire,
)

# Three runs through two descriptors, so that files are also closed and opened again.
BATCHES = [{"": [0, 1], "a": [0]}, {"b/c": [0, 1]}, {"": [2], "a": [1, 2]}, {"": [3], "b/c": [2]}, {"a": [3]}]
SENT = {run: sorted(step for batch in BATCHES for step in batch.get(run, [])) for run in RUNS}


def store(storage: LocalStorage, files: FaultyFiles, *, at_once: bool) -> None:
    """Store all batches, trying again at once or only when everything has been handed over."""
    insist(files, storage.open)
    for batch in BATCHES:
        if not attempt(lambda: storage.write(wire(batch))) and at_once:  # noqa: B023
            insist(files, lambda: storage.write({}))
    insist(files, lambda: storage.write({}))
    assert not storage.owes
    insist(files, storage.sync)


# The N-th operation fails, for every N


@posix
@pytest.mark.parametrize("at_once", [True, False], ids=["retried at once", "retried later"])
@pytest.mark.parametrize("fault", [once, from_then_on])
@pytest.mark.parametrize(
    ("code", "short", "left"),
    [
        (errno.EIO, None, 0),
        (errno.ENOSPC, 29, 0),
        (errno.EIO, None, 0.5),
        (errno.ESTALE, None, 0),
        (errno.ESTALE, 29, 0),
        (errno.ESTALE, None, 0.5),
        (errno.ESTALE, None, 1),
    ],
)
def test_any_operation_may_fail(
    code: int, short: int | None, left: float, fault: Callable[[int], Fails], at_once: bool, tmp_path: Path
) -> None:
    """Whichever operation fails, once or until the disk heals, all is stored once and in order, and all is closed."""
    for number in count():
        log_dir = tmp_path / str(number)
        files = FaultyFiles(fault(number), code, short, left)
        storage = made(log_dir, files)
        store(storage, files, at_once=at_once)
        assert stored(log_dir) == SENT, f"operation {number}"
        files.fails = never
        storage.close()
        assert files.open == set(), f"operation {number}"
        check_names(files)
        if not files.reached:
            break
    assert number > len(BATCHES) * len(RUNS)


@posix
@pytest.mark.parametrize("short", [None, 29])
@pytest.mark.parametrize("left", [0, 0.5, 1])
def test_a_disk_that_never_heals_leaves_a_prefix(short: int | None, left: float, tmp_path: Path) -> None:
    """Whichever operation is the last that works, a prefix stands on the disk, torn in its last record at most."""
    for number in count():
        log_dir = tmp_path / str(number)
        files = FaultyFiles(from_then_on(number), errno.EIO, short, left)
        storage = made(log_dir, files)
        attempt(storage.open)
        for batch in BATCHES:
            attempt(lambda: storage.write(wire(batch)))  # noqa: B023
        for run, steps in stored(log_dir, prefix=True).items():
            assert steps == SENT[run][: len(steps)]
        storage.close()
        assert files.open == set()
        if not files.reached:
            break
    assert stored(log_dir) == SENT


@posix
@pytest.mark.parametrize("name", ["close", "sync", "sync_folders", "duplicate", "reopen"])
def test_every_operation_takes_part(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The story that the faults are put into has every operation in it."""
    files = FaultyFiles()
    spy = Mock(wraps=getattr(files, name))
    monkeypatch.setattr(files, name, spy)
    storage = made(tmp_path, files)
    store(storage, files, at_once=True)
    storage.close()
    assert spy.called


def test_a_write_of_no_bytes_is_a_failure(tmp_path: Path) -> None:
    """A disk that takes nothing and gives no error does not keep a write going round for ever."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    files.short = 0
    with pytest.raises(OSError, match="took no bytes"):
        storage.write(wire({"": [0]}))
    files.short = None
    storage.write({})
    assert stored(tmp_path) == {"": [0]}


@pytest.mark.parametrize("places", [[1], [12, 13], [40], list(range(0, 60, 7))])
def test_a_torn_record_is_completed_first(places: list[int], tmp_path: Path) -> None:
    """After a write that stopped anywhere, the file goes on at the exact byte, with the rest of that record first."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    data, path = points(0, 1, 2), storage.path("")
    begin = path.stat().st_size
    for place in places:
        files.short, files.fails = None, never
        taken = path.stat().st_size - begin
        files.short = max(1, place - taken)
        files.fails = from_then_on(files.count + 2)  # found, one write, and then no more
        with pytest.raises(OSError, match="injected"):
            storage.write({"": data} if place == places[0] else {})
        assert path.read_bytes()[begin:] == data[: path.stat().st_size - begin]
        assert storage.owes
    files.short, files.fails = None, never
    storage.write(wire({"": [3]}))
    assert path.read_bytes()[begin:] == data + point(3)


@posix
def test_one_failing_run_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """Where the file of one run cannot be written, those of the others are, and it is told."""
    files = FaultyFiles()
    storage = made(tmp_path, files, max_open=10)
    storage.open()
    storage.write(wire({run: [0] for run in RUNS}))
    real = files.write_at
    sick = files.real.found(min(files.open)).identity

    def write_at(fd: int, data: memoryview, offset: int) -> int:
        if files.real.found(fd).identity == sick:
            raise OSError(errno.EIO, "bad sector")
        return real(fd, data, offset)

    files.write_at = write_at  # type: ignore[method-assign]
    with pytest.raises(OSError, match="bad sector"):
        storage.write(wire({run: [1] for run in RUNS}))
    assert sorted(map(len, stored(tmp_path).values())) == [1, 2, 2]
    files.write_at = real  # type: ignore[method-assign]
    storage.write({})
    assert stored(tmp_path) == {run: [0, 1] for run in RUNS}


# Everything at once


class Story(RuleBasedStateMachine):
    """Writes, faults, deletions and new openings in any order, against a plain list of what was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.log_dir = Path(self.folder.name) / "logs"
        self.files = FaultyFiles()
        self.sent: dict[str, list[int]] = {}
        self.deleted: dict[str, set[int]] = {}

    @initialize(max_open=st.integers(1, 3), purge=st.none() | st.just(0))
    def open(self, max_open: int, purge: int | None) -> None:
        self.storage = made(self.log_dir, self.files, max_open=max_open, purge_step=purge)
        self.storage.open()

    @rule(batch=st.dictionaries(st.sampled_from(RUNS), st.integers(1, 3), min_size=1))
    def write(self, batch: dict[str, int]) -> None:
        steps = {
            run: list(range(len(self.sent.get(run, [])), len(self.sent.get(run, [])) + more))
            for run, more in batch.items()
        }
        for run in batch:
            self.sent.setdefault(run, []).extend(steps[run])
        attempt(lambda: self.storage.write(wire(steps)))

    @rule()
    def retry(self) -> None:
        attempt(lambda: self.storage.write({}))

    @rule()
    def sync(self) -> None:
        attempt(self.storage.sync)

    @rule(
        after=st.integers(0, 4),
        times=st.integers(1, 4),
        code=st.sampled_from([errno.EIO, errno.ENOSPC, errno.ESTALE]),
        short=st.none() | st.integers(1, 40),
        left=st.sampled_from([0, 0.5, 1]),
    )
    def break_down(self, after: int, times: int, code: int, short: int | None, left: float) -> None:
        begin = self.files.count + after
        self.files.fails = lambda number: begin <= number < begin + times
        self.files.code, self.files.short, self.files.left = code, short, left

    @rule()
    def heal(self) -> None:
        self.files.fails, self.files.short = never, None

    def _bury(self, run: str, path: Path) -> None:
        found = events(path, prefix=True)
        self.deleted.setdefault(run, set()).update(each.step for each in found if each.HasField("summary"))

    @rule(run=st.sampled_from(RUNS))
    def delete(self, run: str) -> None:
        path = self.storage.path(run)
        if path is not None and path.exists():
            self._bury(run, path)
            path.unlink()

    @rule()
    def delete_all(self) -> None:
        for run, paths in run_files(self.log_dir).items() if self.log_dir.exists() else ():
            for path in paths:
                self._bury("" if run == "." else run, path)
        shutil.rmtree(self.log_dir, ignore_errors=True)

    @precondition(lambda self: hasattr(self, "storage"))
    @invariant()
    def readable(self) -> None:
        """At any moment a reader finds each record at most once, in order, and no file with a fault but a torn end."""
        if self.log_dir.exists():
            for run, steps in stored(self.log_dir, prefix=True).items():
                assert steps == sorted(set(steps))
                assert set(steps) <= set(self.sent.get(run, []))
        assert len(self.files.open) <= self.storage._max_open + 1

    def teardown(self) -> None:
        self.heal()
        self.storage.write({})
        self.storage.sync()
        found = stored(self.log_dir) if self.log_dir.exists() else {}
        for run, sent in self.sent.items():
            assert set(sent) - set(found.get(run, [])) <= self.deleted.get(run, set())
        self.storage.close()
        assert self.files.open == set()
        with suppress(OSError):
            self.folder.cleanup()
        check_names(self.files)


Story.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
test_any_story = posix(Story.TestCase)
