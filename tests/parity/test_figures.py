"""The same figures through torch's SummaryWriter and ours have the same pixels."""

import tempfile
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from asynctb import EncodeError, SummaryWriter
from tests.readback.events import run_events
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)
pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib, whose figures are drawn, is not installed")

TorchWriter = module("torch.utils.tensorboard").SummaryWriter


@pytest.fixture(autouse=True)
def agg() -> Any:
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")


def plain(size: tuple[float, float] = (3, 2), **options: Any) -> Any:
    figure, axes = pyplot.subplots(figsize=size, **options)
    axes.plot([1, 3, 2], label="$x^2$")
    axes.set_title("title")
    axes.legend()
    return figure


def transparent() -> Any:
    figure = plain()
    figure.patch.set_alpha(0.3)
    return figure


def shown(writer: Any, figure: Any, **options: Any) -> tuple[Any, tuple[int, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        with writer(folder) as made:
            made.add_figure("t", figure, 1, **options)
        _, event = run_events(Path(folder))["."]
    recorded = event.summary.value[0].image
    with Image.open(BytesIO(recorded.encoded_image_string)) as image:
        return np.asarray(image), (event.step, recorded.height, recorded.width, recorded.colorspace)


FIGURES = {
    "plain": plain,
    "fine": lambda: plain(dpi=200),
    "odd size": lambda: plain((3.337, 2.221), dpi=77),
    "constrained": lambda: plain(layout="constrained"),
    "transparent": transparent,
    "several": lambda: [plain() for _ in range(3)],
    "one in a list": lambda: [plain()],
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES.keys())
def test_figures_are_torchs(make: Any) -> None:
    """A figure, or a list of them, has torch's pixels and size, and the same is recorded; both close it."""
    theirs, their_size = shown(TorchWriter, make())
    ours, our_size = shown(SummaryWriter, make())
    np.testing.assert_array_equal(ours, theirs)
    assert our_size == their_size
    assert pyplot.get_fignums() == []


def test_figures_can_be_kept() -> None:
    """With `close=False` neither closes it; its canvas is its own again here, where torch leaves another."""
    for writer, same in ((TorchWriter, False), (SummaryWriter, True)):
        figure = plain()
        canvas = figure.canvas
        shown(writer, figure, close=False)
        assert pyplot.get_fignums() == [figure.number]
        assert (figure.canvas is canvas) is same
        pyplot.close(figure)


def test_figures_of_several_sizes() -> None:
    """Neither shows figures of several sizes."""
    for writer, error in ((TorchWriter, ValueError), (SummaryWriter, EncodeError)):
        with pytest.raises(error):
            shown(writer, [plain(), plain((4, 2))])
