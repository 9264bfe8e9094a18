"""How the storage does: failing or not, since when, and who is told."""

from __future__ import annotations

from pathlib import Path

from asynctb.notices import Notices
from asynctb.pipeline.backlog import Backlog

__all__ = ["PATIENCE", "STUCK", "STUCK_AFTER", "Health"]

PATIENCE = 1.0  # seconds that adds may wait for a failing storage
STUCK_AFTER = 5.0  # seconds in flight from which a write counts as failing
STUCK = f"a write has been in flight for {STUCK_AFTER:g} s"


class Health:
    """Of one pipeline's storage. Failing begins with a write that raises or sticks, and ends with one that succeeds."""

    def __init__(self, backlog: Backlog, notices: Notices, log_dir: Path) -> None:
        self._backlog = backlog
        self._notices = notices
        self._log_dir = log_dir
        self._dropped_before = 0
        self.last_error: BaseException | None = None
        # What the present failure began with, or None while all is well.
        self.failing: BaseException | None = None
        # Whether the write that is failing has not even returned.
        self.stuck = False

    def fail(self, error: BaseException) -> bool:
        """Note a failed write; tell whether it is the first of its failure, so that patience is to be timed."""
        self.last_error = error
        if self.failing is not None:
            if self._backlog.impatient:
                self._backlog.fail_tickets(error)
            return False
        self.failing = error
        self._dropped_before = self._backlog.dropped["storage"]
        message = "asynctb: cannot write to %s: %s. Trying again; what finds no room meanwhile is dropped and counted."
        self._notices.say(message, self._log_dir, error)
        return True

    def lose_patience(self, since: BaseException) -> None:
        """Let nobody wait any longer, if the failure is still the one that began with `since`."""
        if self.failing is since:
            self._backlog.shed()
            self._backlog.fail_tickets(self.last_error or since)

    def fail_alone(self, error: BaseException, *, stuck: bool = False) -> None:
        """Note a failed write where no loop would ever end anyone's wait."""
        self.stuck = stuck
        if self.failing is None:
            self._dropped_before = self._backlog.dropped["storage"]
        self.last_error = self.failing = error
        self._backlog.shed()
        self._backlog.fail_tickets(error)
        self._notices.sometimes("failing", "asynctb: cannot write to %s: %s", self._log_dir, error)

    def heal(self) -> None:
        """Note a write that succeeded."""
        self._backlog.impatient = self.stuck = False
        if self.failing is not None:
            self.failing = None
            message = "asynctb: writing to %s again; entries dropped meanwhile: %d"
            self._notices.say(message, self._log_dir, self.dropped)

    @property
    def dropped(self) -> int:
        """How many entries have been dropped for the storage since its last failure began."""
        return self._backlog.dropped["storage"] - self._dropped_before

    @property
    def hopeless(self) -> bool:
        """Whether waiting for what is pending makes no sense now: a write is stuck, and patience is spent."""
        return self.stuck and self._backlog.impatient
