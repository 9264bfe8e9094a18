"""Run every fault for every writer that is installed, and print what each does.

The programs are in `programs`, the faults in `scenarios.py`. The short form takes some minutes, the long one a quarter
of an hour; both say the same, but for what varies from run to run.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from tests.faults.compare.outcome import Outcome
from tests.faults.compare.run import run
from tests.faults.compare.scenarios import DISKS, EXITS, KILLS, NAMES, PROCESSES, SCENARIOS, VALUES, Scenario
from tests.faults.compare.table import BEGIN, END, Results, cell, markdown, replaced, versions
from tests.faults.compare.writers import KINDS

FAMILIES = {
    "The program ends": EXITS,
    "The process is killed": KILLS,
    "The disk": DISKS,
    "Forks and crowds": PROCESSES,
    "Names": NAMES,
    "What TensorBoard shows": VALUES,
}
JOBS = 3  # programs at once: most of them wait
RUNS = {False: (1, 2), True: (3, 15)}  # of the short and the long form: of what is the same each time, and what varies
HANG = {False: 12.0, True: 20.0}  # seconds after which a program hangs for ever


def main() -> None:
    """Run what the command line asks for."""
    asked = parsed()
    scenarios = [SCENARIOS[name] for name in asked.only or SCENARIOS]
    about, results = loaded(asked.again) if asked.again else compared(scenarios, long=asked.long)
    if asked.json:
        asked.json.write_text(json.dumps(plain(about, results), indent=1) + "\n", "utf-8")
    if asked.markdown:
        rows = {
            family: [s for s in scenarios if s in members and s.name in results] for family, members in FAMILIES.items()
        }
        table = markdown({family: found for family, found in rows.items() if found}, results, about)
        page = asked.markdown.read_text("utf-8") if asked.markdown.exists() else f"{BEGIN}{END}\n"
        asked.markdown.write_text(replaced(page, table), "utf-8")


def compared(scenarios: list[Scenario], *, long: bool) -> tuple[str, Results]:
    """Run faults for every writer that is installed, and say what comes of it."""
    writers = [name for name, kind in KINDS.items() if kind.installed]
    for name in KINDS.keys() - writers:
        print(f"{name} is not installed here", file=sys.stderr)
    about = versions(writers)
    print(about)
    results: Results = {scenario.name: {} for scenario in scenarios}
    for scenario, writer, outcomes in measured(scenarios, writers, long=long):
        results[scenario.name][writer] = outcomes
        print(f"{scenario.name:16} {writer:13} {cell(outcomes, scenario.shows)}", flush=True)
    return about, results


def parsed() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.compare", description=__doc__)
    parser.add_argument("--long", action="store_true", help="more runs of what varies")
    parser.add_argument(
        "--again", type=Path, metavar="FILE", help="run nothing: take the outcomes of an earlier --json"
    )
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, metavar="NAME", help="these faults, and no others")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every outcome there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the table there, between its marks")
    return parser.parse_args()


def measured(
    scenarios: list[Scenario], writers: list[str], *, long: bool
) -> Iterator[tuple[Scenario, str, list[Outcome]]]:
    """Run all scenarios for all writers, some at a time; those whose figures are times come last, one by one."""
    for alone in (False, True):
        cells = [(scenario, writer) for scenario in scenarios if scenario.alone is alone for writer in writers]
        with ThreadPoolExecutor(1 if alone else JOBS) as pool:
            waiting = [(scenario, writer, pool.submit(repeated, scenario, writer, long)) for scenario, writer in cells]
            for scenario, writer, outcomes in waiting:
                yield scenario, writer, outcomes.result()


def repeated(scenario: Scenario, writer: str, long: bool) -> list[Outcome]:
    """Run one scenario as often as its form wants, or until it hangs: that is no matter of chance."""
    outcomes: list[Outcome] = []
    if KINDS[writer].awaited and not scenario.coroutine:
        return outcomes
    for _ in range(RUNS[long][scenario.varies]):
        outcomes.append(run(scenario, writer, HANG[long]))
        if len([one for one in outcomes if one.hung]) >= (2 if long else 1):
            break
    return outcomes


def plain(about: str, results: Results) -> dict[str, Any]:
    """Return what was run and the outcomes as JSON has them."""
    outcomes = {
        scenario: {writer: [asdict(outcome) for outcome in outcomes] for writer, outcomes in by_writer.items()}
        for scenario, by_writer in results.items()
    }
    return {"about": about, "outcomes": outcomes}


def loaded(path: Path) -> tuple[str, Results]:
    """Return what `plain` has made of a run."""
    found = json.loads(path.read_text("utf-8"))
    results = {
        scenario: {writer: [Outcome(**outcome) for outcome in outcomes] for writer, outcomes in by_writer.items()}
        for scenario, by_writer in found["outcomes"].items()
    }
    return found["about"], results


if __name__ == "__main__":
    assert set(SCENARIOS.values()) == set(chain.from_iterable(FAMILIES.values()))
    main()
