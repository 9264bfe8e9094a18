"""What others delete, replace, cut or plant among our files is left alone, and the runs go on."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asynctb.eventfile import first_records
from asynctb.record import whole_records
from asynctb.storage.files import Files, PlainFiles, PosixFiles
from asynctb.storage.local import BAD_PATH, LOST_FILE, LocalStorage
from tests.readback.events import events, run_files
from tests.storage.faults import FaultyFiles, from_then_on, is_open, never
from tests.storage.points import NOW, RUNS, attempt, close_others, links, made, point, points, posix, stored, wire

# The file is gone, or is another


@posix
@pytest.mark.parametrize("run", ["", "a/b"])
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_a_deleted_file_is_followed_by_a_new_one(run: str, closed: bool, tmp_path: Path) -> None:
    """When its file has been deleted, a run goes on in a new one, with what came since."""
    storage = made(tmp_path)
    storage.open()
    storage.write(wire({run: [0, 1]}))
    if closed:
        storage.write(wire({"other": [0], "others": [0]}))
    path = storage.path(run)
    assert path is not None
    path.unlink()
    storage.write(wire({run: [2]}))
    storage.write(wire({run: [3]}))
    assert stored(tmp_path)[run] == [2, 3]
    assert len(run_files(tmp_path / run)["."]) == 1


@posix
@pytest.mark.parametrize("place", [0, 1, 30, 70, 100])
def test_a_file_deleted_in_the_middle_of_a_write_loses_nothing_unwritten(place: int, tmp_path: Path) -> None:
    """What a failed write left of its records is written to the new file whole, also the part that stood in the old."""
    files = FaultyFiles(short=place)
    storage = made(tmp_path, files)
    files.short = None
    storage.open()
    files.short = place or None
    files.fails = from_then_on(files.count + 1 + bool(place))
    with pytest.raises(OSError, match="injected"):
        storage.write(wire({"": [0, 1, 2]}))
    storage.path("").unlink()
    files.short, files.fails = None, never
    storage.write(wire({"": [3]}))
    assert stored(tmp_path) == {"": [0, 1, 2, 3]}


@posix
def test_a_deleted_log_directory_is_made_again(tmp_path: Path) -> None:
    """When the whole log directory has been deleted, all runs go on in a new one."""
    log_dir = tmp_path / "runs" / "a"
    files = FaultyFiles()
    storage = made(log_dir, files)
    storage.open()
    storage.write(wire({run: [0] for run in RUNS}))
    storage.sync()
    shutil.rmtree(tmp_path / "runs")
    storage.write(wire({run: [1, 2] for run in RUNS}))
    assert stored(log_dir) == {run: [1, 2] for run in RUNS}
    storage.close()
    assert files.open == set()


@posix
@pytest.mark.parametrize("kind", ["file", "link", "dangling link", "folder"])
@pytest.mark.parametrize("run", ["", "a"])
def test_another_file_of_that_name_is_not_written_to(run: str, kind: str, tmp_path: Path) -> None:
    """What took the place of a run's file while it was closed is left alone, and the run goes on in a new file."""
    log_dir, victim = tmp_path / "logs", tmp_path / "victim"
    victim.write_bytes(b"precious")
    storage = made(log_dir)
    storage.open()
    storage.write(wire({run: [0]}))
    close_others(storage)
    path = storage.path(run)
    assert path is not None
    zeros = bytes(path.stat().st_size)
    if kind == "file":  # the system would give a deleted file's inode to the next
        (tmp_path / "zeros").write_bytes(zeros)
        (tmp_path / "zeros").replace(path)
    else:
        path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind != "file":
        path.symlink_to(victim if kind == "link" else tmp_path / "nowhere")
    storage.write(wire({run: [1]}))
    storage.write(wire({run: [2]}))
    storage.sync()
    new = storage.path(run)
    assert new is not None
    assert new > path
    assert [each.step for each in events(new)[1:]] == [1, 2]
    assert victim.read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()
    if kind == "file":
        assert path.read_bytes() == zeros


@posix
@pytest.mark.parametrize("cut", [0, 1, 20])
def test_a_file_that_was_cut_is_left(cut: int, tmp_path: Path) -> None:
    """A file that became shorter while it was closed is left, for its next byte would stand behind a torn record."""
    storage = made(tmp_path)
    storage.open()
    storage.write(wire({"": [0]}))
    close_others(storage)
    old = storage.path("")
    os.truncate(old, cut)
    storage.write(wire({"": [1]}))
    assert storage.path("") > old
    assert old.stat().st_size == cut
    assert [each.step for each in events(storage.path(""))[1:]] == [1]


@posix
@pytest.mark.parametrize("place", [20, 60, 110])
def test_a_file_cut_in_the_middle_of_a_write_has_nothing_twice(place: int, tmp_path: Path) -> None:
    """Records that a failed write left whole in a file that is then given up are not written to the new one again."""
    files = FaultyFiles(code=errno.ESTALE)
    storage = made(tmp_path, files)
    storage.open()
    data, old = points(0, 1, 2), storage.path("")
    whole = whole_records(data, place)
    assert place - 1 > whole  # the cut is inside of a torn record
    files.short, files.fails = place, from_then_on(files.count + 2)
    assert not attempt(lambda: storage.write({"": data}))
    os.truncate(old, old.stat().st_size - 1)
    files.short, files.fails = None, never
    storage.write(wire({"": [3]}))
    assert storage.path("") > old
    assert stored(tmp_path, prefix=True) == {"": [0, 1, 2, 3]}
    assert storage.path("").read_bytes() == first_records(NOW, None) + data[whole:] + point(3)


@posix
def test_a_file_that_somebody_else_wrote_to_is_left(tmp_path: Path) -> None:
    """A file that has grown by more than we ever gave it is left as it is."""
    storage = made(tmp_path)
    storage.open()
    close_others(storage)
    old = storage.path("")
    with old.open("ab") as file:
        file.write(bytes(10_000))
    grown = old.read_bytes()
    storage.write(wire({"": [1]}))
    assert old.read_bytes() == grown
    assert [each.step for each in events(storage.path(""))[1:]] == [1]


@posix
@pytest.mark.parametrize("reused", [False, True])
def test_a_descriptor_closed_behind_our_back(reused: bool, tmp_path: Path) -> None:
    """Where somebody closed our descriptor, the file goes on by its name, and what has the number now is left alone."""
    files = FaultyFiles()
    storage = made(tmp_path / "logs", files)
    storage.open()
    storage.write(wire({"": [0]}))
    path, (fd,) = storage.path(""), files.open
    if reused:
        with (tmp_path / "victim").open("wb") as victim:
            os.dup2(victim.fileno(), fd)
    else:
        os.close(fd)
    files.open.clear()
    attempt(lambda: storage.write(wire({"": [1]})))
    storage.write(wire({"": [2]}))
    assert storage.path("") == path
    assert [each.step for each in events(path)[1:]] == [0, 1, 2]
    storage.close()
    if reused:
        assert (tmp_path / "victim").read_bytes() == b""
        assert is_open(fd)
        os.close(fd)


@posix
@pytest.mark.parametrize("code", sorted(LOST_FILE - {errno.EBADF}))
@pytest.mark.parametrize("name", ["write_at", "found"])
def test_a_stale_descriptor_is_replaced(name: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A descriptor that the system calls stale is closed, and the same file goes on by another, at the exact byte."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    storage.write(wire({"": [0]}))
    path, (fd,) = storage.path(""), files.open
    stale = os.dup2(fd, 500)  # a number that no other file gets
    os.close(fd)
    files.open = {stale}
    storage._runs[""].fd = stale
    real = getattr(files, name)

    def call(fd: int, *args: Any) -> Any:
        if fd == stale:
            raise OSError(code, os.strerror(code))
        return real(fd, *args)

    monkeypatch.setattr(files, name, call)
    assert not attempt(lambda: storage.write(wire({"": [1]})))
    assert files.open == set()
    storage.write(wire({"": [2]}))
    assert storage.path("") == path
    assert [each.step for each in events(path)[1:]] == [0, 1, 2]


# Runs that can have no file


def block_by_file(log_dir: Path) -> None:
    log_dir.mkdir(parents=True)
    (log_dir / "bad").write_bytes(b"mine")


def block_by_link(log_dir: Path) -> None:
    (log_dir.parent / "outside").mkdir()
    log_dir.mkdir(parents=True)
    (log_dir / "bad").symlink_to(log_dir.parent / "outside")


@links
@pytest.mark.parametrize("run", ["bad", "bad/below"])
@pytest.mark.parametrize("block", [block_by_file, block_by_link])
def test_a_run_that_can_have_no_file_is_given_up(block: Callable[[Path], None], run: str, tmp_path: Path) -> None:
    """Where a file or a link stands in the place of its folder, a run's records are counted as lost, and only they."""
    log_dir = tmp_path / "logs"
    block(log_dir)
    storage = made(log_dir)
    storage.open()
    storage.write(wire({"": [0], run: [0, 1, 2], "good": [0]}))
    assert (storage.take_lost(), storage.take_lost(), storage.owes) == (3, 0, False)
    storage.write(wire({run: [3]}))
    assert storage.take_lost() == 1
    assert stored(log_dir) == {"": [0], "good": [0]}
    assert list(tmp_path.glob("outside/*")) == []
    (log_dir / "bad").unlink()
    storage.write(wire({run: [4]}))
    assert (storage.take_lost(), stored(log_dir)[run]) == (0, [4])


def test_a_run_whose_name_is_too_long_is_given_up(tmp_path: Path) -> None:
    """A run whose name no file system takes is given up like one whose place is taken."""
    storage = made(tmp_path)
    storage.open()
    storage.write(wire({"x" * 5000: [0, 1], "": [0]}))
    assert storage.take_lost() == 2
    assert stored(tmp_path) == {"": [0]}


@pytest.mark.parametrize("code", sorted(BAD_PATH))
def test_a_run_that_may_have_no_file_is_given_up(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever tells that a sub-run's folder will not be opened, the run is given up, and the main run never is."""
    files = FaultyFiles()
    storage = made(tmp_path, files)
    storage.open()
    refused = ["a"]
    names = files.names

    def refuse(root: Path, run: str) -> list[str]:
        if run in refused:
            raise OSError(code, os.strerror(code))
        return names(root, run)

    monkeypatch.setattr(files, "names", refuse)
    storage.write(wire({"a": [0, 1], "": [0], "b": [0]}))
    assert (storage.take_lost(), storage.owes) == (2, False)
    assert stored(tmp_path) == {"": [0], "b": [0]}
    refused.append("")
    storage.path("").unlink()
    assert attempt(lambda: storage.write(wire({"": [1]}))) == (os.name != "posix")
    assert storage.take_lost() == 0
    refused.clear()
    storage.write({})
    assert storage.take_lost() == 0


@posix
def test_a_run_whose_folder_became_a_file_is_given_up(tmp_path: Path) -> None:
    """A run whose folder is replaced by a file loses what comes then, and no sync fails for it."""
    storage = made(tmp_path)
    storage.open()
    storage.write(wire({"a": [0]}))
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"mine")
    storage.write(wire({"a": [1], "": [0]}))
    assert storage.take_lost() == 1
    close_others(storage)
    storage.sync()
    assert not storage.unsynced
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_the_main_run_is_never_given_up(tmp_path: Path) -> None:
    """Where the log directory itself has become a file, nothing is lost: it is written when the place is free again."""
    log_dir = tmp_path / "logs"
    storage = made(log_dir)
    storage.open()
    shutil.rmtree(log_dir)
    log_dir.write_bytes(b"mine")
    for _ in range(2):
        with pytest.raises(OSError, match=r"exists|directory"):
            storage.write(wire({"": [0]}) if not storage.owes else {})
    assert (storage.take_lost(), storage.owes) == (0, True)
    log_dir.unlink()
    storage.write(wire({"": [1]}))
    assert stored(log_dir) == {"": [0, 1]}


@pytest.mark.parametrize("files", [None, PlainFiles()], ids=["posix", "plain"])
def test_a_run_that_the_encoding_lacks_letters_for_is_given_up(
    files: Files | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where file names can have no such letters, their run is dropped and counted, and the others go on."""
    encode = os.fsencode

    def ascii_only(path: str) -> bytes:
        return path.encode("ascii") if path == "h\xe4" else encode(path)

    monkeypatch.setattr(os, "fsencode", ascii_only)
    storage = LocalStorage(tmp_path, files=files)
    storage.open()
    storage.write(wire({"": [0], "h\xe4": [0, 1]}))
    assert storage.take_lost() == 2
    storage.close()
    assert stored(tmp_path) == {"": [0]}


@posix
@pytest.mark.parametrize("run", ["", "a/b"])
@pytest.mark.parametrize("look", ["reopen", "open_to_read", "remove"])
def test_a_look_for_a_file_makes_no_folder(look: str, run: str, tmp_path: Path) -> None:
    """Who looks for a file whose folder is being deleted leaves no empty one behind."""
    root = tmp_path / "log"
    if run:
        root.mkdir()
    with pytest.raises(FileNotFoundError):
        getattr(PosixFiles(), look)(root, run, "events.out.tfevents.1")
    assert list(tmp_path.rglob("*")) == ([root] if run else [])
