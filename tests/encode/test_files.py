"""Files hold the pixels they are made of, and no encoder keeps the GIL to itself."""

import threading
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from asynctb.encode import files
from asynctb.encode.files import Format
from asynctb.encode.pixels import on_white
from asynctb.errors import EncodeError
from tests.encode.summaries import opened
from tests.inputs import holds


def pixels(height: int, width: int, channels: int, kind: str = "noise") -> Any:
    if kind == "noise":
        return np.random.default_rng(height).integers(0, 256, (height, width, channels), dtype=np.uint8)
    ramp = np.add.outer(np.arange(height), np.arange(width)) * 255 // (height + width)
    return np.stack([ramp, 255 - ramp, ramp // 2, ramp][:channels], 2).astype(np.uint8)


def jpeg(array: Any, quality: int) -> bytes:
    return b"".join(files.jpeg(array, quality))


def plain_jpeg(array: Any, quality: int) -> bytes:
    file = BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return file.getvalue()


@holds(60)
@given(
    st.integers(1, 200),
    st.integers(1, 60),
    st.integers(1, 95),
    st.sampled_from(["noise", "ramp"]),
    st.integers(16, 4000),
)
def test_jpeg_of_strips_is_the_jpeg_of_the_whole(height: int, width: int, quality: int, kind: str, strip: int) -> None:
    """However it is cut into strips, a JPEG shows to the last bit what one made in one piece shows."""
    array = pixels(height, width, 3, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "STRIP", strip)
        shown = opened(jpeg(array, quality))
    np.testing.assert_array_equal(shown.frames, opened(plain_jpeg(array, quality)).frames)
    assert shown.format == "JPEG"


def test_large_jpeg() -> None:
    """A JPEG of many strips, more than there are different restart markers, is whole too, and hardly larger."""
    array = pixels(1080, 1920, 3, "ramp")
    file, plain = jpeg(array, 90), plain_jpeg(array, 90)
    np.testing.assert_array_equal(opened(file).frames, opened(plain).frames)
    assert file.count(b"\xff\xd7") >= 1
    assert len(file) < 1.02 * len(plain)


@pytest.mark.parametrize("channels", [2, 4])
def test_jpeg_lays_alpha_on_white(channels: int) -> None:
    """A JPEG has no alpha: what is transparent is white."""
    array = pixels(20, 30, channels)
    np.testing.assert_array_equal(opened(jpeg(array, 90)).frames, opened(plain_jpeg(on_white(array), 90)).frames)
    array[..., -1] = 0
    assert opened(jpeg(array, 90)).frames.min() == 255


@pytest.mark.parametrize("name", ["PNG", "gif", None, 3, b"png", ["png"]])
def test_formats_that_do_not_exist(name: Any) -> None:
    """Any other format is refused."""
    with pytest.raises(EncodeError, match='"png" or "jpeg"') as caught:
        Format.of("t", name, 90, 4)
    assert caught.value.got is name


@pytest.mark.parametrize("quality", [0, 96, -1, 1.5, "90", None, True, 10**30])
def test_qualities_that_do_not_exist(quality: Any) -> None:
    """A quality is a whole number from 1 to 95."""
    with pytest.raises(EncodeError, match="quality from 1 to 95"):
        Format.of("t", "jpeg", quality, 4)


@pytest.mark.parametrize("level", [-1, 10, 1.5, "6", True, None])
def test_levels_that_do_not_exist(level: Any) -> None:
    """A level is a whole number from 0 to 9, ."""
    with pytest.raises(EncodeError, match="compress_level from 0 to 9"):
        Format.of("t", "png", 90, level)


@pytest.mark.parametrize(("name", "side"), [("png", (1 << 31) - 1), ("jpeg", 65500)])
def test_sides(name: str, side: int) -> None:
    """Sides go from 1 to what a format can say."""
    file = Format.of("t", name, np.int64(90), np.uint8(3))
    file.check_sides("t", 1, side)
    file.check_sides("t", side, 1)
    for height, width in ((0, 5), (5, 0), (side + 1, 5), (5, side + 1)):
        with pytest.raises(EncodeError, match="height and width"):
            file.check_sides("t", height, width)


def test_longest_jpeg() -> None:
    """The widest and the highest JPEG that there can be are made."""
    for shape in ((1, 65500, 3), (65500, 1, 3)):
        assert opened(jpeg(np.zeros(shape, np.uint8), 50)).frames.shape == (1, *shape)


def longest_wait(work: Callable[[], object]) -> float:
    """For how long, in seconds, a thread that wants to run every millisecond could not, while another works."""
    worker = threading.Thread(target=work)
    waits = [0.0]
    worker.start()
    while worker.is_alive():
        begin = time.perf_counter()
        time.sleep(0.001)
        waits.append(time.perf_counter() - begin)
    worker.join()
    return sorted(waits)[-2 if len(waits) > 20 else -1]  # one may be the machine's


def test_jpeg_gives_way() -> None:
    """While a large JPEG is made, other threads are not kept from running for as long as it takes."""
    array = pixels(2160, 3840, 3, "ramp")
    begin = time.perf_counter()
    plain_jpeg(array, 90)
    whole = time.perf_counter() - begin
    assert min(longest_wait(lambda: jpeg(array, 90)) for _ in range(5)) < whole / 3
