"""Our class for tensorboardX's importers takes its calls, and leaves its events."""

import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asynctb import EncodeError
from asynctb.dropin import tensorboardx
from tests.dropin.left import left
from tests.readback.events import run_events
from tests.readback.imports import module

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 255, (3, 8, 8), np.uint8)
VIDEO = RNG.integers(0, 255, (1, 2, 3, 8, 8), np.uint8)
LABELS, SCORES = np.array([0, 1, 1]), np.array([0.1, 0.6, 0.4])
LAYOUT = {"c": {"t": ["Multiline", ["x"]]}}
T = 1.7e9

CALLS: dict[str, Callable[[Any], object]] = {
    "scalar": lambda w: w.add_scalar("t", 1.5, 3, T),
    "scalar with an unusual tag": lambda w: w.add_scalar("/loss (train) é", 1.5, 3, T),
    "scalar with a title": lambda w: w.add_scalar("t x", 1.5, 3, T, "title", "about"),
    "scalar with a description": lambda w: w.add_scalar("t", 1.5, 3, summary_description="about"),
    "scalars": lambda w: w.add_scalars("a/b c", {"x": 1.0, "y/z": 2.0}, 3, T),
    "histogram": lambda w: w.add_histogram("t x", np.array([1.0, 2.0]), 3, "tensorflow", T),
    "histogram_raw": lambda w: w.add_histogram_raw("t x", 0.0, 1.0, 2, 1.0, 1.0, [0.5, 1.0], [1, 1], 3, T),
    "text": lambda w: w.add_text("t x", "words", 3, T),
    "pr_curve_raw": lambda w: w.add_pr_curve_raw("t", *[SCORES] * 6, 3, 3),
    "custom_scalars": lambda w: w.add_custom_scalars(LAYOUT),
    "multilinechart": lambda w: w.add_custom_scalars_multilinechart(["x"], "c", "t"),
    "marginchart": lambda w: w.add_custom_scalars_marginchart(["x", "y", "z"], "c", "t"),
    "hparams": lambda w: w.add_hparams({"lr": 0.1}, {"m": 1.0}, "row", 3),
    "metadata": lambda w: with_metadata(w),
}
SHOWN: dict[str, Callable[[Any], object]] = {  # whose files are not the same bytes
    "image": lambda w: w.add_image("t x", PIXELS, 3, T, "CHW"),
    "images": lambda w: w.add_images("t x", PIXELS[None], 3, T, "NCHW"),
    "boxes": lambda w: w.add_image_with_boxes("t x", PIXELS, np.array([[1, 1, 5, 5]]), 3, T, "CHW", ["a"]),
    "pr_curve": lambda w: w.add_pr_curve("t", LABELS, SCORES, 3, 11),
}


def with_metadata(writer: Any) -> None:
    writer.add_scalar("t", 1.0, 1)
    with writer.use_metadata(global_step=10, walltime=T) as same:
        same.add_scalar("t", 2.0)
        writer.add_scalar("t", 3.0, 11)
        writer.add_text("t", "words")
    writer.add_scalar("t", 4.0, 12)


def both(call: Callable[[Any], object], tmp_path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    for folder, kind in (("theirs", module("tensorboardX").SummaryWriter), ("ours", tensorboardx.SummaryWriter)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if folder == "theirs" else "error")
            with kind(str(tmp_path / folder)) as writer:
                call(writer)
    return left(tmp_path / "ours"), left(tmp_path / "theirs")


@pytest.mark.parametrize("name", CALLS)
def test_same_events(name: str, tmp_path: Path) -> None:
    """The same call leaves the same events, in the same runs."""
    ours, theirs = both(CALLS[name], tmp_path)
    assert ours == theirs
    assert any(ours.values())


@pytest.mark.parametrize("name", SHOWN)
def test_same_places(name: str, tmp_path: Path) -> None:
    """What is encoded in another way has the same run, tag, step and time."""
    ours, theirs = (
        [(event.step, event.wall_time, [value.tag for value in event.summary.value]) for event in left["."]]
        for left in both(SHOWN[name], tmp_path)
    )
    assert ours == theirs
    assert ours


def test_same_arguments() -> None:
    """Each public method of tensorboardX's writer is there, with its arguments in its order."""
    theirs = module("tensorboardX").SummaryWriter
    methods = [name for name, _ in inspect.getmembers(theirs, inspect.isfunction) if not name.startswith("_")]
    assert len(methods) > 25
    for name in methods:
        wanted = [each for each in parameters(getattr(theirs, name)) if each != "kwargs"]
        assert parameters(getattr(tensorboardx.SummaryWriter, name))[: len(wanted)] == wanted, name
    wanted = [each for each in parameters(theirs.__init__) if each != "kwargs"]
    assert parameters(tensorboardx.SummaryWriter.__init__)[: len(wanted)] == wanted


def parameters(method: Any) -> list[str]:
    return list(inspect.signature(method).parameters)


def test_videos_in_any_order(tmp_path: Path) -> None:
    """A video's dimensions may come in any order, which `dataformats` names."""
    with tensorboardx.SummaryWriter(str(tmp_path)) as writer:
        writer.add_video("t", VIDEO, 1)
        writer.add_video("t", np.moveaxis(VIDEO, 2, -1), 2, dataformats="NTHWC")
        for bad in ("NTHW", "NTHWX", None):
            with pytest.raises(EncodeError, match="dataformats"):
                writer.add_video("t", VIDEO, 3, dataformats=bad)  # type: ignore[arg-type]
        with pytest.raises(EncodeError, match="dimensions NTHWC"):
            writer.add_video("t", VIDEO[0], 3, dataformats="NTHWC")
    first, second = (event.summary.value[0].image for event in run_events(tmp_path)["."][1:])
    assert first == second


def test_lists_of_images(tmp_path: Path) -> None:
    """For a list of images, `dataformats` is that of one of them, as in tensorboardX."""
    with tensorboardx.SummaryWriter(str(tmp_path)) as writer:
        writer.add_images("t", [PIXELS, PIXELS], 1, dataformats="CHW")
        writer.add_images("t", np.stack([PIXELS, PIXELS]), 2)
    first, second = (event.summary.value[0].image for event in run_events(tmp_path)["."][1:])
    assert first == second


@pytest.mark.parametrize("args", [{"logdir": "x"}, {"log_dir": "x"}, {"logdir": "x", "log_dir": "y"}])
def test_directory(args: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory is `logdir`, and else `log_dir`; it is read by the former name."""
    monkeypatch.chdir(tmp_path)
    with tensorboardx.SummaryWriter(**args) as writer:  # type: ignore[arg-type]
        assert writer.logdir == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_nothing_to_disk(tmp_path: Path) -> None:
    """With `write_to_disk=False` everything works and nothing is stored."""
    with tensorboardx.SummaryWriter(str(tmp_path / "x"), write_to_disk=False) as writer:
        writer.add_scalars("t", {"a": 1.0})
        writer.add_hparams({"lr": 1.0}, {"m": 1.0})
        assert writer.file_writer is not None
        assert writer.file_writer.get_logdir() == str(tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_what_is_not_there(tmp_path: Path) -> None:
    """What has no equivalent says so, and an argument that nobody knows is refused."""
    with pytest.raises(NotImplementedError, match="comet_config"):
        tensorboardx.SummaryWriter(str(tmp_path), comet_config={"disabled": False})
    with pytest.raises(TypeError, match="bucket"):
        tensorboardx.SummaryWriter(str(tmp_path), bucket="mine")
    with tensorboardx.SummaryWriter(str(tmp_path), comet_config={"disabled": True}) as writer:
        for method in ("add_openvino_graph", "export_scalars_to_json"):
            with pytest.raises(NotImplementedError, match=method):
                getattr(writer, method)("x")
