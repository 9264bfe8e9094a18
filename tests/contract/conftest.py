"""Loops to run on, and a disk that is whole again after the test."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from tests.contract.disk import Disk
from tests.loops import NewLoop, loop_factory

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["asyncio", "uvloop"])
def new_loop(request: pytest.FixtureRequest) -> NewLoop:
    """Return what makes a loop, of either kind."""
    return loop_factory(request.param)


@pytest.fixture
def run(new_loop: NewLoop) -> Run:
    """Run a coroutine to its end on a loop of its own, of either kind."""

    def run_on_it(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(coroutine)

    return run_on_it


@pytest.fixture
def disk() -> Iterator[Disk]:
    """Yield a disk that does as it is told, and holds nobody up after the test."""
    disk = Disk()
    yield disk
    disk.heal()
