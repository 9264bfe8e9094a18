"""A sprite holds each image where TensorBoard looks for it."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from asynctb import EncodeError
from asynctb.encode import sprite as module
from asynctb.encode.sprite import IMAGES, Sprite, sprite
from tests.inputs import holds

Pixels = npt.NDArray[np.uint8]


def silent(*_: object) -> None:
    raise AssertionError("nothing was to be said")


def made(images: npt.NDArray[Any]) -> Sprite:
    return sprite("t", images, len(images), silent)


def pixels(made: Sprite) -> Pixels:
    with Image.open(BytesIO(made.encode())) as image:
        assert image.format == "PNG"
        found = np.asarray(image)
    return found.reshape(*found.shape[:2], -1)


def looked_up(made: Sprite, index: int) -> Pixels:
    """Return a point's image as the Projector's shader finds it: it counts rows by the number of columns' twin."""
    whole = pixels(made)
    per_row, per_column = whole.shape[1] / made.width, whole.shape[0] / made.height
    row, column = int(index // per_column), int(index % per_row)
    return whole[row * made.height : (row + 1) * made.height, column * made.width : (column + 1) * made.width]


@holds(60)
@given(st.integers(1, 30), st.sampled_from([1, 3, 4]), st.integers(1, 9), st.integers(1, 9))
def test_each_image_is_found(count: int, channels: int, height: int, width: int) -> None:
    """The Projector finds each point's image, whatever its shape and their number."""
    images = np.random.default_rng(count).integers(0, 256, (count, channels, height, width), np.uint8)
    whole = made(images)
    assert (whole.width, whole.height) == (width, height)
    for index in range(count):
        np.testing.assert_array_equal(looked_up(whole, index), images[index].transpose(1, 2, 0))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_is_left_over_is_black_or_clear(channels: int) -> None:
    """The sprite is a square of images, those that are missing without colour and opacity."""
    whole = pixels(made(np.full((5, channels, 2, 3), 200, np.uint8)))
    assert whole.shape == (6, 9, channels)
    assert (whole[4:] == 0).all()
    assert (whole[2:4, 6:] == 0).all()
    assert (whole[:2] == 200).all()


@pytest.mark.parametrize(
    ("images", "want"),
    [
        (np.array([0.0, 0.5, 1.0, 1.5, -1.0, np.nan, np.inf, -np.inf], np.float32), [0, 127, 255, 255, 0, 0, 255, 0]),
        (np.array([0.0, 0.5, 1.0, 0.999, 1e300, np.nan, np.inf, -np.inf]), [0, 127, 255, 254, 255, 0, 255, 0]),
        (np.array([0.0, 0.5, 1.0, 60000], np.float16), [0, 127, 255, 255]),
        (np.array([0, 1, 128, 255], np.uint8), [0, 1, 128, 255]),
        (np.array([0, 1, -128, 127], np.int8), [0, 1, 0, 127]),
        (np.array([0, 1, -5, 255, 256, 10**9], np.int64), [0, 1, 0, 255, 255, 255]),
        (np.array([0, 255, 1 << 63], np.uint64), [0, 255, 255]),
        (np.array([False, True]), [0, 255]),
    ],
)
def test_samples(images: npt.NDArray[Any], want: list[int]) -> None:
    """Floats count from 0 to 1 and are cut off, integers are taken as they are and clipped, NaN is black."""
    assert pixels(made(images.reshape(1, 1, 1, -1))).ravel()[: len(want)].tolist() == want


@pytest.mark.parametrize(
    ("shape", "size", "small"),
    [((4, 3, 40, 40), 64, (32, 32)), ((4, 1, 20, 64), 64, (32, 10)), ((9, 4, 64, 20), 64, (7, 21))],
)
def test_large_images_are_shrunk(
    shape: tuple[int, ...], size: int, small: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a sprite would have more pixels a side than TensorBoard shows, the images are shrunk, and that is said."""
    monkeypatch.setattr(module, "MOST", size)
    said: list[tuple[object, ...]] = []
    colours = np.arange(40, 40 + shape[0], dtype=np.uint8)
    images = np.broadcast_to(colours[:, None, None, None], shape).copy()
    images[:, 3:] = 255
    whole = sprite("t", images, len(images), lambda *words: said.append(words))
    assert (whole.width, whole.height) == small
    assert max(pixels(whole).shape[:2]) <= size
    for index, colour in enumerate(colours):
        image = looked_up(whole, index)
        assert image.shape[:2] == small[::-1]
        assert (image[:, :, :3] == colour).all()  # no neighbour has a share in it
    [(key, message, *args)] = said
    assert key == ("sprite", "t")
    assert "shrunk from %d x %d to %d x %d" in str(message)
    assert args == ["t", shape[3], shape[2], *small, size]


def test_the_largest_sprite_is_not_shrunk() -> None:
    """Images that fill the sprite to the last pixel stay as they are."""
    assert made(np.zeros((4, 1, 1, 4096), np.uint8))[:2] == (4096, 1)


@pytest.mark.parametrize(
    "shape", [(3,), (3, 3), (3, 3, 3), (3, 2, 4, 4), (3, 5, 4, 4), (3, 3, 0, 4), (3, 3, 4, 0), (1, 3, 3, 4, 4)]
)
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """What is no stack of images raises."""
    with pytest.raises(EncodeError) as raised:
        made(np.zeros(shape, np.uint8))
    assert (raised.value.tag, raised.value.wanted) == ("t", IMAGES)


def test_images_must_be_as_many_as_points() -> None:
    """An image more or less than there are points raises."""
    for count in (2, 4):
        with pytest.raises(EncodeError, match=f"wanted {count} images"):
            sprite("t", np.zeros((3, 1, 2, 2)), count, silent)


def test_more_images_than_pixels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an image would have no pixel left, it raises."""
    monkeypatch.setattr(module, "MOST", 4)
    for shape in [(17, 1, 2, 2), (4, 1, 1, 100)]:
        with pytest.raises(EncodeError, match="room for"):
            sprite("t", np.zeros(shape), shape[0], lambda *_: None)
