"""A PNG has exactly its pixels, whatever the filter and the strategy, and is small where it can be."""

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode import png as module
from asynctb.encode.png import NONE, SUB, UP, chunk
from tests.encode.summaries import opened
from tests.inputs import holds

RNG = np.random.default_rng(0)
SIDES = st.integers(1, 60)
KINDS = ["noise", "ramp", "flat", "sprites", "steps"]


def png(array: Any, level: int = 4) -> bytes:
    return b"".join(module.png(array, level))


def pixels(height: int, width: int, channels: int, kind: str = "noise") -> Any:
    rows, columns = np.mgrid[0:height, 0:width]
    plane = {
        "ramp": rows * 3 + columns * 2,
        "flat": rows * 0 + 7,
        "sprites": (rows // 3 * columns // 5) % 7 * 30,
        "steps": columns // 4 * 20,
    }.get(kind)
    if plane is None:
        return np.random.default_rng(height).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return np.stack([plane, 255 - plane, plane // 2, plane][:channels], 2).astype(np.uint8)


@holds(150)
@given(SIDES, SIDES, st.integers(1, 4), st.integers(0, 9), st.sampled_from(KINDS))
def test_png_is_exact(height: int, width: int, channels: int, level: int, kind: str) -> None:
    """A PNG has exactly its pixels, at every level and with any number of channels."""
    array = pixels(height, width, channels, kind)
    shown = opened(png(array, level), None)
    np.testing.assert_array_equal(shown.frames[0].reshape(array.shape), array)
    assert shown.format == "PNG"


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("way", [NONE, SUB, UP])
@pytest.mark.parametrize("strategy", [zlib.Z_RLE, zlib.Z_DEFAULT_STRATEGY])
def test_every_way_is_exact(way: int, strategy: int, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every filter and every strategy keeps the pixels, in any memory order."""
    monkeypatch.setattr(module, "_best", lambda *args: (way, strategy))  # pyright: ignore[reportUnknownLambdaType]
    array = pixels(33, 17, channels)
    for same in (array, np.asfortranarray(array), array[::-1][::-1]):
        np.testing.assert_array_equal(opened(png(same), None).frames[0].reshape(array.shape), array)


@pytest.mark.parametrize(("kind", "most"), [("ramp", 0.02), ("flat", 0.005), ("sprites", 0.02), ("steps", 0.01)])
def test_what_repeats_is_small(kind: str, most: float) -> None:
    """What is regular takes a few hundredths of its pixels, and noise hardly more than its pixels."""
    array = pixels(300, 400, 3, kind)
    assert len(png(array)) < most * array.nbytes
    noise = RNG.integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert len(png(noise)) < 1.002 * noise.nbytes


def test_the_way_is_chosen_by_what_is_there() -> None:
    """Noise is not searched for repetitions; sprites are taken as they are; what goes on downwards is compared with
    what is above.
    """
    rows = {kind: pixels(300, 400, 3, kind).reshape(300, -1) for kind in KINDS}
    assert module._best(rows["noise"], 3, 4)[1] == zlib.Z_RLE
    assert module._best(rows["sprites"], 3, 4) == (NONE, zlib.Z_DEFAULT_STRATEGY)
    downwards = np.repeat(RNG.integers(0, 256, (1, 1200), dtype=np.uint8), 300, axis=0)
    assert module._best(downwards, 3, 4)[0] == UP


def test_higher_levels_are_smaller() -> None:
    """Level 0 stores, and level 9 makes smaller files than level 1."""
    array = pixels(300, 400, 3, "ramp")
    sizes = [len(png(array, level)) for level in (0, 1, 9)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > array.nbytes > 10 * sizes[2]


def test_chunks() -> None:
    """A chunk is its length, its kind, its content and the checksum of both."""
    assert b"".join(chunk(b"IEND")) == bytes.fromhex("0000000049454e44ae426082")
    assert b"".join(chunk(b"IDAT", b"one", b"two")) == b"".join(chunk(b"IDAT", b"onetwo"))
