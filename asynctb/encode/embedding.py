"""Points in a space of many dimensions, for TensorBoard's Projector: no events, but files beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from asynctb.encode import projector
from asynctb.encode.arrays import Array, Held, as_step, held, snapshot
from asynctb.encode.decimals import tsv
from asynctb.encode.labels import labels
from asynctb.encode.sprite import IMAGES, Sprite, sprite
from asynctb.encode.tags import encode_tag
from asynctb.entry import Asset, Assets, Draft, Encode, Entry, Record, Tell, pack
from asynctb.errors import EncodeError
from asynctb.proto.projector_pb2 import EmbeddingInfo

__all__ = ["embedding"]

PLUGIN = "projector"
MATRIX = "a matrix of real numbers: a row for each point, a column for each dimension"
FINITE = "finite numbers within float32's range: of others the Projector shows no point"
FORMATS = {"tsv": "tensors.tsv", "binary": "tensors.bytes"}
AT_ONCE = 16 << 10  # bytes that are made into text within a millisecond
LABEL = 64  # bytes that a label is taken to occupy
NAME_MAX = 255  # bytes of a folder's name
_LARGEST = float(np.finfo(np.float32).max)


class _Plan(NamedTuple):
    """Where an embedding goes, and what it comes with."""

    name: str
    folder: str
    format: str
    labelled: bool
    pictured: bool

    @property
    def paths(self) -> list[str]:
        """Its files, in the order in which they are written: the configuration names only what is there."""
        names = [FORMATS[self.format], *["metadata.tsv"] * self.labelled, *["sprite.png"] * self.pictured]
        return [f"{self.folder}/{name}" for name in names]

    @property
    def assets(self) -> Assets:
        """The same and the configuration."""
        return (*map(Asset, self.paths), Asset(projector.CONFIG, projector.merge))


def embedding(
    tag: str,
    mat: Any,
    metadata: Any,
    label_img: Any,
    step: Any,
    header: Sequence[Any] | None,
    format: str,
    tell: Tell,
) -> Entry:
    """Return the files of an embedding as one entry; raises `EncodeError` for what is none.

    Small ones are checked right here, and encoded too, unless they have images.
    """
    if not isinstance(format, str) or format not in FORMATS:
        raise EncodeError(tag, " or ".join(map(repr, FORMATS)), format)
    # torch's number: an embedding has no axis of steps on which to count on.
    number = f"{as_step(tag, step) or 0:d}".zfill(5)
    folder = f"{number}/{_folder(tag)}".rstrip("/")
    plan = _Plan(f"{tag}:{number}", folder, format, metadata is not None, label_img is not None)
    matrix = held(tag, mat, MATRIX)
    images = None if label_img is None else held(tag, label_img, IMAGES)
    take = _taker(plan, matrix, metadata, header, images, tell)
    size = matrix.nbytes + (images.nbytes if images else 0) + _label_bytes(metadata)
    far = matrix.far or (images is not None and images.far)
    if size <= AT_ONCE and not far:
        encode = take()
        if images is None:
            return Record((), encode(), PLUGIN, plan.assets, media=True)
        take = lambda: encode  # noqa: E731 - it has been taken
    return Draft((), size, take, PLUGIN, plan.assets, far=far)


def _folder(tag: str) -> str:
    """Return a tag as the name of a folder, as torch does; raises `EncodeError` for one that no folder can have."""
    encode_tag(tag)
    name = tag.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")
    if name in (".", "..") or "\0" in name or len(name.encode()) > NAME_MAX:
        raise EncodeError(tag, f"a tag that can name a folder: not '.' or '..', {NAME_MAX} bytes at most, no NUL", tag)
    return name


def _label_bytes(metadata: Any) -> int:
    with suppress(Exception):
        return LABEL * len(metadata)
    return 0


def _taker(
    plan: _Plan, matrix: Held, metadata: Any, header: Sequence[Any] | None, images: Held | None, tell: Tell
) -> Callable[[], Encode]:
    def take() -> Encode:
        points = _points(matrix.tag, snapshot(matrix))
        texts = labels(matrix.tag, metadata, header, len(points)) if plan.labelled else None
        pictures = sprite(matrix.tag, snapshot(images), len(points), tell) if images is not None else None
        return lambda: _files(plan, points, texts, pictures)

    return take


def _points(tag: str, matrix: Array) -> Array:
    if matrix.ndim != 2 or not matrix.size:
        raise EncodeError(tag, MATRIX, matrix)
    if matrix.dtype.kind == "f" and not (abs(matrix.min()) <= _LARGEST and abs(matrix.max()) <= _LARGEST):
        raise EncodeError(tag, FINITE, matrix)
    return matrix


def _files(plan: _Plan, points: Array, texts: list[bytes] | None, pictures: Sprite | None) -> bytes:
    paths = iter(plan.paths)
    info = EmbeddingInfo(tensor_name=plan.name, tensor_path=next(paths))
    contents = [_binary(points) if plan.format == "binary" else tsv(points)]
    if plan.format == "binary":
        info.tensor_shape.extend(points.shape)
    if texts is not None:
        info.metadata_path = next(paths)
        contents.append(texts)
    if pictures is not None:
        info.sprite.image_path = next(paths)
        info.sprite.single_image_dim.extend((pictures.width, pictures.height))
        contents.append([pictures.encode()])
    return pack([*contents, [projector.entry(info)]])


def _binary(points: Array) -> list[bytes]:
    """Return a matrix as TensorBoard reads one: float32, or as text, should its bytes be taken for text.

    TensorBoard takes a file for text until a line of it is no UTF-8, and gives up where a line of UTF-8 is no number.
    So the first line must be none, wherever lines end. It hardly ever is; but the bytes of 0, 2 and 0.5 are.
    """
    content = points.astype("<f4").tobytes()
    first = re.match(rb"[^\r\n]*", content)
    try:
        str(memoryview(content)[: first.end() if first else 0], "utf-8")
    except UnicodeDecodeError:
        return [content]
    return tsv(points.astype(np.float32))
