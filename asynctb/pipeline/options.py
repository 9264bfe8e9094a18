"""A writer's settings and its figures."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

from asynctb.errors import EncodeError

__all__ = ["OnStorageError", "Options", "Overflow", "Stats"]

Overflow = Literal["wait", "drop"]
OnStorageError = Literal["raise", "log"]


@dataclass(frozen=True)
class Options:
    """How a pipeline behaves; the writers' documentation says what each means."""

    max_queue: int = 10
    flush_secs: float = 120
    max_bytes: int = 64 << 20
    overflow: Overflow = "wait"
    on_storage_error: OnStorageError = "raise"
    exit_timeout: float = 5.0

    def __post_init__(self) -> None:
        """Refuse what no writer could work with."""
        for name, choices in (("overflow", ("wait", "drop")), ("on_storage_error", ("raise", "log"))):
            if getattr(self, name) not in choices:
                raise EncodeError(name, " or ".join(map(repr, choices)), getattr(self, name))
        for name in ("max_queue", "flush_secs", "max_bytes", "exit_timeout"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
                raise EncodeError(name, "a number that is not negative", value)
        # No lock can wait for longer, and the end of the process is no time to find out.
        object.__setattr__(self, "exit_timeout", min(self.exit_timeout, threading.TIMEOUT_MAX))


@dataclass(frozen=True)
class Stats:
    """A writer's figures at one moment. Entries are events: a `log` is one, an `add_scalars` one a key. The
    files of an `add_embedding` are one.

    Attributes:
        accepted: entries taken in, ever.
        written: entries handed to the operating system, so that they survive the end of the process.
        pending: entries accepted and not yet written.
        pending_bytes: bytes of memory that pending entries hold, counted as `max_bytes` counts them.
        dropped: entries not stored, by reason: `full` (no room), `storage` (it has been failing, or failed until a
            `close()` that another file has followed), `closed`, `encode` (could not be encoded after all), `path` (the
            run can have no file).
        last_error: the last failure of the storage, if there ever was one.
    """

    accepted: int = 0
    written: int = 0
    pending: int = 0
    pending_bytes: int = 0
    dropped: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    last_error: BaseException | None = None

    def over(self) -> Stats:
        """Return the figures of a file that is closed for good: what is pending will never be written."""
        dropped = Counter(self.dropped)
        if self.pending:
            dropped["storage"] += self.pending
        return replace(self, pending=0, pending_bytes=0, dropped=dict(dropped))

    def __add__(self, later: Stats) -> Stats:
        """Return the figures of two files of one writer, the later one's state."""
        dropped = Counter(self.dropped) + Counter(later.dropped)
        return Stats(
            accepted=self.accepted + later.accepted,
            written=self.written + later.written,
            pending=self.pending + later.pending,
            pending_bytes=self.pending_bytes + later.pending_bytes,
            dropped=dict(dropped),
            last_error=later.last_error or self.last_error,
        )
