"""A disk that fails when it is told to, and an account of every file that was opened."""

import errno
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from asynctb.storage.files import Files, Found, PosixFiles

Fails = Callable[[int], bool]
"""Whether the operation of this number fails."""


def never(number: int) -> bool:
    """No fault."""
    return False


class FaultyFiles(Files):
    """Real files through which every operation is counted and may fail.

    `short` is how many bytes a write takes at most; `left` is the part of its bytes that a failing write leaves behind.
    """

    def __init__(self, fails: Fails = never, code: int = errno.EIO, short: int | None = None, left: float = 0) -> None:
        self.real = PosixFiles()
        self.fails = fails
        self.code = code
        self.short = short
        self.left = left
        self.count = 0
        self.reached = 0
        self.open: set[int] = set()
        self.most_open = 0
        # Where each file was made, its name, and the names that stood there before.
        self.created: list[tuple[str, str, list[str]]] = []
        self.refuse_names = 0

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Count an operation, which may fail before it is done."""
        number, self.count = self.count, self.count + 1
        if self.fails(number):
            self.reached += 1
            raise OSError(self.code, f"injected at operation {number}")
        yield

    def make_root(self, root: Path) -> None:
        with self.operation():
            self.real.make_root(root)

    def create(self, root: Path, run: str, name: str) -> int:
        if self.refuse_names:
            self.refuse_names -= 1
            raise FileExistsError(errno.EEXIST, "another writer was quicker", name)
        with self.operation():
            before = self.real.names(root, run)
            fd = self._opened(self.real.create(root, run, name))
            if "tfevents" in name:  # no reader has a use for the order of the others
                self.created.append((run, name, before))
            return fd

    def reopen(self, root: Path, run: str, name: str) -> int:
        with self.operation():
            return self._opened(self.real.reopen(root, run, name))

    def names(self, root: Path, run: str) -> list[str]:
        with self.operation():
            return self.real.names(root, run)

    def open_to_read(self, root: Path, run: str, name: str) -> int:
        with self.operation():
            return self._opened(self.real.open_to_read(root, run, name))

    def read(self, fd: int) -> bytes:
        with self.operation():
            assert fd in self.open
            return self.real.read(fd)

    def replace(self, root: Path, run: str, old: str, new: str) -> None:
        with self.operation():
            self.real.replace(root, run, old, new)

    def remove(self, root: Path, run: str, name: str) -> None:
        with self.operation():
            self.real.remove(root, run, name)

    @contextmanager
    def locked(self, root: Path, run: str) -> Generator[None, None, None]:
        with self.operation():
            pass
        with self.real.locked(root, run):
            yield

    def write_at(self, fd: int, data: memoryview, offset: int) -> int:
        assert fd in self.open
        try:
            with self.operation():
                return self.real.write_at(fd, data[: self.short], offset)
        except OSError:
            self.real.write_at(fd, data[: int(len(data) * self.left)], offset)
            raise

    def found(self, fd: int) -> Found:
        with self.operation():
            return self.real.found(fd)

    def sync(self, fd: int) -> None:
        with self.operation():
            assert fd in self.open
            self.real.sync(fd)

    def sync_folders(self, root: Path, run: str) -> None:
        with self.operation():
            self.real.sync_folders(root, run)

    def duplicate(self, fd: int) -> int:
        with self.operation():
            return self._opened(self.real.duplicate(fd))

    def close(self, fd: int) -> None:
        self.open.remove(fd)
        self.real.close(fd)  # the system lets go of a descriptor also where its close reports a failure
        with self.operation():
            pass

    def _opened(self, fd: int) -> int:
        self.open.add(fd)
        self.most_open = max(self.most_open, len(self.open))
        return fd


def is_open(fd: int) -> bool:
    """Tell whether a number is a descriptor of this process."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def once(number: int) -> Fails:
    return lambda each: each == number


def from_then_on(number: int) -> Fails:
    return lambda each: each >= number
