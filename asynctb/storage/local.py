"""A log directory on a local disk: one event file a run, written whole record by whole record, whatever fails.

A write that fails half way leaves a torn record, and no reader goes past a torn record. So the rest is kept, and goes
to exactly the byte where the failure was, before anything else; only where the file is gone does a new file begin.
"""

from __future__ import annotations

import errno
import itertools
import os
import platform
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from aiofiles.os import wrap

from asynctb.daemon import DaemonExecutor, Looks
from asynctb.entry import Assets
from asynctb.eventfile import Namer, first_records
from asynctb.storage.assets import AssetFiles
from asynctb.storage.files import BAD_PATH, NO_FILE, Files, Found, files_for_this_system, written
from asynctb.storage.runfile import RunFile

__all__ = ["LocalStorage"]

P = ParamSpec("P")
T = TypeVar("T")

MAX_OPEN = 64  # files open at once, however many runs there are: a common limit for a whole process is 1,024
LOOK = 0.02  # seconds between two looks of an idle file thread
LOST_FILE = {errno.ESTALE, errno.EBADF, errno.ENOENT, errno.ENXIO, errno.ENODEV}  # the descriptor is of no more use
_uids = itertools.count()


class LocalStorage:
    """The event files of one writer.

    `write` and `open` run in one thread at a time; `run` and `submit` give that thread. The order of calls to them is
    the order of the bytes.
    """

    def __init__(
        self,
        log_dir: Path,
        filename_suffix: str = "",
        purge_step: int | None = None,
        files: Files | None = None,
        clock: Callable[[], float] = time.time,
        max_open: int = MAX_OPEN,
    ) -> None:
        self.log_dir = log_dir
        self._suffix = filename_suffix
        self._purge_step = purge_step
        self._files = files or files_for_this_system()
        self._clock = clock
        self._max_open = max_open
        self._begin()

    def _begin(self) -> None:
        self._runs: dict[str, RunFile] = {}
        self._open: OrderedDict[str, RunFile] = OrderedDict()  # the least recently written first
        self._owing: dict[str, RunFile] = {}
        self._unsynced: set[RunFile] = set()
        self._assets = AssetFiles(self._files)
        self._lost = 0
        self._shared = threading.Lock()  # what the file thread and the sync thread both use: descriptors, `_unsynced`
        self._looks = Looks(LOOK)
        self._thread = DaemonExecutor("asynctb-file", looks=self._looks)
        self._sync_thread = DaemonExecutor("asynctb-sync")

    # Threads

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Run a call in the file thread; raises RuntimeError where the interpreter lets none begin any more."""
        return self._thread.submit(call)

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call in the file thread and await its result. A cancelled await does not stop the call."""
        return await wrap(call)(executor=self._thread)

    def look_with(self, look: Callable[[], bool]) -> None:
        """Have the idle file thread call a method every few moments once roused, as long as it returns True."""
        self._looks.call = weakref.WeakMethod(look)

    def rouse(self) -> None:
        """Have the file thread look around by itself again, if it is to."""
        if not self._looks.on and self._looks.call() is not None:
            self._looks.on = True
            with suppress(RuntimeError):  # the interpreter is at its end
                self.submit(_nothing)

    def submit_sync(self) -> Future[None]:
        """Sync in a thread of its own, so that a slow disk's sync holds up no write."""
        return self._sync_thread.submit(self.sync)

    async def run_sync(self) -> None:
        """As `submit_sync`, and await the end of it."""
        try:
            await wrap(self.sync)(executor=self._sync_thread)
        except RuntimeError:  # the interpreter is at its end and lets no thread begin: there is the file's own
            await self.run(self.sync)

    # Files

    def path(self, run: str) -> Path | None:
        """Return the path of a run's event file, once it has one."""
        file = self._runs.get(run)
        return self.log_dir / run / file.name if file and file.name else None

    def open(self) -> None:
        """Make the log directory and the writer's own event file, with its first records; raises OSError."""
        self.log_dir = self.log_dir.absolute()  # the program may change its working directory
        self._files.make_root(self.log_dir)
        try:
            self.write({"": b""})
        except OSError:
            self._discard_if_vain(self._runs[""])
            raise

    def write(self, batch: Mapping[str, bytes], assets: Iterable[tuple[Assets, bytes]] = ()) -> None:
        """Append framed records to their runs' files, and put assets beside them.

        Raises OSError when some could not be written: they are kept, and the next call goes on at that byte.
        """
        self.take(batch, assets)
        self.push()

    def take(self, batch: Mapping[str, bytes], assets: Iterable[tuple[Assets, bytes]] = ()) -> None:
        """Take framed records and assets in, to be pushed; all or, for want of memory, none."""
        files = [self._runs.get(run) or RunFile(run) for run in batch]
        rests = [file.rest + batch[file.run] for file in files]
        self._assets.add(assets)
        for file, rest in zip(files, rests, strict=True):
            self._runs[file.run] = self._owing[file.run] = file
            file.rest = rest

    def push(self) -> None:
        """Write what has been taken in and is not written yet; raises OSError as `write`."""
        failure: OSError | None = None
        for file in list(self._owing.values()):
            try:
                self._push(file)
            except OSError as error:
                failure = failure or error
        try:
            self._assets.push(self.log_dir)
        except OSError as error:
            failure = failure or error
        if failure:
            raise failure

    @property
    def owes(self) -> bool:
        """Whether a failed write left something to be written."""
        return bool(self._owing) or self._assets.owes

    def held_up(self, where: str | Assets) -> bool:
        """Tell whether something written to a run, or those files beside it, has failed so far."""
        return where in self._owing if isinstance(where, str) else self._assets.held_up(where)

    def take_lost(self) -> int:
        """Return how many entries were given up since the last call, because their path can have no file."""
        lost, self._lost, self._assets.lost = self._lost + self._assets.lost, 0, 0
        return lost

    def sync(self) -> None:
        """Wait until all that has been written survives a power cut; raises OSError."""
        with self._shared:
            unsynced, self._unsynced = self._unsynced, set()
        while unsynced:
            file = unsynced.pop()
            try:
                self._sync(file)
            except OSError as error:
                if error.errno in NO_FILE:
                    continue  # deleted: there is nothing left to keep
                with self._shared:
                    self._unsynced |= unsynced | {file}
                raise
        self._assets.sync(self.log_dir)

    @property
    def unsynced(self) -> bool:
        """Whether something was written since the last sync."""
        return bool(self._unsynced) or self._assets.unsynced

    def close(self) -> None:
        """Close all files and let the threads end. The next `open` begins new files."""
        for file in list(self._owing.values()):
            self._discard_if_vain(file)
        for file in list(self._open.values()):
            with suppress(OSError):
                self._close(file)
        self._runs.clear()
        self._owing.clear()
        self._assets.tidy(self.log_dir)
        self._assets = AssetFiles(self._files)
        self._purge_step = None  # what a later file would purge is this writer's own
        self._thread.shutdown()
        self._sync_thread.shutdown()

    def after_fork(self) -> None:
        """In a child: leave the parent's files alone and begin anew, with threads and locks of our own."""
        for file in self._open.values():
            with suppress(OSError):
                os.close(-1 if file.fd is None else file.fd)
        self._purge_step = None  # what a child would purge are its parent's points
        self._begin()

    # Steps of the above

    def _discard_if_vain(self, file: RunFile) -> None:
        """Remove a file that a full disk has let us make, and write no entry to: it would stay behind for nobody."""
        if file.identity is None or file.offset:
            return
        with suppress(OSError):
            self._close(file)
            fd = self._files.reopen(self.log_dir, file.run, file.name)
            try:
                found = self._files.found(fd)
            finally:
                self._files.close(fd)
            if found.identity == file.identity and found.size <= file.head:
                self._files.remove(self.log_dir, file.run, file.name)
                del self._owing[file.run], self._runs[file.run]

    def _push(self, file: RunFile) -> None:
        try:
            fd = self._descriptor(file)
        except OSError as error:
            if file.run and error.errno in BAD_PATH:
                self._give_up(file)
                return
            raise
        data = memoryview(file.rest)
        try:
            while file.done < len(data):
                file.done += written(self._files, fd, data[file.done :], file.offset + file.done)
        except OSError as error:
            self._close_if_lost(file, error)
            raise
        file.offset += len(data)
        file.rest, file.done, file.head = b"", 0, 0
        del self._owing[file.run]
        if len(data):
            with self._shared:
                self._unsynced.add(file)

    def _give_up(self, file: RunFile) -> None:
        self._lost += file.owed
        del self._owing[file.run], self._runs[file.run]

    def _descriptor(self, file: RunFile) -> int:
        """Return an open descriptor of the run's file: the one it has, the same file again, or a new file's."""
        if file.fd is not None and self._is_there(file, file.fd):
            self._open.move_to_end(file.run)
            return file.fd
        if file.identity is not None and (fd := self._again(file)) is not None:
            return self._opened(file, fd)
        return self._opened(file, self._create(file))

    def _is_there(self, file: RunFile, fd: int) -> bool:
        """Tell whether the descriptor still leads to the run's file, and the file has a name; else let go of it."""
        try:
            found = self._files.found(fd)
        except OSError as error:
            self._close_if_lost(file, error)
            raise
        if found.identity != file.identity:
            self._forget(file)  # somebody closed our descriptor, and its number is another file's now
        elif not found.linked:
            self._close(file)
        return file.fd is not None

    def _again(self, file: RunFile) -> int | None:
        try:
            fd = self._files.reopen(self.log_dir, file.run, file.name)
        except OSError as error:
            if error.errno not in NO_FILE or (error.errno == errno.ENOENT and self._has_name(file)):
                raise
            file.abandon(gone=True)
            return None
        found = self._found(fd)
        # A write that failed may still have left bytes, which are a part of the rest and will be written over.
        whole = file.offset + file.done <= found.size <= file.offset + len(file.rest)
        if whole and found.identity == file.identity:
            return fd
        file.abandon(gone=found.identity != file.identity)
        self._files.close(fd)
        return None

    def _has_name(self, file: RunFile) -> bool:
        """Tell whether a file that a sick disk denies is there all the same, with records not to be written twice."""
        return file.name in self._files.names(self.log_dir, file.run)

    def _create(self, file: RunFile) -> int:
        while True:
            namer = Namer(platform.node(), os.getpid(), self._suffix)
            name = namer.name(self._clock(), next(_uids), self._files.names(self.log_dir, file.run))
            try:
                fd = self._files.create(self.log_dir, file.run, name)
            except FileExistsError:
                continue  # another writer was quicker: its file now counts among the names
            # Only a run's first file purges: what later ones would purge is this writer's own.
            purge_step = self._purge_step if not file.name else None
            file.begin(name, fd, self._made(file.run, name, fd).identity, first_records(self._clock(), purge_step))
            return fd

    def _made(self, run: str, name: str, fd: int) -> Found:
        """Return what the system says of a file just made, or remove it again."""
        try:
            return self._found(fd)
        except OSError:
            with suppress(OSError):
                self._files.remove(self.log_dir, run, name)
            raise

    def _opened(self, file: RunFile, fd: int) -> int:
        file.fd = fd
        self._open[file.run] = file
        if len(self._open) > self._max_open:
            self._close(next(iter(self._open.values())))
        return fd

    def _found(self, fd: int) -> Found:
        """Return what the system says of a file just opened, or close it again."""
        try:
            return self._files.found(fd)
        except BaseException:
            with suppress(OSError):
                self._files.close(fd)
            raise

    def _close_if_lost(self, file: RunFile, error: OSError) -> None:
        if error.errno == errno.EBADF:
            self._forget(file)  # the number may be another file's by now
        elif error.errno in LOST_FILE:
            with suppress(OSError):
                self._close(file)

    def _close(self, file: RunFile) -> None:
        fd = self._forget(file)
        if fd is not None:
            self._files.close(fd)

    def _forget(self, file: RunFile) -> int | None:
        with self._shared:
            fd, file.fd = file.fd, None
            self._open.pop(file.run, None)
        return fd

    def _sync(self, file: RunFile) -> None:
        with self._shared:
            fd = None if file.fd is None else self._files.duplicate(file.fd)
        if fd is None:
            fd = self._files.reopen(self.log_dir, file.run, file.name)
        try:
            self._files.sync(fd)
        finally:
            self._files.close(fd)
        if not file.synced_folders:
            self._files.sync_folders(self.log_dir, file.run)
            file.synced_folders = True


def _nothing() -> None:
    """What an idle thread is roused by."""
