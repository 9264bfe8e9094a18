"""The builders of summaries make what the `add_*` of the same names store."""

import inspect
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asynctb import EncodeError, SummaryWriter, summary
from asynctb.dropin import tensorboardx_summary
from tests.readback.events import run_events
from tests.readback.imports import module

RNG = np.random.default_rng(0)
PIXELS = RNG.random((3, 8, 8))
BOXES = np.array([[1.0, 1.0, 5.0, 5.0]])
VIDEO = RNG.random((1, 2, 3, 8, 8))
COUNTS = [1.0, 2.0]
LAYOUT: Any = {"c": {"t": ["Multiline", ["x"]]}}
RAW = ("t", 0.0, 1.0, 2, 1.0, 1.0, [0.0, 1.0], [0, 2])
POINTS = np.zeros((1, 3, 3))

Add = Callable[[SummaryWriter], None]
SAME: dict[str, tuple[Callable[[], summary.Summary], Add]] = {
    "audio": (lambda: summary.audio("t", [0.5, -0.5], 8000), lambda w: w.add_audio("t", [0.5, -0.5], 0, 8000)),
    "custom_scalars": (lambda: summary.custom_scalars(LAYOUT), lambda w: w.add_custom_scalars(LAYOUT)),
    "histogram": (lambda: summary.histogram("t", COUNTS, "auto"), lambda w: w.add_histogram("t", COUNTS, 0, "auto")),
    "histogram_raw": (lambda: summary.histogram_raw(*RAW), lambda w: w.add_histogram_raw(*RAW, global_step=0)),
    "image": (lambda: summary.image("t", PIXELS, dataformats="CHW"), lambda w: w.add_image("t", PIXELS, 0)),
    "image_boxes": (
        lambda: summary.image_boxes("t", PIXELS, BOXES, labels=["a"]),
        lambda w: w.add_image_with_boxes("t", PIXELS, BOXES, 0, labels=["a"]),
    ),
    "mesh": (lambda: summary.mesh("t", POINTS, POINTS), lambda w: w.add_mesh("t", POINTS, POINTS, global_step=0)),
    "pr_curve": (lambda: summary.pr_curve("t", [0, 1], [0.2, 0.8]), lambda w: w.add_pr_curve("t", [0, 1], [0.2, 0.8])),
    "pr_curve_raw": (
        lambda: summary.pr_curve_raw("t", *[COUNTS] * 6),
        lambda w: w.add_pr_curve_raw("t", *[COUNTS] * 6),
    ),
    "scalar": (lambda: summary.scalar("t", 1.5), lambda w: w.add_scalar("t", 1.5)),
    "tensor_proto": (lambda: summary.tensor_proto("t", COUNTS), lambda w: w.add_tensor("t", COUNTS)),
    "text": (lambda: summary.text("t", "words"), lambda w: w.add_text("t", "words")),
    "video": (lambda: summary.video("t", VIDEO, 5), lambda w: w.add_video("t", VIDEO, 0, 5)),
}
ELSEWHERE = {"Summary", "hparams"}


def test_every_builder_is_tried() -> None:
    """Each builder has its row."""
    assert set(SAME) | ELSEWHERE == set(summary.__all__)


@pytest.mark.parametrize("name", SAME)
def test_same_as_the_add(name: str, tmp_path: Path) -> None:
    """A builder's message, handed to `add_summary`, is the event that the add makes."""
    build, add = SAME[name]
    for folder, call in (("add", add), ("summary", lambda writer: writer.add_summary(build()))):
        with SummaryWriter(tmp_path / folder, auto_step=False) as writer:
            call(writer)
    added, summed = (run_events(tmp_path / folder)["."][1].summary for folder in ("add", "summary"))
    assert summed == added


def test_hparams(tmp_path: Path) -> None:
    """The three summaries are those of `add_hparams`, metrics aside; no dictionaries make empty ones, as in torch."""
    domains = {"lr": [0.1, 0.2]}
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 0.1}, {"m": 1.0}, domains, run_name="row")
        for each in summary.hparams({"lr": 0.1}, {"m": 1.0}, domains):
            writer.add_summary(each)
    found = run_events(tmp_path)
    assert [event.summary for event in found["."][1:]] == [event.summary for event in found["row"][1:4]]
    assert len(summary.hparams()) == 3


def test_rescale() -> None:
    """An image is rescaled as torch's builder does, and a wrong value raises where it is made."""
    image = summary.image("t", PIXELS, rescale=2, dataformats="CHW").value[0].image
    assert (image.height, image.width) == (16, 16)
    with pytest.raises(EncodeError, match="'t'"):
        summary.scalar("t", "words")


def test_mesh_with_a_name() -> None:
    """A display name and a description are those of every part."""
    parts = summary.mesh("t", POINTS, POINTS, None, None, "name", "about").value
    assert [(part.metadata.display_name, part.metadata.summary_description) for part in parts] == [
        ("name", "about")
    ] * 2


def their_builders() -> list[tuple[Any, Any]]:
    found = [(tensorboardx_summary, module("tensorboardX.summary"))]
    if find_spec("torch") is not None:
        found.append((summary, module("torch.utils.tensorboard.summary")))
    return found


def test_same_arguments() -> None:
    """Builders take the arguments of torch's and tensorboardX's, by the same names and in the same order."""
    for ours, theirs in their_builders():
        for name in set(ours.__all__) - {"Summary"}:
            wanted = list(inspect.signature(getattr(theirs, name)).parameters)
            assert list(inspect.signature(getattr(ours, name)).parameters)[: len(wanted)] == wanted, name
