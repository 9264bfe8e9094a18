"""What a graph's entries come to."""

from collections.abc import Iterable
from typing import Any

from asynctb.encode.graph.model import graph
from asynctb.proto import event_pb2, graph_pb2, run_metadata_pb2

__all__ = ["Clock", "assert_whole", "entries", "nodes", "stats"]


class Clock:
    """Ticks once for each look."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1000
        return self.now


def entries(model: Any, given: Any = None, *, strict: bool = True, profile: bool = False) -> list[Any]:
    """The payloads of a model's events, each as a message."""
    taken = [draft.take() for draft in graph(model, given, False, strict, profile, Clock())]  # type: ignore[union-attr]
    found = []
    for encode in taken:
        event = event_pb2.Event.FromString(encode())
        if event.WhichOneof("what") == "graph_def":
            found.append(graph_pb2.GraphDef.FromString(event.graph_def))
        else:
            found.append(run_metadata_pb2.RunMetadata.FromString(event.tagged_run_metadata.run_metadata))
    return found


def nodes(model: Any, given: Any = None, **options: Any) -> dict[str, Any]:
    """A model's nodes by their names, which must be their own."""
    found = list(entries(model, given, **options)[0].node)
    by_name = {node.name: node for node in found}
    assert len(by_name) == len(found)
    return by_name


def stats(model: Any, given: Any = None) -> dict[str, Any]:
    """What a model's nodes took, by their names, each of which must be in the graph, once."""
    drawn, metadata = entries(model, given, profile=True)
    found = [each for device in metadata.step_stats.dev_stats for each in device.node_stats]
    by_name = {each.node_name: each for each in found}
    assert len(by_name) == len(found)
    assert by_name.keys() <= {node.name for node in drawn.node}
    return by_name


def assert_whole(found: dict[str, Any], unused: Iterable[str] = ()) -> None:
    """Every edge begins at a node, and at an output that it has; every node but `unused` ones leads to an output."""
    for node in found.values():
        for edge in node.input:
            source, _, number = edge.partition(":")
            assert source in found, edge
            assert int(number or 0) < max(1, len(found[source].attr["_output_shapes"].list.shape)), edge
    leading = {name for name in found if name.startswith("output/")}
    assert leading
    rest = list(leading)
    while rest:
        for edge in found[rest.pop()].input:
            source = edge.partition(":")[0]
            if source not in leading:
                leading.add(source)
                rest.append(source)
    assert set(found) - leading == set(unused)
