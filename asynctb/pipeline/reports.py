"""What a pipeline tells its user about its storage: as an exception where one was asked for, otherwise in the log."""

from __future__ import annotations

from asynctb.errors import StorageError
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.drain import Drain
from asynctb.pipeline.health import Health
from asynctb.pipeline.notices import Notices
from asynctb.pipeline.options import OnStorageError
from asynctb.storage.local import LocalStorage

__all__ = ["OUT_OF_TIME", "Reports"]

OUT_OF_TIME = TimeoutError("there was no time left to write them")


class Reports:
    """Of one pipeline."""

    def __init__(
        self,
        backlog: Backlog,
        drain: Drain,
        storage: LocalStorage,
        health: Health,
        notices: Notices,
        on_storage_error: OnStorageError,
    ) -> None:
        self._backlog = backlog
        self._drain = drain
        self._storage = storage
        self._health = health
        self._notices = notices
        self._raises = on_storage_error == "raise"

    def cannot_open(self, error: OSError) -> StorageError:
        """Return what is raised where the event file cannot be opened."""
        message = f"cannot open an event file in {self._storage.log_dir}: {error}"
        return StorageError(message, self._backlog.pending, error)

    def failed(self, error: BaseException) -> None:
        """Raise or log, as the writer was told, that the storage failed somebody who asked."""
        message = self._unwritten(error)
        if self._raises:
            unwritten = self._backlog.pending + self._backlog.dropped["storage"]
            raise StorageError(message, unwritten, error) from error
        self._notices.sometimes("unwritten", "asynctb: %s", message)

    def unwritten(self) -> None:
        """Raise or log what could not be stored, if anything."""
        if self._backlog.pending:
            self.failed(self._health.last_error or OUT_OF_TIME)

    def at_exit(self) -> None:
        """Log what could not be stored before the end of the process, if anything."""
        if self._backlog.pending:
            self._notices.say("asynctb: at exit, %s", self._unwritten(self._health.last_error or OUT_OF_TIME))

    def dropped(self) -> None:
        """Log that entries are being dropped, now and then."""
        counts = dict(self._backlog.dropped)
        self._notices.sometimes("dropped", "asynctb: entries are being dropped; so far, by reason: %s", counts)

    def _unwritten(self, error: BaseException) -> str:
        kinds = ", ".join(f"{count} of {method}" for method, count in self._drain.kinds().most_common())
        message = f"{self._backlog.pending} entries are not stored in {self._storage.log_dir}"
        if kinds:
            message += f" ({kinds})"
        if dropped := self._backlog.dropped["storage"]:
            message += f", and {dropped} were dropped while it was failing"
        return f"{message}: {str(error) or 'it took longer than its timeout'}"
