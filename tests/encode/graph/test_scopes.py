"""Names are unique, and such as TensorBoard's page can take."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.graph.scopes import Names, Scopes


@given(st.lists(st.text("ab_1/:^", max_size=6)))
def test_names_are_unique(wanted: list[str]) -> None:
    """However alike the names that are wanted, no two are the same, and none has an empty box, or a colon in it."""
    unique = Names().unique
    found = [unique(name) for name in wanted]
    assert len(set(found)) == len(wanted)
    for name in found:
        assert all(name.split("/"))
        assert ":" not in name
        assert not name.startswith("^")


@given(st.lists(st.text("ab/", min_size=1).filter(lambda name: all(name.split("/"))), unique=True))
def test_names_stay(wanted: list[str]) -> None:
    """What is different and harmless stays as it is."""
    unique = Names().unique
    assert [unique(name) for name in wanted] == wanted


class Linear:
    """A class, as torch.fx notes it; torch.export notes its name."""


class Block: ...


def graph(*stacks: dict[str, Any]) -> Any:
    return SimpleNamespace(nodes=[SimpleNamespace(meta={"nn_module_stack": stack}) for stack in stacks])


FORMS: list[dict[str, Any]] = [
    {"_": ("", "my.Net"), "_a": ("many.0", "my.Block"), "_b@1": ("many.0.fc@1", "torch.nn.Linear")},
    {"_": ("", "my.Net"), "_a": ("many.0", Block), "_b": ("many.0.fc", Linear)},
    {"many.0": Block, "many.0.fc": Linear},
]


@pytest.mark.parametrize("stack", FORMS)
def test_boxes(stack: dict[str, Any]) -> None:
    """In each of torch's forms a node is in the boxes of its modules, and so is what these hold."""
    scopes = Scopes.of(graph(stack), "Net", {})
    assert scopes.of_node(graph(stack).nodes[0]) == "Net/Block[many.0]/Linear[fc]"
    assert scopes.path("many.0.fc.weight") == "Net/Block[many.0]/Linear[fc]/weight"
    assert scopes.path("many.0.other.weight") == "Net/Block[many.0]/other.weight"
    assert scopes.path("weight") == "Net/weight"


def test_boxes_of_what_is_never_called() -> None:
    """A module that no node is in has a box where its class is known; a slash in a name makes no box."""
    known = {"": "Net", "head": "Linear", "head.deep": "Block", "by": "ModuleDict", "by.a/b": "Linear"}
    scopes = Scopes.of(graph({}), "Net", known)
    assert scopes.path("head.deep.weight") == "Net/Linear[head]/Block[deep]/weight"
    assert scopes.path("by.a/b.bias") == "Net/ModuleDict[by]/Linear[a_b]/bias"
    assert scopes.of_node(graph({}).nodes[0]) == "Net"
