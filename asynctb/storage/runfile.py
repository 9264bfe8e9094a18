"""One event file: where it stands, and what it still lacks."""

from __future__ import annotations

from asynctb.record import count_records, whole_records

__all__ = ["RunFile"]


class RunFile:
    """One run's event file, and what is still to be written to it."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.name = ""
        self.fd: int | None = None
        # Which file of the system's it is: another one of that name must never be written to.
        self.identity: tuple[int, int] | None = None
        # Where the next byte goes once `rest` is written; behind it there is at most a part of `rest`.
        self.offset = 0
        # Whole records to be written; `done` counts the bytes of them that stand in the file already.
        self.rest = b""
        self.done = 0
        # How many bytes of `rest` are a file's first records, which are nobody's entries.
        self.head = 0
        self.synced_folders = False

    def begin(self, name: str, fd: int, identity: tuple[int, int], head: bytes) -> None:
        """Go on in a new file, with all that the old one still lacked."""
        self.name, self.fd, self.identity = name, fd, identity
        self.offset = self.done = 0
        self.rest = head + self.rest
        self.head += len(head)
        self.synced_folders = False

    def abandon(self, *, gone: bool) -> None:
        """Leave the file as it is; its whole records are not written again unless they are gone with it."""
        if not gone:
            whole = whole_records(self.rest, self.done)
            self.rest = self.rest[whole:]
            self.head = max(0, self.head - whole)
        self.done = 0
        self.identity = None

    @property
    def owed(self) -> int:
        """How many entries are not whole in the file."""
        return count_records(self.rest[max(self.head, whole_records(self.rest, self.done)) :])
