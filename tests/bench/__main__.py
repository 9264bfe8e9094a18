"""Measure asynctb beside the other writers that are installed, and print what each takes.

Ratios are what counts: all run in turns on the same machine, and what each wrote is read back. Measure on a machine
that has nothing else to do.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import machine
from tests.bench.case import Results, load, save
from tests.bench.cases import GROUPS, cases
from tests.bench.crew import Crew
from tests.bench.entrants import ENTRANTS
from tests.bench.making import Form
from tests.bench.rounds import Plan, measured
from tests.bench.tables import page, updated


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks for."""
    asked = parsed(arguments)
    if asked.table:
        results = load(asked.table)
    else:
        form: Form = "quick" if asked.quick else "long" if asked.long else "full"
        results = run(form, asked.only or list(GROUPS), asked.rounds, machine.folder(asked.dir), asked.json)
    if asked.json:
        save(results, asked.json)
        results = load([asked.json])  # tables and plots are the same whenever they are made
    print(page(results))
    if asked.update:
        asked.update.write_text(updated(asked.update.read_text("utf-8"), results), "utf-8")
    if asked.plots:
        from tests.bench.plots import draw  # matplotlib, which nobody needs to measure

        draw(results, asked.plots)


def run(form: Form, only: list[str], rounds: int, where: Path, keep: Path | None = None) -> Results:
    """Measure the groups that are asked for; what there is so far is always in the file to `keep` it in."""
    results = Results(machine.about(where, rounds, form))
    if results.about["load"] > machine.QUIET:
        _say(f"!!! THE MACHINE IS NOT QUIET: its load average is {results.about['load']}. The figures will not hold.")
    groups = cases(form, only)
    if not groups or not groups[0]:
        names = (case.key for group in cases(form, list(GROUPS)) for case in group)
        raise SystemExit(f"nothing is called {' or '.join(only)}; there are {', '.join([*GROUPS, *names])}")
    for entrant in ENTRANTS.values():
        if not entrant.installed:
            _say(f"{entrant.title} is not installed here: its columns are missing")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="asynctb-bench-", dir=where) as name:
        plan = Plan(Path(name), rounds, form != "quick", _say)
        for group in groups:
            with Crew(together=form == "quick") as crew:
                for case in group:
                    _say(f"{time.perf_counter() - began:5.0f} s  {case.key}")
                    results.rows[case.key] = measured(crew, case, plan)
                    if keep:
                        save(results, keep)  # so that what is interrupted is not lost
    results.about["load after"] = round(os.getloadavg()[0], 2)
    results.about["seconds"] = round(time.perf_counter() - began)
    return results


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    groups = f"of {', '.join(GROUPS)}; or a method; or rows by their keys, or by what these begin with, such as `image`"
    parser.add_argument("--only", nargs="+", metavar="GROUP", help=groups)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, after warming up (5)")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a smoke test: the figures say nothing")
    size.add_argument("--long", action="store_true", help="also ten million events")
    parser.add_argument("--dir", type=Path, help="where to write: /dev/shm if there is one; name a disk to measure it")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write every sample to this file; with --table, of all its files"
    )
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw the plots into this folder")
    parser.add_argument("--table", type=Path, nargs="+", metavar="FILE.json", help="measure nothing: take these runs")
    parser.add_argument("--update", type=Path, metavar="PAGE.md", help="put the tables between the marks of this page")
    return parser.parse_args(arguments)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
