"""What can go wrong, sorted by whose mistake it is.

AsynctbError
├── EncodeError     the caller's value: also a ValueError
├── StorageError    the disk's: also an OSError
├── WriterClosed    the caller's order of calls: also a RuntimeError
├── WrongLoop       the caller's event loop: also a RuntimeError
└── CorruptRecord   the file's
"""

from __future__ import annotations

import reprlib

__all__ = ["AsynctbError", "CorruptRecord", "EncodeError", "StorageError", "WriterClosed", "WrongLoop"]


class AsynctbError(Exception):
    """The base of everything that asynctb raises on purpose."""


class EncodeError(AsynctbError, ValueError):
    """A value that cannot be logged; raised by the add itself, before anything of it is stored.

    Attributes:
        tag: the tag, or the argument, that the value was meant for.
        wanted: what would have been right.
        got: what came.
    """

    def __init__(self, tag: object, wanted: str, got: object) -> None:
        super().__init__(tag, wanted, got)
        self.tag = tag
        self.wanted = wanted
        self.got = got

    def __str__(self) -> str:
        tag = repr(self.tag) if isinstance(self.tag, str) else _shown(self.tag)
        return f"{tag}: wanted {self.wanted}, got {describe(self.got)}"


class StorageError(AsynctbError, OSError):
    """The log directory could not be opened, or entries could not be stored in time.

    Attributes:
        unwritten: how many entries were not stored when this was raised.
        errno: the operating system's number of the error, where there was one; so are `strerror` and `filename`.
    """

    def __init__(self, message: str, unwritten: int = 0, cause: BaseException | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.unwritten = unwritten
        if isinstance(cause, OSError):
            self.errno, self.strerror, self.filename = cause.errno, cause.strerror, cause.filename

    def __reduce__(self) -> tuple[type[StorageError], tuple[str, int, OSError | None]]:
        cause = None if self.errno is None else OSError(self.errno, self.strerror, self.filename)
        return type(self), (self.message, self.unwritten, cause)

    def __str__(self) -> str:
        return self.message


class WriterClosed(AsynctbError, RuntimeError):
    """An add or a flush on an `AsyncSummaryWriter` after its `close()`."""


class WrongLoop(AsynctbError, RuntimeError):
    """An `AsyncSummaryWriter` awaited where its event loop is not: from a second loop, or outside asyncio."""


class CorruptRecord(AsynctbError):
    """Bytes that are not a TFRecord: a checksum that does not fit, or a length that cannot be.

    Attributes:
        offset: where the bad record begins, in bytes from the start of the stream.
        reason: which of its checks failed.
    """

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"corrupt record at byte {self.offset}: {self.reason}"


class Shape(tuple[int, ...]):
    """What came, where it is an array's shape that is wrong."""


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlevel = 2


def describe(value: object) -> str:
    """Name a value for an error message: its text, kept short, and its type."""
    if isinstance(value, Shape):
        return f"the shape {tuple(value)}"
    return f"{_shown(value)} ({type(value).__name__})"


def _shown(value: object) -> str:
    try:
        return _SHORT.repr(value)
    except Exception:  # an integer of 5,000 digits has none, and reprlib takes any class named `array` for Python's
        return "a value that cannot be shown"
