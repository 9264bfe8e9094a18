"""A mesh is one event of vertices, faces and colours, in the types that TensorBoard serves them in."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from asynctb.encode.mesh import AT_ONCE, MOST_POINTS, mesh
from asynctb.entry import Draft, Record
from asynctb.errors import EncodeError
from asynctb.proto import plugins_pb2, tensor_pb2
from tests.encode.values import Told, never, values
from tests.inputs import TEXTS, holds
from tests.readback.imports import module

SOME = np.arange(12, dtype=np.float32).reshape(4, 3)
TYPES = {"VERTEX": tensor_pb2.DT_FLOAT, "FACE": tensor_pb2.DT_INT32, "COLOR": tensor_pb2.DT_UINT8}


def parts(entry: object, tag: str = "t", config: str = "{}") -> dict[str, Any]:
    """The tensors by kind; what stands beside them must fit them."""
    protos = values(entry)
    contents = [plugins_pb2.MeshPluginData.FromString(each.metadata.plugin_data.content) for each in protos]
    kinds = [plugins_pb2.MeshPluginData.ContentType.Name(content.content_type) for content in contents]
    assert kinds == [kind for kind in TYPES if kind in kinds]
    for kind, proto, content in zip(kinds, protos, contents, strict=True):
        assert proto.tag == f"{tag}_{kind}"
        assert proto.metadata.plugin_data.plugin_name == "mesh"
        assert (content.version, content.name, content.json_config) == (0, tag, config)
        assert list(content.shape) == [dim.size for dim in proto.tensor.tensor_shape.dim]
        assert content.components == sum(1 << content.content_type for content in contents)
        assert proto.tensor.dtype == TYPES[kind]
    return dict(zip(kinds, map(array, protos), strict=True))


def array(proto: Any) -> Any:
    theirs = module("tensorboard.compat.proto.tensor_pb2").TensorProto.FromString(proto.tensor.SerializeToString())
    return module("tensorboard.util.tensor_util").make_ndarray(theirs)


def batches(kind: str, **elements: Any) -> st.SearchStrategy[Any]:
    shapes = st.tuples(st.integers(1, 3), st.integers(0, 5), st.just(3)) | st.tuples(st.integers(0, 5), st.just(3))
    return shapes.flatmap(lambda shape: npst.arrays(kind, shape, **elements))


def numbers(width: int) -> st.SearchStrategy[float]:
    return st.floats(allow_infinity=False, width=width)  # type: ignore[arg-type]


@holds(200)
@given(TEXTS, st.sampled_from([2, 4, 8]).flatmap(lambda n: batches(f">f{n}", elements=numbers(16))))
def test_vertices(tag: str, vertices: Any) -> None:
    """Vertices are stored in single precision, NaN for a missing one included; without a batch they are one mesh."""
    entry = mesh(tag, vertices, None, None, None, never)
    assert isinstance(entry, Record)
    assert (entry.tags, entry.plugin, entry.media) == ((f"{tag}_VERTEX",), "mesh", True)
    got = parts(entry, tag)
    assert list(got) == ["VERTEX"]
    np.testing.assert_array_equal(
        got["VERTEX"], (vertices if vertices.ndim == 3 else vertices[None]).astype(np.float32)
    )


@holds(200)
@given(
    batches("f4", elements=st.floats(-9, 9, width=32)),
    st.sampled_from(["i1", "u1", ">i4", "i8", "u8", "f4", "f8"]),
    st.data(),
)
def test_faces(vertices: Any, kind: str, data: st.DataObject) -> None:
    """Faces are stored as integers, exactly, whatever type they come in."""
    count = vertices.shape[-2]
    shape = (*vertices.shape[:-2], data.draw(st.integers(0, 4)) if count else 0, 3)
    faces = data.draw(npst.arrays(kind, shape, elements=st.integers(0, max(count - 1, 0))))
    entry = mesh("t", vertices, None, faces, None, never)
    assert isinstance(entry, Record)
    assert entry.tags == ("t_VERTEX", "t_FACE")
    np.testing.assert_array_equal(parts(entry)["FACE"], (faces if faces.ndim == 3 else faces[None]).astype(np.int32))


def test_numbers_of_vertices_that_no_float_holds() -> None:
    """A face's vertex beyond 2**24 keeps its number, and that TensorBoard's page cannot draw it is told."""
    count = (1 << 24) + 2
    vertices = np.broadcast_to(np.float32(0), (count, 3))
    told = Told()
    got = parts(mesh("t", vertices, None, [[0, 1, count - 1]], None, told))
    assert got["FACE"].tolist() == [[[0, 1, count - 1]]]
    assert [key for key, _ in told] == [("mesh", "t")]
    assert f"{count} vertices" in told[0][1]


@pytest.mark.parametrize(
    ("count", "faces", "tells"), [(MOST_POINTS, 1, 0), (MOST_POINTS + 1, 1, 1), (MOST_POINTS + 1, 0, 0)]
)
def test_many_vertices_with_faces(count: int, faces: int, tells: int) -> None:
    """Up to 65,536 vertices, and without faces always, there is nothing to tell."""
    told = Told()
    parts(mesh("t", np.zeros((count, 3), np.float32), None, np.zeros((faces, 3), int), None, told))
    assert len(told) == tells


@holds(200)
@given(st.integers(0, 5).flatmap(lambda n: npst.arrays("u1", (n, 3))), st.sampled_from(["f2", "f4", ">f8"]))
def test_colours_from_0_to_1(colours: Any, kind: str) -> None:
    """Floats of which none is above 1 are 255 times as much: each of the 256 shades comes back exactly."""
    vertices = np.zeros(colours.shape)
    got = parts(mesh("t", vertices, (colours / 255).astype(kind), None, None, never))
    np.testing.assert_array_equal(got["COLOR"], colours[None])


@holds(200)
@given(st.sampled_from(["u1", "i2", "u4", "i8"]).flatmap(lambda kind: batches(kind)))
def test_colours_of_integers(colours: Any) -> None:
    """Integers are shades from 0 to 255; what is beyond is clipped."""
    entry = mesh("t", np.zeros(colours.shape), colours, None, None, never)
    assert isinstance(entry, Record)
    assert entry.tags == ("t_VERTEX", "t_COLOR")
    want = np.clip(colours, 0, 255) if colours.dtype.itemsize > 1 else colours
    np.testing.assert_array_equal(parts(entry)["COLOR"], want.reshape(parts(entry)["COLOR"].shape))


@pytest.mark.parametrize(
    ("colours", "want"),
    [
        ([254.7, 255.0, 0.5], [254, 255, 0]),  # cut, as TensorBoard does with torch's
        ([1.5, 0.9, 0.0], [1, 0, 0]),
        ([300.0, -5.0, math.inf], [255, 0, 255]),
        ([math.nan, 1.0, 0.5], [0, 255, 128]),
        ([-0.5, 1.0, -math.inf], [0, 255, 0]),
        ([1e300, 2.0, 0.0], [255, 2, 0]),
        ([True, False, True], [255, 0, 255]),
        ([1, 0, 1], [1, 0, 1]),
    ],
    ids=repr,
)
def test_other_colours(colours: list[Any], want: list[int]) -> None:
    """With a float above 1 all go to 255, bools are all or nothing, and what is beyond or NaN is clipped or 0."""
    assert parts(mesh("t", SOME[:1], [colours], None, None, never))["COLOR"].tolist() == [[want]]


def test_all_three() -> None:
    """Faces and colours of a batch go with its vertices; they take their step together."""
    vertices, faces = np.stack([SOME, SOME + 1]), np.zeros((2, 5, 3), np.int64)
    colours = np.full((2, 4, 3), 7, np.uint8)
    entry = mesh("t", vertices, colours, faces, {"b": 1, "a": {"cls": "PointsMaterial"}}, never)
    assert isinstance(entry, Record)
    assert entry.tags == ("t_VERTEX", "t_FACE", "t_COLOR")
    got = parts(entry, config='{"a": {"cls": "PointsMaterial"}, "b": 1}')
    np.testing.assert_array_equal(got["VERTEX"], vertices)
    np.testing.assert_array_equal(got["FACE"], faces)
    np.testing.assert_array_equal(got["COLOR"], colours)


@holds()
@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(), lambda deeper: st.lists(deeper, max_size=3)
        ),
    )
)
def test_config(config: dict[str, Any]) -> None:
    """Any dictionary of JSON's types is stored as JSON."""
    assert parts(mesh("t", SOME, None, None, config, never), config=json.dumps(config, sort_keys=True))


def deep() -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(100_000):
        inner = {"a": inner}
    return inner


def circular() -> dict[str, Any]:
    ring: dict[str, Any] = {}
    ring["ring"] = ring
    return ring


REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "no array": ((None,), "vertices"),
    "text": (("words",), "vertices"),
    "flat": ((SOME[0],), "vertices"),
    "of two": ((SOME[:, :2],), "vertices"),
    "too deep": ((SOME[None, None],), "vertices"),
    "complex": ((SOME * 1j,), "vertices"),
    "infinite": ((np.where(SOME == 5, np.inf, SOME),), "vertices that are finite"),
    "beyond float32": ((SOME.astype(float) * 1e38,), "vertices that are finite"),
    "colours of fewer": ((SOME, SOME[:3]), "colors of the vertices' shape"),
    "colours with alpha": ((SOME, np.zeros((4, 4))), "colors"),
    "colours of text": ((SOME, "red"), "colors"),
    "colours of more meshes": ((SOME, np.zeros((2, 4, 3))), "colors of the vertices' shape"),
    "a face of 4": ((SOME, None, [[0, 1, 2, 3]]), "faces"),
    "faces of no array": ((SOME, None, "words"), "faces"),
    "faces of more meshes": ((SOME, None, np.zeros((2, 1, 3))), "faces of as many meshes"),
    "a vertex that is not there": ((SOME, None, [[0, 1, 4]]), "faces of vertices from 0 to 3"),
    "a vertex from the end": ((SOME, None, [[0, 1, -1]]), "faces of vertices from 0 to 3"),
    "a vertex of NaN": ((SOME, None, [[0, 1, math.nan]]), "faces of vertices from 0 to 3"),
    "half a vertex": ((SOME, None, [[0, 1, 1.5]]), "faces that are whole numbers"),
    "faces without vertices": ((SOME[:0], None, [[0, 0, 0]]), "faces of vertices"),
    "a config of a list": ((SOME, None, None, [1]), "config_dict"),
    "a config of an array": ((SOME, None, None, {"a": SOME}), "config_dict"),
    "a config of NaN": ((SOME, None, None, {"a": math.nan}), "config_dict"),
    "a config of several kinds of keys": ((SOME, None, None, {"a": 1, 2: 3}), "config_dict"),
    "a config in itself": ((SOME, None, None, circular()), "config_dict"),
    "a config without end": ((SOME, None, None, deep()), "config_dict"),
}


@pytest.mark.parametrize(("args", "wanted"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(args: tuple[Any, ...], wanted: str) -> None:
    """What makes no mesh is refused."""
    with pytest.raises(EncodeError) as raised:
        vertices, colours, faces, config = (*args, None, None, None)[:4]
        mesh("t", vertices, colours, faces, config, never)
    assert raised.value.tag == "t"
    assert raised.value.wanted.startswith(wanted)


@pytest.mark.parametrize(("points", "triangles"), [(AT_ONCE // 12 + 1, 0), (4, AT_ONCE // 24 + 1)])
def test_large_one_is_taken_first(points: int, triangles: int) -> None:
    """A large mesh is checked by its take and made of the copy, whatever its owner does with it afterwards."""
    vertices, faces = np.zeros((points, 3), np.float32), np.zeros((triangles, 3), np.int64)
    draft = mesh("t", vertices, None, faces, None, never)
    assert isinstance(draft, Draft)
    assert draft.size == vertices.nbytes + faces.nbytes
    encode = draft.take()
    vertices[:] = math.inf
    with pytest.raises(EncodeError, match="finite"):
        draft.take()
    assert not parts(Record(draft.tags, encode(), "mesh"))["VERTEX"].any()
