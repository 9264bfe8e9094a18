"""Arrays of any type and order of dimensions become the bytes that they mean, and what is no picture is refused."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from asynctb.encode import pixels as module
from asynctb.encode.pixels import check_shape, levels, on_white, picture, pictures, rows_last, tiled
from asynctb.errors import EncodeError
from tests.inputs import holds

FLOATS = [np.float16, np.float32, np.float64]
INTEGERS = [np.int8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]


def arrays(dtype: Any, **options: Any) -> st.SearchStrategy[Any]:
    return hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=3, max_side=6), **options)


@holds(200)
@given(st.sampled_from(FLOATS).flatmap(arrays))
def test_floats_are_scaled_as_torch_scales_them(array: Any) -> None:
    """A float is 255 times its float32, clipped and truncated; NaN is 0, whatever its bits, and nothing warns."""
    with np.errstate(all="ignore"):
        want = np.nan_to_num(array.astype(np.float32) * np.float32(255), nan=0.0).clip(0, 255).astype(np.uint8)
    np.testing.assert_array_equal(levels(array), want)


@holds(200)
@given(
    st.permutations(range(4)),
    st.lists(st.integers(1, 5), min_size=4, max_size=4),
    st.tuples(*[st.sampled_from([slice(None), slice(None, None, 2), slice(None, None, -1), slice(1, 2)])] * 4),
    st.integers(1, 50),
)
def test_floats_in_any_memory_order(order: list[int], shape: list[int], cut: Any, block: int) -> None:
    """However an array lies in memory, and into whatever blocks it is cut, each float is scaled at its place."""
    array = np.random.default_rng(0).random(shape).transpose(order)[cut]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        got = levels(array)
    np.testing.assert_array_equal(got, (array.astype(np.float32) * np.float32(255)).astype(np.uint8))
    spread = np.broadcast_to(array[..., None], (*array.shape, 3))
    np.testing.assert_array_equal(levels(spread), np.broadcast_to(levels(array)[..., None], spread.shape))


@holds(100)
@given(st.sampled_from(INTEGERS).flatmap(arrays))
def test_integers_are_levels(array: Any) -> None:
    """An integer of any type counts from 0 to 255 and is clipped."""
    want = [min(max(number, 0), 255) for number in array.ravel().tolist()]
    assert levels(array).ravel().tolist() == want
    assert levels(array).dtype == np.uint8


def test_bytes_and_booleans() -> None:
    """Bytes are taken as they are, without a copy; True is white."""
    same = np.arange(256, dtype=np.uint8)
    assert levels(same) is same
    assert levels(np.array([False, True])).tolist() == [0, 255]


@pytest.mark.parametrize("number", [-1.0, math.inf, -math.inf, math.nan, 1e300, -1e300, 2.0, 1 / 255, 0.999999])
def test_special_floats(number: float) -> None:
    """What is outside of 0 to 1 is clipped, without a warning."""
    want = 0 if math.isnan(number) else int(np.float32(min(max(number, 0), 1)) * np.float32(255))
    assert levels(np.array([number])).tolist() == [want]


@pytest.mark.parametrize("dtype", [">f4", ">f8", ">i2", ">u4"])
def test_bytes_in_the_other_order(dtype: str) -> None:
    """Numbers whose bytes are in the other order are the same numbers."""
    assert levels(np.array([0, 1], dtype)).tolist() == levels(np.array([0, 1], dtype[1:])).tolist()


def test_memory_order_is_kept() -> None:
    """The arithmetic leaves the memory order as it is, so that it runs through memory once."""
    array = np.zeros((3, 4, 5), np.float32).transpose(1, 2, 0)
    assert levels(array).strides == tuple(side // 4 for side in array.strides)


@pytest.mark.parametrize(
    "dims", [*map("".join, itertools.permutations("CHW")), *map("".join, itertools.permutations("NCHW"))]
)
def test_every_order_of_dimensions(dims: str) -> None:
    """Whatever the order of the dimensions, the picture is that of NHWC."""
    batch = np.random.default_rng(0).integers(0, 256, (11, 4, 5, 3), dtype=np.uint8)
    straight = batch if "N" in dims else batch[0]
    turned = straight.transpose(["NHWC"["N" not in dims :].index(letter) for letter in dims])
    np.testing.assert_array_equal(rows_last(turned, dims), straight)
    np.testing.assert_array_equal(picture(turned, dims), picture(straight, "NHWC"["N" not in dims :]))


@pytest.mark.parametrize("band", [1, 7, 100, 10_000])
@pytest.mark.parametrize("channels", [1, 3])
def test_large_ones_are_put_in_order_piece_by_piece(band: int, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows are copied at a time, all of them are there, in C order."""
    monkeypatch.setattr("asynctb.encode.pixels.BAND", band)
    array = np.random.default_rng(0).integers(0, 256, (channels, 23, 11), dtype=np.uint8)
    found = picture(array, "CHW")
    assert found.flags.c_contiguous
    assert np.array_equal(found, np.broadcast_to(array.transpose(1, 2, 0), (23, 11, 3)))


def test_one_channel_is_grey() -> None:
    """One channel is three that are the same; HW and WH are one channel."""
    grey = np.random.default_rng(0).integers(0, 256, (4, 5), dtype=np.uint8)
    want = np.stack([grey] * 3, 2)
    for array, dims in ((grey, "HW"), (grey.T, "WH"), (grey[None], "CHW"), (grey[..., None], "HWC")):
        np.testing.assert_array_equal(picture(array, dims), want)


@holds(100)
@given(st.integers(1, 30), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_a_grid_has_each_picture_at_its_place(number: int, channels: int, height: int, width: int) -> None:
    """Pictures follow each other in rows of 8 or fewer, zeros fill the last row, and no picture is lost."""
    batch = np.random.default_rng(number).integers(0, 256, (number, channels, height, width), dtype=np.uint8)
    shown = picture(batch, "NCHW")
    columns = min(number, 8)
    assert shown.shape == (-(-number // columns) * height, columns * width, max(channels, 3 if channels == 1 else 2))
    for place in range(-(-number // columns) * columns):
        row, column = divmod(place, columns)
        there = shown[row * height : (row + 1) * height, column * width : (column + 1) * width]
        want = batch[place].transpose(1, 2, 0) if place < number else np.zeros((height, width, 1), np.uint8)
        np.testing.assert_array_equal(there, np.broadcast_to(want, there.shape))


def test_pictures_by_themselves() -> None:
    """Without a grid each picture of a batch stands alone, and an array without N is a batch of one."""
    batch = np.random.default_rng(0).integers(0, 256, (3, 1, 4, 5), dtype=np.uint8)
    each = pictures(batch, "NCHW")
    assert [one.tolist() for one in each] == [picture(one, "CHW").tolist() for one in batch]
    assert len(pictures(batch[0], "CHW")) == 1


def test_tiles_of_several_frames() -> None:
    """Every frame of a grid has that frame of each video at the same place."""
    batch = np.random.default_rng(0).integers(0, 256, (5, 3, 2, 4, 1), dtype=np.uint8)
    frames = tiled(batch, 2, 4)
    assert frames.shape == (3, 4, 16, 1)
    for frame in range(3):
        np.testing.assert_array_equal(frames[frame], tiled(batch[:, frame : frame + 1], 2, 4)[0])


@holds(100)
@given(hnp.arrays(np.uint8, st.tuples(st.just(3), st.sampled_from([2, 4]))))
def test_alpha_lets_white_through(pixels: Any) -> None:
    """A pixel is as near to white as it is transparent, rounded to the nearest level."""
    colours, alpha = pixels[:, :-1].astype(float), pixels[:, -1:] / 255
    want = np.rint(colours * alpha + 255 * (1 - alpha))
    assert np.abs(on_white(pixels).astype(float) - np.broadcast_to(want, (3, 3))).max() <= 0
    opaque = np.dstack([pixels[None, :, :-1], np.full((1, 3, 1), 255, np.uint8)])
    np.testing.assert_array_equal(on_white(opaque), np.broadcast_to(pixels[None, :, :-1], (1, 3, 3)))


@pytest.mark.parametrize(
    ("shape", "dims", "says"),
    [
        ((3, 4), "CHW", "3 dimensions CHW"),
        ((1, 3, 4, 4), "CHW", "3 dimensions CHW"),
        ((), "HW", "2 dimensions HW"),
        ((3, 0, 4), "CHW", "at least one element"),
        ((0, 3, 4, 4), "NCHW", "at least one element"),
        ((5, 4, 4), "CHW", "1, 2, 3, 4 channels"),
        ((4, 4, 0), "HWC", "at least one element"),
    ],
)
def test_what_is_no_picture(shape: tuple[int, ...], dims: str, says: str) -> None:
    """Other dimensions than were named, empty ones and too many channels are refused, with the shape that came."""
    with pytest.raises(EncodeError, match=says) as caught:
        check_shape("t", shape, dims)
    assert caught.value.got == shape
