"""The real files, with calls that can be held up and calls that fail."""

import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.storage.files import Found, PosixFiles

TOO_LONG = 60  # seconds that a held call waits for a test that has forgotten it


class Disk(PosixFiles):
    """Put under a writer, it does what it is told; told nothing, it is the system's."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.threads: set[int] = set()
        # How many bytes a write takes at most.
        self.most: int | None = None
        self._gates: dict[str, threading.Event] = {}
        self._errors: dict[str, Iterator[OSError | None]] = {}

    def under(self, writer: AsyncSummaryWriter | SummaryWriter) -> None:
        """Have a writer use it from now on."""
        storage = writer._pipeline.storage
        storage._files = storage._assets._files = self

    def hold(self, call: str = "write_at") -> threading.Event:
        """Hold up a call until `release`; the event that is returned is set once one is held."""
        self._gates[call] = threading.Event()
        held = threading.Event()
        setattr(self, f"_held_{call}", held)
        return held

    def release(self) -> None:
        """Let all calls go on."""
        gates, self._gates = self._gates, {}
        for gate in gates.values():
            gate.set()

    def fail(self, number: int, *calls: str, errors: Iterable[OSError | None] | None = None) -> None:
        """Have calls (writes, if none is named) raise that error, or one after the other what `errors` gives."""
        for call in calls or ("write_at",):
            self._errors[call] = iter(errors) if errors is not None else repeat(OSError(number, os.strerror(number)))

    def heal(self) -> None:
        """Be the system's again."""
        self._errors = {}
        self.most = None
        self.release()

    # The calls

    def make_root(self, root: Path) -> None:
        self._pass("make_root")
        super().make_root(root)

    def create(self, root: Path, run: str, name: str) -> int:
        self._pass("create")
        return super().create(root, run, name)

    def reopen(self, root: Path, run: str, name: str) -> int:
        self._pass("reopen")
        return super().reopen(root, run, name)

    def names(self, root: Path, run: str) -> list[str]:
        self._pass("names")
        return super().names(root, run)

    def open_to_read(self, root: Path, run: str, name: str) -> int:
        self._pass("open_to_read")
        return super().open_to_read(root, run, name)

    def replace(self, root: Path, run: str, old: str, new: str) -> None:
        self._pass("replace")
        super().replace(root, run, old, new)

    def remove(self, root: Path, run: str, name: str) -> None:
        self._pass("remove")
        super().remove(root, run, name)

    def write_at(self, fd: int, data: memoryview, offset: int) -> int:
        self._pass("write_at")
        return super().write_at(fd, data if self.most is None else data[: self.most], offset)

    def found(self, fd: int) -> Found:
        self._pass("found")
        return super().found(fd)

    def sync(self, fd: int) -> None:
        self._pass("sync")
        super().sync(fd)

    def sync_folders(self, root: Path, run: str) -> None:
        self._pass("sync_folders")
        super().sync_folders(root, run)

    def duplicate(self, fd: int) -> int:
        self._pass("duplicate")
        return super().duplicate(fd)

    def close(self, fd: int) -> None:
        self._pass("close")
        super().close(fd)

    def _pass(self, call: str) -> None:
        self.calls[call] += 1
        self.threads.add(threading.get_ident())
        if gate := self._gates.get(call):
            held: Any = getattr(self, f"_held_{call}")
            held.set()
            if not gate.wait(TOO_LONG):
                raise AssertionError(f"nobody released {call}")
        if (errors := self._errors.get(call)) and (error := next(errors, None)):
            raise error
