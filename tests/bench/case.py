"""What is to be measured, and what came of it: values that the table and the plots are made from."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

__all__ = ["Case", "Cell", "Figures", "Results", "Row", "Spread", "load", "save", "spread"]

Figures: TypeAlias = dict[str, Any]
"""What one run came to: seconds, bytes or counts by name, and lists of them."""


@dataclass(frozen=True)
class Case:
    """One thing that is measured, of all who take part in it."""

    key: str
    title: str
    function: str
    """`module:function` below `tests.bench.work`."""
    entrants: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of single entrants: the slow ones have to do less."""
    limit: str = ""
    """The function that does the work alone."""
    counts: str = ""
    """How what was written is counted when it is read back; nothing for what writes nothing."""
    values: int = 1
    """How many of them a call writes."""
    rounds: int | None = None
    """At most so many."""
    fresh: bool = False
    """Whether each run has a process of its own."""
    warm: bool = True
    """Whether a first round is dropped; what has its own process, or warms itself up, needs none."""

    def options_of(self, entrant: str) -> dict[str, Any]:
        """Return the options for one entrant."""
        return {**self.options, **self.own.get(entrant, {})}


@dataclass
class Cell:
    """What one entrant came to: the figures of each round, or why there are none."""

    samples: list[Figures] = field(default_factory=list)
    error: str = ""


@dataclass
class Row:
    """What one case came to."""

    key: str
    title: str
    options: Mapping[str, Any]
    cells: dict[str, Cell] = field(default_factory=dict)

    def figures(self, entrant: str, name: str) -> list[Any]:
        """Return a figure of all rounds; nothing if it was not measured."""
        cell = self.cells.get(entrant)
        return [sample[name] for sample in cell.samples if name in sample] if cell else []

    def median(self, entrant: str, name: str) -> float | None:
        """Return the median of a figure, or None if it was not measured."""
        found = self.figures(entrant, name)
        return statistics.median(found) if found else None

    def ratio(self, slow: str, fast: str, name: str = "total", of: str = "") -> float | None:
        """Return how many times as much one entrant takes as another: the median of what each round says.

        The two ran in turns, so what the machine did meanwhile is in both halves of a round's ratio.
        """
        pairs = zip(self.figures(slow, of or name), self.figures(fast, name), strict=False)
        found = [above / below for above, below in pairs if below]
        return statistics.median(found) if found else None


@dataclass
class Results:
    """A whole run: on what, and each row by its key."""

    about: dict[str, Any]
    rows: dict[str, Row] = field(default_factory=dict)

    def below(self, prefix: str) -> list[Row]:
        """Return the rows whose keys begin with `prefix/`."""
        return [row for key, row in self.rows.items() if key.startswith(f"{prefix}/")]


@dataclass(frozen=True)
class Spread:
    """A median, and the quartiles around it."""

    lower: float
    median: float
    upper: float


def spread(numbers: Sequence[float]) -> Spread:
    """Return median and quartiles, between the two nearest samples where they fall between."""
    ordered = sorted(numbers)
    if len(ordered) == 1:
        return Spread(ordered[0], ordered[0], ordered[0])
    lower, median, upper = statistics.quantiles(ordered, n=4, method="inclusive")
    return Spread(lower, median, upper)


def save(results: Results, path: Path) -> None:
    """Write a run with every sample."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(_rounded(asdict(results)), separators=(",", ":")).replace('},"', '},\n"') + "\n", "utf-8"
    )


def load(paths: Sequence[Path]) -> Results:
    """Read runs; of several, later ones add and replace rows."""
    results = Results({})
    for path in paths:
        found = json.loads(path.read_text("utf-8"))
        results.about = found["about"]
        for key, row in found["rows"].items():
            cells = {name: Cell(**cell) for name, cell in row.pop("cells").items()}
            results.rows[key] = Row(**row, cells=cells)
    return results


def _rounded(value: Any) -> Any:
    """Return figures with five digits: no clock knows more, and the file stays small."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value
