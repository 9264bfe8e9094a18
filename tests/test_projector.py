"""TensorBoard's Projector, asked as its page asks, shows each embedding as it was given, by either loader."""

import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from asynctb import SummaryWriter
from tests.readback.http_server import Dashboards, serve

LOADS_WITHIN = 30.0
RANDOM = np.random.default_rng(0)


class Given(NamedTuple):
    """An embedding as it was added, to a run, perhaps after others."""

    mat: npt.NDArray[Any]
    labels: Any = None
    images: npt.NDArray[Any] | None = None
    tag: str = "default"
    step: int | None = None
    header: Any = None
    binary: bool = False
    run: str = "."

    @property
    def name(self) -> str:
        return f"{self.tag}:{self.step or 0:05}"

    def add(self, root: Path) -> None:
        """Add it by a writer of its own: each resumes the run of the one before."""
        with SummaryWriter(root / self.run) as writer:
            form: Any = "binary" if self.binary else "tsv"
            writer.add_embedding(self.mat, self.labels, self.images, self.step, self.tag, self.header, format=form)


def normal(*shape: int) -> npt.NDArray[np.float32]:
    return RANDOM.standard_normal(shape).astype(np.float32)


def whole(*values: float) -> npt.NDArray[np.float32]:
    return np.array([values] * 3, np.float32)


LABELS = ["a", "b\tc\nd", "", "\u00e9 \u6f22", "-"]
ALL = [
    Given(normal(5, 3)),
    Given(normal(5, 3), LABELS, RANDOM.random((5, 3, 4, 6)), tag="all", step=7),
    Given(normal(5, 3), [[n, n * n] for n in range(5)], tag="rows", header=["number", "square"]),
    Given(normal(5, 3), [[n] for n in range(5)], tag="column", header=["number"]),
    Given(normal(5, 3).astype(np.float64), RANDOM.integers(0, 9, 5), tag="a/b\\c%d", step=-3),
    Given(normal(500, 40), range(500), tag="binary", binary=True),
    # What could be taken for text
    Given(np.zeros((3, 4)), ["a", "b", "c"], tag="zeros", binary=True),
    Given(whole(2, 0.5, 3), tag="ascii", binary=True),
    Given(whole(*np.frombuffer(b"\n\n\n\n1\t2\n", np.float32, 2)), tag="lines", binary=True),
    Given(whole(*np.frombuffer(b"1\n\xff\x3f2222", np.float32)), tag="late", binary=True),
    Given(np.ones((1, 1)), tag="one"),
    Given(normal(5, 3), ["x"] * 5, tag="mine", run="sub/run"),
    Given(normal(5, 3), tag="yours", step=1, run="sub/run"),
    Given(normal(4, 2), tag="only", run="other", binary=True),
]


@pytest.fixture(scope="module", params=[True, False], ids=["data server", "Python loader"])
def shown(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboards]:
    """A TensorBoard over a directory that has all of them."""
    root = tmp_path_factory.mktemp("projector") / "logs"
    for given in ALL:
        given.add(root)
    with serve(root, fast=request.param) as board:
        deadline = time.monotonic() + LOADS_WITHIN
        while set(runs(board)) != {given.run for given in ALL} and time.monotonic() < deadline:
            time.sleep(0.2)
        yield board


def runs(board: Dashboards) -> list[str]:
    found: list[str] = board.ask("projector/runs").json
    return found


def ask(board: Dashboards, route: str, given: Given, **more: str) -> bytes:
    return board.ask(f"projector/{route}", run=given.run, name=given.name, **more).body


def info(board: Dashboards, given: Given) -> dict[str, Any]:
    config = board.ask("projector/info", run=given.run).json
    [found] = [each for each in config["embeddings"] if each["tensorName"] == given.name]
    return dict(found)


def test_all_runs_are_listed(shown: Dashboards) -> None:
    """Every run with embeddings is offered, with each of its embeddings once, in their order."""
    assert sorted(runs(shown)) == sorted({given.run for given in ALL})
    for run in runs(shown):
        config = shown.ask("projector/info", run=run).json
        assert [each["tensorName"] for each in config["embeddings"]] == [each.name for each in ALL if each.run == run]


@pytest.mark.parametrize("given", ALL, ids=lambda given: ascii(given.tag))
def test_the_matrix_is_shown(given: Given, shown: Dashboards) -> None:
    """The page gets the numbers as float32, to the bit, and their shape."""
    got = np.frombuffer(ask(shown, "tensor", given), np.float32)
    assert got.tobytes() == given.mat.astype(np.float32).tobytes()
    assert info(shown, given)["tensorShape"] == list(given.mat.shape)
    first = np.frombuffer(ask(shown, "tensor", given, num_rows="2"), np.float32)
    assert first.tobytes() == given.mat[:2].astype(np.float32).tobytes()


@pytest.mark.parametrize("given", [each for each in ALL if each.labels is not None], ids=lambda given: ascii(given.tag))
def test_the_labels_are_shown(given: Given, shown: Dashboards) -> None:
    """The page gets a line for each point, and one more for a header only where there are columns."""
    lines = ask(shown, "metadata", given, num_rows="100000").decode().split("\n")
    assert lines.pop() == ""
    columns = len(given.header or ())
    assert ("\t" in lines[0]) == (columns > 1)
    if columns > 1:
        assert lines.pop(0).split("\t") == given.header
    assert len(lines) == len(given.mat)
    assert all(line.strip() for line in lines)
    if given.labels is LABELS:
        assert lines == ["a", "b c d", "\u200b", "\u00e9 \u6f22", "-"]


@pytest.mark.parametrize("given", [each for each in ALL if each.images is not None], ids=lambda given: ascii(given.tag))
def test_the_images_are_shown(given: Given, shown: Dashboards) -> None:
    """The page gets a sprite that holds as many rows of images as columns, and the size of one."""
    assert given.images is not None
    with Image.open(BytesIO(ask(shown, "sprite_image", given))) as image:
        size = image.size
        pixels = np.asarray(image)
    width, height = info(shown, given)["sprite"]["singleImageDim"]
    assert (height, width) == given.images.shape[2:]
    assert size == (3 * width, 3 * height)
    np.testing.assert_array_equal(pixels[:height, :width], (given.images[0].transpose(1, 2, 0) * 255).astype(np.uint8))
