"""Graphs that are GraphDefs already, TensorFlow's or whoever's."""

from __future__ import annotations

from functools import partial
from typing import Any

from google.protobuf.message import DecodeError

from asynctb.encode.graph.nodes import PLUGIN, ready_event
from asynctb.entry import Draft, Encode, Entry, Record
from asynctb.errors import EncodeError
from asynctb.proto import graph_pb2

__all__ = ["is_ready", "ready"]

AT_ONCE = 64 << 10  # bytes up to which it costs less to look at a graph than to have a thread do it


def is_ready(model: Any) -> bool:
    """Tell whether a value is a GraphDef: the message of any library, or bytes that should be one."""
    return isinstance(model, (bytes, bytearray, memoryview)) or _is_message(model)


def _is_message(model: Any) -> bool:
    descriptor = getattr(model, "DESCRIPTOR", None)
    return getattr(descriptor, "name", None) == "GraphDef" and callable(getattr(model, "SerializeToString", None))


def ready(tag: str, graph: Any) -> Entry:
    """Return a graph's event; raises `EncodeError` for bytes that are no GraphDef, and for a graph without a node."""
    size = graph.ByteSize() if _is_message(graph) else len(graph)
    take = partial(_take, tag, graph)
    return Record((), take()(), PLUGIN, media=True) if size <= AT_ONCE else Draft((), size, take, PLUGIN)


def _take(tag: str, graph: Any) -> Encode:
    wire = graph.SerializeToString() if _is_message(graph) else bytes(graph)
    try:
        found = graph_pb2.GraphDef.FromString(wire)
    except DecodeError as error:
        raise EncodeError(tag, "a GraphDef in wire form", graph) from error
    if not found.node and not found.library.function:
        raise EncodeError(tag, "a GraphDef with nodes", graph)
    return lambda: ready_event(wire)
