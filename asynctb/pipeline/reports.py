"""What a pipeline tells its user about its storage: as an exception where one was asked for, otherwise in the log."""

from __future__ import annotations

from asynctb.errors import StorageError
from asynctb.notices import Notices
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.drain import Drain
from asynctb.pipeline.health import Health
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
        message = f"cannot open an event file in {self._storage.log_dir}: {str(error) or 'it does not return'}"
        return StorageError(message, self._backlog.pending, error)

    def failed(self, error: BaseException) -> None:
        """Raise or log, as the writer was told, that the storage failed somebody who asked."""
        message = self._unwritten(error)
        if self._raises:
            raise StorageError(message, self._backlog.pending + self._dropped(), error) from error
        self._notices.sometimes("unwritten", "asynctb: %s", message)

    def unwritten(self) -> None:
        """Raise or log what could not be stored, if anything."""
        if self._backlog.pending:
            self.failed(self._health.last_error or OUT_OF_TIME)

    def left_over(self, when: str) -> None:
        """Log what could not be stored, if anything, where nobody asks any more."""
        if self._backlog.pending:
            self._notices.say("asynctb: %s, %s", when, self._unwritten(self._health.last_error or OUT_OF_TIME))

    def dropped(self) -> None:
        """Log that entries are being dropped, now and then."""
        counts = dict(self._backlog.dropped)
        self._notices.sometimes("dropped", "asynctb: entries are being dropped; so far, by reason: %s", counts)

    def _dropped(self) -> int:
        return self._health.dropped if self._health.failing is not None else 0

    def _unwritten(self, error: BaseException) -> str:
        reason = str(error) or "it took longer than its timeout"
        if not self._backlog.pending:
            return f"what is written to {self._storage.log_dir} could not be synced: {reason}"
        kinds = ", ".join(f"{count} of {method}" for method, count in self._drain.kinds().most_common())
        pending, dropped = self._backlog.pending, self._dropped()
        what = "1 entry is" if pending == 1 else f"{pending} entries are"
        message = f"{what} not stored in {self._storage.log_dir} ({kinds})"
        if dropped:
            message += f", and {dropped} {'was' if dropped == 1 else 'were'} dropped while it was failing"
        return f"{message}: {reason}"
