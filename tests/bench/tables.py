"""From a run to the tables of the page on performance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.bench.budgets import verdicts
from tests.bench.case import Results, Row
from tests.bench.entrants import ENTRANTS, LIMIT
from tests.bench.machine import QUIET
from tests.bench.text import amount, seconds, spans, table, times

__all__ = ["BEGIN", "END", "page", "updated"]

BEGIN = "<!-- bench: begin -->"
END = "<!-- bench: end -->"
MISSING = "-"

SERIES = {  # prefix of the keys: what grows, what a figure is of
    "tags": ("tags", "scalar"),
    "runs": ("keys of `add_scalars`", "key"),
    "image": ("side of a noise image, pixels", "image"),
    "histogram": ("values of a histogram", "histogram"),
    "tasks": ("concurrent tasks", "scalar"),
    "events": ("scalars in all", "scalar"),
}


def page(results: Results) -> str:
    """Return all tables of what was measured, as Markdown."""
    parts = [about(results)]
    for title, section in SECTIONS:
        if found := section(results):
            parts += [f"### {title}", found]
    return "\n\n".join(parts)


def updated(text: str, results: Results) -> str:
    """Return a page with the tables between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(f"the page has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{page(results)}\n\n{END}{after}"


def about(results: Results) -> str:
    """Say on what the figures were measured, and with what."""
    told = results.about
    versions = [f"{name} {version}" for name, version in (told["versions"] | told["beside"]).items()]
    first = (
        f"Measured {told['date']}: {told['cpu']}, {told['cores']} cores, {amount(told['memory'])}, {told['system']}, "
        f"Python {told['python']}; {', '.join(versions)}. Files on {told['directory']}. "
        f"{told['rounds']} rounds; load average before: {told['load']}."
    )
    lines = [first]
    if told["form"] == "quick":
        lines.append("**A smoke test: the figures say nothing.**")
    elif told["load"] > QUIET:
        lines.append("**The machine was not quiet: others used it meanwhile. The figures are provisional.**")
    missing = [entrant.title for entrant in ENTRANTS.values() if entrant.distribution not in told["versions"]]
    if missing:
        lines.append(f"Not installed: {'; '.join(missing)}.")
    return "\n\n".join(lines)


def _budgets(results: Results) -> str:
    rows = [[v.what, v.budget, v.figure, "yes" if v.met else "**no**"] for v in verdicts(results)]
    return table(["what", "budget", "measured", "met"], rows) if rows else ""


def _scalars(results: Results) -> str:
    lines: list[list[str]] = []
    for key, row in ((key, results.rows[key]) for key in ("scalars", "log") if key in results.rows):
        for name in row.cells:
            if key == "log" and name != "log":
                continue
            total = row.median(name, "total")
            rate = f"{1 / total:,.0f}/s" if total else MISSING
            caller = MISSING if name == LIMIT else _cell(row, name, "caller")
            ratios = [_ratio(row, "torch", name), _ratio(row, name, LIMIT)]
            lines.append([ENTRANTS[name].title, caller, _cell(row, name), rate, *ratios])
    head = [
        "each scalar",
        "the caller",
        "until closed",
        "throughput",
        "times torch's speed",
        "times the work alone takes",
    ]
    return table(head, lines) + _failures(results, "scalars", "log") if lines else ""


def _methods(name: str) -> Callable[[Results], str]:
    def section(results: Results) -> str:
        rows = results.below("methods")
        columns = _columns(rows, without=() if name == "total" else (LIMIT,))
        lines = [
            [f"`{row.title}`", *(_cell(row, entrant, name) for entrant in columns), _ratio(row, "torch", "await", name)]
            for row in rows
        ]
        head = ["each call", *(ENTRANTS[entrant].title for entrant in columns), "torch / await"]
        return table(head, lines) + _failures(results, *(row.key for row in rows)) if rows else ""

    return section


def _bytes(results: Results) -> str:
    rows = results.below("methods")
    columns = _columns(rows, without=(LIMIT, "sync"))
    lines = [
        [f"`{row.title}`", *(amount(size) if (size := row.median(n, "bytes")) else MISSING for n in columns)]
        for row in rows
    ]
    return table(["each call", *(ENTRANTS[name].title for name in columns)], lines) if rows else ""


def _lag(results: Results) -> str:
    lines: list[list[str]] = []
    for row in results.below("lag"):
        for name, cell in row.cells.items():
            if not cell.samples:
                continue
            marks = [seconds(row.median(name, mark) or 0) for mark in ("p50", "p99", "p99.9", "max")]
            logged = [sum(row.figures(name, kind)) for kind in ("scalars", "image", "histogram", "text", "video")]
            made = " / ".join(f"{count:,}" for count in logged if count)
            title = "torch, inline" if name == "torch" else ENTRANTS[name].title
            lines.append([row.title, title, *marks, seconds(row.median(name, "idle p99") or 0), made])
    head = ["beside", "with", "p50", "p99", "p99.9", "max", "p99 idle", "logged meanwhile"]
    return table(head, lines) if lines else ""


def _imports(results: Results) -> str:
    lines = [
        [row.title, ENTRANTS[name].title, _cell(row, name), amount(row.median(name, "memory") or 0)]
        for row in results.below("footprint")
        for name in row.cells
        if row.figures(name, "memory")
    ]
    return table(["what", "of", "time", "memory"], lines) if lines else ""


def _memory(results: Results) -> str:
    row = results.rows.get("footprint/memory")
    lines = [
        [ENTRANTS[name].title, f"{sample['count']:,}", *(amount(sample["rss"]), *_counts(sample))]
        for name, cell in (row.cells.items() if row else ())
        for sample in cell.samples
    ]
    return table(["with", "scalars", "resident memory", "threads", "descriptors"], lines) if lines else ""


def _counts(sample: dict[str, int]) -> list[str]:
    return [f"{sample[name]:+d}" for name in ("threads", "files")]


def _scaling(results: Results) -> str:
    parts: list[str] = []
    for prefix, (grows, each) in SERIES.items():
        if rows := results.below(prefix):
            columns = _columns(rows)
            lines = [[f"{int(row.key.split('/')[1]):,}", *(_cell(row, name) for name in columns)] for row in rows]
            head = [grows, *(f"{ENTRANTS[name].title}, each {each}" for name in columns)]
            parts.append(table(head, lines) + _failures(results, *(row.key for row in rows)))
    return "\n\n".join(parts)


def _fairness(results: Results) -> str:
    lines: list[list[str]] = []
    for row in results.below("tasks"):
        for name in row.cells:
            marks = [seconds(row.median(name, mark) or 0) for mark in ("p50", "p99", "max")]
            shares = [f"{row.median(name, share) or 0:.2f}" for share in ("least share", "most share")]
            lines.append([row.key.split("/")[1], ENTRANTS[name].title, *marks, *shares])
    head = ["tasks", "with", "an add, p50", "p99", "max", "least of a fair share", "most"]
    return table(head, lines) if lines else ""


SECTIONS: Sequence[tuple[str, Callable[[Results], str]]] = [
    ("Budgets", _budgets),
    ("Scalars", _scalars),
    ("Each method, until closed", _methods("total")),
    ("Each method, cost to the caller", _methods("caller")),
    ("Each method, bytes on disk", _bytes),
    ("Event-loop lag", _lag),
    ("Import", _imports),
    ("Memory: growth while logging", _memory),
    ("Scaling, until closed", _scaling),
    ("Many tasks: latency and fairness", _fairness),
]


def _columns(rows: Sequence[Row], without: Sequence[str] = ()) -> list[str]:
    found = {name for row in rows for name in row.cells}
    return [name for name in ENTRANTS if name in found and name not in without]


def _cell(row: Row, entrant: str, name: str = "total") -> str:
    cell = row.cells.get(entrant)
    if cell is not None and cell.error:
        return "error"
    figures = row.figures(entrant, name)
    return spans(figures) if figures else MISSING


def _ratio(row: Row, slow: str, fast: str, name: str = "total") -> str:
    ratio = row.ratio(slow, fast, name)
    return MISSING if ratio is None or slow == fast else times(ratio)


def _failures(results: Results, *keys: str) -> str:
    lines = list(_errors(results, keys))
    return "\n\n" + "\n".join(lines) if lines else ""


def _errors(results: Results, keys: Sequence[str]) -> Iterator[str]:
    for key in keys:
        row = results.rows.get(key)
        for name, cell in row.cells.items() if row else ():
            if cell.error:
                yield f"- {key.removeprefix('methods/')}, {ENTRANTS[name].title}: {cell.error}"
