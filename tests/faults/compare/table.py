"""From outcomes to cells, and from cells to a table."""

from __future__ import annotations

import platform
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence

from tests.faults.compare.outcome import Outcome
from tests.faults.compare.scenarios import Scenario
from tests.faults.compare.writers import KINDS

BEGIN = "<!-- table: begin -->"
END = "<!-- table: end -->"

Results = dict[str, dict[str, list[Outcome]]]
"""Outcomes by scenario and writer."""


def cell(outcomes: Sequence[Outcome], shows: Iterable[str] = ("lost",)) -> str:
    """Say what some runs came to; the one place where outcomes become words."""
    if not outcomes:
        return "-"
    parts = [_hung(outcomes) or _children(outcomes), _raised(outcomes)]
    if all(one.hung for one in outcomes):
        return parts[0]
    told = {"lost": _lost, "cost": _cost, "shown": _shown, "escaped": _escaped}
    told |= {"longest": _longest, "lag": _lag, "delay": _delay}
    parts += [told[name](outcomes) for name in told if name in shows]
    return "; ".join(filter(None, parts))


def markdown(families: Mapping[str, Sequence[Scenario]], results: Results, about: str) -> str:
    """Return a line about what was run, and a table of each family of faults."""
    lines = [about]
    writers = list(next(iter(results.values())))
    for family, scenarios in families.items():
        lines += ["", f"| {family} | {' | '.join(KINDS[name].title for name in writers)} | `--only` |"]
        lines.append("|---" * (len(writers) + 2) + "|")
        for scenario in scenarios:
            cells = [cell(results[scenario.name][name], scenario.shows) for name in writers]
            lines.append(f"| {scenario.fault} | {' | '.join(cells)} | `{scenario.name}` |")
    return "\n".join(lines)


def versions(writers: Sequence[str]) -> str:
    """Name what was run."""
    packages = dict.fromkeys(KINDS[name].package for name in writers)
    kinds = {kind.package: kind for kind in KINDS.values()}
    named = ", ".join(f"{package} {kinds[package].version}" for package in packages)
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return f"{named}; Python {'.'.join(map(str, sys.version_info[:3]))}, {system}."


def replaced(page: str, table: str) -> str:
    """Return a page with the table between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"the page has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{table.strip()}\n\n{END}{after}"


def _hung(outcomes: Sequence[Outcome]) -> str:
    hung = [one.hung for one in outcomes if one.hung]
    if not hung:
        return ""
    where = "at its end" if hung[0] == "exit" else f"in `{hung[0]}`"
    return f"**hangs for ever** {where}" + ("" if len(hung) == len(outcomes) else f", {_of(len(hung), outcomes)}")


def _children(outcomes: Sequence[Outcome]) -> str:
    hung, children = sum(one.children_hung for one in outcomes), sum(one.children for one in outcomes)
    return f"**{hung} of {children} children hang**" if hung else ""


def _raised(outcomes: Sequence[Outcome]) -> str:
    raised = [one for one in outcomes if one.raised]
    if not raised:
        return ""
    what, _, call = str(raised[0].raised).partition(" from ")
    said = f"raises `{what}` from `{call}`"
    if len(raised) < len(outcomes):
        said += f", {_of(len(raised), outcomes)}"
    return said + (", then **dead for good**" if raised[0].dead else "")


def _lost(outcomes: Sequence[Outcome]) -> str:
    lost, accepted = [one.lost for one in outcomes], [one.accepted for one in outcomes]
    if not any(accepted):
        return ""
    silent = any(one.lost and not one.told for one in outcomes)
    said = f"{_span(lost)} of {_span(accepted)} lost"
    said = f"**{said}**" if any(lost) else said
    worse = sum(map(bool, lost))
    if 0 < worse < len(outcomes):
        said += f", {_of(worse, outcomes)}"
    if any(lost):
        said += ", silently" if silent else ", and told"
    if dropped := max(one.dropped for one in outcomes):
        said += f"; {dropped:,} not accepted, and counted"
    if twice := max(one.twice for one in outcomes):
        said += f"; **{twice:,} stored twice**"
    return said


def _cost(outcomes: Sequence[Outcome]) -> str:
    lost = [one.lost for one in outcomes]
    accepted = {one.accepted for one in outcomes}
    if len(accepted) == 1 and len(outcomes) > 1:
        said = f"{_span(lost)} of {accepted.pop():,} lost"
        return f"**{said}**" if any(lost) else said
    if max(lost) == 0:
        return "0 lost"
    if not any(one.stored for one in outcomes):
        return f"**all lost**, {_span(lost)}"
    return f"{round(statistics.median(lost)):,} lost in the median, {max(lost):,} at most"


def _shown(outcomes: Sequence[Outcome]) -> str:
    worst = min(outcomes, key=lambda one: (one.shown or 0) - one.accepted)
    if worst.shown == worst.stored:
        return "" if worst.lost else "all shown"
    return f"**{worst.shown:,} of {worst.accepted:,} shown**"


def _escaped(outcomes: Sequence[Outcome]) -> str:
    escaped, ways = max(one.escaped for one in outcomes), outcomes[0].ways
    if not escaped:
        return "nothing written outside"
    return "**writes to where it leads**" if ways == 1 else f"**{escaped} of {ways} written outside**"


def _longest(outcomes: Sequence[Outcome]) -> str:
    longest = max(one.longest for one in outcomes)
    return f"an add takes up to {_seconds(longest)}" if longest >= 0.1 else "no add waits"


def _lag(outcomes: Sequence[Outcome]) -> str:
    return f"the loop is held for up to {_seconds(max(one.lag or 0.0 for one in outcomes))}"


def _delay(outcomes: Sequence[Outcome]) -> str:
    return f"ends after {_seconds(max(one.delay or 0.0 for one in outcomes))}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{seconds * 1000:.0f} ms"


def _span(numbers: Sequence[int]) -> str:
    least, most = min(numbers), max(numbers)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _of(some: int, outcomes: Sequence[Outcome]) -> str:
    return f"in {some} of {len(outcomes)} runs"
