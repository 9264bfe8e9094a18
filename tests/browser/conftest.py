"""The gallery's run, on a TensorBoard, in a browser."""

from __future__ import annotations

import re
import runpy
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.board import Board, browser
from tests.readback.http_server import Dashboards, serve

EXAMPLE = Path(__file__).parents[2] / "examples" / "gallery.py"
EMPTY = re.compile(r"No .*(was|were) found|No dashboards are active|dashboard is inactive|Failed to|Error")


@pytest.fixture(scope="session")
def gallery() -> dict[str, Any]:
    """The names of `examples/gallery.py`."""
    return runpy.run_path(str(EXAMPLE))


@pytest.fixture(scope="session")
def tensorboard(gallery: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboards]:
    """A TensorBoard, with the default data server, that has loaded what the example wrote."""
    logdir = tmp_path_factory.mktemp("runs")
    gallery["main"](Namespace(log_dir=str(logdir / "gallery")))
    with serve(logdir) as dashboards:
        dashboards.until(lambda runs: "gallery/lr=0.001" in runs, "scalars/tags")
        dashboards.until(lambda runs: "gallery" in runs, "projector/runs")
        yield dashboards


@pytest.fixture(scope="session")
def window(tensorboard: Dashboards) -> Iterator[Board]:
    """The one browser of all tests."""
    with browser() as driver:
        yield Board(driver, tensorboard.address)


@pytest.fixture
def board(window: Board) -> Iterator[Board]:
    """A page on which in the end nothing says that something is missing, and whose console has no errors."""
    window.leave()
    window.complaints()  # those of the test before
    yield window
    assert [text for text in window.texts() if EMPTY.search(text)] == []
    assert window.complaints() == []
