"""Programs that died, and what of the events that they had accepted is not on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.faults.page import Page
from tests.faults.program import HANG, run
from tests.readback.events import run_events

__all__ = ["BOUND", "SLACK", "Loss", "deaths", "late", "report"]

BOUND = 0.05  # seconds that an accepted event may take to the file
SLACK = 0.01  # seconds: what is done between two waits takes time as well
EACH = 3.0  # seconds that one death may take, at most, beyond its share of HANG


class Loss(NamedTuple):
    """What one death cost."""

    page: Page
    accepted: int
    stored: int

    @property
    def lost(self) -> int:
        """How many accepted events are not on disk."""
        return max(0, self.accepted - self.stored)

    @property
    def at(self) -> float:
        """The moment from which nothing more could be written: the loop's last, or the program's."""
        return self.page.blocked or self.page.died

    @property
    def age(self) -> float:
        """How old the oldest of them was, in seconds in which the machine ran; 0 if none is lost."""
        return max(0.0, self.page.age(self.stored, self.at)) if self.lost else 0.0

    @property
    def allowed(self) -> float:
        """How old the oldest of them may be.

        Its way to the file leads over three threads, each of which may have been kept waiting as the canary was.
        """
        return BOUND + SLACK + self.page.worst(self.at)

    @property
    def plain_age(self) -> float:
        """The same by the clock."""
        return max(0.0, self.at - self.page.stamp(self.stored)) if self.lost else 0.0


def deaths(folder: Path, kind: str, kills: int, **options: object) -> Iterator[Loss]:
    """Have a program log and die so many times; check that each left an exact prefix, and yield what each cost."""
    args: list[object] = []
    for name, value in options.items():
        args += [f"--{name.replace('_', '-')}", *(value if isinstance(value, list) else [value])]
    run("killed", folder, kind, "--kills", kills, *args, hang=HANG + EACH * kills)
    for each in sorted(folder.iterdir()):
        page = Page(each / "page")
        yield Loss(page, page.accepted, prefix(each / "logs", kind, page.accepted))


def prefix(logs: Path, kind: str, accepted: int) -> int:
    """Return how many events are on disk; fails unless they are the first of those accepted, in order, and once."""
    events = run_events(logs, prefix=True).get(".", []) if logs.exists() else []
    found = [event for event in events if event.HasField("summary")]
    assert [event.step for event in found] == list(range(len(found)))
    for event in found:
        values = [(value.tag, value.simple_value) for value in event.summary.value]
        assert values == [("a", event.step), ("b/c", -event.step)][: 2 if kind == "log" else 1]
    assert len(found) <= accepted + 1, "more than was accepted"  # death may come between an add and the count of it
    return len(found)


def late(losses: Sequence[Loss]) -> list[str]:
    """Tell of the losses that were older than they may be."""
    return [
        f"{loss.lost} lost, {loss.age:.3f} s old, of {loss.allowed:.3f} s: {loss.page.path}"
        for loss in losses
        if loss.age >= loss.allowed
    ]


def report(name: str, losses: Sequence[Loss]) -> None:
    """Print how the losses are distributed."""
    ages = sorted(loss.age * 1e3 for loss in losses)
    plain = sorted(loss.plain_age * 1e3 for loss in losses)
    counts = sorted(loss.lost for loss in losses)
    marks = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    figures = {
        mark: [counts[at], round(ages[at], 1), round(plain[at], 1)]
        for mark, part in marks.items()
        for at in [min(len(losses) - 1, int(part * len(losses)))]
    }
    lossless = sum(not count for count in counts)
    print(
        f"\n{name}: {len(losses)} deaths, {lossless} without a loss; [events, ms, ms by the clock] "
        + json.dumps(figures)
    )
