"""Nodes are NodeDefs, statistics are NodeExecStats, and both are events that TensorBoard reads."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.graph.nodes import Attr, DType, Node, Shape, Shapes, Stat, dtype, graph_event, stats_event
from asynctb.proto import event_pb2, graph_pb2, run_metadata_pb2, tensor_pb2

sides = st.lists(st.integers(-1, 1 << 40), max_size=4)
attrs = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.sampled_from([DType(1), DType(10)]),
    sides.map(Shape),
    st.lists(sides, max_size=3).map(Shapes),
)
names = st.text("abc/[].", min_size=1)


def graph_of(payload: bytes) -> Any:
    return graph_pb2.GraphDef.FromString(event_pb2.Event.FromString(payload).graph_def)


def stats_of(payload: bytes) -> Any:
    tagged = event_pb2.Event.FromString(payload).tagged_run_metadata
    assert tagged.tag == "step1"
    return run_metadata_pb2.RunMetadata.FromString(tagged.run_metadata).step_stats.dev_stats


def plain(attr: Any) -> Attr:
    match attr.WhichOneof("value"):
        case "s":
            return str(attr.s.decode())
        case "type":
            return DType(attr.type)
        case "shape":
            return Shape([side.size for side in attr.shape.dim])
        case "list":
            return Shapes([[side.size for side in shape.dim] for shape in attr.list.shape])
        case _:
            return int(attr.i)


@given(
    st.lists(
        st.builds(Node, names, names, st.lists(names, max_size=3), st.dictionaries(names, attrs, max_size=3), names)
    )
)
def test_nodes_come_back(nodes: list[Node]) -> None:
    """A graph's event holds each node, in order, with all that it has."""
    found = graph_of(graph_event(nodes))
    assert found.versions.producer == 22
    back = [
        Node(each.name, each.op, list(each.input), {k: plain(v) for k, v in each.attr.items()}, each.device)
        for each in found.node
    ]
    assert back == nodes


def test_shape_that_is_not_known() -> None:
    """An output that is no tensor has its place among the shapes, and none."""
    found = graph_of(graph_event([Node("a", "b", attrs={"_output_shapes": Shapes([None, []])})]))
    assert [shape.unknown_rank for shape in found.node[0].attr["_output_shapes"].list.shape] == [True, False]


def test_text_that_utf8_cannot_encode() -> None:
    """An attribute's text may hold anything: it is somebody's."""
    assert graph_of(graph_event([Node("a", "b", attrs={"attr": "\ud800"})])).node[0].attr["attr"].s == b"?"


def test_types() -> None:
    """Types are TensorFlow's numbers, by torch's names; one that has no number is left out."""
    assert dtype("torch.bfloat16") == {"dtype": DType(tensor_pb2.DT_BFLOAT16)}
    assert dtype("int64") == {"dtype": DType(tensor_pb2.DT_INT64)}
    assert dtype("torch.bits8") == dtype(None) == {}


stats = st.builds(
    Stat,
    names,
    st.integers(0, 1 << 60),
    st.integers(0, 1 << 50),
    st.integers(0, 1 << 40),
    st.sampled_from(["", "/device:CPU:0", "/device:CUDA:1"]),
    st.lists(st.lists(st.integers(0, 9), max_size=2), max_size=2),
)


@given(st.lists(stats, min_size=1, max_size=9))
def test_stats_come_back(given: list[Stat]) -> None:
    """Each node's time, memory and shapes are there, by device, in order; what took anything took a microsecond."""
    devices = stats_of(stats_event(given))
    assert [each.device for each in devices] == sorted({stat.device or "/device:CPU:0" for stat in given})
    for device in devices:
        mine = [stat for stat in given if (stat.device or "/device:CPU:0") == device.device]
        for found, stat in zip(device.node_stats, mine, strict=True):
            assert (found.node_name, found.all_start_nanos, found.all_end_rel_nanos) == (
                stat.node,
                stat.start,
                stat.took,
            )
            assert found.all_start_micros == stat.start // 1000
            assert stat.took <= 1000 * found.all_end_rel_micros < stat.took + 1000
            assert sum(each.total_bytes for each in found.memory) == stat.memory
            shapes = [[side.size for side in each.tensor_description.shape.dim] for each in found.output]
            assert shapes == stat.shapes


def test_no_stats() -> None:
    """Without any there is torch's empty device, so that TensorBoard lists the tag."""
    (device,) = stats_of(stats_event([]))
    assert (device.device, len(device.node_stats)) == ("/device:CPU:0", 0)
