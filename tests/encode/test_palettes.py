"""Few colours are kept, many are matched, and the indices are what a GIF decoder reads."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from asynctb.encode import palettes
from asynctb.encode.palettes import Indexed, Scratch, indexed, lzw
from tests.inputs import holds

SIDES = st.integers(1, 40)


def back(image: Indexed) -> Any:
    return image.palette[image.indices]


def of_colours(number: int, height: int, width: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (number, 3), dtype=np.uint8)
    return colours[rng.integers(0, number, (height, width))]


@holds(60)
@given(
    st.integers(1, 256), st.integers(1, 40), st.integers(1, 40), st.integers(0, 99), st.sampled_from([1, 100, 10000])
)
def test_few_colours_are_exact(number: int, height: int, width: int, seed: int, strip: int) -> None:
    """Up to 256 colours come back exactly, however near to each other they are and however the search is cut."""
    scratch = Scratch()
    for again in range(2):  # what one image leaves in the table does not show in the next
        pixels = of_colours(number, height, width, seed + again) // (1 + 99 * again)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(palettes, "STRIP", strip)
            image = indexed(pixels, scratch)
        np.testing.assert_array_equal(back(image), pixels)
        assert len(image.palette) == len(np.unique(pixels.reshape(-1, 3), axis=0))


def test_all_256() -> None:
    """Exactly 256 colours are exact, in one strip of the image or in several; the 257th is one too many."""
    pixels = np.stack([np.arange(256), np.arange(256) % 7, np.arange(256) // 7], 1).astype(np.uint8).reshape(16, 16, 3)
    tall = np.repeat(pixels, 300, axis=0).repeat(20, axis=1)
    for image in (pixels, tall):
        np.testing.assert_array_equal(back(indexed(image, Scratch())), image)
    more = tall.copy()
    more[-1, -1] = (255, 255, 0)
    assert not (back(indexed(more, Scratch())) == more).all()


def test_grey_is_exact() -> None:
    """Grey pixels are their own indices."""
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    np.testing.assert_array_equal(back(indexed(grey, Scratch())), np.repeat(grey, 3, 2))


def blurred(pixels: Any) -> Any:
    out = pixels.astype(float)
    for axis in (0, 1):
        for _ in range(2):
            out = (np.roll(out, 1, axis) + out + np.roll(out, -1, axis)) / 3
    return out[4:-4, 4:-4]


def test_many_colours_look_alike() -> None:
    """From a little way off, a gradient of thousands of colours is hardly to be told from its 256 ones."""
    y, x = np.mgrid[0:200, 0:200]
    pixels = np.stack([x, y, 255 - (x + y) // 2], 2).astype(np.uint8)
    image = indexed(pixels, Scratch())
    assert len(image.palette) <= 256
    error = np.abs(blurred(back(image)) - blurred(pixels))
    assert error.mean() < 2.5
    assert np.abs(back(image).astype(int) - pixels).mean() < 12


@holds(40)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 256), st.integers(0, 9))
def test_compression_is_read_back(height: int, width: int, number: int, seed: int) -> None:
    """Pillow reads back every index, from images of noise and of few numbers, narrow and wide."""
    indices = np.random.default_rng(seed).integers(0, number, (height, width)).astype(np.uint8)
    sides = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    screen = b"GIF89a" + sides + b"\xf7\0\0" + bytes(np.repeat(np.arange(256, dtype=np.uint8), 3))
    with Image.open(BytesIO(screen + b"\x2c\0\0\0\0" + sides + b"\0" + lzw(indices) + b";")) as image:
        np.testing.assert_array_equal(np.asarray(image), indices)
