"""Images are stored with their size and their pixels, wherever they come from, and shown by TensorBoard."""

import itertools
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from asynctb import SummaryWriter
from asynctb.encode.image import PLUGIN, image, images
from asynctb.encode.pixels import picture
from asynctb.entry import Draft, Entry
from asynctb.errors import EncodeError
from asynctb.proto import summary_pb2
from tests.encode.summaries import opened, pixels_of, value_of
from tests.inputs import holds, named
from tests.readback import python_loader
from tests.readback.both import assert_same_in_both
from tests.readback.imports import module

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = RGB[..., 0].copy()


@holds(80)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.permutations("CHW"), st.sampled_from(["u1", "f4"]))
def test_an_image_is_its_pixels(height: int, width: int, channels: int, order: list[str], dtype: str) -> None:
    """Whatever its size, channels, order and type, the file has the image's pixels, and its size is recorded."""
    dims = "".join(order)
    sides = {"H": height, "W": width, "C": channels}
    array = (np.random.default_rng(height).random([sides[letter] for letter in dims]) * 255).astype(dtype)
    array = array / np.float32(255) if dtype == "f4" else array
    entry = image("t", array, dims.lower())
    np.testing.assert_array_equal(pixels_of(entry), picture(array, dims))
    assert value_of(entry).tag == "t"
    assert not value_of(entry).HasField("metadata")


def test_what_an_entry_says() -> None:
    """An image is a draft of medium worth, for the images dashboard, which counts its own bytes, however small."""
    entry = image("a/b", GREY, "HW")
    assert isinstance(entry, Draft)
    assert entry[:2] == (("a/b",), GREY.nbytes)
    assert (entry.plugin, entry.run, entry.media, entry.slow) == (PLUGIN, "", True, False)


def test_the_caller_may_change_it() -> None:
    """Once it is taken, an image is nobody's but ours."""
    array = RGB.copy()
    entry = image("t", array, "HWC")
    assert isinstance(entry, Draft)
    encode = entry.take()
    array[:] = 0
    unchanged = image("t", RGB, "HWC")
    assert isinstance(unchanged, Draft)
    assert encode() == unchanged.take()()


def test_options_choose_the_file() -> None:
    """The format and its quality are those asked for."""
    array = np.full((40, 40, 4), 255, np.uint8)
    array[..., :3] = RNG.integers(0, 256, (40, 40, 3)) // 32 * 32
    png, best = image("t", array, "HWC", "png", 90, 0), image("t", array, "HWC", "png", 90, 9)
    good, bad = image("t", array, "HWC", "jpeg", 95), image("t", array, "HWC", "jpeg", 5)
    sizes = [len(value_of(entry).image.encoded_image_string) for entry in (png, best, good, bad)]
    assert sizes[0] > sizes[1]
    assert sizes[2] > sizes[3]
    assert opened(value_of(bad).image.encoded_image_string).format == "JPEG"
    assert value_of(bad).image.colorspace == 3
    assert value_of(png).image.colorspace == 4


@pytest.mark.parametrize(
    "dataformats", ["", "C", "CH", "CC", "HHW", "CHWN ", "NHW", "NCHWT", "chx", None, 3, ["C", "H", "W"], b"CHW"]
)
def test_dataformats_that_do_not_exist(dataformats: Any) -> None:
    """Letters that are no order of HW, CHW or NCHW are refused at the call."""
    for make in (image, partial(images, grid=False)):
        with pytest.raises(EncodeError, match="letters of HW, CHW or NCHW") as caught:
            make("t", RGB, dataformats)
        assert caught.value.got is dataformats


NO_IMAGES = [None, "path.png", b"bytes", object(), {"a": 1}, [], [[]], np.zeros((3, 4, 4), complex), [[1, 2], [3]]]


@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("value", NO_IMAGES, ids=named)
def test_what_is_no_image(value: Any, grid: bool) -> None:
    """What is no array of real numbers is refused, at the latest when it is taken."""
    with pytest.raises(EncodeError) as caught:
        value_of(images("t", value, "CHW", grid=grid))
    assert caught.value.tag == "t"


@pytest.mark.parametrize("shape", [(3, 0, 4), (0, 4, 4), (5, 4, 4), (4, 4), (1, 3, 4, 4), ()])
def test_shapes_are_refused_at_the_call(shape: tuple[int, ...]) -> None:
    """A shape that is known without reading the array is refused by the call itself, also where a copy would wait."""
    for grid in (True, False):
        with pytest.raises(EncodeError) as caught:
            images("t", np.zeros(shape), "CHW", grid=grid)
        assert caught.value.got == shape


@pytest.mark.parametrize("grid", [None, 1, "no"])
def test_grid_is_yes_or_no(grid: Any) -> None:
    """Whether there is a grid is a boolean."""
    with pytest.raises(EncodeError, match="grid: True or False"):
        images("t", RGB, "HWC", grid=grid)


# Batches


def test_a_batch_is_a_grid() -> None:
    """A batch is one image, and a list of arrays is a batch of them."""
    batch = RNG.random((11, 3, 4, 5)).astype(np.float32)
    want = picture(batch, "NCHW")
    for same in (batch, list(batch), tuple(batch), batch.tolist()):
        np.testing.assert_array_equal(pixels_of(images("t", same, "NCHW", grid=True)), want)
    np.testing.assert_array_equal(pixels_of(image("t", batch, "NCHW")), want)


def each(entry: Entry) -> list[Any]:
    width, height, *found = value_of(entry).tensor.string_val
    shown = [opened(file, None).frames[0] for file in found]
    assert {pixels.shape[:2] for pixels in shown} == {(int(height), int(width))}
    return shown


@holds(40)
@given(st.integers(1, 12), st.integers(1, 4), st.sampled_from(["png", "jpeg"]))
def test_images_by_themselves(number: int, channels: int, format: str) -> None:
    """Without a grid, each image is a file of its own, after the width and the height of all."""
    batch = np.random.default_rng(number).integers(0, 256, (number, channels, 4, 5), dtype=np.uint8)
    entry = images("t", batch, "NCHW", False, format)
    value = value_of(entry)
    assert [size.size for size in value.tensor.tensor_shape.dim] == [number + 2]
    assert value.metadata.plugin_data.plugin_name == PLUGIN
    assert value.metadata.data_class == summary_pb2.DATA_CLASS_BLOB_SEQUENCE
    for shown, one in zip(each(entry), batch, strict=True):
        alone = image("t", one, "CHW", format)
        np.testing.assert_array_equal(shown, pixels_of(alone))


def test_images_of_several_sizes() -> None:
    """A list of images that are not all of one shape is refused, naming the one that differs."""
    with pytest.raises(EncodeError, match="all have the shape") as caught:
        value_of(images("t", [RGB, RGB[1:]], "NHWC", grid=False))
    assert caught.value.got == (4, 7, 3)


def test_a_list_is_not_read_at_the_call() -> None:
    """A list of arrays is put together when it is taken: at the call that could hold the loop."""
    arrays = [np.zeros((3, 4, 5), np.float32) for _ in range(3)]
    entry = images("t", arrays, "NCHW", grid=True)
    assert isinstance(entry, Draft)
    assert entry.size == 3 * arrays[0].nbytes
    arrays[1][:] = 1
    assert pixels_of(entry).max() == 255


def test_both_readers_show_them(tmp_path: Path) -> None:
    """Both of TensorBoard's readers show an image, a grid and images by themselves as blobs: width, height, files."""
    batch = RNG.integers(0, 256, (3, 3, 4, 5), dtype=np.uint8)
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("one", batch[0], 0, 1e9)
        writer.add_images("grid", batch, 1, 1e9)
        writer.add_images("each", batch, 2, 1e9, grid=False)
        writer.add_video("video", batch[None], 3, walltime=1e9)
    one = value_of(image("one", batch[0], "CHW")).image.encoded_image_string
    grid = value_of(image("grid", batch, "NCHW")).image.encoded_image_string
    alone = tuple(value_of(image("each", img, "CHW")).image.encoded_image_string for img in batch)
    video = python_loader.load(tmp_path)["."]["video"][0].value
    assert isinstance(video, tuple)
    expected = {
        "one": [(0, 1e9, (b"5", b"4", one))],
        "grid": [(1, 1e9, (b"15", b"4", grid))],
        "each": [(2, 1e9, (b"5", b"4", *alone))],
        "video": [(3, 1e9, (b"5", b"4", video[2]))],
    }
    assert_same_in_both(tmp_path, {".": expected})
    assert python_loader.plugin_of(tmp_path, ".", "each") == PLUGIN


def test_the_dashboard_counts_the_samples(tmp_path: Path) -> None:
    """TensorBoard's images plugin lists as many samples of a tag as it has images by themselves."""
    batch = RNG.integers(0, 256, (3, 3, 4, 5), dtype=np.uint8)
    with SummaryWriter(tmp_path) as writer:
        writer.add_images("each", batch, 0, grid=False)
        writer.add_images("grid", batch, 0)
    accumulator = python_loader.multiplexer(tmp_path)
    provider = module("tensorboard.backend.event_processing.data_provider").MultiplexerDataProvider(
        accumulator, str(tmp_path)
    )
    flags = module("argparse").Namespace(samples_per_plugin={})
    context = module("tensorboard.plugins.base_plugin").TBContext(flags=flags, data_provider=provider)
    plugin = module("tensorboard.plugins.image.images_plugin").ImagesPlugin(context)
    request = module("tensorboard.context").RequestContext()
    index = plugin._index_impl(request, "")["."]
    assert {tag: found["samples"] for tag, found in index.items()} == {"each": 3, "grid": 1}


# Pillow's images


def pillow(mode: str) -> Any:
    if mode.startswith("I;16"):
        return Image.fromarray(GREY.astype(np.uint16) * 256 + 7)
    if mode == "I":
        return Image.fromarray(GREY.astype(np.int32))
    if mode == "F":
        return Image.fromarray(GREY.astype(np.float32))
    if mode == "P":
        return Image.fromarray(RGB).quantize(35, method=Image.Quantize.MEDIANCUT)
    if mode == "PA":
        return Image.fromarray(RGB).convert("RGBA").convert("LA").convert("PA")
    if mode in ("La", "RGBa"):
        return Image.fromarray(RGB).convert("RGBA").convert({"La": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
    return Image.fromarray(RGB).convert(mode)


RGB_MODES = ["RGB", "P", "RGBX", "YCbCr", "CMYK", "HSV", "RGBA", "RGBa"]
GREY_MODES = ["L", "LA", "La", "PA"]


@pytest.mark.parametrize("mode", RGB_MODES)
@pytest.mark.parametrize("dataformats", ["CHW", "HW", "NCHW"])
def test_coloured_pillow_images(mode: str, dataformats: str) -> None:
    """An image of Pillow in any coloured mode is what Pillow makes of it as RGB, whatever `dataformats` says."""
    source = pillow(mode)
    assert source.mode == mode
    shown = pixels_of(image("t", source, dataformats))
    np.testing.assert_array_equal(
        shown[..., :3], np.asarray(source.convert("RGBA" if "A" in mode.upper() else "RGB"))[..., :3]
    )
    assert shown.shape[2] == (4 if "A" in mode.upper() else 3)
    assert np.abs(shown[..., :3].astype(int) - RGB).mean() < (80 if mode == "P" else 8)


@pytest.mark.parametrize("mode", GREY_MODES)
def test_grey_pillow_images(mode: str) -> None:
    """Pillow's grey images keep their levels, and their alpha."""
    source = pillow(mode)
    assert source.mode == mode
    shown = pixels_of(image("t", source, "CHW"))
    want = np.asarray(source.convert("LA" if mode == "La" else "RGBA"))
    np.testing.assert_array_equal(shown[..., 0], want[..., 0])
    assert shown.shape[2] == {"L": 3, "LA": 2, "La": 2, "PA": 4}[mode]


@pytest.mark.parametrize("mode", ["I;16", "I", "F", "1"])
def test_pillow_images_of_numbers(mode: str) -> None:
    """16 bits of grey are shown by their upper 8; 32 bits and floats are levels, one bit is 0 or 1."""
    source = pillow(mode)
    assert source.mode == mode
    shown = pixels_of(image("t", source, "CHW"))[..., 0]
    want = {"1": np.asarray(source.convert("L"))}.get(mode, GREY)
    np.testing.assert_array_equal(shown, want)


def test_transparent_palettes() -> None:
    """A colour that a palette, or an image, holds to be transparent is so."""
    source = pillow("P")
    source.info["transparency"] = source.getpixel((0, 0))
    shown = pixels_of(image("t", source, "CHW"))
    assert shown.shape[2] == 4
    assert shown[0, 0, 3] == 0
    assert shown[..., 3].max() == 255
    flat = Image.fromarray(RGB)
    flat.info["transparency"] = tuple(RGB[0, 0].tolist())
    assert pixels_of(image("t", flat, "CHW"))[0, 0, 3] == 0


def test_an_image_in_its_file(tmp_path: Path) -> None:
    """An image that is still in its file is read when it is taken, which may take its time; a bad one is refused."""
    file = BytesIO()
    Image.fromarray(RGB).save(file, "PNG")
    (tmp_path / "good.png").write_bytes(file.getvalue())
    (tmp_path / "bad.png").write_bytes(file.getvalue()[:60])
    with Image.open(tmp_path / "good.png") as good:
        entry = image("t", good, "CHW")
        assert isinstance(entry, Draft)
        assert entry.far
        np.testing.assert_array_equal(pixels_of(entry), RGB)
    with Image.open(tmp_path / "bad.png") as bad:
        with pytest.raises(EncodeError) as caught:
            value_of(image("t", bad, "CHW"))
        assert caught.value.got is bad


def test_lists_of_pillow_images() -> None:
    """A list of Pillow's images is a batch; where their modes differ, all are shown as RGBA."""
    same = [Image.fromarray(RGB), Image.fromarray(RGB[::-1].copy())]
    np.testing.assert_array_equal(
        pixels_of(images("t", same, "NCHW", grid=True)), picture(np.stack([RGB, RGB[::-1]]), "NHWC")
    )
    mixed = [Image.fromarray(RGB), Image.fromarray(GREY), Image.fromarray(RGB).convert("P")]
    first, second, _ = each(images("t", mixed, "NCHW", grid=False))
    np.testing.assert_array_equal(first[..., :3], RGB)
    np.testing.assert_array_equal(second[..., 0], GREY)
    assert first.shape[2] == 4


def test_every_permutation_is_taken() -> None:
    """All orders of the letters, in either case, are taken."""
    for letters in ("HW", "CHW", "NCHW"):
        for order in itertools.permutations(letters):
            shape = [1] * len(order)
            value_of(image("t", np.zeros(shape), "".join(order)))
            value_of(image("t", np.zeros(shape), "".join(order).lower()))
