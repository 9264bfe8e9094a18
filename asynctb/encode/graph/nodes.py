"""The nodes of a graph, as values; and the two events that a graph makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from asynctb.encode.wire import delimited
from asynctb.proto import event_pb2, graph_pb2, run_metadata_pb2, tensor_pb2

__all__ = [
    "PLUGIN",
    "Attr",
    "DType",
    "Node",
    "Shape",
    "Shapes",
    "Stat",
    "device",
    "dtype",
    "graph_event",
    "stats_event",
]

PLUGIN = "graphs"
PRODUCER = 22  # of the GraphDefs that TensorBoard's readers were made for; torch writes it
STATS_TAG = "step1"  # torch's; TensorBoard shows it in a list beside the graph
CPU = "/device:CPU:0"

_GRAPH_DEF = b"\x22"  # Event.graph_def
_TAGGED_RUN_METADATA = b"\x42"  # Event.tagged_run_metadata


class DType(NamedTuple):
    """A type of numbers, as a number of TensorFlow's."""

    number: int


class Shape(NamedTuple):
    """One shape; -1 for a side that is not known, and no sides at all for a tensor without axes."""

    sides: Sequence[int]


class Shapes(NamedTuple):
    """The shapes of a node's outputs; None for what is no tensor. TensorBoard writes them at the edges."""

    shapes: Sequence[Sequence[int] | None]


Attr: TypeAlias = str | int | DType | Shape | Shapes


class Node(NamedTuple):
    """One node."""

    name: str
    """Its own alone; `/` puts it into boxes."""
    op: str
    inputs: Sequence[str] = ()
    """Names of nodes; with `:1` at its end, the second output of one."""
    attrs: Mapping[str, Attr] = {}
    device: str = ""


class Stat(NamedTuple):
    """What a node took when it ran."""

    node: str
    start: int
    """Nanoseconds since the epoch."""
    took: int
    """Nanoseconds; 0 for what was there before."""
    memory: int
    """Bytes of its outputs' own memory."""
    device: str = ""
    shapes: Sequence[Sequence[int]] = ()
    """Those of its outputs."""


_TYPES = {
    "float32": tensor_pb2.DT_FLOAT,
    "float64": tensor_pb2.DT_DOUBLE,
    "float16": tensor_pb2.DT_HALF,
    "bfloat16": tensor_pb2.DT_BFLOAT16,
    "int8": tensor_pb2.DT_INT8,
    "int16": tensor_pb2.DT_INT16,
    "int32": tensor_pb2.DT_INT32,
    "int64": tensor_pb2.DT_INT64,
    "uint8": tensor_pb2.DT_UINT8,
    "uint16": tensor_pb2.DT_UINT16,
    "uint32": tensor_pb2.DT_UINT32,
    "uint64": tensor_pb2.DT_UINT64,
    "bool": tensor_pb2.DT_BOOL,
    "complex64": tensor_pb2.DT_COMPLEX64,
    "complex128": tensor_pb2.DT_COMPLEX128,
    "string": tensor_pb2.DT_STRING,
    "qint8": tensor_pb2.DT_QINT8,
    "quint8": tensor_pb2.DT_QUINT8,
    "qint32": tensor_pb2.DT_QINT32,
    "float8_e5m2": tensor_pb2.DT_FLOAT8_E5M2,
    "float8_e4m3fn": tensor_pb2.DT_FLOAT8_E4M3FN,
}


def dtype(kind: Any) -> dict[str, Attr]:
    """Return the attribute of a type, torch's or by its name; none for one that TensorFlow has no number for."""
    number = _TYPES.get(str(kind).removeprefix("torch."))
    return {} if number is None else {"dtype": DType(number)}


def device(where: Any) -> str:
    """Name a torch device as TensorFlow does; nothing for none."""
    return f"/device:{where.type.upper()}:{where.index or 0}" if where is not None else ""


def graph_event(nodes: Iterable[Node]) -> bytes:
    """Return the payload of an event that holds a graph."""
    graph = graph_pb2.GraphDef(node=map(_node, nodes), versions={"producer": PRODUCER})
    return ready_event(graph.SerializeToString())


def ready_event(graph: bytes) -> bytes:
    """Return the payload of an event that holds a graph in wire form."""
    return delimited(_GRAPH_DEF, graph)


def stats_event(stats: Sequence[Stat]) -> bytes:
    """Return the payload of an event that holds what the nodes took, by device; without any, torch's empty one."""
    devices: dict[str, list[run_metadata_pb2.NodeExecStats]] = {} if stats else {CPU: []}
    for stat in stats:
        devices.setdefault(stat.device or CPU, []).append(_stat(stat))
    by_device = [
        run_metadata_pb2.DeviceStepStats(device=name, node_stats=taken) for name, taken in sorted(devices.items())
    ]
    metadata = run_metadata_pb2.RunMetadata(step_stats={"dev_stats": by_device})
    return ready_stats_event(metadata.SerializeToString())


def ready_stats_event(metadata: bytes) -> bytes:
    """Return the payload of an event that holds a RunMetadata in wire form."""
    tagged = event_pb2.TaggedRunMetadata(tag=STATS_TAG, run_metadata=metadata)
    return delimited(_TAGGED_RUN_METADATA, tagged.SerializeToString())


def _stat(stat: Stat) -> run_metadata_pb2.NodeExecStats:
    start, took = stat.start // 1000, -(-stat.took // 1000)  # what took no whole microsecond was run nevertheless
    made = run_metadata_pb2.NodeExecStats(
        node_name=stat.node,
        all_start_micros=start,
        op_end_rel_micros=took,
        all_end_rel_micros=took,
        all_start_nanos=stat.start,
        op_end_rel_nanos=stat.took,
        all_end_rel_nanos=stat.took,
    )
    for slot, shape in enumerate(stat.shapes):
        made.output.add(slot=slot, tensor_description={"shape": _shape(shape)})
    if stat.memory:
        made.memory.add(allocator_name=stat.device or CPU, total_bytes=stat.memory, peak_bytes=stat.memory)
    return made


def _node(node: Node) -> graph_pb2.NodeDef:
    attrs = {key: _attr(value) for key, value in node.attrs.items()}
    return graph_pb2.NodeDef(name=node.name, op=node.op, input=node.inputs, attr=attrs, device=node.device)


def _attr(value: Attr) -> graph_pb2.AttrValue:
    match value:
        case str():
            return graph_pb2.AttrValue(s=value.encode(errors="replace"))
        case DType():
            return graph_pb2.AttrValue(type=value.number)  # type: ignore[arg-type]
        case Shape():
            return graph_pb2.AttrValue(shape=_shape(value.sides))
        case Shapes():
            return graph_pb2.AttrValue(list={"shape": map(_shape, value.shapes)})
        case _:
            return graph_pb2.AttrValue(i=value)


def _shape(sides: Sequence[int] | None) -> tensor_pb2.TensorShapeProto:
    if sides is None:
        return tensor_pb2.TensorShapeProto(unknown_rank=True)
    return tensor_pb2.TensorShapeProto(dim=[{"size": side} for side in sides])
