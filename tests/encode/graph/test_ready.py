"""A GraphDef of any library is stored as it is."""

from typing import Any

import pytest

from asynctb import EncodeError
from asynctb.encode.graph.model import graph
from asynctb.entry import Draft, Record
from asynctb.proto import event_pb2, graph_pb2
from tests.readback.imports import module

TENSORBOARDS: Any = module("tensorboard.compat.proto.graph_pb2").GraphDef


def made(kind: Any, nodes: int = 2) -> Any:
    found = kind()
    for number in range(nodes):
        found.node.add(name=f"scope/{number}", op="op", input=["scope/0"])
    return found


def entry(value: Any) -> Any:
    (found,) = graph(value, None, False, True, False, lambda: 0)
    return found


@pytest.mark.parametrize("kind", [graph_pb2.GraphDef, TENSORBOARDS])
@pytest.mark.parametrize("form", [None, bytes, bytearray, memoryview])
def test_graph_is_stored(kind: Any, form: Any) -> None:
    """A message or its bytes make one event that holds the same graph; a small one is made at once."""
    record = entry(form(made(kind).SerializeToString()) if form else made(kind))
    assert isinstance(record, Record)
    assert event_pb2.Event.FromString(record.what).graph_def == made(kind).SerializeToString()
    assert record.tags == ()


def test_large_graph_waits() -> None:
    """A large graph is looked at when it is taken, and is its caller's again then."""
    large = made(TENSORBOARDS, 5000)
    wire = large.SerializeToString()
    draft = entry(large)
    assert isinstance(draft, Draft)
    assert not draft.slow
    encode = draft.take()
    large.Clear()
    assert event_pb2.Event.FromString(encode()).graph_def == wire


@pytest.mark.parametrize("bad", [b"abc", b"", bytes(100), graph_pb2.GraphDef(), bytearray(b"\xff")])
def test_what_is_no_graph(bad: Any) -> None:
    """Bytes that are no GraphDef are refused, and so is one without a node."""
    with pytest.raises(EncodeError) as raised:
        entry(bad)
    assert (raised.value.tag, raised.value.got) == ("add_graph", bad)
    assert "GraphDef" in raised.value.wanted


def test_large_bytes_that_are_no_graph() -> None:
    """Those are refused when they are taken."""
    with pytest.raises(EncodeError):
        entry(bytes(1 << 20)).take()


def test_no_profile() -> None:
    """A ready graph cannot be run."""
    with pytest.raises(EncodeError, match="profile"):
        graph(made(TENSORBOARDS), None, False, True, True, lambda: 0)
