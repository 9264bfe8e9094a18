"""The benchmark runs, takes what is lost for an error, and the page shows what was measured."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from asynctb import SummaryWriter
from asynctb.methods import AddMethods, names
from tests.bench.__main__ import main
from tests.bench.budgets import verdicts
from tests.bench.case import Case, Cell, Results, Row, load, save, spread
from tests.bench.cases import GROUPS, METHODS, cases
from tests.bench.crew import Crew, Failed
from tests.bench.entrants import ENTRANTS, LIMIT
from tests.bench.rounds import Plan, measured
from tests.bench.tables import BEGIN, END, page, updated
from tests.bench.text import amount, seconds, spans, times

DOCS = Path(__file__).resolve().parents[2] / "docs"
ABOUT = {
    "date": "today", "form": "full", "rounds": 5, "cpu": "a processor", "cores": 2, "memory": 1 << 34, "load": 0.1,
    "system": "Linux", "python": "3.11", "directory": "tmpfs", "versions": {"asynctb": "1"}, "beside": {},
}  # fmt: skip


def row(key: str, **cells: list[dict[str, Any]]) -> Row:
    return Row(key, key, {}, {name.replace("_", "-"): Cell(samples) for name, samples in cells.items()})


def needs(key: str, entrant: str) -> str:
    """Return the module without which an entrant cannot do a case."""
    if "add_graph" in key:
        return "torch"
    if "add_audio" in key and entrant == "tensorboardX":
        return "soundfile"
    media = "video" in key or key == "lag/mixed"
    return "moviepy" if media and entrant.startswith(("torch", "tensorboardX")) else ""


@pytest.mark.timeout(600)  # some ten seconds, of which importing torch twice takes half; more where much else runs
def test_all_of_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A smoke test of every case leaves figures for all who can do it, tables, plots, and no file behind."""
    markdown, work = tmp_path / "page.md", tmp_path / "work"
    markdown.write_text(f"Before.\n{BEGIN}{END}\nAfter.\n")
    work.mkdir()
    options = ["--json", tmp_path / "all.json", "--plots", tmp_path / "plots", "--update", markdown, "--dir", work]
    main(["--quick", "--rounds", "1", *map(str, options)])
    results = load([tmp_path / "all.json"])
    for case in cases("quick", list(GROUPS))[0]:
        wanted = {name for name in case.entrants if ENTRANTS[name].installed} | ({LIMIT} if case.limit else set())
        found = results.rows[case.key].cells
        assert set(found) == wanted
        for name, cell in found.items():
            module = needs(case.key, name)
            if not module or importlib.util.find_spec(module):
                assert not cell.error, f"{case.key}, {name}"
                assert len(cell.samples) == 1
    assert page(results) in markdown.read_text()
    assert page(results) in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {
        "throughput.png", "methods.png", "lag.png", "scaling.png"
    }  # fmt: skip
    assert not list(work.iterdir())


def test_every_method_is_measured() -> None:
    """Each `add_*` has a row, but for those that store what others have made, and `log`, which the scalars have."""
    assert set(METHODS) == set(names(AddMethods)) - {"log", "add_onnx_graph", "add_event", "add_summary"}


def test_the_sizes_have_the_same_groups() -> None:
    """What is asked for alone comes with what its budgets need, and no case is measured twice."""
    for form in ("full", "long"):
        for only in ([name] for name in GROUPS):
            assert all(group for group in cases(form, only))
        keys = [case.key for group in cases(form, list(GROUPS)) for case in group]
        assert len(keys) == len(set(keys))
    alone = [case.key for group in cases("full", ["budgets"]) for case in group]
    assert {"lag/mixed", "footprint/import", "footprint/memory"} < set(alone)
    assert [case.key for group in cases("full", ["tags/10", "lag"]) for case in group] == [
        "lag/mixed", "lag/scalars", "tags/10"
    ]  # fmt: skip
    assert [case.key for group in cases("full", ["add_text"]) for case in group] == ["methods/add_text"]
    with pytest.raises(SystemExit, match=r"nothing is called nothing; there are budgets, .*, methods/add_text, "):
        main(["--quick", "--only", "nothing"])


def test_what_is_lost_is_an_error(tmp_path: Path) -> None:
    """Where fewer values are on disk than were added, the cell is an error, and has no figures."""
    plan = Plan(tmp_path, 2, False, lambda _: None)
    case = Case("two", "two of each", "adding:scalars", ["sync"], {"count": 10}, counts="records", values=2)
    with Crew() as crew:
        cell = measured(crew, case, plan).cells["sync"]
    assert cell == Cell([], "10 of 20 records are on disk")


def test_what_fails_is_an_error(tmp_path: Path) -> None:
    """What an entrant raises is its result, and the next one is measured all the same."""
    plan = Plan(tmp_path, 1, False, lambda _: None)
    case = Case("bad", "bad", "adding:scalars", ["await", "sync"], {"count": 10}, {"await": {"never": 1}})
    with Crew() as crew:
        cells = measured(crew, case, plan).cells
        with pytest.raises(Failed, match="ModuleNotFoundError"):
            crew.ask("nowhere:nothing", "sync", tmp_path, {}, fresh=False)
    assert "unexpected keyword argument 'never'" in cells["await"].error
    assert [sample["count"] for sample in cells["sync"].samples] == [10]


@pytest.mark.parametrize("counter", ["records", "values"])
def test_a_torn_file_is_an_error(counter: str, tmp_path: Path) -> None:
    """Whatever is counted is read by the strict parser."""
    from tests.bench.found import COUNTERS

    with SummaryWriter(tmp_path) as writer:
        for step in range(5):
            writer.add_scalar("a", 1.0, step)
    assert COUNTERS[counter](tmp_path) == 5
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Exception, match="cut off"):
        COUNTERS[counter](tmp_path)


def test_each_round_begins_with_another(tmp_path: Path) -> None:
    """Nobody always comes first or last; and the first round of all is dropped."""
    asked: list[str] = []

    class Listening(Crew):
        def ask(self, function: str, entrant: str, *_: Any, **__: Any) -> dict[str, Any]:
            asked.append(entrant)
            return {"count": 1}

    case = Case("three", "three", "none", ["await", "sync", "log"])
    measured_row = measured(Listening(), case, Plan(tmp_path, 3, True, lambda _: None))
    assert asked == ["await", "sync", "log", "await", "sync", "log", "sync", "log", "await", "log", "await", "sync"]
    assert [len(cell.samples) for cell in measured_row.cells.values()] == [3, 3, 3]


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Of several runs, a later one's rows replace those of the same name."""
    first = Results(ABOUT, {name: row(name, sync=[{"total": 0.25}]) for name in ("a", "b")})
    save(first, tmp_path / "first.json")
    save(Results(ABOUT, {"b": row("b", sync=[{"total": 0.5}])}), tmp_path / "second.json")
    assert load([tmp_path / "first.json"]) == first
    both = load([tmp_path / "first.json", tmp_path / "second.json"])
    assert [both.rows[name].median("sync", "total") for name in ("a", "b")] == [0.25, 0.5]


def test_a_ratio_is_that_of_the_rounds() -> None:
    """A machine that is slow for a whole round changes no ratio."""
    both = row("scalars", torch=[{"total": 1.0}, {"total": 30.0}], sync=[{"total": 0.1}, {"total": 3.0}])
    assert both.ratio("torch", "sync") == pytest.approx(10)
    assert both.ratio("tensorboardX", "sync") is None


def test_budgets_are_kept_or_not() -> None:
    """A budget is judged by its figure; one whose writers are missing is not met."""
    fast = row("scalars", torch=[{"total": 1.0, "caller": 1.0}], sync=[{"total": 0.04, "caller": 0.1}])
    found = verdicts(Results(ABOUT, {"scalars": fast}))
    assert [(verdict.figure, verdict.met) for verdict in found] == [
        ("not measured", False), ("25x", True), ("10x", False)
    ]  # fmt: skip


def test_a_kill_that_left_no_prefix_is_no_kept_budget() -> None:
    """Where the kills could not be judged, or one left something else than a prefix, nothing of it counts as met."""
    kills = row("kill", **{"await": [{"ages": [0.0, 0.01]}], "sync": []})
    assert [verdict.met for verdict in verdicts(Results(ABOUT, {"kill": kills}))] == [True, True]
    kills.cells["sync"].error = "AssertionError"
    assert [verdict.met for verdict in verdicts(Results(ABOUT, {"kill": kills}))] == [False]


def test_the_tables_say_who_is_missing() -> None:
    """A writer that is not installed has no column, and the page says so; an error is told below the table."""
    results = Results(ABOUT, {"scalars": row("scalars", sync=[{"total": 1e-6, "caller": 2e-6}])})
    results.rows["scalars"].cells["await"] = Cell([], "OSError: no")
    text = page(results)
    assert "| SummaryWriter | 2.00 us | 1.00 us | 1,000,000/s | - | - |" in text
    assert "Not installed: torch;" in text
    assert "| torch |" not in text
    assert "- scalars, await: OSError: no" in text
    assert "not quiet" in page(Results({**ABOUT, "load": 2.0}, {}))


def test_a_page_is_updated_in_place() -> None:
    """Only what is between the marks is replaced, and a second time changes nothing."""
    results = Results(ABOUT, {})
    once = updated(f"Before.\n{BEGIN}old{END}\nAfter.\n", results)
    assert once.startswith("Before.\n")
    assert once.endswith("\nAfter.\n")
    assert "old" not in once
    assert updated(once, results) == once
    with pytest.raises(SystemExit):
        updated("no marks", results)


def test_the_page_shows_what_was_measured() -> None:
    """The tables of the page on performance are those of the run whose figures stand beside it."""
    text = (DOCS / "performance.md").read_text("utf-8")
    assert updated(text, load([DOCS / "benchmark.json"])) == text


def test_numbers_have_three_digits_and_a_unit() -> None:
    """Times, sizes and ratios are told in the unit in which they are easiest to read."""
    assert [seconds(value) for value in (0, 2e-9, 1.5e-6, 0.0123, 0.9999, 123.4)] == [
        "0 s", "2.00 ns", "1.50 us", "12.3 ms", "1.00 s", "123 s"
    ]  # fmt: skip
    assert [amount(size) for size in (0, 512, 2048, 5 << 20)] == ["0 B", "512 B", "2.00 KiB", "5.00 MiB"]
    assert [times(value) for value in (0.123, 1.26, 9.94, 9.96, 1234.5)] == ["0.12x", "1.3x", "9.9x", "10x", "1,234x"]
    assert spans([1e-3, 3e-3, 2e-3]) == "2.00 ms (1.50 to 2.50)"
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0]).upper == 4.0
