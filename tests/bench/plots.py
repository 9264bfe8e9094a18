"""The plots of the page on performance, made from a run's figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, NullFormatter

from tests.bench.case import Results, Row, spread
from tests.bench.entrants import ENTRANTS, LIMIT
from tests.bench.text import seconds
from tests.bench.work.lag import PARTS

__all__ = ["draw"]

COLOURS = {  # asynctb's are blue and green, the others' are warm, what nobody can do without is grey; Okabe and Ito's
    "await": "#0072B2",
    "log": "#332288",
    "nowait": "#56B4E9",
    "sync": "#009E73",
    "torch": "#D55E00",
    "torch-10000": "#E69F00",
    "torch-thread": "#CC79A7",
    "tensorboardX": "#B39B00",
    "EventFileWriter": "#8C510A",
    LIMIT: "#888888",
}
MARKS = {"await": "o", "sync": "s", "torch": "^", "tensorboardX": "v", LIMIT: "|"}
STYLE: dict[Any, Any] = {
    "figure.dpi": 110,
    "figure.facecolor": "white",
    "font.size": 9.5,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}
COUNTS = ((10**6, "M"), (10**3, "k"), (1, ""))
SERIES = {  # prefix of the keys: what grows, what is measured
    "tags": ("number of tags", "time per scalar"),
    "runs": ("keys of add_scalars, each a run", "time per key"),
    "events": ("scalars in all", "time per scalar"),
    "tasks": ("concurrent tasks", "time per scalar"),
    "image": ("side of a noise image, pixels", "time per image"),
    "histogram": ("values of a histogram", "time per histogram"),
}


def draw(results: Results, folder: Path) -> None:
    """Draw all plots for which there are figures."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for name, plot in PLOTS.items():
            figure = plot(results)
            if figure is not None:
                figure.savefig(folder / f"{name}.png", metadata={"Software": None})
                plt.close(figure)


def _throughput(results: Results) -> Any:
    rows = [(results.rows[key], key) for key in ("scalars", "log") if key in results.rows]
    bars = [
        (ENTRANTS[name].title, [1 / total for total in row.figures(name, "total")], COLOURS[name])
        for row, key in rows
        for name in row.cells
        if row.figures(name, "total") and (key != "log" or name == "log")
    ]
    if not bars:
        return None
    bars.sort(key=lambda bar: spread(bar[1]).median)
    figure, axes = plt.subplots(figsize=(7.5, 0.42 * len(bars) + 1.1), layout="constrained")
    spreads = [spread(rates) for _, rates, _ in bars]
    axes.barh([title for title, _, _ in bars], [each.median for each in spreads], color=[bar[2] for bar in bars])
    for place, each in enumerate(spreads):
        axes.plot([each.lower, each.upper], [place, place], color="black", linewidth=1)
        axes.annotate(
            f"{each.median:,.0f}", (each.upper, place), xytext=(4, 0), textcoords="offset points", va="center"
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(_whole))
    axes.set_xlim(right=max(each.upper for each in spreads) * 4)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("scalars per second until the file is closed (median, quartiles as a line)")
    axes.set_title("Throughput: scalars in a loop")
    return figure


def _methods(results: Results) -> Any:
    rows = [row for row in reversed(results.below("methods")) if row.figures("await", "total")]
    if not rows:
        return None
    figure, panels = plt.subplots(
        1, 2, figsize=(9.5, 0.3 * len(rows) + 1.5), sharey=True, sharex=True, layout="constrained"
    )
    for axes, name, title in zip(panels, ("caller", "total"), ("Cost to the caller", "Until closed"), strict=True):
        for entrant, mark in MARKS.items():
            found = [(row.median(entrant, name), place) for place, row in enumerate(rows)]
            points = [(value, place) for value, place in found if value]
            if points:
                across, up = zip(*points, strict=True)
                size = 90 if mark == "|" else 26
                axes.scatter(across, up, s=size, color=COLOURS[entrant], marker=mark, label=ENTRANTS[entrant].title)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(_time))
        axes.set_title(title)
        axes.set_xlabel("time per call (median)")
    panels[0].set_yticks(range(len(rows)), [row.title for row in rows])
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def _lag(results: Results) -> Any:
    rows = [row for row in results.below("lag") if any(cell.samples for cell in row.cells.values())]
    if not rows:
        return None
    figure, panels = plt.subplots(
        1, len(rows), figsize=(4.9 * len(rows), 4.2), sharey=True, sharex=True, layout="constrained", squeeze=False
    )
    later = [part / 1000 for part in PARTS]
    for axes, row in zip(panels[0], rows, strict=True):
        axes.plot(_curve(row, "await", "idle curve"), later, color="#888888", linestyle=":", label="idle loop")
        for name, cell in row.cells.items():
            if cell.samples:
                title = "torch, inline" if name == "torch" else ENTRANTS[name].title
                axes.plot(_curve(row, name, "curve"), later, color=COLOURS[name], label=title)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(_time))
        axes.yaxis.set_major_formatter(FuncFormatter(_percent))
        axes.set_ylim(0.03, 100)
        axes.set_xlim(left=2e-5)
        axes.set_title(f"Beside {row.title}")
        axes.set_xlabel("how late a sleep of 1 ms ends")
    panels[0][0].set_ylabel("share of sleeps that end later")
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def _curve(row: Row, entrant: str, name: str) -> list[float]:
    """Return the median of the rounds' curves, without the zeros that a logarithm has no place for."""
    return [max(spread(values).median, 1e-6) for values in zip(*row.figures(entrant, name), strict=True)]


def _scaling(results: Results) -> Any:
    found = {prefix: rows for prefix in SERIES if (rows := results.below(prefix))}
    if not found:
        return None
    figure, panels = plt.subplots(2, 3, figsize=(11.5, 6.8), layout="constrained")
    for axes, prefix in zip(panels.flat, found, strict=False):
        for entrant in MARKS:
            points = [
                (int(row.key.split("/")[1]), spread(totals))
                for row in found[prefix]
                if (totals := row.figures(entrant, "total"))
            ]
            if not points:
                continue
            sizes = [size for size, _ in points]
            line = {"color": COLOURS[entrant], "label": ENTRANTS[entrant].title}
            mark = "" if entrant == LIMIT else MARKS[entrant]
            axes.plot(sizes, [each.median for _, each in points], marker=mark, markersize=4, **line)
            axes.fill_between(
                sizes, [each.lower for _, each in points], [each.upper for _, each in points], alpha=0.2, **_plain(line)
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(_whole))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(_time))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(SERIES[prefix][0])
        axes.set_ylabel(f"{SERIES[prefix][1]}, until closed")
    handles = {
        label: handle for axes in panels.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5)
    figure.suptitle("How each cost grows with the work")
    return figure


def _plain(line: dict[str, str]) -> dict[str, Any]:
    return {"color": line["color"], "linewidth": 0}


def _time(value: float, _: object) -> str:
    amount, _, unit = seconds(value).partition(" ")
    return f"{float(amount.replace(',', '')):g} {unit}"


def _whole(value: float, _: object) -> str:
    """Return a count as an axis has room for it."""
    unit, name = next((unit, name) for unit, name in COUNTS if value >= unit or unit == 1)
    return f"{value / unit:g}{name}"


def _percent(value: float, _: object) -> str:
    return f"{value:g}%"


PLOTS: dict[str, Callable[[Results], Any]] = {
    "throughput": _throughput,
    "methods": _methods,
    "lag": _lag,
    "scaling": _scaling,
}
