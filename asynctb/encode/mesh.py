"""Meshes and point clouds for TensorBoard's Mesh dashboard: one event of up to three tensors."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from asynctb.encode.arrays import Array, held
from asynctb.encode.drafts import draft
from asynctb.encode.pieces import payload, tensor_value
from asynctb.encode.ranges import check_range
from asynctb.encode.tags import encode_tag
from asynctb.entry import Encode, Entry, Tell
from asynctb.errors import EncodeError, Shape
from asynctb.proto import plugins_pb2

__all__ = ["mesh"]

if TYPE_CHECKING:
    Kind: TypeAlias = plugins_pb2.MeshPluginData.ContentType

PLUGIN = "mesh"
MOST_POINTS = 1 << 16  # of a mesh with faces: TensorBoard's page keeps the numbers of their corners in 16 bits
AT_ONCE = 64 << 10  # bytes up to which encoding takes less than the 0.1 ms of a thread's turn
TOO_MANY_POINTS = (
    "asynctb: mesh %r has %d vertices, and TensorBoard draws only those faces right that are of its first 65,536. "
    "(Said once for this tag.)"
)
VERTICES = "vertices: an array of the shape (B, N, 3) or (N, 3)"
FACES = "faces: an array of integers of the shape (B, F, 3) or (F, 3)"
COLORS = "colors: an array of the vertices' shape"


class _Part(NamedTuple):
    """One of the tensors, and how it is checked and stored."""

    kind: Kind
    value: Any
    wanted: str
    prepare: Callable[[str, Array, Array, Tell], Callable[[], Array]]
    """Checks it, given the vertices too; what it returns makes what is stored."""


def mesh(tag: str, vertices: Any, colors: Any, faces: Any, config_dict: Any, tell: Tell) -> Entry:
    """Return one event of vertices, faces and colours, each under a tag of its own; the latter two may be None."""
    encode_tag(tag)
    config = _config(tag, config_dict)
    types = plugins_pb2.MeshPluginData
    parts = [
        _Part(types.VERTEX, vertices, VERTICES, _vertices),
        _Part(types.FACE, faces, FACES, _faces),
        _Part(types.COLOR, colors, COLORS, _colors),
    ]
    parts = [part for part in parts if part.value is not None or part.kind == types.VERTEX]
    sources = [held(tag, part.value, part.wanted) for part in parts]
    tags = [_name(tag, part.kind) for part in parts]
    return draft(tags, PLUGIN, sources, partial(_prepare, tag, parts, config, tell), at_once=AT_ONCE)


def _config(tag: str, config_dict: Any) -> str:
    wanted = "config_dict: a dictionary that JSON can hold"
    if not isinstance(config_dict, (dict, type(None))):
        raise EncodeError(tag, wanted, config_dict)
    try:
        return json.dumps(config_dict or {}, sort_keys=True, allow_nan=False)  # browsers know no NaN in JSON
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError(tag, wanted, config_dict) from error


def _name(tag: str, kind: Kind) -> str:
    return f"{tag}_{plugins_pb2.MeshPluginData.ContentType.Name(kind)}"


def _prepare(tag: str, parts: list[_Part], config: str, tell: Tell, *arrays: Array) -> Encode:
    batches = [_batch(tag, part.wanted, array) for part, array in zip(parts, arrays, strict=True)]
    points = batches[0]
    makes = [part.prepare(tag, batch, points, tell) for part, batch in zip(parts, batches, strict=True)]
    kinds = [part.kind for part in parts]
    return lambda: _payload(tag, config, dict(zip(kinds, [make() for make in makes], strict=True)))


def _batch(tag: str, wanted: str, array: Array) -> Array:
    batch = array[np.newaxis] if array.ndim == 2 else array
    if batch.ndim != 3 or batch.shape[2] != 3:
        raise EncodeError(tag, wanted, Shape(array.shape))
    return batch


def _vertices(tag: str, batch: Array, points: Array, tell: Tell) -> Callable[[], Array]:
    with np.errstate(over="ignore"):
        singles = batch.astype(np.float32, copy=False)
    if np.isinf(singles).any():  # one of them, and TensorBoard looks at the scene from infinitely far away
        raise EncodeError(tag, "vertices that are finite in float32, or NaN for a point that is missing", np.inf)
    return lambda: singles


def _faces(tag: str, batch: Array, points: Array, tell: Tell) -> Callable[[], Array]:
    meshes, count, _ = points.shape
    if batch.shape[0] != meshes:
        raise EncodeError(tag, f"faces of as many meshes as there are vertices of: {meshes}", Shape(batch.shape))
    check_range(tag, batch, f"faces of vertices from 0 to {count - 1}", 0, count - 1)
    corners = batch.astype(np.int32)
    if batch.dtype.kind == "f" and np.any(corners != batch):
        raise EncodeError(tag, "faces that are whole numbers", batch[corners != batch][0].item())
    if batch.size and count > MOST_POINTS:
        tell((PLUGIN, tag), TOO_MANY_POINTS, tag, count)
    return lambda: corners


def _colors(tag: str, batch: Array, points: Array, tell: Tell) -> Callable[[], Array]:
    if batch.shape != points.shape:
        raise EncodeError(tag, f"colors of the vertices' shape {points.shape}", Shape(batch.shape))
    return lambda: _bytes(batch)


def _bytes(colors: Array) -> Array:
    """Return colours from 0 to 255; floats and bools of which none is above 1 are from 0 to 1."""
    with np.errstate(over="ignore"):
        floats = np.clip(colors.astype(np.float32), 0, 255)
    if colors.dtype.kind in "fb" and not np.any(floats > 1):
        floats = np.rint(floats * 255)
    np.copyto(floats, 0, where=np.isnan(floats))
    return floats.astype(np.uint8)


def _payload(tag: str, config: str, tensors: dict[Kind, Array]) -> bytes:
    components = sum(1 << kind for kind in tensors)
    values = []
    for kind, tensor in tensors.items():
        content = plugins_pb2.MeshPluginData(
            name=tag,
            content_type=kind,
            json_config=config,
            shape=tensor.shape,
            components=components,
        )
        values.append(tensor_value(_name(tag, kind), tensor, PLUGIN, content.SerializeToString()))
    return payload(chain.from_iterable(values))
