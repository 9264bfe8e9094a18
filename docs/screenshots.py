"""Makes the pictures of TensorBoard that the documentation shows, from what the examples write.

    python -m docs.screenshots [NAME...]

It needs chromium, chromedriver, selenium, tensorboard and torch.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from PIL import Image

from tests.browser.board import Board, browser, picture
from tests.readback.http_server import serve

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
COLOURS = 255  # of a picture: fewer bytes, and nobody sees it


class Shot(NamedTuple):
    """A picture: what is opened, what is then done and waited for, and what is cut out of a view of what size."""

    run: str
    dashboard: str
    ready: Callable[[Board], object]
    box: tuple[int, int, int, int]  # left, top, right, bottom
    tags: str = ""
    view: tuple[int, int] = (1400, 1000)


def drawn(selector: str, count: int) -> Callable[[Board], object]:
    """Wait until so many elements are there."""
    return lambda board: board.until(selector, lambda: len(board.all(selector)) >= count)


def cards(board: Board) -> None:
    """Put away the settings, and wait for curves and images."""
    board.press("button", "Settings")
    drawn("img", 1)(board)
    drawn("g.histogram path", 30)(board)


def network(board: Board) -> None:
    """Open the network."""
    board.shows("Sequential", "Main Graph")
    board.unfold("Sequential")
    board.shows("Linear[3]", "Conv2d[0]")


def parallel(board: Board) -> None:
    """Go to the trials as lines."""
    board.press("paper-tab", "PARALLEL COORDINATES VIEW")
    drawn("g.foreground path", 3)(board)


def points(board: Board) -> None:
    """Wait for the projection."""
    for _ in range(2):
        board.enter_frame()
    board.shows("Points:", "120")
    board.until("squares", lambda: "Computing PCA..." not in board.texts())
    board.all("canvas")[0].click()  # which ends its turning
    board.driver.switch_to.default_content()


def still(board: Board) -> Image.Image:
    """Return the view once nothing moves in it any more."""
    views = [picture(board.driver)]
    board.until("stillness", lambda: views.append(picture(board.driver)) or views[-1] == views[-2])
    return views[-1]


CHARTS = "return|entropy|staleness|depth"

SHOTS = {
    "quickstart": Shot("quickstart", "scalars", drawn("path.line", 8), (0, 0, 1200, 780), CHARTS, (1200, 780)),
    "timeseries": Shot("gallery", "timeseries", cards, (0, 64, 1400, 620), "^(both|rings|weights)$"),
    "scalars": Shot("gallery", "scalars", drawn("path.line", 6), (344, 110, 1060, 485), "both|mean"),
    "images": Shot("gallery", "images", drawn("img", 2), (344, 110, 1110, 650), "rings|boxes"),
    "audio": Shot("gallery", "audio", drawn("audio", 2), (344, 110, 750, 580)),
    "distributions": Shot("gallery", "distributions", drawn("path.area", 8), (344, 110, 750, 455)),
    "histograms": Shot("gallery", "histograms", drawn("g.histogram path", 30), (344, 110, 750, 455)),
    "text": Shot("gallery", "text", drawn("thead", 1), (262, 110, 1050, 680), view=(1050, 1000)),
    "pr_curves": Shot("gallery", "pr_curves", drawn("path.line", 1), (344, 110, 910, 630)),
    "mesh": Shot("gallery", "mesh", drawn("canvas", 1), (255, 110, 1000, 880), view=(1000, 1200)),
    "hparams": Shot("gallery", "hparams", parallel, (284, 64, 1400, 830)),
    "custom_scalars": Shot("gallery", "custom_scalars", drawn("path.area", 1), (344, 64, 750, 460)),
    "graphs": Shot("gallery", "graphs", network, (350, 64, 820, 800)),
    "projector": Shot("gallery", "projector", points, (0, 64, 1240, 720), view=(1240, 720)),
}


def main(names: list[str]) -> None:
    """Make the pictures of these names."""
    IMAGES.mkdir(exist_ok=True)
    with browser() as driver:
        for run in dict.fromkeys(SHOTS[name].run for name in names):
            with TemporaryDirectory() as folder, chdir(folder):
                example = [sys.executable, ROOT / "examples" / f"{run}.py", "--log-dir", f"runs/{run}"]
                subprocess.run(example, check=True, stdout=subprocess.DEVNULL)
                with serve("runs") as dashboards:
                    dashboards.until(bool, "projector/runs" if run == "gallery" else "scalars/tags")
                    board = Board(driver, dashboards.address)
                    for name in names:
                        if SHOTS[name].run == run:
                            print(name, take(board, name))


def take(board: Board, name: str) -> int:
    """Make a picture, and return its size in bytes."""
    shot = SHOTS[name]
    board.open(shot.dashboard, shot.tags, shot.view)
    shot.ready(board)
    path = IMAGES / f"{name}.png"
    still(board).crop(shot.box).quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size


if __name__ == "__main__":
    main(sys.argv[1:] or list(SHOTS))
