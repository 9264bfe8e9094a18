"""Files beside the event files: each is whole or not there, whatever the disk does and whoever else is at work."""

import errno
import os
import stat
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from unittest.mock import Mock

import pytest

from asynctb.entry import Asset, Assets, pack
from asynctb.storage.files import BAD_PATH, Files, PlainFiles, PosixFiles
from asynctb.storage.local import LocalStorage
from tests.storage.faults import Fails, FaultyFiles, from_then_on, never, once
from tests.storage.points import attempt, insist, links, made, posix, stored, wire

INDEX = "index.txt"
INDEXED = ["first", "second", "third"]
CODES = [errno.ENOSPC, errno.ESTALE]


def merge(old: bytes, new: bytes) -> bytes:
    """Put a line into the index, once."""
    return old if new in old else old + new


def entry(name: str, size: int = 40, folder: str = "a/b") -> tuple[Assets, bytes]:
    """Two files, and a line in an index that names them."""
    assets = (Asset(f"{folder}/{name}"), Asset(f"{name}.top"), Asset(INDEX, merge))
    return assets, pack([[content(name, size)], [b"top ", name.encode()], [line(name, folder)]])


def content(name: str, size: int = 40) -> bytes:
    return (name.encode() * size)[:size]


def line(name: str, folder: str = "a/b") -> bytes:
    return f"{folder}/{name}\n".encode()


def found(log_dir: Path) -> dict[str, bytes]:
    """All files but the event files, those that are in the making included."""
    paths = (path for path in log_dir.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(log_dir).as_posix(): path.read_bytes() for path in paths if "tfevents" not in path.name}


def expected(*names: str, size: int = 40, before: bytes = b"") -> dict[str, bytes]:
    files = {f"a/b/{name}": content(name, size) for name in names}
    files |= {f"{name}.top": b"top " + name.encode() for name in names}
    return {**files, INDEX: before + b"".join(map(line, names))}


def store(storage: LocalStorage, files: FaultyFiles, *, at_once: bool = True) -> None:
    """Store three entries, and points beside them, trying again at once or only at the end."""
    insist(files, storage.open)
    for step, name in enumerate(INDEXED):
        if not attempt(lambda: storage.write(wire({"": [step], "c": [step]}), [entry(name)])) and at_once:  # noqa: B023
            insist(files, lambda: storage.write({}))
    insist(files, lambda: storage.write({}))
    assert not storage.owes
    insist(files, storage.sync)
    assert not storage.unsynced


# The N-th operation fails, for every N


@posix
@pytest.mark.parametrize("at_once", [True, False], ids=["retried at once", "retried later"])
@pytest.mark.parametrize("fault", [once, from_then_on])
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(("short", "left"), [(None, 0), (25, 0.5)])
def test_any_operation_may_fail(
    code: int, short: int | None, left: float, fault: Callable[[int], Fails], at_once: bool, tmp_path: Path
) -> None:
    """Whichever operation fails, once or until the disk heals, all files are stored whole, and nothing else is left."""
    for number in count():
        log_dir = tmp_path / str(number)
        log_dir.mkdir()
        (log_dir / INDEX).write_bytes(b"by hand\n")
        files = FaultyFiles(fault(number), code, short, left)
        storage = made(log_dir, files)
        store(storage, files, at_once=at_once)
        files.fails = never
        storage.close()
        assert found(log_dir) == expected(*INDEXED, before=b"by hand\n"), f"operation {number}"
        assert stored(log_dir) == {"": [0, 1, 2], "c": [0, 1, 2]}
        assert storage.take_lost() == 0
        assert files.open == set(), f"operation {number}"
        if not files.reached:
            break
    assert number > 100


@posix
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("short", [None, 7])
def test_a_disk_that_never_heals_leaves_whole_files(code: int, short: int | None, tmp_path: Path) -> None:
    """Whichever operation is the last that works, each file is whole or not there, and the index names no missing."""
    for number in count():
        log_dir = tmp_path / str(number)
        log_dir.mkdir()
        (log_dir / INDEX).write_bytes(b"by hand\n")
        files = FaultyFiles(from_then_on(number), code, short, 0.5)
        storage = made(log_dir, files)
        attempt(storage.open)
        for name in INDEXED:
            attempt(lambda: storage.write({}, [entry(name)]))  # noqa: B023
        storage.close()
        there = {path: each for path, each in found(log_dir).items() if not path.rpartition("/")[2].startswith(".")}
        whole = expected(*INDEXED)
        assert all(path == INDEX or each == whole[path] for path, each in there.items()), f"operation {number}"
        head, *lines = there[INDEX].decode().splitlines()
        assert head == "by hand"
        assert lines == [line(name).decode().strip() for name in INDEXED][: len(lines)]
        assert all(named in there and f"{Path(named).name}.top" in there for named in lines), f"operation {number}"
        if not files.reached:
            break
    assert number > 50


@posix
@pytest.mark.parametrize("name", ["open_to_read", "read", "replace", "locked", "create", "write_at", "sync", "close"])
def test_every_operation_takes_part(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The story that the faults are put into has every operation in it."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    spy = Mock(wraps=getattr(files, name))
    monkeypatch.setattr(files, name, spy)
    storage.write({}, [entry("first"), entry("second")])
    assert spy.called


@posix
@pytest.mark.parametrize("end", ["write", "close"])
def test_what_cannot_be_removed_is_removed_later(end: str, tmp_path: Path) -> None:
    """What a failed write has left, and a failing disk keeps from being removed, goes when the disk has healed."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    begin = files.count
    files.fails = lambda number: number > begin + 1
    with pytest.raises(OSError, match="injected"):
        storage.write({}, [entry("first")])
    assert [name for name in found(tmp_path) if "tmp" in name]
    files.fails = never
    if end == "write":
        storage.write({})
    else:
        storage.close()
    assert found(tmp_path) == (expected("first") if end == "write" else {})


@pytest.mark.parametrize("files", [PlainFiles(), None], ids=["plain", "of this system"])
def test_files_are_stored_and_replaced(files: Files | None, tmp_path: Path) -> None:
    """A file takes the place of one of its name; what is to be joined with what is there is."""
    storage = LocalStorage(tmp_path, files=files)
    storage.open()
    storage.write({}, [entry("first"), entry("second")])
    storage.write({}, [entry("first", size=3_000_000)])
    storage.sync()
    storage.close()
    assert found(tmp_path) == expected("first", "second") | {"a/b/first": content("first", 3_000_000)}


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    """Content of no bytes makes an empty file."""
    storage = LocalStorage(tmp_path)
    storage.open()
    storage.write({}, [((Asset("empty"), Asset("full")), pack([[], [b"x"]]))])
    storage.close()
    assert found(tmp_path) == {"empty": b"", "full": b"x"}


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_modes_follow_the_umask(mask: int, tmp_path: Path) -> None:
    """Files and folders get the modes that the process gives all others."""
    before = os.umask(mask)
    try:
        storage = made(tmp_path / "logs")
        storage.open()
        storage.write({}, [entry("first")])
    finally:
        os.umask(before)
    for path in (tmp_path / "logs").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o777 if path.is_dir() else 0o666) & ~mask


@posix
@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_stores_all_the_same(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a file cannot be synced before it takes its name, it takes it without."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    monkeypatch.setattr(files, "sync", Mock(side_effect=OSError(code, "no such thing here")))
    storage.write({}, [entry("first"), entry("second")])
    assert found(tmp_path) == expected("first", "second")
    assert files.sync.called  # type: ignore[attr-defined]


# Paths that can have no file


def plant(kind: str, place: Path, victim: Path) -> None:
    victim.mkdir() if kind == "link to a folder" else victim.write_bytes(b"precious")
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "file":
        place.write_bytes(b"theirs")
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to(victim if kind != "dangling link" else victim.with_name("nowhere"))


@links
@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("file", "a/b"),
        ("file", "a"),
        ("link", "a/b"),
        ("link to a folder", "a/b"),
        ("link to a folder", "a"),
        ("dangling link", "a"),
        ("folder", "a/b/bad"),
        ("folder", "bad.top"),
        ("folder", INDEX),
        ("link", INDEX),
        ("dangling link", INDEX),
        ("link to a folder", INDEX),
    ],
)
@pytest.mark.parametrize("plain", [False, True], ids=["", "plain"])
def test_a_path_that_can_have_no_file_is_given_up(kind: str, place: str, plain: bool, tmp_path: Path) -> None:
    """Where something else is in the way, the entry is given up and counted once; the others are stored."""
    if plain and place == INDEX and "link" in kind and not hasattr(os, "O_NOFOLLOW"):
        pytest.skip("links at the end of a path are followed here")
    log_dir, victim = tmp_path / "logs", tmp_path / "victim"
    plant(kind, log_dir / place, victim)
    storage = LocalStorage(log_dir, files=PlainFiles() if plain else PosixFiles())
    storage.open()
    other = ((Asset("other/file"),), pack([[b"fine"]]))
    storage.write(wire({"": [0]}), [entry("bad"), other])
    assert not storage.owes
    assert (storage.take_lost(), storage.take_lost()) == (1, 0)
    storage.write(wire({"": [1]}))
    storage.sync()
    storage.close()
    assert stored(log_dir) == {"": [0, 1]}
    assert found(log_dir)["other/file"] == b"fine"
    assert not any("tmp" in name for name in found(log_dir))
    assert not (log_dir / INDEX).is_file() or kind == "link"
    assert not (tmp_path / "nowhere").exists()
    if victim.is_dir():
        assert list(victim.iterdir()) == []
    else:
        assert victim.read_bytes() == b"precious"


@links
def test_a_link_at_a_files_name_is_replaced(tmp_path: Path) -> None:
    """A link where a file is to be makes way for it, and what it leads to stays as it is."""
    (tmp_path / "victim").write_bytes(b"precious")
    log_dir = tmp_path / "logs"
    plant("link", log_dir / "a/b/first", tmp_path / "victim")
    storage = made(log_dir)
    storage.open()
    storage.write({}, [entry("first")])
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert found(log_dir) == expected("first")


@links
def test_a_link_at_the_temporary_name_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link under the very name that a file has in the making leads nowhere, and the next name is taken."""
    log_dir, victim = tmp_path / "logs", tmp_path / "victim"
    victim.write_bytes(b"precious")
    tokens = iter([b"guessed!", *(bytes([number] * 8) for number in range(10))])
    monkeypatch.setattr("os.urandom", lambda _: next(tokens))
    storage = made(log_dir)
    storage.open()
    trap = log_dir / f"a/b/.asynctb-{b'guessed!'.hex()}.tmp"
    plant("link", trap, victim)
    with pytest.raises(FileExistsError):
        storage.write({}, [entry("first")])
    storage.write({})
    assert trap.is_symlink()
    assert victim.read_bytes() == b"precious"
    assert found(log_dir) == expected("first")


@posix
@pytest.mark.timeout(20)
def test_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    """A pipe under a file's name, which nobody writes to, is replaced by the file."""
    os.mkfifo(tmp_path / INDEX)
    storage = made(tmp_path)
    storage.open()
    storage.write({}, [entry("first")])
    assert found(tmp_path) == expected("first")


@posix
@pytest.mark.parametrize("code", sorted(BAD_PATH))
@pytest.mark.parametrize("name", ["write_at", "close"])
def test_a_write_is_tried_again_whatever_its_error(
    name: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the writing itself says nothing about the path, so nothing is given up for it."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    real = getattr(files, name)

    def fail(*args: object) -> object:
        if name == "close":
            real(*args)
        raise OSError(code, "not now")

    monkeypatch.setattr(files, name, fail)
    with pytest.raises(OSError, match="not now"):
        storage.write({}, [entry("first")])
    monkeypatch.setattr(files, name, real)
    storage.write({})
    assert storage.take_lost() == 0
    assert found(tmp_path) == expected("first")


@posix
@pytest.mark.parametrize("place", ["runs", "runs/logs"])
def test_a_missing_log_directory_is_waited_for(place: str, tmp_path: Path) -> None:
    """Where it is the log directory itself that cannot be had, nothing is given up: that may heal."""
    log_dir = tmp_path / "runs/logs"
    storage = made(log_dir)
    storage.open()
    (tmp_path / place).rename(tmp_path / "away")
    (tmp_path / place).write_bytes(b"in the way")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        storage.write({}, [entry("first")])
    assert storage.owes
    (tmp_path / place).unlink()
    (tmp_path / "away").rename(tmp_path / place)
    storage.write({})
    assert storage.take_lost() == 0
    assert found(log_dir) == expected("first")


# Syncing


@posix
def test_sync_reaches_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync covers each file stored since the last one, and the folders in which they have their names."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    storage.sync()
    storage.write({}, [entry("first")])
    assert storage.unsynced
    identities = {files.real.found(fd).identity for fd in files.open}
    folders = Mock(wraps=files.sync_folders)
    real = files.sync

    def sync(fd: int) -> None:
        identities.add(files.real.found(fd).identity)
        real(fd)

    monkeypatch.setattr(files, "sync", sync)
    monkeypatch.setattr(files, "sync_folders", folders)
    storage.sync()
    assert not storage.unsynced
    for path in expected("first"):
        status = (tmp_path / path).stat()
        assert (status.st_dev, status.st_ino) in identities
    assert {call.args[1] for call in folders.call_args_list} == {"", "a/b"}


@posix
def test_what_is_deleted_or_replaced_needs_no_sync(tmp_path: Path) -> None:
    """A sync passes over files that others have deleted, or put a link in the place of."""
    storage = made(tmp_path / "logs")
    storage.open()
    storage.write({}, [entry("first")])
    (tmp_path / "logs/a/b/first").unlink()
    (tmp_path / "logs/first.top").unlink()
    (tmp_path / "logs/first.top").symlink_to(tmp_path / "nowhere")
    storage.sync()
    assert not storage.unsynced


@posix
def test_a_failed_sync_is_made_up_for(tmp_path: Path) -> None:
    """Whichever operation of a sync fails, the next one syncs all files again."""
    for number in count():
        files = FaultyFiles()
        storage = made(tmp_path / str(number), files)
        storage.open()
        storage.write({}, [entry("first"), entry("second")])
        begin = files.count
        files.fails = once(begin + number)
        if not attempt(storage.sync):
            assert storage.unsynced
            storage.sync()
        assert not storage.unsynced
        storage.close()
        if not files.reached:
            break
    assert number > 10


@posix
def test_what_is_joined_with_other_peoples_is_synced_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that others have written to is only replaced by one that has been synced."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    calls: list[str] = []
    for name in ("sync", "replace"):
        monkeypatch.setattr(
            files, name, Mock(wraps=getattr(files, name), side_effect=lambda *_, name=name: calls.append(name))
        )
    storage.write({}, [((Asset(INDEX, merge),), pack([[b"new\n"]]))])
    assert calls == ["replace"]
    (tmp_path / INDEX).write_bytes(b"by hand\n")
    calls.clear()
    storage.write({}, [((Asset(INDEX, merge),), pack([[b"newer\n"]]))])
    assert calls == ["sync", "replace"]


# Others at work


@posix
def test_two_writers_keep_each_others_entries(tmp_path: Path) -> None:
    """Writers of one directory that join a file with their entries at the same time lose none of them."""
    names = [[f"{writer}-{number}" for number in range(60)] for writer in range(3)]

    def write(mine: list[str]) -> None:
        storage = LocalStorage(tmp_path)
        storage.open()
        for name in mine:
            storage.write({}, [((Asset(INDEX, merge),), pack([[line(name)]]))])
        storage.close()

    threads = [threading.Thread(target=write, args=(mine,)) for mine in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / INDEX).read_bytes().splitlines(keepends=True)
    assert sorted(lines) == sorted(line(name) for mine in names for name in mine)


@posix
@pytest.mark.timeout(20)
def test_a_stranger_with_the_lock_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody keeps the directory locked for good, files are stored without a lock."""
    import fcntl

    monkeypatch.setattr("asynctb.storage.files._TRIES", 20)
    fd = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        storage = made(tmp_path)
        storage.open()
        storage.write({}, [entry("first")])
    finally:
        os.close(fd)
    assert found(tmp_path) == expected("first")


@posix
def test_a_file_system_without_locks_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no locks, files are stored without."""
    monkeypatch.setattr("fcntl.flock", Mock(side_effect=OSError(errno.ENOLCK, "no locks here")))
    storage = made(tmp_path)
    storage.open()
    storage.write({}, [entry("first")])
    assert found(tmp_path) == expected("first")


@posix
@pytest.mark.parametrize("end", ["close", "after_fork"])
def test_nothing_is_owed_after_the_end(end: str, tmp_path: Path) -> None:
    """What could not be stored until a writer closed, and what a child's parent has to store, is not stored later."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    files.fails = from_then_on(files.count)
    with pytest.raises(OSError, match="injected"):
        storage.write({}, [entry("first")])
    assert storage.owes
    files.fails = never
    before = set(files.open)
    getattr(storage, end)()
    files.open -= before if end == "after_fork" else set()
    assert not storage.owes
    storage.open()
    storage.write({}, [entry("second")])
    assert found(tmp_path) == expected("second")


@pytest.mark.parametrize("code", [errno.EBUSY, errno.ETXTBSY, errno.EXDEV], ids=errno.errorcode.get)
def test_a_file_that_can_never_be_replaced_is_given_up(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration that is a mount of its own, as containers have them, holds up nothing: it is counted as lost."""
    storage = made(tmp_path)
    storage.open()
    monkeypatch.setattr(storage._files, "replace", Mock(side_effect=OSError(code, "mounted")))
    storage.write({}, [entry("first")])
    assert not storage.owes
    assert storage.take_lost() == 1
