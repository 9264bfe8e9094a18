"""The same images and boxes through torch's SummaryWriter and ours have the same pixels, but where torch is mended."""

import itertools
import math
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from asynctb import EncodeError, SummaryWriter
from tests.inputs import holds
from tests.parity.decoded import pixels
from tests.readback.events import run_events
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)
if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

torch = module("torch")
TorchWriter = module("torch.utils.tensorboard").SummaryWriter

T = 1.7e9


def event(writer: Any, method: str, *args: Any, **options: Any) -> "Event":
    """The one event of a call; what torch warns of is not ours."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        if writer is TorchWriter:
            warnings.simplefilter("ignore")
        with writer(folder) as made:
            getattr(made, method)("tag", *args, **options)
        _, one = run_events(Path(folder))["."]
        return one


def assert_same(method: str, *args: Any, **options: Any) -> None:
    """Both leave the same event, with the same pixels in its file."""
    theirs, ours = (event(writer, method, *args, **options) for writer in (TorchWriter, SummaryWriter))
    files = [one.summary.value[0].image.encoded_image_string for one in (theirs, ours)]
    np.testing.assert_array_equal(pixels(files[1]), pixels(files[0]))
    for one in (theirs, ours):
        one.summary.value[0].image.encoded_image_string = b""
    assert str(ours) == str(theirs)


FLOATS = [np.float16, np.float32, np.float64]
LAYOUTS = [
    "".join(order) for letters in ("HW", "HWC", "NCHW") for order in itertools.permutations(letters)
]  # fmt: skip


@st.composite
def arrays(draw: st.DrawFn, dims: str, channels: st.SearchStrategy[int]) -> Any:
    sides = {"H": st.integers(1, 9), "W": st.integers(1, 9), "C": channels, "N": st.integers(1, 20)}
    shape = [draw(sides[letter]) for letter in dims.upper()]
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    dtype = draw(st.sampled_from([np.uint8, np.bool_, *FLOATS]))
    if dtype not in FLOATS:
        return rng.integers(0, 256 if dtype is np.uint8 else 2, shape).astype(dtype)
    values = rng.normal(0.5, 0.5, shape) if draw(st.booleans()) else rng.integers(0, 256, shape) / 255
    values.flat[0] = draw(st.sampled_from([0, 1, -1, 2, math.inf, -math.inf, 1e-9, 0.5, 60000]))
    return values.astype(dtype)


@holds(150)
@given(st.data())
def test_images_are_torchs(data: st.DataObject) -> None:
    """In every layout and of every type that torch takes, in either case of letters, an image is torch's."""
    dims = data.draw(st.sampled_from(LAYOUTS))
    channels = st.sampled_from([1, 3] if "N" in dims else [1, 2, 3, 4])
    array = data.draw(arrays(dims, channels))
    method = data.draw(st.sampled_from(["add_image", "add_images"]))
    given = torch.from_numpy(array) if data.draw(st.booleans()) else array
    assert_same(method, given, 3, T, data.draw(st.sampled_from([dims, dims.lower()])))


def test_every_float_of_two_bytes() -> None:
    """Every half-precision number but NaN is the same level."""
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    assert_same("add_image", every[~np.isnan(every)].reshape(2, -1), 0, T, dataformats="HW")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "uint8", "bool"])
def test_tensors(dtype: str) -> None:
    """Tensors of torch's own types, with gradients and in any memory order, are the same images."""
    tensor = (torch.rand(3, 6, 7) * (255 if dtype == "uint8" else 1)).to(getattr(torch, dtype))
    assert_same("add_image", tensor, 1, T)
    assert_same("add_image", tensor.permute(1, 2, 0).contiguous().permute(2, 0, 1)[:, ::2, 1:], 1, T)
    if tensor.is_floating_point():
        assert_same("add_image", tensor.clone().requires_grad_(), 1, T)


def test_defaults() -> None:
    """The defaults are torch's: one image is CHW, and many are NCHW."""
    batch = np.random.default_rng(0).random((11, 3, 4, 5))
    assert_same("add_image", batch[0], 1, T)
    assert_same("add_images", batch, 1, T)
    assert_same("add_image_with_boxes", batch[0], np.array([[0, 0, 3, 3]]), 1, T)


# Boxes

# In eighths: torch adds a label's width in the boxes' own type, in which it may lose a hundredth of a millionth.
CORNERS = st.one_of(st.integers(-10, 70), st.integers(-80, 560).map(lambda eighths: eighths / 8))


@holds(80)
@given(
    st.lists(st.tuples(CORNERS, CORNERS, CORNERS, CORNERS), max_size=4),
    st.sampled_from(["u1", "f4"]),
    st.sampled_from([np.int64, np.float32, np.float64]),
    st.sampled_from([2, 3, 4]),
    st.booleans(),
)
def test_boxes_are_torchs(boxes: list[Any], image: str, dtype: Any, channels: int, labelled: bool) -> None:
    """Boxes and their labels are drawn to the same pixels, on every kind of image."""
    array = np.random.default_rng(0).random((channels, 50, 60)) * (255 if image == "u1" else 1)
    corners = np.array(boxes, dtype).reshape(-1, 4)
    labels = [f"label {number}" for number in range(len(boxes))] if labelled else None
    assert_same("add_image_with_boxes", array.astype(image), corners, 1, T, 1, "CHW", labels)


def test_boxes_of_tensors_and_one_label() -> None:
    """Tensors are boxes too, and one text is the label of one box."""
    assert_same(
        "add_image_with_boxes", torch.rand(3, 50, 60), torch.tensor([[5.5, 6, 40, 30]]), labels="cat", walltime=T
    )
    assert_same("add_image_with_boxes", torch.rand(50, 60), torch.ones(2, 4), dataformats="HW", walltime=T)


@pytest.mark.parametrize("rescale", [0.5, 2, 1.37])
def test_rescaled_boxes(rescale: float) -> None:
    """A rescaled image has torch's pixels; the size recorded with it is its own, where torch records the old one."""
    array, boxes = np.random.default_rng(0).random((3, 40, 50)), np.array([[5, 6, 30, 20]])
    theirs, ours = (
        event(writer, "add_image_with_boxes", array, boxes, 1, T, rescale).summary.value[0].image
        for writer in (TorchWriter, SummaryWriter)
    )
    shown = pixels(ours.encoded_image_string)
    np.testing.assert_array_equal(shown, pixels(theirs.encoded_image_string))
    assert (ours.height, ours.width) == shown.shape[:2]
    assert (theirs.height, theirs.width) == (40, 50)


# What differs, and why


def outcome(writer: Any, method: str, *args: Any, **options: Any) -> Any:
    """The pixels of a call, or its error."""
    try:
        one = event(writer, method, *args, **options)
    except Exception as error:
        return type(error)
    return pixels(one.summary.value[0].image.encoded_image_string)


class Differs(NamedTuple):
    why: str
    method: str
    args: tuple[Any, ...]
    torch: Any
    """Its error, or its pixels."""
    ours: Any
    options: dict[str, Any] = {}  # noqa: RUF012  # nobody changes it


RGB = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
CHW = RGB.transpose(2, 0, 1)
RGBA = np.dstack([RGB, RGB[..., :1]])
WHITE = np.full_like(RGB, 255)
BOXES = np.array([[0.0, 0.0, 3.0, 3.0]])
GREY_ALPHA = np.random.default_rng(0).integers(0, 256, (2, 2, 4, 5), dtype=np.uint8)
SPLIT = {"dataformats": "NHWC"}

DIFFERENT = [
    # Integers: torch multiplies all but uint8 by 255.
    *(
        Differs(f"levels as {dtype}", "add_image", (np.maximum(CHW, 1).astype(dtype),), WHITE, np.maximum(RGB, 1))
        for dtype in ("i2", "u2", "i4", "i8", "u8")
    ),
    Differs(
        "a tensor of integers", "add_image", (torch.from_numpy(CHW.copy()).clamp(1).int(),), WHITE, np.maximum(RGB, 1)
    ),
    # Taken here.
    Differs("a Pillow image", "add_image", (Image.fromarray(RGB),), NotImplementedError, RGB),
    Differs("a list of numbers", "add_image", (CHW.tolist(),), NotImplementedError, RGB),
    Differs("a list of images", "add_images", ([RGB, RGB],), NotImplementedError, np.hstack([RGB, RGB]), SPLIT),
    Differs("a batch of RGBA", "add_images", (np.stack([RGBA, RGBA]),), AssertionError, np.hstack([RGBA] * 2), SPLIT),
    Differs(
        "a batch of grey and alpha",
        "add_images",
        (GREY_ALPHA,),
        AssertionError,
        np.hstack([*GREY_ALPHA.transpose(0, 2, 3, 1)]),
    ),
    Differs("bfloat16 beyond float16", "add_image", (torch.full((3, 1, 1), -1e30, dtype=torch.bfloat16),), None, None),
    # Refused here, with the tag; torch raises what comes up, or draws something else.
    Differs("no image in a batch", "add_images", (np.zeros((0, 3, 4, 4)),), ZeroDivisionError, EncodeError),
    Differs("no pixel", "add_image", (np.zeros((3, 0, 4)),), (ValueError, SystemError), EncodeError),
    Differs("five channels", "add_image", (np.zeros((5, 4, 4)),), TypeError, EncodeError),
    Differs("other dimensions", "add_image", (np.zeros((4, 4)),), AssertionError, EncodeError),
    Differs("a letter twice", "add_image", (CHW,), AssertionError, EncodeError, {"dataformats": "CHH"}),
    Differs("complex numbers", "add_image", (CHW.astype(complex),), None, EncodeError),
    Differs("a tensor without data", "add_image", (torch.empty(3, 2, 2, device="meta"),), AssertionError, EncodeError),
    Differs("a label too many", "add_image_with_boxes", (CHW, BOXES), None, EncodeError, {"labels": ["a", "b"]}),
    Differs("a box of three", "add_image_with_boxes", (CHW, BOXES[:, :3]), IndexError, EncodeError),
    Differs("a box of five", "add_image_with_boxes", (CHW, np.ones((1, 5))), None, EncodeError),
    Differs("a box at NaN", "add_image_with_boxes", (CHW, BOXES * math.nan), None, EncodeError),
    Differs(
        "a scale of 0", "add_image_with_boxes", (CHW, BOXES), (ValueError, SystemError), EncodeError, {"rescale": 0}
    ),
]


@pytest.mark.parametrize("case", DIFFERENT, ids=lambda case: case.why)
def test_differences(case: Differs) -> None:
    """Where an image ends otherwise than with torch, it does as the table says."""
    for writer, wanted in ((TorchWriter, case.torch), (SummaryWriter, case.ours)):
        got = outcome(writer, case.method, *case.args, **case.options)
        if isinstance(wanted, np.ndarray):
            np.testing.assert_array_equal(got, wanted)
        elif wanted is not None:
            assert isinstance(got, type), got
            assert issubclass(got, wanted)


def test_nan_is_black() -> None:
    """NaN is black in both, as it happens; here without a RuntimeWarning, which ends a program under `-W error`."""
    array = np.full((3, 2, 2), np.nan)
    for writer in (TorchWriter, SummaryWriter):
        assert outcome(writer, "add_image", array).max() == 0
    with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as made, warnings.catch_warnings():
        warnings.simplefilter("error")
        made.add_image("tag", array)
    with tempfile.TemporaryDirectory() as folder, TorchWriter(folder) as made, pytest.warns(RuntimeWarning):
        made.add_image("tag", array)
