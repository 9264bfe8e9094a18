"""A writer's constructor arguments: checked, kept for pickling, and turned into a pipeline."""

from __future__ import annotations

import os
import re
import socket
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from asynctb.encode.arrays import as_step
from asynctb.encode.buckets import default_edges
from asynctb.errors import EncodeError
from asynctb.eventfile import check_suffix
from asynctb.notices import Notices
from asynctb.pipeline.core import Pipeline
from asynctb.pipeline.options import Options
from asynctb.pipeline.steps import Steps
from asynctb.record import SLOW_CRC
from asynctb.storage.local import LocalStorage

__all__ = ["Configured", "LogDir", "Settings"]

LogDir = str | os.PathLike[str] | None

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


@dataclass(frozen=True)
class Settings:
    """What a writer was made with."""

    log_dir: str | os.PathLike[str]
    purge_step: int | None
    filename_suffix: str
    options: Options
    auto_step: bool
    enabled: bool

    @classmethod
    def of(
        cls,
        log_dir: LogDir,
        comment: str,
        purge_step: Any,
        filename_suffix: str,
        *,
        auto_step: bool,
        enabled: bool,
        **options: Any,
    ) -> Settings:
        """Check a constructor's arguments; raises `EncodeError` for the first that will not do."""
        return cls(
            log_dir=checked_log_dir(log_dir) if log_dir else default_log_dir(comment),
            purge_step=as_step("purge_step", purge_step),
            filename_suffix=check_suffix(filename_suffix),
            options=Options(**options),
            auto_step=auto_step,
            enabled=enabled,
        )

    def pipeline(self, *, copied: bool = False, after: Pipeline | None = None) -> Pipeline:
        """Make a pipeline that has touched no disk yet; it may continue one that has been closed.

        Only a writer's first file purges: in a later one, or in a copy's, it would be the writer's own points.
        """
        purge_step = None if copied or after else self.purge_step
        storage = LocalStorage(Path(os.fsdecode(self.log_dir)), self.filename_suffix, purge_step)
        if after is not None:
            return Pipeline(storage, self.options, after.steps, after.notices)
        notices = Notices()
        if SLOW_CRC:
            notices.say("asynctb: google-crc32c has no C part here: checksums will take most of the time")
        return Pipeline(storage, self.options, Steps(self.auto_step, self.purge_step), notices)


class Configured:
    """A writer's settings as plain attributes, by torch's names: a subclass may set them, with no effect on the writer.

    They tell what the writer was made with.
    """

    log_dir: str | os.PathLike[str]
    """The log directory, as it was given."""
    purge_step: int | None
    """The step from which the run is resumed."""
    max_queue: int
    """How many pending events are written at once."""
    flush_secs: float
    """How often a file with new data is synced, in seconds."""
    filename_suffix: str
    """What event files' names end with."""

    _settings: Settings

    def _configure(self, settings: Settings) -> None:
        self._settings = settings
        self.log_dir = settings.log_dir
        self.purge_step = settings.purge_step
        self.max_queue = settings.options.max_queue
        self.flush_secs = settings.options.flush_secs
        self.filename_suffix = settings.filename_suffix

    @cached_property
    def default_bins(self) -> list[float]:
        """The edges of the default buckets of `add_histogram`."""
        edges: list[float] = default_edges().tolist()
        return edges

    def get_logdir(self) -> str | os.PathLike[str]:
        """Return the log directory, as it was given."""
        return self.log_dir


def default_log_dir(comment: str) -> str:
    """Return torch's default directory, `runs/<date>_<host><comment>`; raises `EncodeError` if that leaves `runs`.

    A `/` in the comment makes folders, as in torch: models are called `-google/bert`.
    """
    if not isinstance(comment, str) or ".." in comment.split("/") or "\0" in comment:
        raise EncodeError("comment", "text that stays below runs/", comment)
    _check_encodable("comment", comment)
    moment = time.strftime("%b%d_%H-%M-%S")
    return os.path.join("runs", f"{moment}_{socket.gethostname()}{comment}")


def checked_log_dir(log_dir: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """Return a log directory as it was given; raises `EncodeError` for what is no local path."""
    try:
        text = os.fsdecode(log_dir)
    except TypeError:
        raise EncodeError("log_dir", "a path", log_dir) from None
    if scheme := _SCHEME.match(text):
        raise EncodeError(
            "log_dir", f"a local directory ({scheme[1]}:// and other remote stores are not supported)", text
        )
    if "\0" in text:
        raise EncodeError("log_dir", "a path without a NUL", text)
    _check_encodable("log_dir", text)
    return log_dir


def _check_encodable(name: str, text: str) -> None:
    """Refuse what no path can hold: nobody could tell at the first add where that comes from."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        raise EncodeError(name, "a path that this system can encode", text) from error
