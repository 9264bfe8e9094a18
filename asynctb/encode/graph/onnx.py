"""ONNX models to nodes: each operator by the name of its first output, as torch's `add_onnx_graph` names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from math import prod
from typing import Any

from asynctb.encode.arrays import INT64_MAX
from asynctb.encode.graph.nodes import PLUGIN, Attr, Node, Shape, Shapes, dtype, graph_event
from asynctb.encode.graph.scopes import Names
from asynctb.entry import Draft, Encode, Entry
from asynctb.errors import EncodeError

__all__ = ["onnx_graph"]

TAG = "add_onnx_graph"
ROOM = 256 << 10  # bytes that a graph is counted with until it is known
LONG = 200  # characters of an attribute's text

# AttributeProto.AttributeType, and the field that holds such an attribute.
_FIELDS = {1: "f", 2: "i", 3: "s", 6: "floats", 7: "ints", 8: "strings"}
_OTHER = {4: "tensor", 5: "graph", 9: "tensors", 10: "graphs", 11: "sparse tensor", 12: "sparse tensors", 13: "type"}
_TENSOR = 4
# TensorProto.DataType; the numbers are not TensorFlow's.
_TYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8_e4m3fn",
    19: "float8_e5m2",
}


def onnx_graph(model: Any) -> Entry:
    """Return the event of an ONNX model's graph, which is read when the entry is taken."""
    if not (isinstance(model, (str, bytes)) or _is_message(model) or _is_file(model)):
        raise EncodeError(TAG, "an ONNX model: its path, its bytes, an open file, or an onnx.ModelProto", model)
    return Draft((), ROOM, partial(_take, model), PLUGIN, slow=True)


def _is_message(model: Any) -> bool:
    return getattr(getattr(model, "DESCRIPTOR", None), "name", None) == "ModelProto"


def _is_file(model: Any) -> bool:
    return hasattr(model, "__fspath__") or callable(getattr(model, "read", None))


def _take(model: Any) -> Encode:
    found = model if _is_message(model) else _parsed(model)
    if not found.graph.node:
        raise EncodeError(TAG, "an ONNX model with a graph", model)
    return partial(graph_event, list(_nodes(found.graph)))


def _parsed(model: Any) -> Any:
    try:
        onnx: Any = import_module("onnx")
    except ImportError as error:
        raise ImportError("add_onnx_graph needs onnx: pip install 'asynctb[onnx]'") from error
    try:
        if isinstance(model, bytes):
            return onnx.load_model_from_string(model)
        return onnx.load(model, load_external_data=False)  # weights are not drawn, wherever they are
    except OSError:
        raise
    except Exception as error:
        raise EncodeError(TAG, "an ONNX model", model) from error


def _nodes(graph: Any) -> Iterator[Node]:
    """Return a graph's nodes: inputs, outputs, weights, operators."""
    names = Names()
    weights = {weight.name: weight for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    edges = {name: names.unique(name) for name in (*(value.name for value in inputs), *weights)}
    ops = list(_named(graph.node, names, edges))
    shapes = _shapes(graph)
    for value in inputs:
        yield _variable(value, edges[value.name], [])
    for value in graph.output:
        yield _variable(value, names.unique(f"output/{value.name}"), [edges[n] for n in [value.name] if n in edges])
    for name, weight in weights.items():
        yield _weight(weight, edges[name])
    for op, name in ops:
        yield _op(op, name, [edges[each] for each in op.input if each in edges], shapes)


def _named(ops: Sequence[Any], names: Names, edges: dict[str, str]) -> Iterator[tuple[Any, str]]:
    """Name the operators, and the edges from each of their outputs; an output that is not wanted has no name."""
    for op in ops:
        first = next(filter(None, op.output), "") or op.name or op.op_type
        name = names.unique(first)
        edges.update({each: f"{name}:{i}" if i else name for i, each in enumerate(op.output) if each})
        yield op, name


def _shapes(graph: Any) -> dict[str, Any]:
    """Return the types of values by their names, as far as the model tells."""
    found = {}
    for value in (*graph.value_info, *graph.output, *graph.input):
        kind = value.type.tensor_type
        if value.type.HasField("tensor_type") and kind.HasField("shape"):
            found[value.name] = kind
    return found


def _sides(kind: Any) -> list[int]:
    # A side without a number is of any length.
    return [side.dim_value if side.HasField("dim_value") else -1 for side in kind.shape.dim]


def _variable(value: Any, name: str, inputs: Sequence[str]) -> Node:
    kind = value.type.tensor_type
    attrs: dict[str, Attr] = dtype(_TYPES.get(kind.elem_type))
    if kind.HasField("shape"):
        attrs.update({"shape": Shape(_sides(kind)), "_output_shapes": Shapes([_sides(kind)])})
    return Node(name, "Variable", inputs, attrs)


def _weight(weight: Any, name: str) -> Node:
    """Return a weight as a constant, which TensorBoard draws small, at the side of what it goes to."""
    attrs = {
        **dtype(_TYPES.get(weight.data_type)),
        "shape": Shape(weight.dims),
        "_output_shapes": Shapes([weight.dims]),
    }
    count = prod(weight.dims)
    known = {"parameters": count} if 0 <= count <= INT64_MAX else {}  # the file may say anything
    return Node(name, "Const", [], {**attrs, **known})


def _op(op: Any, name: str, inputs: Sequence[str], types: Mapping[str, Any]) -> Node:
    attrs: dict[str, Attr] = {"parameters": ", ".join(f"{each.name} = {_text(each)}" for each in op.attribute)}
    known = [types.get(each) for each in op.output]
    if any(kind is not None for kind in known):
        attrs["_output_shapes"] = Shapes([None if kind is None else _sides(kind) for kind in known])
        attrs.update(dtype(_TYPES.get(next(kind.elem_type for kind in known if kind is not None))))
    return Node(name, op.op_type, inputs, attrs)


def _text(attribute: Any) -> str:
    kind = attribute.type
    if kind not in _FIELDS:
        sides = f" of {list(attribute.t.dims)}" if kind == _TENSOR else ""
        return f"a {_OTHER[kind]}{sides}" if kind in _OTHER else "?"
    value = getattr(attribute, _FIELDS[kind])
    several = kind > _TENSOR
    text = str([_plain(each) for each in value]) if several else str(_plain(value))
    return text if len(text) <= LONG else f"{text[:LONG]}..."


def _plain(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
