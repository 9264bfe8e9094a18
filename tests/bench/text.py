"""Figures as a reader wants them: three digits and a unit."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.case import spread

__all__ = ["amount", "seconds", "spans", "table", "times"]

TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B"))


def seconds(value: float) -> str:
    """Return a time."""
    if value <= 0:
        return "0 s"
    unit, name = next(((unit, name) for unit, name in TIMES if value >= unit * 0.9995), TIMES[-1])
    return f"{_digits(value / unit)} {name}"


def amount(size: float) -> str:
    """Return bytes."""
    if size < SIZES[-2][0]:
        return f"{size:.0f} B"
    unit, name = next((unit, name) for unit, name in SIZES if size >= unit)
    return f"{_digits(size / unit)} {name}"


def times(value: float) -> str:
    """Return how many times as much."""
    return f"{value:,.0f}x" if value >= 9.95 else f"{value:.2g}x"


def spans(numbers: Sequence[float]) -> str:
    """Return the median of times, and the quartiles around it, in the median's unit."""
    found = spread(numbers)
    unit, name = next(((unit, name) for unit, name in TIMES if found.median >= unit * 0.9995), TIMES[-1])
    lower, median, upper = (_digits(each / unit) for each in (found.lower, found.median, found.upper))
    return f"{median} {name}" if len(numbers) == 1 else f"{median} {name} ({lower} to {upper})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose numbers stand to the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
