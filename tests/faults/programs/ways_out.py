"""Every way in which a program can end without closing its writers: one for each count, each in a folder of its own."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import asynctb.storage.local
from asynctb.storage.files import PosixFiles
from tests.faults.programs import ways_out_of_asyncio, ways_out_of_scripts
from tests.faults.programs.leaving import TAG, WAYS_OUT, Plan

__all__ = ["TAG", "WAYS_OUT", "ways_out_of_asyncio", "ways_out_of_scripts"]


class Slow(PosixFiles):
    """A disk that takes its time for all but the beginning of a file."""

    seconds = 0.0

    def write_at(self, fd: int, data: memoryview, offset: int) -> int:
        time.sleep(self.seconds if offset else 0)
        return super().write_at(fd, data, offset)


def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
    way, folder, Plan.loop, seconds, exit_timeout, *counts = sys.argv[1:]
    Plan.folder, Plan.exit_timeout, Plan.counts = Path(folder), float(exit_timeout), tuple(map(int, counts))
    Slow.seconds = float(seconds)
    if Slow.seconds:
        setattr(asynctb.storage.local, "files_for_this_system", Slow)  # noqa: B010 - no type checker lets it be set
    WAYS_OUT[way].do()


if __name__ == "__main__":
    main()
