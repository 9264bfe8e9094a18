"""Figures are drawn as they are, in the place of nobody's canvas, and closed by those who asked for it."""

import asyncio
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.encode.figure import figure
from asynctb.encode.pixels import picture
from asynctb.entry import Draft
from asynctb.errors import EncodeError
from tests.encode.summaries import pixels_of
from tests.readback import python_loader

pytest.importorskip("matplotlib", reason="matplotlib, whose figures are drawn, is not installed")

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure


class Telltale(Artist):
    """Tells which thread draws it."""

    def __init__(self, seen: list[threading.Thread]) -> None:
        super().__init__()
        self._seen = seen

    def draw(self, renderer: Any) -> None:
        self._seen.append(threading.current_thread())


def plot(width: float = 2, height: float = 1, dpi: int = 50, level: int = 3) -> Any:
    made = Figure(figsize=(width, height), dpi=dpi)
    made.subplots().plot([1, level, 2])
    return made


def by_hand(made: Any) -> Any:
    canvas: Any = FigureCanvasAgg(made)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def draft(*args: Any) -> Draft:
    entry = figure(*args)
    assert isinstance(entry, Draft)
    return entry


@pytest.mark.parametrize(("width", "height", "dpi"), [(2, 1, 50), (1.37, 2.11, 71), (3, 2, 200)])
def test_a_figure_is_what_agg_draws(width: float, height: float, dpi: int) -> None:
    """The image has the pixels that Agg draws of the figure, in its own size and resolution."""
    made = plot(width, height, dpi)
    np.testing.assert_array_equal(pixels_of(draft("t", made, False)), by_hand(made))


def test_what_an_entry_says() -> None:
    """A figure is taken by drawing it, which is slow, and counts its pixels."""
    entry = draft("t", plot(), True)
    assert (entry.tags, entry.size, entry.plugin, entry.media, entry.slow) == (
        ("t",),
        4 * 100 * 50,
        "images",
        True,
        True,
    )


def test_figures_are_a_grid() -> None:
    """A list of figures is a grid of them, also if it has one only."""
    figures = [plot(level=level) for level in range(3)]
    batch = np.stack([by_hand(made) for made in figures])
    np.testing.assert_array_equal(pixels_of(draft("t", figures, False)), picture(batch, "NHWC"))
    np.testing.assert_array_equal(pixels_of(draft("t", tuple(figures[:1]), False)), batch[0])


def test_figures_of_several_sizes() -> None:
    """Figures of several sizes make no grid."""
    entry = draft("t", [plot(), plot(3)], False)
    with pytest.raises(EncodeError, match="100x50 pixels") as caught:
        entry.take()
    assert caught.value.got == (150, 50)


@pytest.mark.parametrize("value", [None, "figure.png", [], [None], np.zeros((3, 4, 4)), SimpleNamespace(canvas=1)])
def test_what_is_no_figure(value: Any) -> None:
    """What is no figure is refused at the call."""
    with pytest.raises(EncodeError, match="a matplotlib figure, or a list"):
        figure("t", value, True)


def test_a_subfigure_is_none() -> None:
    """A part of a figure is refused: it cannot be drawn by itself."""
    with pytest.raises(EncodeError, match="a matplotlib figure"):
        figure("t", plot().subfigures(), True)


def test_its_canvas_is_put_back() -> None:
    """A figure has its own canvas and resolution again once it is drawn, also when that fails."""
    made = plot()
    canvas = FigureCanvasSVG(made)
    before = dict(vars(made))
    draft("t", made, False).take()
    assert made.canvas is canvas
    assert {name: value for name, value in vars(made).items() if name in ("dpi", "_original_dpi", "_dpi")} == {
        name: value for name, value in before.items() if name in ("dpi", "_original_dpi", "_dpi")
    }
    made.axes[0].set_title("$no \\formula{$")
    with pytest.raises(EncodeError, match="can be drawn") as caught:
        draft("t", made, False).take()
    assert caught.value.got is made
    assert isinstance(caught.value.__cause__, ValueError)
    assert made.canvas is canvas


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where matplotlib cannot be imported, the error names what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    entry = draft("t", plot(), True)
    with pytest.raises(ImportError, match=r"pip install 'asynctb\[figure\]'$"):
        entry.take()


# Closing


class Pyplot:
    """What stands for matplotlib.pyplot: it says which figures it closes, and on which thread."""

    def __init__(self) -> None:
        self.closed: list[tuple[Any, threading.Thread]] = []

    def close(self, made: Any) -> None:
        self.closed.append((made, threading.current_thread()))


@pytest.fixture
def pyplot(monkeypatch: pytest.MonkeyPatch) -> Pyplot:
    fake = Pyplot()
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", fake)  # type: ignore[arg-type]
    return fake


def test_closed_by_pyplot() -> None:
    """A figure of pyplot's is closed, unless `close` is False."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    for close in (True, False):
        made = pyplot.figure(figsize=(1, 1), dpi=20)
        entry = draft("t", made, close)
        entry.take()
        assert pyplot.fignum_exists(made.number)
        if entry.taken:
            entry.taken()
        assert pyplot.fignum_exists(made.number) is not close
        pyplot.close(made)


def test_no_pyplot_is_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who does not use pyplot gets none: it would choose a backend."""
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("t", plot())
    assert "matplotlib.pyplot" not in sys.modules
    assert len(python_loader.load(tmp_path)["."]["t"]) == 1


def test_drawn_in_a_thread_and_closed_by_the_caller(tmp_path: Path, pyplot: Pyplot) -> None:
    """An awaited figure is drawn in a thread, and closed on the loop's before the add is done."""
    drawn_by: list[threading.Thread] = []

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            made = plot()
            made.add_artist(Telltale(drawn_by))
            await writer.add_figure("t", made)
            assert pyplot.closed == [(made, threading.current_thread())]
            assert drawn_by
            assert threading.current_thread() not in drawn_by
            await writer.add_figure("kept", plot(), close=False)
            assert len(pyplot.closed) == 1
            bad = plot()
            bad.axes[0].set_title("$no \\formula{$")
            with pytest.raises(EncodeError, match="can be drawn"):
                await writer.add_figure("bad", bad)
            assert len(pyplot.closed) == 1

    asyncio.run(main())
    assert sorted(python_loader.load(tmp_path)["."]) == ["kept", "t"]


def test_drawn_by_the_caller_of_the_other_writer(tmp_path: Path, pyplot: Pyplot) -> None:
    """`SummaryWriter` draws on its caller's thread; a list is closed as a whole."""
    drawn_by: list[threading.Thread] = []
    figures = [plot(), plot()]
    figures[0].add_artist(Telltale(drawn_by))
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("t", figures)
    assert set(drawn_by) == {threading.current_thread()}
    assert [made for made, _ in pyplot.closed] == figures
