"""Files are made new, reached through no link, and left as the system's user wants them."""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from asynctb.storage.files import Files, PlainFiles, PosixFiles, files_for_this_system
from tests.contract.seen import eventually
from tests.storage.faults import is_open

NAME = "events"
# What tells that a path leads through something that is no folder of ours.
NO_FOLDER = {errno.ENOTDIR, errno.ELOOP}

links = pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="links need rights here")
posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def kinds() -> list[type[Files]]:
    return [PosixFiles, PlainFiles] if isinstance(files_for_this_system(), PosixFiles) else [PlainFiles]


@pytest.fixture(params=kinds())
def files(request: pytest.FixtureRequest) -> Files:
    made: Files = request.param()
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "logs"


def open_descriptors() -> set[int]:
    """Return the numbers of the process's open files."""
    return {number for number in range(1024) if is_open(number)}


@pytest.fixture(autouse=True)
def no_descriptor_is_left() -> Iterator[None]:
    """What a call opened and did not return is closed again, also where it failed."""
    before = open_descriptors()
    yield
    # Only what is new, and stays: a writer that another test has left may be at work, and close what is its own.
    assert eventually(lambda: open_descriptors() <= before)


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def create(files: Files, root: Path, run: str = "", data: bytes = b"", name: str = NAME) -> Path:
    """Make a file with some bytes."""
    fd = files.create(root, run, name)
    try:
        assert files.write_at(fd, memoryview(data), 0) == len(data)
    finally:
        files.close(fd)
    return root / run / name


def refusal(call: Callable[..., object], *args: object) -> int | None:
    """Return the number of the system's error that a call must raise."""
    try:
        call(*args)
    except OSError as error:
        return error.errno
    return pytest.fail("nothing was refused")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# Making and opening


@pytest.mark.parametrize("run", ["", "a", "a/b/c", "ü/ x"])
def test_create_makes_the_folder_and_an_empty_file(files: Files, root: Path, run: str) -> None:
    """A file is made with all folders above it that are missing."""
    assert create(files, root, run).read_bytes() == b""
    assert files.names(root, run) == [NAME]


def test_create_takes_no_file_that_is_there(files: Files, root: Path) -> None:
    """A file that is there, whoever's it is, is not opened as a new one."""
    path = create(files, root, data=b"old")
    with pytest.raises(FileExistsError):
        files.create(root, "", NAME)
    assert path.read_bytes() == b"old"


def test_reopen_changes_nothing(files: Files, root: Path) -> None:
    """A file that is opened again keeps what it has, and can be written to at any place."""
    path = create(files, root, "a", b"0123456789")
    fd = files.reopen(root, "a", NAME)
    assert path.read_bytes() == b"0123456789"
    assert files.write_at(fd, memoryview(b"xy"), 4) == 2
    assert files.write_at(fd, memoryview(b"z"), 10) == 1
    files.close(fd)
    assert path.read_bytes() == b"0123xy6789z"


def test_reopen_makes_no_file(files: Files, root: Path) -> None:
    """A file that is gone is told so, and is not made again."""
    with pytest.raises(FileNotFoundError):
        files.reopen(root, "a", NAME)
    assert files.names(root, "a") == []


def test_names_makes_the_folder(files: Files, root: Path) -> None:
    """The names in a folder that is missing are none, and then there is one to write to."""
    assert files.names(root, "a/b") == []
    assert (root / "a" / "b").is_dir()


def test_make_root_leaves_what_is_there(files: Files, root: Path) -> None:
    """A log directory that is there already is taken as it is."""
    files.make_root(root)
    (root / "mine").touch()
    files.make_root(root)
    assert os.listdir(root) == ["mine"]


def test_a_root_that_is_a_file_is_told(files: Files, root: Path) -> None:
    """A file where the log directory should be is an error of the operating system's, and stays."""
    root.parent.mkdir()
    root.write_bytes(b"mine")
    for call in (lambda: files.make_root(root), lambda: files.create(root, "", NAME), lambda: files.names(root, "a")):
        with pytest.raises(OSError, match=r"exists|directory"):
            call()
    assert root.read_bytes() == b"mine"


@pytest.mark.parametrize("run", ["taken", "taken/below"])
def test_a_file_in_the_place_of_a_folder_is_told(files: Files, root: Path, run: str) -> None:
    """A file where a run's folder should be is told as one that is no folder, and stays."""
    files.make_root(root)
    (root / "taken").write_bytes(b"mine")
    for call in (files.names, partial(files.create, name=NAME), partial(files.reopen, name=NAME)):
        assert refusal(call, root, run) in NO_FOLDER
    assert (root / "taken").read_bytes() == b"mine"


# Links


@links
@pytest.mark.parametrize("run", ["link", "link/below", "real/link", "real/link/below"])
def test_a_folder_that_is_a_link_is_not_entered(files: Files, root: Path, tmp_path: Path, run: str) -> None:
    """A link that stands in the way to a run's folder is refused, and nothing is made behind it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "real").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    (root / "real" / "link").symlink_to(outside)
    for call in (files.names, partial(files.create, name=NAME), partial(files.reopen, name=NAME)):
        assert refusal(call, root, run) in NO_FOLDER
    assert os.listdir(outside) == []


@links
@pytest.mark.parametrize("there", [True, False])
def test_a_planted_link_is_not_written_through(files: Files, root: Path, tmp_path: Path, there: bool) -> None:
    """A link with the file's name, dangling or not, is neither made into a file nor opened as one."""
    victim = tmp_path / "victim"
    if there:
        victim.write_bytes(b"precious")
    files.make_root(root)
    (root / NAME).symlink_to(victim)
    with pytest.raises(FileExistsError):
        files.create(root, "", NAME)
    assert refusal(files.reopen, root, "", NAME) == errno.ELOOP
    assert victim.exists() == there
    assert not there or victim.read_bytes() == b"precious"


@links
def test_the_log_directory_may_be_a_link(files: Files, root: Path, tmp_path: Path) -> None:
    """The user's own log directory may be reached through links."""
    (tmp_path / "disk").mkdir()
    root.parent.mkdir()
    root.symlink_to(tmp_path / "disk")
    create(files, root, "a", b"x")
    assert (tmp_path / "disk" / "a" / NAME).read_bytes() == b"x"


# What the files are like


@posix
def test_modes_follow_the_umask(files: Files, root: Path, umask: int) -> None:
    """Files and folders may be read and written by whom the user's umask lets, as any program's."""
    path = create(files, root, "a/b")
    assert mode(path) == 0o666 & ~umask
    for folder in (root.parent, root, root / "a", root / "a" / "b"):
        assert mode(folder) == 0o777 & ~umask


@posix
def test_descriptors_are_not_inherited(files: Files, root: Path) -> None:
    """No program that is started keeps an event file open."""
    for fd in (files.create(root, "", NAME), files.reopen(root, "", NAME)):
        copy = files.duplicate(fd)
        assert not os.get_inheritable(fd)
        assert not os.get_inheritable(copy)
        files.close(copy)
        files.close(fd)


def test_found_knows_a_file_by_its_identity(files: Files, root: Path) -> None:
    """The same file is known again by another descriptor, and another of the same name is told from it."""
    path = create(files, root, data=b"12345")
    first, again = files.reopen(root, "", NAME), files.reopen(root, "", NAME)
    assert files.found(first) == files.found(again)
    assert (files.found(first).size, files.found(first).linked) == (5, True)
    if os.name == "posix":
        path.unlink()
        assert not files.found(first).linked
        create(files, root)
        other = files.reopen(root, "", NAME)
        assert files.found(other).identity != files.found(first).identity
        files.close(other)
    files.close(first)
    files.close(again)


def test_a_duplicate_outlives_the_descriptor(files: Files, root: Path) -> None:
    """A duplicate is of the same file, and stays open when the other is closed."""
    create(files, root, data=b"x")
    fd = files.reopen(root, "", NAME)
    copy = files.duplicate(fd)
    files.close(fd)
    assert files.found(copy).size == 1
    files.sync(copy)
    files.close(copy)


# Syncing


def test_sync_is_the_systems(files: Files, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncing a file waits for its data in the system's own way, and passes its error on."""
    create(files, root)
    fd = files.reopen(root, "", NAME)
    synced: list[int] = []
    name = "fdatasync" if hasattr(os, "fdatasync") else "fsync"
    monkeypatch.setattr(os, name, synced.append)
    files.sync(fd)
    assert synced == [fd]

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "no power")

    monkeypatch.setattr(os, name, fail)
    with pytest.raises(OSError, match="no power"):
        files.sync(fd)
    files.close(fd)


@posix
@pytest.mark.parametrize("run", ["", "a", "a/b/c"])
def test_sync_folders_syncs_each_from_the_file_up(root: Path, run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every folder from the run's to the one above the log directory is synced: each may hold a new name."""
    create(PosixFiles(), root, run)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    PosixFiles().sync_folders(root, run)
    folder, wanted = root / run, []
    while folder != root.parent:
        wanted.append(folder)
        folder = folder.parent
    assert synced == [each.stat().st_ino for each in (*wanted, root.parent)]


@posix
def test_folders_that_cannot_be_synced_are_let_be(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is gone, or whose file system syncs no folders, is passed over, and the others are synced."""
    create(PosixFiles(), root, "a")
    synced: list[int] = []

    def fsync(fd: int) -> None:
        synced.append(os.fstat(fd).st_ino)
        raise OSError(errno.EINVAL, "not here")

    monkeypatch.setattr(os, "fsync", fsync)
    PosixFiles().sync_folders(root, "a/gone")
    assert synced == [folder.stat().st_ino for folder in (root / "a", root, root.parent)]


def test_this_system_has_files(root: Path) -> None:
    """The files for this system write a file and read its facts."""
    files = files_for_this_system()
    assert create(files, root, "a", b"x").read_bytes() == b"x"


def test_without_directory_descriptors_there_are_plain_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a path cannot be followed part by part, paths are used whole."""
    monkeypatch.setattr(os, "supports_dir_fd", set())
    assert type(files_for_this_system()) is PlainFiles
