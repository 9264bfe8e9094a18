"""The operating system's calls on event files, and nothing else. Tests put a failing disk in this place.

A run's folder is reached part by part below the log directory, following no link that someone has put there.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

if sys.platform != "win32":
    import fcntl

__all__ = ["BAD_PATH", "NO_FILE", "Files", "Found", "PlainFiles", "PosixFiles", "files_for_this_system", "written"]

NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR}  # nothing of ours has this name any more
# No waiting will open these; a sub-run that meets them must not hold up the others.
BAD_PATH = {
    errno.ENOTDIR,
    errno.ELOOP,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.EINVAL,
    errno.EACCES,
    errno.EPERM,
}

_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_PIECE = 1 << 20  # bytes read at a time
# For a lock that many writers may want in turn, each for some milliseconds; who holds it for seconds is none of us.
_TRIES, _PAUSE = 600, 0.005
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


class Found(NamedTuple):
    """What the system says of an open file."""

    identity: tuple[int, int]
    size: int
    linked: bool


class Files:
    """Files with names below a root folder; `run` is a relative path with forward slashes, or empty."""

    def make_root(self, root: Path) -> None:
        """Make the log directory, and what is missing above it."""
        root.mkdir(parents=True, exist_ok=True)

    def create(self, root: Path, run: str, name: str) -> int:
        """Open a file that is not there yet, making its folder; return its descriptor."""
        raise NotImplementedError

    def reopen(self, root: Path, run: str, name: str) -> int:
        """Open a file that is there for writing."""
        raise NotImplementedError

    def names(self, root: Path, run: str) -> list[str]:
        """Return the names in a run's folder, made if it is missing."""
        raise NotImplementedError

    def open_to_read(self, root: Path, run: str, name: str) -> int:
        """Open a file that is there for reading."""
        raise NotImplementedError

    def replace(self, root: Path, run: str, old: str, new: str) -> None:
        """Give a file another name, in the place of a file that may have it."""
        raise NotImplementedError

    def remove(self, root: Path, run: str, name: str) -> None:
        """Remove a file."""
        raise NotImplementedError

    @contextmanager
    def locked(self, root: Path, run: str) -> Generator[None, None, None]:
        """Keep other writers out of a folder's files, as far as the system has locks."""
        yield

    def write_at(self, fd: int, data: memoryview, offset: int) -> int:
        """Write bytes at an offset; return how many were taken."""
        raise NotImplementedError

    def read(self, fd: int) -> bytes:
        """Read an open file from where it stands to its end."""
        pieces = iter(lambda: os.read(fd, _PIECE), b"")
        return b"".join(pieces)

    def found(self, fd: int) -> Found:
        """Return what the system knows of an open file."""
        status = os.fstat(fd)
        return Found((status.st_dev, status.st_ino), status.st_size, status.st_nlink > 0)

    def sync(self, fd: int) -> None:
        """Wait until a file's bytes survive a power cut."""
        getattr(os, "fdatasync", os.fsync)(fd)

    def sync_folders(self, root: Path, run: str) -> None:
        """Wait until the names down to a run's files survive a power cut, as far as the system can promise it."""

    def duplicate(self, fd: int) -> int:
        """Return another descriptor of an open file."""
        return os.dup(fd)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)


class PosixFiles(Files):
    """With directory descriptors: each part of a path is opened from the one above, and no link is followed."""

    def create(self, root: Path, run: str, name: str) -> int:
        with self._inside(root, run) as folder:
            return os.open(name, _CREATE | _SAFE, 0o666, dir_fd=folder)

    def reopen(self, root: Path, run: str, name: str) -> int:
        with self._inside(root, run, made=True) as folder:
            return os.open(name, os.O_WRONLY | _SAFE, dir_fd=folder)

    def names(self, root: Path, run: str) -> list[str]:
        with self._inside(root, run) as folder:
            return os.listdir(folder)

    def open_to_read(self, root: Path, run: str, name: str) -> int:
        with self._inside(root, run, made=True) as folder:
            # A pipe of that name must not keep us waiting for someone to write to it.
            return os.open(name, os.O_RDONLY | os.O_NONBLOCK | _SAFE, dir_fd=folder)

    def replace(self, root: Path, run: str, old: str, new: str) -> None:
        with self._inside(root, run) as folder:
            os.replace(old, new, src_dir_fd=folder, dst_dir_fd=folder)

    def remove(self, root: Path, run: str, name: str) -> None:
        with self._inside(root, run, made=True) as folder:
            os.unlink(name, dir_fd=folder)

    @contextmanager
    def locked(self, root: Path, run: str) -> Generator[None, None, None]:
        with self._inside(root, run) as folder:
            try:
                _lock(folder)
                yield
            finally:
                # Not only closed: a child that was forked meanwhile holds the descriptor as well.
                with suppress(OSError):
                    fcntl.flock(folder, fcntl.LOCK_UN)

    def write_at(self, fd: int, data: memoryview, offset: int) -> int:
        return os.pwrite(fd, data, offset)

    def sync_folders(self, root: Path, run: str) -> None:
        below = PurePosixPath(run)
        for folder in (*(root / part for part in (below, *below.parents)), root.parent):
            # Some file systems refuse to sync a folder: the files themselves were synced, and no more can be done.
            with suppress(OSError):
                fd = os.open(folder, _FOLDER)
                try:
                    os.fsync(fd)
                finally:
                    os.close(fd)

    @contextmanager
    def _inside(self, root: Path, run: str, *, made: bool = False) -> Generator[int, None, None]:
        folder = self._folder(root, run, made)
        try:
            yield folder
        finally:
            os.close(folder)

    def _folder(self, root: Path, run: str, made: bool) -> int:
        """Open a run's folder, made if it is missing, unless it should be there `made` already."""
        # Who looks for a file of a folder that somebody is deleting must not leave an empty one behind.
        _check(run)
        if not made:
            self.make_root(root)
        folder = os.open(root, _FOLDER)
        for part in filter(None, run.split("/")):
            try:
                with suppress(FileExistsError):
                    if not made:
                        os.mkdir(part, dir_fd=folder)
                below = os.open(part, _FOLDER | _SAFE, dir_fd=folder)
            finally:
                os.close(folder)
            folder = below
        return folder


class PlainFiles(Files):
    """With paths only, for systems without directory descriptors."""

    def create(self, root: Path, run: str, name: str) -> int:
        return os.open(self._folder(root, run) / name, _CREATE | _SAFE, 0o666)

    def reopen(self, root: Path, run: str, name: str) -> int:
        return os.open(self._folder(root, run) / name, os.O_WRONLY | _SAFE)

    def names(self, root: Path, run: str) -> list[str]:
        return os.listdir(self._folder(root, run))

    def open_to_read(self, root: Path, run: str, name: str) -> int:
        # Windows syncs what is open for writing only.
        return os.open(self._folder(root, run) / name, os.O_RDWR | _SAFE)

    def replace(self, root: Path, run: str, old: str, new: str) -> None:
        folder = self._folder(root, run)
        os.replace(folder / old, folder / new)

    def remove(self, root: Path, run: str, name: str) -> None:
        os.unlink(self._folder(root, run) / name)

    def write_at(self, fd: int, data: memoryview, offset: int) -> int:
        os.lseek(fd, offset, os.SEEK_SET)
        return os.write(fd, data)

    def _folder(self, root: Path, run: str) -> Path:
        _check(run)
        self.make_root(root)
        folder = root / run
        if not folder.resolve().is_relative_to(root.resolve()):
            raise NotADirectoryError(errno.ENOTDIR, f"it leads out of {root}", str(folder))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:  # what is there is no folder, and will not become one
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from error
        return folder


def _check(run: str) -> None:
    """Refuse a path that the file system's encoding lacks letters for, as the system refuses others."""
    try:
        os.fsencode(run)
    except UnicodeEncodeError as error:
        raise OSError(errno.EINVAL, f"no path here: {error}", run) from error


def _lock(fd: int) -> None:
    """Lock a folder against other writers; go without where that cannot be had soon."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        except OSError:  # a file system without locks
            return
        else:
            return


def written(files: Files, fd: int, data: memoryview, offset: int) -> int:
    """Write bytes at an offset; return how many were taken, at least one."""
    count = files.write_at(fd, data, offset)
    if count <= 0:
        raise OSError(errno.EIO, "the disk took no bytes and gave no reason")
    return count


def files_for_this_system() -> Files:
    """Return the calls that suit this system."""
    return PosixFiles() if os.open in os.supports_dir_fd and hasattr(os, "pwrite") else PlainFiles()
