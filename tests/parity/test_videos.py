"""The same videos through torch's SummaryWriter and ours: the same frames, at better times, in better colours."""

import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from asynctb import SummaryWriter
from tests.parity.decoded import frames_in
from tests.readback.events import run_events
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)
if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

torch = module("torch")
TorchWriter = module("torch.utils.tensorboard").SummaryWriter
summary = module("torch.utils.tensorboard.summary")
utils = module("torch.utils.tensorboard._utils")


def frames_of_torch(vid: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The frames that torch hands to moviepy, which need not be there."""
    seen: list[Any] = []
    monkeypatch.setattr(summary, "make_video", lambda frames, fps: seen.append(frames))
    with TorchWriter(tmp_path / "theirs") as writer:
        writer.add_video("t", vid)
    (frames,) = seen
    return frames


def image_of(folder: Path) -> "Summary.Image":
    (event,) = (event for event in run_events(folder)["."] if event.HasField("summary"))
    return event.summary.value[0].image


def ours(vid: Any, tmp_path: Path, **options: Any) -> "Summary.Image":
    with SummaryWriter(tmp_path / "ours") as writer:
        writer.add_video("t", vid, **options)
    return image_of(tmp_path / "ours")


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 7, 8, 9, 16])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_frames_are_torchs(
    number: int, channels: int, dtype: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Frames of floats have the pixels that torch has made into a GIF, laid out in the same grid."""
    vid = np.random.default_rng(number).random((number, 4, channels, 5, 6)).astype(dtype)
    want = frames_of_torch(torch.from_numpy(vid), monkeypatch, tmp_path)
    image = ours(vid, tmp_path, format="apng")
    assert (image.height, image.width, image.colorspace) == want.shape[1:]
    got, _ = frames_in(image.encoded_image_string)
    np.testing.assert_array_equal(got, np.broadcast_to(want, got.shape))


def test_bytes_are_torchs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Bytes are what they are, as in torch, which divides them by 255 and multiplies them again."""
    vid = np.arange(256, dtype=np.uint8).reshape(1, 1, 1, 16, 16).repeat(2, 1)
    vid[0, 1, 0] = vid[0, 1, 0].T
    theirs = frames_of_torch(vid, monkeypatch, tmp_path)
    got, _ = frames_in(ours(vid, tmp_path).encoded_image_string)
    np.testing.assert_array_equal(got[..., :1], theirs)
    np.testing.assert_array_equal(got[..., 0], vid[0, :, 0])


def test_integers_are_levels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Integers are levels here too; torch multiplies them by 255."""
    vid = np.random.default_rng(0).integers(1, 256, (1, 2, 3, 4, 5))
    assert frames_of_torch(vid, monkeypatch, tmp_path).min() == 255
    got, _ = frames_in(ours(vid, tmp_path).encoded_image_string)
    np.testing.assert_array_equal(got, vid[0].transpose(0, 2, 3, 1))


def gif_of_torch(vid: Any, fps: float, tmp_path: Path) -> "Summary.Image":
    """The file that torch leaves, with a moviepy that it can use."""
    if find_spec("moviepy") is None:
        pytest.skip("moviepy, by which torch makes its videos, is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module("moviepy.editor")
        except ImportError:
            pytest.skip("this moviepy is too new for torch")
        with TorchWriter(tmp_path / "theirs") as writer:
            writer.add_video("t", vid, fps=fps)
    sys.modules.pop("moviepy.editor", None)
    return image_of(tmp_path / "theirs")


def test_the_file_is_like_torchs(tmp_path: Path) -> None:
    """Of few colours, torch's file and ours show the same frames, and record the same size; ours is exact."""
    vid = np.zeros((1, 6, 3, 20, 30), np.float32)
    for number in range(6):
        vid[0, number, number % 3, 2 * number : 2 * number + 4] = 1
    theirs, mine = gif_of_torch(vid, 5, tmp_path), ours(vid, tmp_path, fps=5)
    assert (mine.height, mine.width, mine.colorspace) == (theirs.height, theirs.width, theirs.colorspace)
    want = (vid[0].transpose(0, 2, 3, 1) * 255).astype(np.uint8)
    got, durations = frames_in(mine.encoded_image_string)
    np.testing.assert_array_equal(got, want)
    assert durations == [200] * 6
    # Its frames' times are not compared: moviepy gives seconds to an imageio that takes them for milliseconds.
    their_frames, _ = frames_in(theirs.encoded_image_string)
    assert np.abs(their_frames.astype(int) - want).mean() < 8
