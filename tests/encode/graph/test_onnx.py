"""ONNX models: operators by the names of their first outputs, and every edge that the model has."""

import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from asynctb import EncodeError
from asynctb.encode.graph.onnx import onnx_graph
from asynctb.proto import event_pb2, graph_pb2, tensor_pb2
from tests.readback.imports import module


def draft(model: Any) -> Any:
    return onnx_graph(model)


def drawn(model: Any) -> Any:
    event = event_pb2.Event.FromString(draft(model).take()())
    return {node.name: node for node in graph_pb2.GraphDef.FromString(event.graph_def).node}


@pytest.fixture
def onnx() -> Any:
    pytest.importorskip("onnx")
    return module("onnx")


@pytest.fixture
def model(onnx: Any) -> Any:
    """A model with weights, an operator of two outputs, inputs that are left out, and names as torch gives them."""
    make, kinds, array = onnx.helper, onnx.TensorProto, onnx.numpy_helper.from_array
    np = module("numpy")
    nodes = [
        make.make_node("Conv", ["x", "/c/W", "/c/b"], ["/c/Conv_output_0"], kernel_shape=[3, 3], auto_pad="SAME_UPPER"),
        make.make_node("Split", ["/c/Conv_output_0"], ["a", "b"], axis=1),
        make.make_node("Add", ["a", "b"], ["s:0"], name="sum"),
        make.make_node("Clip", ["s:0", "", "most"], ["y"]),
        make.make_node("TopK", ["b"], ["", "z"]),
        make.make_node("Constant", [], ["k"], value=array(np.zeros((2, 3)), "")),
        make.make_node("Print", ["k"], [], name="last"),
    ]
    value = make.make_tensor_value_info
    weights = [array(np.zeros((4, 3, 3, 3), np.float32), "/c/W"), array(np.zeros(4, np.float32), "/c/b")]
    graph = make.make_graph(
        nodes,
        "graph",
        [value("x", kinds.FLOAT, ["batch", 3, 8, 8]), value("/c/b", kinds.FLOAT, [4])],
        [value("y", kinds.FLOAT, ["batch", 2, 8, 8]), value("z", kinds.INT64, None)],
        [*weights, array(np.array(3, np.uint8), "most")],
        value_info=[value("b", kinds.FLOAT16, [1, 2])],
    )
    return make.make_model(graph)


def shapes(node: Any) -> Any:
    found = node.attr["_output_shapes"].list.shape
    return [None if shape.unknown_rank else [side.size for side in shape.dim] for shape in found]


def test_operators_and_edges(model: Any) -> None:
    """Edges lead to the right output of the right node; what is left out has none."""
    found = drawn(model)
    edges = {name: (node.op, list(node.input)) for name, node in found.items()}
    assert edges == {
        "x": ("Variable", []),
        "output/y": ("Variable", ["y"]),
        "output/z": ("Variable", ["z:1"]),
        "c/W": ("Const", []),
        "c/b": ("Const", []),
        "most": ("Const", []),
        "c/Conv_output_0": ("Conv", ["x", "c/W", "c/b"]),
        "a": ("Split", ["c/Conv_output_0"]),
        "s_0": ("Add", ["a", "a:1"]),
        "y": ("Clip", ["s_0", "most"]),
        "z": ("TopK", ["a:1"]),
        "k": ("Constant", []),
        "last": ("Print", ["k"]),
    }


def test_types_and_shapes(model: Any) -> None:
    """Types are TensorFlow's, shapes stand where the model has them, and a side without a number is -1."""
    found = drawn(model)
    assert [side.size for side in found["x"].attr["shape"].shape.dim] == [-1, 3, 8, 8]
    assert shapes(found["output/y"]) == [[-1, 2, 8, 8]]
    assert shapes(found["a"]) == [None, [1, 2]]
    assert shapes(found["c/W"]) == [[4, 3, 3, 3]]
    assert found["c/W"].attr["parameters"].i == 108
    assert "_output_shapes" not in found["output/z"].attr
    types = {name: found[name].attr["dtype"].type for name in ("x", "most", "a", "output/z")}
    assert types == {
        "x": tensor_pb2.DT_FLOAT,
        "most": tensor_pb2.DT_UINT8,
        "a": tensor_pb2.DT_HALF,
        "output/z": tensor_pb2.DT_INT64,
    }


def test_attributes(model: Any) -> None:
    """Attributes are readable text; a tensor among them is its shape alone."""
    found = drawn(model)
    assert found["c/Conv_output_0"].attr["parameters"].s == b"auto_pad = SAME_UPPER, kernel_shape = [3, 3]"
    assert found["k"].attr["parameters"].s == b"value = a tensor of [2, 3]"


def test_every_form(model: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The message, its bytes, its file by path or open, and without its weights' own file: all give the same."""
    path = tmp_path / "model.onnx"
    module("onnx").save(model, path)
    wanted = drawn(model)
    for form in (path, str(path), path.read_bytes(), BytesIO(path.read_bytes())):
        assert drawn(form) == wanted
    weight = model.graph.initializer[0]
    weight.data_location = 1
    weight.external_data.add(key="location", value="missing.bin")
    path.write_bytes(model.SerializeToString())
    assert drawn(path) == wanted
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("bad", [None, 5, [], object()])
def test_what_is_no_model(bad: Any) -> None:
    """What cannot be a model raises at once."""
    with pytest.raises(EncodeError) as raised:
        onnx_graph(bad)
    assert (raised.value.tag, raised.value.got) == ("add_onnx_graph", bad)


@pytest.mark.parametrize("bad", [b"words", b"", b"\xff"])
def test_bytes_that_are_no_model(bad: bytes, onnx: Any) -> None:
    """Bytes that are no model, or one without a graph, raise when they are taken."""
    with pytest.raises(EncodeError):
        draft(bad).take()


def test_file_that_is_not_there(onnx: Any, tmp_path: Path) -> None:
    """A file that cannot be read is the system's error, not one of ours."""
    with pytest.raises(FileNotFoundError):
        draft(tmp_path / "none.onnx").take()


def test_without_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error says how to install it."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'asynctb\[onnx\]'"):
        draft(b"model").take()
