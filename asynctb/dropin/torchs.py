"""The names of `torch.utils.tensorboard`."""

from __future__ import annotations

from typing import Any, BinaryIO

from asynctb import filewriter, sync
from asynctb.record import frame
from asynctb.settings import LogDir

__all__ = ["FileWriter", "RecordWriter", "SummaryWriter"]


class FileWriter(filewriter.FileWriter):
    """A writer of messages, by the names of torch's: one event file of a directory."""

    def __init__(
        self, log_dir: LogDir, max_queue: int = 10, flush_secs: float = 120, filename_suffix: str = ""
    ) -> None:
        self._set_up(SummaryWriter(log_dir, "", None, max_queue, flush_secs, filename_suffix), "")


class SummaryWriter(sync.SummaryWriter):
    """`asynctb.SummaryWriter` with torch's defaults: a step that is left out stays out."""

    _FileWriter = FileWriter

    def __init__(
        self,
        log_dir: LogDir = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
        *,
        auto_step: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(
            log_dir, comment, purge_step, max_queue, flush_secs, filename_suffix, auto_step=auto_step, **options
        )


class RecordWriter:
    """Writes records to an open file, as event files have them."""

    def __init__(self, writer: BinaryIO) -> None:
        self._writer = writer

    def write(self, data: bytes) -> None:
        """Write one record."""
        self._writer.write(frame(data))

    def flush(self) -> None:
        """Flush the file."""
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._writer.closed
