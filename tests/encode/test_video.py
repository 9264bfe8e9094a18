"""Videos of every type and shape are shown side by side, at their rate; what is no video is refused."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.pixels import levels
from asynctb.encode.video import video
from asynctb.entry import Draft
from asynctb.errors import EncodeError
from tests.encode.summaries import Shown, opened, value_of
from tests.inputs import holds


def shown(vid: Any, fps: Any = 4, format: str = "apng", mode: str = "RGB") -> Shown:
    value = value_of(video("t", vid, fps, format))
    found = opened(value.image.encoded_image_string, mode)
    assert found.frames.shape[1:3] == (value.image.height, value.image.width)
    return found


def torch_grid(batch: Any) -> Any:
    """What torch's `_prepare_video` makes of (N, T, C, H, W), word for word."""
    number, frames, channels, height, width = batch.shape
    missing = 0 if number & (number - 1) == 0 else 2 ** number.bit_length() - number
    batch = np.concatenate([batch, np.zeros((missing, frames, channels, height, width), batch.dtype)])
    rows = 2 ** ((number.bit_length() - 1) // 2)
    columns = len(batch) // rows
    batch = batch.reshape(rows, columns, frames, channels, height, width).transpose(2, 0, 4, 1, 5, 3)
    return batch.reshape(frames, rows * height, columns * width, channels)


@holds(60)
@given(st.integers(1, 20), st.integers(1, 4), st.sampled_from([1, 3]), st.integers(1, 5), st.integers(1, 5))
def test_a_batch_is_laid_out_as_torch_does(number: int, frames: int, channels: int, height: int, width: int) -> None:
    """N videos are in a grid for the next power of two, black where none is, at every moment."""
    batch = np.random.default_rng(number).integers(0, 256, (number, frames, channels, height, width), dtype=np.uint8)
    found = shown(batch)
    want = np.broadcast_to(torch_grid(batch), found.frames.shape[1:-1] and (frames, *found.frames.shape[1:]))
    durations = found.durations if len(found.durations) > 1 else [250 * frames]
    np.testing.assert_array_equal(np.repeat(found.frames, np.array(durations) // 250, axis=0), want)


@pytest.mark.parametrize("dtype", ["u1", "i4", "f2", "f4", "f8", "?"])
@pytest.mark.parametrize("format", ["gif", "apng"])
def test_values_of_every_type(dtype: str, format: str) -> None:
    """Values mean in a video what they mean in an image."""
    vid = np.random.default_rng(0).random((1, 2, 3, 4, 5)) * (1 if dtype[0] == "f" else 255)
    vid = (vid > 100 if dtype == "?" else vid).astype(dtype)
    np.testing.assert_array_equal(shown(vid, 4, format).frames, levels(vid)[0].transpose(0, 2, 3, 1))


def test_what_an_entry_says() -> None:
    """A video counts its own bytes, and is shed before numbers are."""
    vid = np.zeros((1, 2, 3, 4, 5), np.float32)
    entry = video("a", vid, 4)
    assert isinstance(entry, Draft)
    assert (entry.tags, entry.size, entry.media, entry.plugin) == (("a",), vid.nbytes, True, "images")


@pytest.mark.parametrize(("format", "kind"), [("gif", "GIF"), ("apng", "PNG")])
def test_formats(format: str, kind: str) -> None:
    """The file is of the format asked for, and its frames last as `fps` says."""
    vid = np.random.default_rng(0).integers(0, 256, (1, 3, 3, 8, 8), dtype=np.uint8)
    found = shown(vid, 25, format)
    assert found.format == kind
    assert found.durations == [40, 40, 40]
    assert found.loop == 0


def test_alpha() -> None:
    """An animated PNG keeps alpha; in a GIF what is transparent is laid on white."""
    vid = np.zeros((1, 2, 4, 3, 3), np.uint8)
    vid[0, 1, 0] = 255
    vid[0, :, 3, 0] = 255
    exact = shown(vid, mode="RGBA").frames
    np.testing.assert_array_equal(exact, vid[0].transpose(0, 2, 3, 1))
    flat = shown(vid, format="gif").frames
    assert (flat[:, 1:] == 255).all()
    assert flat[1, 0].tolist() == [[255, 0, 0]] * 3
    assert value_of(video("t", vid, 4)).image.colorspace == 3
    assert value_of(video("t", vid, 4, "apng")).image.colorspace == 4
    assert value_of(video("t", vid[:, :, :1], 4)).image.colorspace == 1


@pytest.mark.parametrize("fps", [0, -1, math.nan, math.inf, -math.inf, "fast", None, 1e-9, 1j, [1, 2], np.zeros(2)])
def test_rates_that_are_none(fps: Any) -> None:
    """A rate is a positive, finite number, not so small that a frame would be shown for longer than can be said."""
    with pytest.raises(EncodeError) as caught:
        video("t", np.zeros((1, 1, 3, 2, 2)), fps)
    assert caught.value.got is fps


@pytest.mark.parametrize("fps", [np.float32(4), "4", 4.0, np.array([4]), True + 3, 1e300])
def test_rates(fps: Any) -> None:
    """Whatever holds one number is a rate, and none is too high."""
    assert sum(shown(np.zeros((1, 8, 1, 2, 2)), fps, "gif").durations) in (2000, 20, 0)


@pytest.mark.parametrize("format", ["GIF", "png", "mp4", None, 3, ["gif"]])
def test_formats_that_do_not_exist(format: Any) -> None:
    """Any other format is refused."""
    with pytest.raises(EncodeError, match='"gif" or "apng"'):
        video("t", np.zeros((1, 1, 3, 2, 2)), 4, format)


@pytest.mark.parametrize("shape", [(), (3, 4, 4), (1, 3, 4, 4), (0, 1, 3, 2, 2), (1, 0, 3, 2, 2), (1, 1, 2, 2, 2)])
def test_shapes_that_are_none(shape: tuple[int, ...]) -> None:
    """Other dimensions, empty ones and other channels are refused, at the call if the shape is known there."""
    with pytest.raises(EncodeError) as caught:
        video("t", np.zeros(shape), 4)
    assert caught.value.got == shape
    entry = video("t", Unseen(np.zeros(shape)), 4)
    assert isinstance(entry, Draft)
    with pytest.raises(EncodeError):
        entry.take()


class Unseen:
    """An array of a library that tells its shape to nobody."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._array


@pytest.mark.parametrize(("format", "most"), [("gif", 65535), ("apng", (1 << 31) - 1)])
def test_sides(format: str, most: int) -> None:
    """What a format cannot say of height and width is refused; the grid counts."""
    one = np.zeros((1, 1, 1, 1, 1), np.uint8)
    video("t", np.broadcast_to(one, (1, 1, 1, most, 1)), 4, format)
    for shape in ((1, 1, 1, most + 1, 1), (1, 1, 1, 1, most + 1), (2, 1, 1, 1, most // 2 + 1)):
        with pytest.raises(EncodeError, match="height and width"):
            video("t", np.broadcast_to(one, shape), 4, format)


def test_widest_gif() -> None:
    """The widest GIF that there can be is read back."""
    vid = np.zeros((1, 2, 1, 1, 65535), np.uint8)
    vid[0, 1, 0, 0, -1] = 9
    np.testing.assert_array_equal(shown(vid, format="gif").frames[..., 0], vid[0, :, 0])


@pytest.mark.parametrize("value", [None, "clip.mp4", b"x", [], np.zeros((1, 1, 3, 2, 2), complex), object()])
def test_what_is_no_video(value: Any) -> None:
    """What is no array of real numbers is refused."""
    with pytest.raises(EncodeError) as caught:
        value_of(video("t", value, 4))
    assert caught.value.tag == "t"
