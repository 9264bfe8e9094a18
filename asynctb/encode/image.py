"""Images for TensorBoard's Images dashboard: one, a grid of many, or many by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asynctb.encode import pieces
from asynctb.encode.arrays import Array
from asynctb.encode.drafts import draft
from asynctb.encode.files import QUALITY, Format
from asynctb.encode.pictures import dimensions, source
from asynctb.encode.pixels import check_shape, picture, pictures
from asynctb.encode.png import LEVEL
from asynctb.encode.tags import encode_tag
from asynctb.encode.tensors import metadata, strings
from asynctb.entry import Encode, Entry
from asynctb.errors import EncodeError
from asynctb.proto import summary_pb2

__all__ = ["PLUGIN", "file_payload", "grid_sides", "image", "images", "payload"]

PLUGIN = "images"


def image(
    tag: str, img: Any, dataformats: Any, format: Any = "png", quality: Any = QUALITY, compress_level: Any = LEVEL
) -> Entry:
    """Return one image; a batch is shown as a grid."""
    encode_tag(tag)
    file = Format.of(tag, format, quality, compress_level)
    held, dims = source(tag, img, dimensions(tag, dataformats))

    def prepare(array: Array) -> Encode:
        check_shape(tag, array.shape, dims)
        file.check_sides(tag, *grid_sides(array.shape, dims))
        return lambda: file_payload(tag, picture(array, dims), file)

    # Never at once: even the smallest may be the first, and imports Pillow.
    return draft([tag], PLUGIN, [held], prepare)


def images(
    tag: str, batch: Any, dataformats: Any, grid: bool, format: Any = "png", quality: Any = QUALITY, level: Any = LEVEL
) -> Entry:
    """Return many images, as a grid or each on its own."""
    if not isinstance(grid, bool):
        raise EncodeError(tag, "grid: True or False", grid)
    if grid:
        return image(tag, batch, dataformats, format, quality, level)
    encode_tag(tag)
    file = Format.of(tag, format, quality, level)
    held, dims = source(tag, batch, dimensions(tag, dataformats))

    def prepare(array: Array) -> Encode:
        check_shape(tag, array.shape, dims)
        height, width = (array.shape[dims.index(side)] for side in "HW")
        file.check_sides(tag, height, width)
        return lambda: _of_each(tag, pictures(array, dims), height, width, file)

    return draft([tag], PLUGIN, [held], prepare)


def grid_sides(shape: Sequence[int], dims: str) -> tuple[int, int]:
    """Return height and width of the picture that an array makes, as a grid if it is a batch."""
    number = shape[dims.index("N")] if "N" in dims else 1
    columns = min(number, 8)
    return shape[dims.index("H")] * -(-number // columns), shape[dims.index("W")] * columns


def file_payload(tag: str, pixels: Array, file: Format) -> bytes:
    """Return a summary of pixels (H, W, C), as a file of this format."""
    height, width, channels = pixels.shape
    return payload(tag, height, width, file.channels(channels), file.parts(pixels))


def payload(tag: str, height: int, width: int, channels: int, file: Sequence[bytes]) -> bytes:
    """Return a summary of one image file, of which its parts are given, so that they are copied once."""
    about = summary_pb2.Summary.Image(height=height, width=width, colorspace=channels).SerializeToString()
    encoded = pieces.field(b"\x22", file)  # Summary.Image.encoded_image_string
    image = pieces.field(b"\x22", [about, *encoded])  # Summary.Value.image
    return pieces.payload(pieces.field(b"\x0a", [_name(tag), *image]))  # Summary.value


def _of_each(tag: str, batch: Sequence[Array], height: int, width: int, file: Format) -> bytes:
    """Return a summary of several files in one tensor, as TensorBoard's own `image` summary: width, height, files."""
    items = [str(width).encode(), str(height).encode(), *(b"".join(file.parts(pixels)) for pixels in batch)]
    head = strings([], [len(items)])
    blobs = [piece for item in items for piece in pieces.field(b"\x42", [item])]  # TensorProto.string_val
    # An ImagePluginData of version 0 is empty in wire form.
    shown = metadata(PLUGIN, data_class=summary_pb2.DATA_CLASS_BLOB_SEQUENCE)
    return pieces.payload(pieces.field(b"\x0a", [_name(tag), *pieces.field(b"\x42", [head, *blobs]), shown]))


def _name(tag: str) -> bytes:
    return summary_pb2.Summary.Value(tag=tag).SerializeToString()
