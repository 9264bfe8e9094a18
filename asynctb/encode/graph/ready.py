"""Graphs that are GraphDefs already, TensorFlow's or whoever's; and what their nodes took, if that comes with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from asynctb.encode.graph.nodes import PLUGIN, ready_event, ready_stats_event
from asynctb.encode.ready_made import is_message, parsed, serialized, size_of
from asynctb.entry import Draft, Encode, Entry, Record
from asynctb.errors import EncodeError
from asynctb.proto import graph_pb2, run_metadata_pb2

__all__ = ["is_ready", "ready"]

AT_ONCE = 64 << 10  # bytes up to which it costs less to look at a graph than to have a thread do it


def is_ready(model: Any) -> bool:
    """Tell whether a value is a GraphDef, the message of any library or bytes; or a pair of one and a RunMetadata."""
    if isinstance(model, tuple) and len(model) == 2:
        return _is_graph(model[0])
    return _is_graph(model)


def _is_graph(model: Any) -> bool:
    return isinstance(model, (bytes, bytearray, memoryview)) or is_message("GraphDef", model)


def ready(tag: str, model: Any) -> list[Entry]:
    """Return a graph's event, and that of its RunMetadata; raises `EncodeError` for what they are not.

    A graph without a node is refused.
    """
    graph, *stats = model if isinstance(model, tuple) else (model,)
    return [
        _entry(partial(_take, tag), "GraphDef", graph),
        *(_entry(_take_stats, "RunMetadata", each) for each in stats),
    ]


def _entry(take_it: Callable[[Any], Encode], name: str, message: Any) -> Entry:
    size = size_of(name, message)
    take = partial(take_it, message)
    return Record((), take()(), PLUGIN, media=True) if size <= AT_ONCE else Draft((), size, take, PLUGIN)


def _take(tag: str, graph: Any) -> Encode:
    wire = serialized("GraphDef", graph)
    found = parsed(graph_pb2.GraphDef, wire, graph, tag)
    if not found.node and not found.library.function:
        raise EncodeError(tag, "a GraphDef with nodes", graph)
    return lambda: ready_event(wire)


def _take_stats(stats: Any) -> Encode:
    wire = serialized("RunMetadata", stats)
    parsed(run_metadata_pb2.RunMetadata, wire, stats, "RunMetadata")
    return lambda: ready_stats_event(wire)
