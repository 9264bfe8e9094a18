"""Boxes are drawn where they are, with their labels, on the image as it is before it is rescaled."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from asynctb.encode.boxes import image_with_boxes
from asynctb.entry import Draft
from asynctb.errors import EncodeError
from tests.encode.summaries import opened, pixels_of, value_of
from tests.inputs import holds

BLUE = np.zeros((60, 80, 3), np.uint8)
BLUE[..., 2] = 255
RED = [255, 0, 0]


def drawn(boxes: Any, labels: Any = None, img: Any = BLUE, rescale: Any = 1, dims: str = "HWC") -> Any:
    return pixels_of(image_with_boxes("t", img, boxes, rescale, dims, labels))


def is_red(pixels: Any) -> Any:
    return (pixels == RED).all(axis=2)


@holds(60)
@given(st.integers(5, 30), st.integers(5, 30), st.integers(10, 45), st.integers(10, 25))
def test_a_box_is_red_lines(left: int, top: int, width: int, height: int) -> None:
    """A box is red along its four sides, two pixels wide, and neither inside nor outside."""
    red = is_red(drawn([[left, top, left + width, top + height]]))
    assert red[top, left : left + width].all()
    assert red[top + height, left : left + width].all()
    assert red[top : top + height, left].all()
    assert red[top : top + height, left + width].all()
    assert not red[top + 2 : top + height - 2, left + 2 : left + width - 2].any()
    assert not red[: top - 2].any()
    assert not red[:, : left - 2].any()
    assert not red[top + height + 2 :].any()
    assert not red[:, left + width + 2 :].any()


@pytest.mark.parametrize(
    "boxes",
    [np.array([[5, 6, 30, 40]], dtype) for dtype in ("u1", "i2", "i8", "f2", "f4", "f8")]
    + [[[5, 6, 30, 40]], [[5.0, 6.0, 30.0, 40.0]]],
    ids=lambda boxes: str(getattr(boxes, "dtype", "list")),
)
def test_boxes_of_any_type(boxes: Any) -> None:
    """The numbers' type makes no difference."""
    np.testing.assert_array_equal(drawn(boxes, "x"), drawn([[5, 6, 30, 40]], ["x"]))


def test_labels() -> None:
    """A label is black on red in the lower left corner of its box; None and the empty text are no label."""
    shown = drawn([[10, 10, 60, 50], [5, 2, 20, 30]], ["cat", None])
    assert is_red(shown)[42:50, 10:20].sum() > 30
    assert (shown[38:50, 10:30].max(axis=2) < 128).any()  # its letters are smooth, so not black everywhere
    np.testing.assert_array_equal(drawn([[10, 10, 60, 50]], [""]), drawn([[10, 10, 60, 50]]))
    np.testing.assert_array_equal(drawn([[10, 10, 60, 50]], [7]), drawn([[10, 10, 60, 50]], "7"))


@pytest.mark.parametrize("text", ["名前 é", "a\nb", "\ud800", "x" * 500, "\0", "\U0001f600"])
def test_odd_labels(text: str) -> None:
    """Any text can be a label; what the font does not have is shown as it can be, or not at all."""
    assert is_red(drawn([[10, 10, 60, 50]], text)).sum() >= is_red(drawn([[10, 10, 60, 50]])).sum()


def test_labels_without_freetype(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's own font has Latin 1 only: other letters become question marks."""
    # Older versions of Pillow have no other.
    monkeypatch.setattr(ImageFont, "load_default", getattr(ImageFont, "load_default_imagefont", ImageFont.load_default))
    np.testing.assert_array_equal(drawn([[10, 10, 60, 50]], "名é"), drawn([[10, 10, 60, 50]], "?é"))


@pytest.mark.parametrize(("rescale", "size"), [(0.5, (30, 40)), (2, (120, 160)), (1, (60, 80)), (0.99, (59, 79))])
def test_rescaled(rescale: float, size: tuple[int, int]) -> None:
    """What is recorded, and stored, is the size after rescaling."""
    value = value_of(image_with_boxes("t", BLUE, [[10, 10, 60, 50]], rescale, "HWC", None)).image
    assert (value.height, value.width) == size
    assert opened(value.encoded_image_string).frames.shape == (1, *size, 3)


def test_no_box() -> None:
    """Without boxes the image is as it was."""
    for none in ([], np.zeros((0, 4))):
        np.testing.assert_array_equal(drawn(none), BLUE)
        np.testing.assert_array_equal(drawn(none, []), BLUE)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("format", ["png", "jpeg"])
def test_images_of_every_kind(channels: int, format: str) -> None:
    """Boxes are drawn on images with any number of channels, on grids, and into JPEG."""
    batch = np.zeros((2, channels, 30, 40), np.float32)
    entry = image_with_boxes("t", batch, [[5, 5, 70, 25]], 1, "NCHW", None, format)
    shown = opened(value_of(entry).image.encoded_image_string).frames[0]
    assert shown.shape == (30, 80, 3)
    assert shown[5, 40].max() > shown[15, 40].max() or (format == "jpeg" and channels in (2, 4))


@pytest.mark.parametrize("box", [[1e30, -1e30, 1e300, 5], [2**63, 0, -(2**63), 10], [30, 40, 5, 6]])
def test_boxes_far_away(box: Any) -> None:
    """Corners that are out of sight, or in the other order, harm nobody."""
    assert drawn([box], "label").shape == BLUE.shape


BAD_BOXES = [
    None,
    "boxes",
    [[1, 2, 3]],
    [1, 2, 3, 4],
    np.zeros((1, 5)),
    np.zeros((1, 1, 4)),
    np.zeros(4),
    [[1, 2], [3]],
]


@pytest.mark.parametrize("boxes", [*BAD_BOXES, [[1, 2, 3, math.nan]], [[1, 2, 3, math.inf]], np.zeros((1, 4), complex)])
def test_what_is_no_box(boxes: Any) -> None:
    """Boxes are rows of four finite numbers."""
    with pytest.raises(EncodeError, match="boxes: an array"):
        drawn(boxes)


@pytest.mark.parametrize("labels", [[], ["a"], ["a", "b", "c"], "ab"])
@pytest.mark.parametrize("boxes", [np.ones((2, 4)), [[1, 1, 1, 1], [1, 1, 1, 1]]])
def test_another_number_of_labels(labels: Any, boxes: Any) -> None:
    """A label too many or too few is an error: nobody could say whose it is."""
    with pytest.raises(EncodeError, match="as many labels as boxes, 2"):
        drawn(boxes, labels)


def test_what_is_known_at_the_call_is_refused_there() -> None:
    """Shapes of boxes, their labels, the scale and the layout are looked at before anything is taken."""
    good = np.ones((2, 4))
    for boxes, rescale, dims, labels in [
        (np.ones((2, 5)), 1, "HWC", None),
        (good, 0, "HWC", None),
        (good, math.nan, "HWC", None),
        (good, -1, "HWC", None),
        (good, "big", "HWC", None),
        (good, 1, "WC", None),
        (good, 1, "HWC", ["a"]),
        (good, 1, "HWC", 5),
    ]:
        with pytest.raises(EncodeError):
            image_with_boxes("t", BLUE, boxes, rescale, dims, labels)


def test_scaled_to_nothing() -> None:
    """A scale that leaves nothing of an image, or makes more of it than can be, is refused when it is taken."""
    for scale in (0.01, 1e-300, 1e308):
        entry = image_with_boxes("t", BLUE, np.ones((1, 4)), scale, "HWC", None)
        assert isinstance(entry, Draft)
        with pytest.raises(EncodeError, match="height and width"):
            entry.take()
