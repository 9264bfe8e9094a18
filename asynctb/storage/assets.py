"""Files beside the event files, replaced as a whole: no reader ever sees a part of one.

Each is written under another name first, which takes its own in one step. What fails is begun anew by the next push.
"""

from __future__ import annotations

import errno
import os
import threading
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path

from asynctb.entry import Asset, Assets, unpack
from asynctb.storage.files import BAD_PATH, NO_FILE, Files, written

__all__ = ["AssetFiles"]

NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}  # a file system that cannot, and never will
BUSY = {errno.EBUSY, errno.ETXTBSY, errno.EXDEV}  # a file that is a mount of its own, say, cannot be replaced


class _NoPlace(Exception):
    """No waiting will help: the path can have no file."""


class AssetFiles:
    """The assets of one log directory."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._pending: deque[tuple[Assets, deque[tuple[Asset, memoryview]]]] = deque()
        self._litter: list[tuple[str, str]] = []  # what could not be removed, by folder and name
        self._unsynced: set[str] = set()
        self._shared = threading.Lock()  # `_unsynced` is used by the thread that syncs as well
        # How many entries were given up because their paths can have no file.
        self.lost = 0

    def add(self, entries: Iterable[tuple[Assets, bytes]]) -> None:
        """Take entries in, to be pushed in their order."""
        self._pending += [(assets, deque(zip(assets, unpack(payload), strict=True))) for assets, payload in entries]

    @property
    def owes(self) -> bool:
        """Whether some are still to be pushed."""
        return bool(self._pending)

    def held_up(self, assets: Assets) -> bool:
        """Tell whether these, of all that were taken in, are still to be pushed."""
        return any(each is assets for each, _ in self._pending)

    @property
    def unsynced(self) -> bool:
        """Whether some were pushed since the last sync."""
        return bool(self._unsynced)

    def push(self, root: Path) -> None:
        """Write what was taken in; raises OSError, and keeps what is not written for the next push."""
        self.tidy(root)
        while self._pending:
            _, entry = self._pending[0]
            try:
                while entry:
                    self._put(root, *entry[0])
                    entry.popleft()
            except _NoPlace:
                self._files.names(root, "")  # raises if it is the log directory that cannot be had: that may heal
                self.lost += 1
            self._pending.popleft()

    def tidy(self, root: Path) -> None:
        """Remove what failing writes have left, as far as the disk lets us."""
        litter, self._litter = self._litter, []
        for folder, name in litter:
            self._remove(root, folder, name)

    def sync(self, root: Path) -> None:
        """Wait until all that was pushed survives a power cut; raises OSError."""
        with self._shared:
            unsynced, self._unsynced = self._unsynced, set()
        try:
            for path in sorted(unsynced):
                self._sync(root, path)
            for folder in sorted({path.rpartition("/")[0] for path in unsynced}):
                self._files.sync_folders(root, folder)
        except BaseException:
            with self._shared:
                self._unsynced |= unsynced
            raise

    def _put(self, root: Path, asset: Asset, content: memoryview) -> None:
        folder, _, name = asset.path.rpartition("/")
        if asset.merge is None:
            self._replace(root, folder, name, content)
        else:
            with ExitStack() as lock:
                with _placed():
                    lock.enter_context(self._files.locked(root, folder))
                    held = self._held(root, folder, name)
                merged = memoryview(asset.merge(held, bytes(content)))
                # What was held is not only this writer's: a power cut must leave that, or what became of it.
                self._replace(root, folder, name, merged, sync=bool(held))
        with self._shared:
            self._unsynced.add(asset.path)

    def _held(self, root: Path, folder: str, name: str) -> bytes:
        try:
            fd = self._files.open_to_read(root, folder, name)
        except FileNotFoundError:
            return b""
        try:
            return self._files.read(fd)
        finally:
            self._files.close(fd)

    def _replace(self, root: Path, folder: str, name: str, content: memoryview, *, sync: bool = False) -> None:
        # No `tfevents` in it, or it would be read as an event file; hidden, should the process be killed over it; and
        # of use to no other process, be its number the same in its own container.
        temporary = f".asynctb-{os.urandom(8).hex()}.tmp"
        with _placed():
            fd = self._files.create(root, folder, temporary)
        try:
            self._fill(fd, content, sync=sync)
            with _placed():
                self._files.replace(root, folder, temporary, name)
        except BaseException:
            self._remove(root, folder, temporary)
            raise

    def _fill(self, fd: int, content: memoryview, *, sync: bool) -> None:
        try:
            done = 0
            while done < len(content):
                done += written(self._files, fd, content[done:], done)
            if sync:
                self._sync_early(fd)
        finally:
            self._files.close(fd)

    def _sync_early(self, fd: int) -> None:
        try:
            self._files.sync(fd)
        except OSError as error:
            if error.errno not in NO_SYNC:
                raise

    def _remove(self, root: Path, folder: str, name: str) -> None:
        try:
            self._files.remove(root, folder, name)
        except OSError as error:
            if error.errno not in NO_FILE:
                self._litter.append((folder, name))

    def _sync(self, root: Path, path: str) -> None:
        folder, _, name = path.rpartition("/")
        try:
            fd = self._files.open_to_read(root, folder, name)
        except OSError as error:
            if error.errno in NO_FILE:
                return  # deleted: there is nothing left to keep
            raise
        try:
            self._files.sync(fd)
        finally:
            self._files.close(fd)


@contextmanager
def _placed() -> Generator[None, None, None]:
    """Tell a path that can have no file from a disk that fails."""
    try:
        yield
    except OSError as error:
        if error.errno in BAD_PATH | BUSY:
            raise _NoPlace from error
        raise
