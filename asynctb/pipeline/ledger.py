"""What became of accepted entries, in numbers, and who waits for which. Not thread-safe: its user holds the lock."""

from __future__ import annotations

from collections import Counter

from asynctb.pipeline.batch import Batch
from asynctb.pipeline.tickets import Ticket, Tickets

__all__ = ["Ledger"]


class Ledger:
    """The counts of a backlog that only ever grow."""

    def __init__(self) -> None:
        self.settled = 0
        # How many entries are settled and have none before them that is not.
        self._passed = 0
        self.withdrawn = 0
        self.written = 0
        self.dropped: Counter[str] = Counter()
        self.tickets = Tickets()

    def settle(self, batch: Batch, lost: int, passed: int) -> None:
        """Count a batch as done with; see `Backlog.settle`."""
        self.settled += batch.entries
        self._passed += passed
        self.withdrawn += batch.withdrawn
        self.written += batch.entries - batch.withdrawn - batch.failed - lost
        self.drop("encode", batch.failed)
        self.drop("path", lost)

    def drop(self, reason: str, count: int) -> None:
        """Count entries as dropped."""
        if count:
            self.dropped[reason] += count

    def issue(self, ticket: Ticket, pending: int) -> bool:
        """Let a ticket wait for all that is pending; False if nothing is."""
        if pending:
            self.tickets.issue(ticket, self.settled + pending)
        return pending > 0

    def due(self) -> list[Ticket]:
        """Return the tickets whose wait has ended."""
        return self.tickets.due(self._passed)
