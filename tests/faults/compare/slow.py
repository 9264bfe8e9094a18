"""A disk that is slow, stuck or failing, for every writer alike: each write to the operating system meets it first.

Writers of one process reach the disk through `os.write`, `os.pwrite` or an opened file. All three are replaced, the
last where its buffer is emptied, so that what is delayed is the system call, without the GIL, and not the caller's
`write()` into a buffer.
"""

from __future__ import annotations

import builtins
import io
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_open, _os_write, _os_pwrite = open, os.write, os.pwrite


def install(logs: Path, gate: Callable[[], None]) -> None:
    """Have the gate passed by each write to a file below `logs` that is opened from now on, and each `os.write`."""

    class GatedFile(io.FileIO):
        def write(self, data: Any) -> int:
            gate()
            return super().write(data)

    def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        below = isinstance(file, (str, bytes, os.PathLike)) and os.fsdecode(file).startswith(str(logs))
        if below and "b" in mode and any(letter in mode for letter in "wax"):
            return io.BufferedWriter(GatedFile(file, mode.replace("b", "")))
        return _open(file, mode, *args, **options)

    def write(fd: int, data: Any) -> int:
        if stat.S_ISREG(os.fstat(fd).st_mode):  # and no pipe between threads
            gate()
        return _os_write(fd, data)

    def pwrite(fd: int, data: Any, offset: int) -> int:
        gate()
        return _os_pwrite(fd, data, offset)

    builtins.open = io.open = opened
    os.pwrite = pwrite
    os.write = write


class Gate:
    """What a write meets, from the moment it is set."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.error: int | None = None  # raised once

    def __call__(self) -> None:
        time.sleep(self.seconds)
        number, self.error = self.error, None
        if number is not None:
            raise OSError(number, os.strerror(number))
