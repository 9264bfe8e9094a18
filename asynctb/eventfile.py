"""Event files: their names, and the records that every one begins with. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from asynctb.encode.wire import event
from asynctb.errors import EncodeError
from asynctb.proto import event_pb2
from asynctb.record import frame

__all__ = ["Namer", "check_suffix", "first_records"]

FILE_VERSION = "brain.Event:2"  # what both readers look for: older versions order by step in another way
_NAME = re.compile(r"events\.out\.tfevents\.(\d{10})")


def check_suffix(suffix: str) -> str:
    """Return a filename suffix; raises `EncodeError` if it would leave the directory or is no text."""
    if not isinstance(suffix, str) or "/" in suffix or "\\" in suffix or "\0" in suffix:
        raise EncodeError("filename_suffix", "text without a path separator", suffix)
    try:
        suffix.encode()
    except UnicodeEncodeError as error:
        raise EncodeError("filename_suffix", "text that a file name can hold", suffix) from error
    return suffix


class Namer(NamedTuple):
    """All of an event file's name but its moment and its number."""

    host: str
    pid: int
    suffix: str = ""

    def name(self, now: float, uid: int, existing: Iterable[str]) -> str:
        """Return a name that sorts behind every event file that is there.

        TensorBoard reads a run's files in the order of their names: one that sorts before another hides its own newer
        points. When the clock stands still or has been set back, the second in the name runs ahead of it.
        """
        taken = [other for other in existing if _NAME.match(other)]
        last = max(taken, default="")
        name = self._at(max(0, int(now)), uid)
        if name > last:
            return name
        match = _NAME.match(last)
        assert match is not None
        return self._at(int(match[1]) + 1, uid)

    def _at(self, second: int, uid: int) -> str:
        host = re.sub(r"[^\w.-]", "_", self.host)
        return f"events.out.tfevents.{second:010d}.{host}.{self.pid}.{uid}{self.suffix}"


def first_records(wall_time: float, purge_step: int | None) -> bytes:
    """Return the framed records that open a file.

    With a `purge_step`, torch's versioned event at that step follows, and then SessionLog.START twice: TensorBoard's
    Python loader takes the first START of a run for its beginning and purges at the second.
    """
    writer = event_pb2.SourceMetadata(writer="asynctb")
    version = event_pb2.Event(file_version=FILE_VERSION, source_metadata=writer).SerializeToString()
    events = [event(wall_time, None, version)]
    if purge_step is not None:
        start = event_pb2.Event(session_log={"status": event_pb2.SessionLog.START}).SerializeToString()
        again = event_pb2.Event(file_version=FILE_VERSION).SerializeToString()
        events += [event(wall_time, purge_step, what) for what in (again, start, start)]
    return b"".join(map(frame, events))
