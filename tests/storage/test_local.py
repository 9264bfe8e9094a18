"""A log directory has one file a run, few of them open, and names that rise; and what is written can be synced."""

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.eventfile import first_records
from asynctb.storage.local import MAX_OPEN, LocalStorage
from tests.inputs import holds
from tests.readback.events import TornTail, events, read_records, run_events, run_files
from tests.storage.faults import FaultyFiles, from_then_on, is_open, never, once
from tests.storage.points import (
    LONG,
    NOW,
    RUNS,
    attempt,
    check_names,
    made,
    point,
    posix,
    stored,
    wire,
)

# Many runs


@posix
def test_few_files_are_open_for_many_runs(tmp_path: Path) -> None:
    """Two hundred runs are written in turns with four descriptors, each in one file."""
    runs = [f"run{number}" for number in range(200)]
    files = FaultyFiles()
    storage = made(tmp_path, files, max_open=4)
    storage.open()
    for step in range(3):
        storage.write(wire({run: [step] for run in runs}))
    assert stored(tmp_path) == {"": [], **{run: [0, 1, 2] for run in runs}}
    assert len(files.created) == 1 + len(runs)
    assert files.most_open == 4 + 1  # one more while another is being closed
    assert len(files.open) == 4
    storage.sync()
    assert files.most_open == 4 + 1
    storage.close()
    assert files.open == set()


@posix
def test_the_least_recently_written_is_closed(tmp_path: Path) -> None:
    """A run that is written all the time keeps its descriptor, however many others come by."""
    files = FaultyFiles()
    storage = made(tmp_path, files, max_open=3)
    storage.open()
    storage.write(wire({"busy": [0]}))
    before = files.count
    for number in range(20):
        storage.write(wire({"busy": [number + 1], f"run{number}": [0]}))
    reopened = [run for run, _, _ in files.created]
    assert reopened.count("busy") == 1
    busy = storage.path("busy")
    assert busy is not None
    assert busy.stat().st_ino in {os.fstat(fd).st_ino for fd in files.open}
    assert files.count > before


def test_the_usual_bound_is_well_below_a_process_limit() -> None:
    """By default no more files are open than a process may easily spare."""
    assert LocalStorage(Path("runs"))._max_open == MAX_OPEN <= 64


# Names


@holds(30)
@given(
    st.lists(
        st.sampled_from([0.0, -5.0, NOW, NOW - 3600, NOW + 0.5, NOW + 1]) | st.floats(0, 4e9), min_size=2, max_size=12
    )
)
def test_names_rise_whatever_the_clock_does(clock: list[float]) -> None:
    """Files made one after the other in one folder sort in that order, though the clock stands still or goes back."""
    with tempfile.TemporaryDirectory() as folder:
        files = FaultyFiles()
        storages = [made(Path(folder), files, clock=lambda now=now: now) for now in clock]
        for storage in storages:
            storage.open()
        names = [name for _, name, _ in files.created]
        assert names == sorted(set(names))
        check_names(files)
        assert all(read_records(Path(folder) / name) for name in names)
        for storage in storages:
            storage.close()


def test_a_name_that_is_taken_meanwhile_is_not_used(tmp_path: Path) -> None:
    """Where another writer makes the file first, the next name is tried, as often as it takes."""
    files = FaultyFiles()
    files.refuse_names = 3
    storage = made(tmp_path, files)
    storage.open()
    storage.write(wire({"": [0]}))
    assert stored(tmp_path) == {"": [0]}


def test_many_writers_of_one_moment_keep_apart(tmp_path: Path) -> None:
    """Writers that open in one directory at the same moment, in many threads, have a file each."""
    storages = [made(tmp_path, max_open=5) for _ in range(24)]
    gate = threading.Barrier(8)

    def work(mine: list[LocalStorage]) -> None:
        gate.wait(LONG)
        for storage in mine:
            storage.open()
            storage.write({"": point(storages.index(storage))})

    threads = [threading.Thread(target=work, args=(storages[number::8],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    paths = run_files(tmp_path)["."]
    assert [len(events(path)) for path in paths] == [2] * len(storages)
    assert sorted(stored(tmp_path)[""]) == list(range(len(storages)))


def test_a_suffix_ends_every_name(tmp_path: Path) -> None:
    """The suffix ends the names of all runs' files."""
    storage = made(tmp_path, filename_suffix=".v2")
    storage.open()
    storage.write(wire({"a": [0]}))
    assert all(path.name.endswith(".v2") for paths in run_files(tmp_path).values() for path in paths)


def test_paths_are_known_once_there_is_a_file(tmp_path: Path) -> None:
    """The path of a run's file is told once it has one, and not while it cannot be made."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    main = storage.path("")
    assert main is not None
    assert main.parent == tmp_path
    assert main.is_file()
    assert storage.path("a") is None
    files.fails = from_then_on(files.count)
    assert not attempt(lambda: storage.write(wire({"a": [0]})))
    assert storage.path("a") is None
    files.fails = never
    storage.write({})
    path = storage.path("a")
    assert path is not None
    assert path.is_file()


def test_a_relative_directory_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that changes its working directory does not take the log directory with it."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    storage = made(Path("logs"))
    storage.open()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for step in range(2):
        storage.write(wire({run: [step] for run in RUNS}))
    assert stored(tmp_path / "logs") == {run: [0, 1] for run in RUNS}
    assert os.listdir(tmp_path / "elsewhere") == []


# First records


@posix
def test_only_a_runs_first_file_purges(tmp_path: Path) -> None:
    """Each run's first file purges, and the one that follows it does not: it would hide the writer's own points."""
    storage = made(tmp_path, purge_step=5)
    storage.open()
    storage.write(wire({"": [6], "a": [6]}))
    assert [len(run_files(tmp_path)[run]) for run in (".", "a")] == [1, 1]
    for run in ("", "a"):
        path = storage.path(run)
        assert path is not None
        assert path.read_bytes().startswith(first_records(NOW, 5))
        path.unlink()
        storage.write(wire({run: [7]}))
        path = storage.path(run)
        assert path is not None
        assert path.read_bytes() == first_records(NOW, None) + point(7)


def test_opening_makes_a_file_that_readers_find(tmp_path: Path) -> None:
    """An open storage has made its directory and a file with its version, before anything is written."""
    storage = made(tmp_path / "deep" / "logs")
    storage.open()
    (first,) = run_events(tmp_path / "deep" / "logs")["."]
    assert (first.file_version, first.wall_time) == ("brain.Event:2", NOW)


# Syncing


def test_syncing_is_remembered(tmp_path: Path) -> None:
    """What has been written is unsynced until a sync succeeds, and a failed one leaves it so."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    storage.write(wire({run: [0] for run in RUNS}))
    assert storage.unsynced
    files.fails = once(files.count + 1)
    with pytest.raises(OSError, match="injected"):
        storage.sync()
    assert storage.unsynced
    storage.sync()
    assert not storage.unsynced


def synced(files: FaultyFiles) -> list[int]:
    """Note which files are synced from now on."""
    inodes: list[int] = []
    files.real.sync = lambda fd: inodes.append(os.fstat(fd).st_ino)  # type: ignore[method-assign]
    return inodes


@posix
def test_a_sync_reaches_every_file_once(tmp_path: Path) -> None:
    """All files written since the last sync are synced, those that were closed meanwhile too, and no others."""
    files = FaultyFiles()
    storage = made(tmp_path, files, max_open=1)
    storage.open()
    runs = [f"run{number}" for number in range(5)]
    storage.write(wire({run: [0] for run in runs}))
    inodes = synced(files)
    storage.sync()
    paths = [path for run in ("", *runs) if (path := storage.path(run))]
    assert sorted(inodes) == sorted(path.stat().st_ino for path in paths)
    inodes.clear()
    storage.write(wire({"run3": [1]}))
    storage.sync()
    storage.sync()
    assert inodes == [paths[4].stat().st_ino]


@posix
def test_a_deleted_file_needs_no_sync(tmp_path: Path) -> None:
    """A file that was deleted, open or closed, is no reason for a sync to fail."""
    storage = made(tmp_path)
    storage.open()
    storage.write(wire({run: [0] for run in RUNS}))
    for run in RUNS:
        path = storage.path(run)
        assert path is not None
        path.unlink()
    storage.sync()
    assert not storage.unsynced


def test_folders_are_synced_once_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names on the way to a file are synced with its first sync, and again only for a new file."""
    files = FaultyFiles()
    folders: list[str] = []
    monkeypatch.setattr(files, "sync_folders", lambda root, run: folders.append(run))
    storage = made(tmp_path, files)
    storage.open()
    for step in range(3):
        storage.write(wire({"a": [step]}))
        storage.sync()
    assert sorted(folders) == ["", "a"]
    if os.name == "posix":
        shutil.rmtree(tmp_path / "a")
        storage.write(wire({"a": [3]}))
        storage.sync()
        assert folders[2:] == ["a"]


# The end, and a new beginning


def test_closing_twice_and_before_opening(tmp_path: Path) -> None:
    """A storage may be closed before it was opened, and twice, and touches no disk for it."""
    storage = made(tmp_path / "logs")
    storage.close()
    storage.close()
    assert not (tmp_path / "logs").exists()


def test_a_close_ends_the_threads(tmp_path: Path) -> None:
    """The threads of a closed storage end by themselves."""
    storage = made(tmp_path)

    async def main() -> list[threading.Thread]:
        threads = [await storage.run(threading.current_thread)]
        storage.sync = lambda: threads.append(threading.current_thread())  # type: ignore[method-assign]
        await storage.run_sync()
        return threads

    threads = asyncio.run(main())
    assert all(thread.is_alive() for thread in threads)
    storage.close()
    for thread in threads:
        thread.join(LONG)
    assert not any(thread.is_alive() for thread in threads)


def test_a_failing_close_closes_the_rest(tmp_path: Path) -> None:
    """A descriptor whose close fails does not keep the others open."""
    files = FaultyFiles()
    storage = made(tmp_path, files, max_open=10)
    storage.open()
    storage.write(wire({run: [0] for run in RUNS}))
    files.fails = from_then_on(files.count)
    storage.close()
    assert files.open == set()


def test_after_a_close_new_files_begin(tmp_path: Path) -> None:
    """A storage that is opened again after its close goes on in new files, behind the old ones, and purges nothing."""
    storage = made(tmp_path, purge_step=0)
    storage.open()
    storage.write(wire({"": [0], "a": [0]}))
    old = storage.path("")
    storage.close()
    storage.open()
    storage.write(wire({"": [1], "a": [1]}))
    assert storage.path("") > old
    assert storage.path("").read_bytes() == first_records(NOW, None) + point(1)
    assert stored(tmp_path) == {"": [0, 1], "a": [0, 1]}


def test_what_was_owed_is_dropped_at_the_close(tmp_path: Path) -> None:
    """What could not be written before the close is not written to the files of a new beginning."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    files.fails = from_then_on(files.count)
    assert not attempt(lambda: storage.write(wire({"": [0]})))
    storage.close()
    assert not storage.owes
    files.fails = never
    storage.open()
    storage.write(wire({"": [1]}))
    assert stored(tmp_path) == {"": [1]}


@posix
def test_a_child_leaves_its_parents_files_alone(tmp_path: Path) -> None:
    """After a fork the child has closed its parent's descriptors, owes nothing, and begins files of its own."""
    files = FaultyFiles()
    storage = made(tmp_path, files, purge_step=0)
    storage.open()
    storage.write(wire({"": [0], "a": [0]}))
    files.short, files.fails = 7, from_then_on(files.count + 2)
    assert not attempt(lambda: storage.write(wire({"": [1]})))
    parents = {path: path.read_bytes() for paths in run_files(tmp_path).values() for path in paths}
    descriptors = set(files.open)
    files.short, files.fails = None, never
    storage.after_fork()
    assert not any(map(is_open, descriptors))
    assert (storage.owes, storage.unsynced, storage.path(""), storage.take_lost()) == (False, False, None, 0)
    files.open.clear()
    storage.open()
    storage.write(wire({"": [2], "a": [2]}))
    assert {path: path.read_bytes() for path in parents} == parents
    assert storage.path("") > max(path for path in parents if path.parent == tmp_path)
    assert storage.path("").read_bytes() == first_records(NOW, None) + point(2)
    with pytest.raises(TornTail):
        stored(tmp_path)
    assert stored(tmp_path, prefix=True) == {"": [0, 2], "a": [0, 2]}


@posix
def test_a_fork_in_the_middle_of_a_lock(tmp_path: Path) -> None:
    """A child waits for no lock that its parent's threads held at the fork."""
    storage = made(tmp_path)
    storage.open()
    storage._shared.acquire()
    storage.after_fork()
    storage.open()
    storage.write(wire({"": [0]}))
    storage.sync()
    assert [each.step for each in events(storage.path(""))[1:]] == [0]


# Threads


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[LocalStorage]:
    storage = made(tmp_path)
    yield storage
    storage.close()


def test_files_have_a_thread_of_their_own(storage: LocalStorage) -> None:
    """Calls run in one daemon thread, and syncs in another."""

    async def main() -> list[threading.Thread]:
        threads = [await storage.run(threading.current_thread), storage.submit(threading.current_thread).result(LONG)]
        storage.sync = lambda: threads.append(threading.current_thread())  # type: ignore[method-assign]
        await storage.run_sync()
        return threads

    writing, again, syncing = asyncio.run(main())
    assert writing is again is not syncing
    assert all(thread.daemon and thread.name.startswith("asynctb-") for thread in (writing, syncing))


def test_a_sync_can_be_submitted(storage: LocalStorage) -> None:
    """A sync can be begun without a loop, in the sync thread, and its error is its future's."""

    def fail() -> None:
        raise OSError(threading.current_thread().name)

    storage.sync = fail  # type: ignore[method-assign]
    assert "asynctb-sync" in str(storage.submit_sync().exception(LONG))


def test_where_no_thread_begins_the_file_thread_syncs(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the interpreter's end, when no thread can begin any more, the file thread does the sync."""

    def refuse(*_: object) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    async def main() -> None:
        threads = [await storage.run(threading.current_thread)]
        monkeypatch.setattr(storage._sync_thread, "submit", refuse)
        storage.sync = lambda: threads.append(threading.current_thread())  # type: ignore[method-assign]
        await storage.run_sync()
        assert threads[0] is threads[1]

    asyncio.run(main())


def test_a_cancelled_await_does_not_stop_its_call(storage: LocalStorage) -> None:
    """A call whose await is cancelled runs to its end, before any later one."""
    gate = threading.Event()
    done: list[str] = []

    async def main() -> None:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def call() -> None:
            loop.call_soon_threadsafe(begun.set)
            gate.wait(LONG)
            done.append("first")

        task = asyncio.create_task(storage.run(call))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        await storage.run(lambda: done.append("second"))

    asyncio.run(main())
    assert done == ["first", "second"]


def test_a_slow_sync_holds_up_no_write(storage: LocalStorage) -> None:
    """While a sync is stuck, records are written."""
    gate = threading.Event()

    async def main() -> None:
        await storage.run(storage.open)
        storage.sync = lambda: gate.wait(LONG)  # type: ignore[assignment,method-assign]
        syncing = asyncio.create_task(storage.run_sync())
        await storage.run(lambda: storage.write(wire({"": [0]})))
        assert not syncing.done()
        gate.set()
        await syncing

    asyncio.run(main())
    assert stored(storage.log_dir) == {"": [0]}
