"""Files beside the event files, replaced as a whole: no reader ever sees a part of one.

Each is written under another name first, which takes its own in one step. What fails is begun anew by the next push.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from asynctb.entry import Asset
from asynctb.storage.files import BAD_PATH, NO_FILE, Files, written

__all__ = ["AssetFiles"]

_numbers = itertools.count()


class AssetFiles:
    """The assets of one log directory."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._pending: deque[tuple[Asset, bytes]] = deque()
        self._unsynced: set[str] = set()
        self._shared = threading.Lock()  # `_unsynced` is used by the thread that syncs as well
        # How many were given up because their path can have no file.
        self.lost = 0

    def add(self, assets: Iterable[tuple[Asset, bytes]]) -> None:
        """Take assets in, to be pushed in their order."""
        self._pending.extend(assets)

    @property
    def owes(self) -> bool:
        """Whether some are still to be pushed."""
        return bool(self._pending)

    @property
    def unsynced(self) -> bool:
        """Whether some were pushed since the last sync."""
        return bool(self._unsynced)

    def push(self, root: Path) -> None:
        """Write what was taken in; raises OSError, and keeps what is not written for the next push."""
        while self._pending:
            asset, content = self._pending[0]
            try:
                self._put(root, asset, content)
            except OSError as error:
                if error.errno not in BAD_PATH:
                    raise
                self.lost += 1
            self._pending.popleft()

    def sync(self, root: Path) -> None:
        """Wait until all that was pushed survives a power cut; raises OSError."""
        with self._shared:
            paths = sorted(self._unsynced)
        for path in paths:
            with self._shared:
                self._unsynced.discard(path)
            try:
                self._sync(root, path)
            except OSError as error:
                if error.errno not in NO_FILE:
                    with self._shared:
                        self._unsynced.add(path)
                    raise

    def _put(self, root: Path, asset: Asset, content: bytes) -> None:
        folder, _, name = asset.path.rpartition("/")
        if asset.merge is not None:
            content = asset.merge(self._held(root, folder, name), content)
        # No `tfevents` in it, or it would be read as an event file; and hidden, should the process be killed over it.
        temporary = f".{name}.{os.getpid()}.{next(_numbers)}.tmp"
        try:
            # What was merged is not only this writer's: a power cut must leave the old file or the new one.
            self._write(root, folder, temporary, content, sync=asset.merge is not None)
            self._files.replace(root, folder, temporary, name)
        except BaseException:
            with suppress(OSError):
                self._files.remove(root, folder, temporary)
            raise
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

    def _write(self, root: Path, folder: str, name: str, content: bytes, *, sync: bool) -> None:
        fd = self._files.create(root, folder, name)
        try:
            data, done = memoryview(content), 0
            while done < len(data):
                done += written(self._files, fd, data[done:], done)
            if sync:
                self._files.sync(fd)
        finally:
            self._files.close(fd)

    def _sync(self, root: Path, path: str) -> None:
        folder, _, name = path.rpartition("/")
        fd = self._files.open_to_read(root, folder, name)
        try:
            self._files.sync(fd)
        finally:
            self._files.close(fd)
        self._files.sync_folders(root, folder)
