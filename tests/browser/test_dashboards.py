"""Every dashboard of TensorBoard shows, in a browser, what the gallery has logged."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Any

import pytest
from PIL import Image

from tests.browser.board import CHROMIUM, DRIVER, Board, picture
from tests.readback.http_server import Dashboards

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER and find_spec("selenium")), reason="needs chromium, chromedriver and selenium"
)

STEPS = 30
RATES = [0.001, 0.01, 0.1]
RUNS = ["gallery", "gallery/both_test", "gallery/both_train", *(f"gallery/lr={rate}" for rate in RATES)]
PLACES = [(0.5, 0.5), (0.25, 0.5), (0.1, 0.9)]  # across and down, in an image
TALL = (1400, 2600)  # a window in which all cards of a list are, as only those are drawn


def in_colour(image: Image.Image) -> float:
    """Return the share of pixels that are not grey."""
    saturations = image.convert("HSV").histogram()[256:512]
    return sum(saturations[64:]) / sum(saturations)


def test_time_series(board: Board, tensorboard: Dashboards) -> None:
    """Curves, images and histograms have their cards, and are drawn; a curve's table has its last value."""
    board.open("timeseries", "^(both|rings|weights)$", TALL)
    board.shows(*RUNS, "3 cards", "both", "rings", "weights", "Step 2")
    for run in ("gallery/both_train", "gallery/both_test"):
        _, step, value = tensorboard.ask("scalars/scalars", run=run, tag="both").json[-1]
        board.shows(run, str(step), f"{value:.4f}")
    (chart,) = board.all("scalar-card canvas")
    board.until("two curves", lambda: in_colour(picture(chart)) > 0.005)
    board.become([[128, 128]], lambda: board.ask("return all('image-card img').map(size)"))
    board.become(STEPS, lambda: len(board.all("histogram-card g.histogram path")))


def test_scalars(board: Board) -> None:
    """Each curve has a point for each step, each number without steps a dot; the runs of `add_scalars` share a card."""
    board.open("scalars", ".*", TALL)
    board.press("paper-checkbox", "Ignore outliers in chart scaling")
    board.shows(*RUNS)
    look = "[points(card, 'path.line').filter((n) => n > 1), all('path.symbol', card).length]"
    twice = [STEPS, STEPS]  # as it is, and smoothed
    board.become(
        {
            "both": [twice + twice, 2],
            "loss/high": [twice, 1],
            "loss/low": [twice, 1],
            "loss/mean": [twice, 1],
            "hparam/accuracy": [[], 3],
            "hparam/loss": [[], 3],
        },
        lambda: board.cards("tf-scalar-card", look),
    )


def test_images(board: Board, gallery: dict[str, Any]) -> None:
    """Each image is there in the size and the colours in which it was logged, the last of its steps first."""
    board.open("images", ".*", TALL)
    sizes = {"boxes": [[128, 128]], "film": [[96, 96]], "grid": [[8 * 64, 64]], "rings": [[128, 128]]}
    board.become(sizes, lambda: board.cards("tf-image-loader", "all('img', card).map(size)"))
    shown = board.cards("tf-image-loader", f"colours(all('img', card)[0], {[*map(list, PLACES)]})")
    last = Image.fromarray((gallery["rings"](128, 2) * 255).astype("uint8"))
    expected = [last.getpixel((int(128 * x), int(128 * y))) for x, y in PLACES]
    assert [tuple(colour) for colour in shown["rings"]] == [pytest.approx(colour, abs=1) for colour in expected]
    corner = board.cards("tf-image-loader", "colours(all('img', card)[0], [[40.5 / 128, 60 / 128]])[0]")["boxes"]
    assert corner == [255, 0, 0]


def test_audio(board: Board) -> None:
    """Each player has a second of sound, and what the browser decodes is the chord, in one and in two channels."""
    board.open("audio", size=TALL)
    board.shows("chord", "stereo", "gallery")
    board.become([1, 1], lambda: board.ask("return all('audio').map((player) => player.duration)"))
    (chord,), stereo = board.ask("return Promise.all(all('audio').map(samples))")
    tones = [[math.sin(2 * math.pi * pitch * moment / 8000) for moment in range(8000)] for pitch in (262, 330, 392)]
    assert chord == pytest.approx([sum(each) / 3 for each in zip(*tones, strict=True)], abs=1e-4)
    assert stereo == [pytest.approx(tone, abs=1e-4) for tone in tones[:2]]


def test_distributions(board: Board) -> None:
    """The weights' percentiles are eight bands between nine lines of a point a step."""
    board.open("distributions")
    board.shows("weights", "gallery")
    look = "[points(card, 'path.area'), points(card, 'path.line')]"
    bands = [[2 * STEPS] * 8, [STEPS] * 8]  # a band goes there and back; the ninth line is the last one's edge
    board.become({"weights": bands}, lambda: board.cards("tf-distribution-loader", look))


def test_histograms(board: Board) -> None:
    """There is a histogram for each step, and the later ones are as much broader as the weights are."""
    board.open("histograms")
    board.shows("weights", "gallery", "5", "15", "25")
    look = "points(card, 'g.histogram path').length"
    board.become({"weights": STEPS}, lambda: board.cards("tf-histogram-loader", look))
    heights = "all('g.histogram path', card).map((path) => path.getBBox().height)"
    first, *_, last = board.cards("tf-histogram-loader", heights)["weights"]
    assert first > 3 * last > 0  # as many values on less room


def test_text(board: Board) -> None:
    """Markdown is drawn, and a table has its cells, in which nothing is Markdown."""
    board.open("text")
    board.shows("notes/text_summary", "samples/text_summary", "gallery")
    board.become(["One of everything.", "Markdown"], lambda: [each.text for each in board.all("strong, em")])
    board.shows("prompt", "answer", "reward")
    cells = board.ask("return [...all('thead')[0].parentElement.rows].map((row) => row.innerText.split('\\t'))")
    assert cells == [["prompt", "answer", "reward"], ["2 + 2", "4", "1.0"], ["a | b", "*no*", "0.0"]]


def test_pr_curves(board: Board) -> None:
    """A classifier's curve goes over its thresholds, and the slider to the last step."""
    board.open("pr_curves")
    board.shows("classifier", "gallery is at", "step 4", "0.5")
    look = "points(card, 'path.line')"
    (points,) = board.until("a curve", lambda: board.cards("tf-pr-curve-card", look).get("classifier"))
    assert points > 100


def test_mesh(board: Board) -> None:
    """The knot is there, in its colours."""
    board.open("mesh", size=TALL)
    board.shows("knot", "step", "0")
    canvas = board.until("a canvas", lambda: board.all("canvas"))[0]
    board.until("a knot", lambda: in_colour(picture(canvas)) > 0.1)


def test_hparams(board: Board) -> None:
    """Each trial is a row of the table, a line across the axes, and a dot in each plot of the matrix."""
    board.open("hparams", size=TALL)
    names = ["augment", "lr", "optimizer", "hparam/loss", "hparam/accuracy"]
    cells = ["Trial ID", "Show Metrics", *names]
    for rate in RATES:
        augment = str(rate < 0.1).lower()
        cells += [f"gallery/lr={rate}", "", augment, f"{rate:#.5}", "adam", f"{rate**0.5:#.5}", f"{1 - rate:#.5}"]
    board.become(cells, lambda: [cell.text for cell in board.all("vaadin-grid-cell-content")])
    board.press("paper-tab", "PARALLEL COORDINATES VIEW")
    board.become(len(RATES), lambda: len(board.all("g.foreground path")))
    board.become(names, lambda: [title.text for title in board.all("text.axis-title")])
    board.press("paper-tab", "SCATTER PLOT MATRIX VIEW")
    board.become(len(RATES) * 2 * len(names), lambda: len(board.all("circle.data-marker")))


def test_custom_scalars(board: Board) -> None:
    """The chart of the layout has the loss as a line and its bounds as a band around it."""
    board.open("custom_scalars")
    board.press("paper-checkbox", "Ignore outliers in chart scaling")
    board.shows("losses", "loss", "Matches (1)")
    look = "[points(card, 'path.area'), points(card, 'path.line')]"
    band = {"loss": [[2 * STEPS], [STEPS, STEPS]]}
    board.become(band, lambda: board.cards("tf-custom-scalar-margin-chart-card", look))


@pytest.mark.skipif(not find_spec("torch"), reason="the gallery draws its network with torch")
def test_graphs(board: Board) -> None:
    """The network is drawn between its input and its output, with shapes at its edges, and opens into its layers."""
    board.open("graphs")
    board.shows("input", "output", "Sequential", shape(1, 3, 8, 8), shape(1, 10))
    board.unfold("Sequential")
    board.shows("Conv2d[0]", "ReLU[1]", "Flatten[2]", "Linear[3]", shape(1, 8, 6, 6), shape(1, 288))


def shape(*sizes: int) -> str:
    """Return what an edge of a graph says."""
    return "\N{MULTIPLICATION SIGN}".join(map(str, sizes))


def test_projector(board: Board) -> None:
    """The points are there, as many and of as many dimensions as they are, with the names and colours they have."""
    board.open("projector")
    board.enter_frame()
    board.enter_frame()
    board.shows("Points:", "120", "Dimension:", "8")
    canvas = board.all("canvas")[0]
    board.until("squares of three colours", lambda: all(share > 0.002 for share in primaries(picture(canvas))))
    search = "return all('input').find((input) => input.getRootNode().host?.label === 'Search')"
    board.ask(search).send_keys("point 11")
    board.shows("Selected 11 points", "point 11", *(f"point {number}" for number in range(110, 120)))


def primaries(image: Image.Image) -> list[float]:
    """Return the shares of pixels that are red, green and blue, and nothing else."""
    colours = dict[Any, int]((colour, count) for count, colour in image.getcolors(image.width * image.height) or [])
    total = image.width * image.height
    return [colours.get(colour, 0) / total for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
