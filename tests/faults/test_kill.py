"""SIGKILL, SIGTERM, os._exit: what was flushed is there, and all but the last moment of what was accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.kills import deaths, late, report

pytestmark = pytest.mark.timeout(1200)

MOST = 2000  # entries unwritten at which adds wait


def short(*kinds: str, kills: int, **how: Any) -> list[Any]:
    return [pytest.param(kind, {"kills": kills, **how}, id=f"{kind}-{kills}") for kind in kinds]


def long(*kinds: str, kills: int = 200, **how: Any) -> list[Any]:
    skip = pytest.mark.long
    return [pytest.param(kind, {"kills": kills, **how}, id=f"{kind}-{kills}", marks=skip) for kind in kinds]


@pytest.fixture(autouse=True)
def _uvloop(kind: str) -> None:
    if kind == "uvloop":
        pytest.importorskip("uvloop")


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        *short("async", "uvloop", "sync", "nowait", "log", kills=4, aim="soon"),
        *long("async", "uvloop", "sync", "nowait", "log", kills=600, aim="anywhere"),
    ],
)
def test_a_kill_costs_50_ms(kind: str, how: dict[str, Any], tmp_path: Path) -> None:
    """SIGKILL at any moment leaves an exact prefix, which lacks nothing that is older than 50 ms."""
    rates = [100, 1000, 10]
    losses = list(deaths(tmp_path, kind, rate=rates, **how))
    for number, rate in enumerate(rates):
        report(f"{kind}, {rate}/s", losses[number :: len(rates)])
    assert not late(losses)


@pytest.mark.parametrize(
    ("kind", "how"), [*short("async", "sync", "nowait", kills=4), *long("async", "uvloop", "sync", "nowait", "log")]
)
def test_an_event_is_in_the_file_after_50_ms(kind: str, how: dict[str, Any], tmp_path: Path) -> None:
    """SIGKILL a little later than 50 ms after an add, with none after it that would hasten it: nothing is lost."""
    losses = list(deaths(tmp_path, kind, rate=10, aim="past_the_bound", **how))
    report(f"{kind}, 50 ms later", losses)
    assert not late(losses)


@pytest.mark.parametrize(
    ("kind", "how"),
    [*short("async", "sync", kills=3, aim="soon"), *long("async", "uvloop", "sync", "log", aim="anywhere")],
)
def test_a_kill_flat_out_costs_2000_scalars(kind: str, how: dict[str, Any], tmp_path: Path) -> None:
    """SIGKILL at any moment of a program that only logs leaves an exact prefix, which lacks 2,000 at most."""
    losses = list(deaths(tmp_path, kind, rate=0, together=2, **how))
    assert max(loss.lost for loss in losses) <= MOST
    report(f"{kind}, flat out", losses)


@pytest.mark.parametrize(("kind", "how"), [*short("async", "sync", kills=4), *long("async", "uvloop", "sync", "log")])
def test_a_kill_costs_nothing_that_was_flushed(kind: str, how: dict[str, Any], tmp_path: Path) -> None:
    """SIGKILL in the moment in which a `flush()` has returned: all that was accepted before it is there."""
    losses = list(deaths(tmp_path, kind, flush_every=[1, 97], aim="after_a_flush", **how))
    assert all(loss.page.flushed > 0 for loss in losses)
    assert all(loss.stored >= loss.page.flushed for loss in losses)


@pytest.mark.parametrize(
    ("kind", "how"), [*short("async", "sync", kills=2), *long("async", "uvloop", "sync", "log", kills=100)]
)
def test_a_kill_of_a_blocked_loop_costs_nothing_older(kind: str, how: dict[str, Any], tmp_path: Path) -> None:
    """SIGKILL half a second into a computation that holds the loop: all that was accepted before it is there."""
    losses = list(deaths(tmp_path, kind, rate=100, block_at=29, aim="in_the_block", together=2, **how))
    report(f"{kind}, blocked", losses)
    assert all(loss.accepted == 29 for loss in losses)
    assert all(loss.lost == 0 for loss in losses)


@pytest.mark.parametrize(
    ("kind", "how"),
    [*short("async", "sync", kills=4, aim="soon"), *long("async", "uvloop", "sync", kills=400, aim="anywhere")],
)
def test_other_sudden_deaths_are_as_a_kill(kind: str, how: dict[str, Any], tmp_path: Path) -> None:
    """SIGTERM without a handler and `os._exit` leave an exact prefix, which lacks nothing that is older than 50 ms."""
    losses = list(deaths(tmp_path, kind, rate=100, death=["SIGTERM", "os._exit"], **how))
    report(f"{kind}, SIGTERM and os._exit", losses)
    assert not late(losses)
