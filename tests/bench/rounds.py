"""The run itself: all entrants of a case in turns, round after round, each result read back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.case import Case, Cell, Figures, Row
from tests.bench.crew import Crew, Failed
from tests.bench.entrants import ENTRANTS, LIMIT
from tests.bench.found import COUNTERS, size

__all__ = ["Plan", "measured"]


@dataclass(frozen=True)
class Plan:
    """How to measure."""

    folder: Path
    rounds: int
    warm: bool
    """Whether a first round is run and dropped."""
    say: Callable[[str], None]


def measured(crew: Crew, case: Case, plan: Plan) -> Row:
    """Measure a case. A first round, which warms up, is dropped; after it each round begins with another entrant."""
    row = Row(case.key, case.title, dict(case.options))
    names = [name for name in case.entrants if ENTRANTS[name].installed] + ([LIMIT] if case.limit else [])
    row.cells = {name: Cell() for name in names}
    if plan.warm and case.warm and not case.fresh:
        _round(crew, case, plan, row, names, kept=False)
    for number in range(min(plan.rounds, case.rounds or plan.rounds)):
        turn = number % len(names)
        _round(crew, case, plan, row, names[turn:] + names[:turn], kept=True)
    return row


def _round(crew: Crew, case: Case, plan: Plan, row: Row, names: Iterable[str], *, kept: bool) -> None:
    for name in names:
        cell = row.cells[name]
        if cell.error:
            continue  # what has failed once is not asked again
        try:
            figures = _run(crew, case, plan, name)
        except Failed as error:
            cell.error, cell.samples = str(error), []
            plan.say(f"{case.key}: {name}: {error}")
        else:
            if kept:
                cell.samples.append(figures)


def _run(crew: Crew, case: Case, plan: Plan, entrant: str) -> Figures:
    """Run a case once for one entrant, in a new directory; raises `Failed`, also for what is not on disk."""
    folder = Path(tempfile.mkdtemp(dir=plan.folder))
    try:
        function = case.limit if entrant == LIMIT else case.function
        figures = crew.ask(function, entrant, folder, case.options_of(entrant), fresh=case.fresh)
        if case.counts and entrant != LIMIT:
            _check(case, figures, folder)
            figures["bytes"] = size(folder) / figures["count"]
        return figures
    finally:
        shutil.rmtree(folder)


def _check(case: Case, figures: Figures, folder: Path) -> None:
    wanted = figures["count"] * case.values
    try:
        found = COUNTERS[case.counts](folder)
    except Exception as error:
        raise Failed(f"what it wrote cannot be read: {error}") from error
    if found != wanted:
        raise Failed(f"{found:,} of {wanted:,} {case.counts} are on disk")
