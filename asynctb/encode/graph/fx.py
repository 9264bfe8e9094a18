"""What torch.fx knows of the nodes of its graphs."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = [
    "arguments",
    "held_by",
    "is_graph",
    "is_subgraph",
    "is_tensor",
    "leaves",
    "live_nodes",
    "made_by",
    "operator_name",
    "part_of",
    "sides",
]

LEAVES = (list, tuple)


def made_by(node: Any) -> list[Any]:
    """Return what a node makes, without its data: fake tensors, or what torch.fx noted when it ran."""
    value = node.meta.get("val", node.meta.get("tensor_meta"))
    # Notes of a tensor are a tuple themselves.
    return list(value) if isinstance(value, LEAVES) and not is_tensor(value) else [value]


def is_tensor(value: Any) -> bool:
    """Tell whether a value is a tensor, or what is noted of one."""
    return hasattr(value, "shape") and hasattr(value, "dtype")


def sides(tensor: Any) -> list[int]:
    """Return a tensor's shape; a side may be a symbol, of any length or of one that only the data tell, and is -1."""
    return [side if type(side) is int else -1 for side in tensor.shape]


def part_of(node: Any) -> tuple[Any, int] | None:
    """Return what a node takes a part of, and which, if that is all it does."""
    if node.target is not operator.getitem or not isinstance(node.args[1], int):
        return None
    whole, index = node.args
    several = isinstance(value := whole.meta.get("val", whole.meta.get("tensor_meta")), LEAVES)
    return (whole, index) if several and not is_tensor(value) else None


def operator_name(module: Any, node: Any) -> str:
    """Name what a node calls as TorchScript would."""
    if node.op == "call_method":
        return f"Tensor::{node.target}"
    if node.op == "call_module":
        return type(module.get_submodule(node.target)).__name__
    schema = getattr(node.target, "_schema", None)
    if schema is not None:
        return str(schema.name)
    owner = getattr(node.target, "__module__", None) or ""
    name = getattr(node.target, "__name__", str(node.target))
    return f"{owner.strip('_')}::{name}" if owner in ("operator", "_operator", "math", "builtins") else name


def arguments(node: Any) -> str:
    """Return those of a call's arguments that are no edges, as text like TorchScript's attributes."""
    schema = getattr(node.target, "_schema", None)
    names = [argument.name for argument in schema.arguments] if schema is not None else []
    names += [str(number) for number in range(len(names), len(node.args))]
    given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    fixed = {name: value for name, value in given.items() if not any(map(_is_node, leaves(value)))}
    return "{" + ", ".join(f" {name} : {value}" for name, value in fixed.items()).replace("'", " ") + "}"


def live_nodes(graph: Any) -> set[Any]:
    """Return the nodes that lead to a result or change something, without the checks and hints that exporting adds."""
    live: set[Any] = set()
    for node in reversed(graph.nodes):
        if node.op != "call_function" or not live.isdisjoint(node.users) or _has_effects(node):
            live.add(node)
    return live


def _has_effects(node: Any) -> bool:
    schema = getattr(node.target, "_schema", None)
    if schema is not None:
        return bool(schema.is_mutable)
    return node.target is not operator.getitem and bool(node.all_input_nodes)


def leaves(value: Any) -> Iterator[Any]:
    """Return all that is in nested lists, tuples and mappings."""
    if isinstance(value, (*LEAVES, Mapping)):
        inside: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
        for each in inside:
            yield from leaves(each)
    else:
        yield value


def _is_node(value: Any) -> bool:
    return hasattr(value, "all_input_nodes")


def held_by(module: Any, target: str) -> Any:
    """Return what a module holds at a path, or None."""
    for name in target.split("."):
        module = getattr(module, name, None)
    return module


def is_graph(value: Any) -> bool:
    """Tell whether a value is a graph of its own."""
    return hasattr(value, "graph") and hasattr(value, "named_parameters")


def is_subgraph(module: Any, node: Any) -> bool:
    """Tell whether an argument stands for a graph that the module holds."""
    return _is_node(node) and node.op == "get_attr" and is_graph(held_by(module, node.target))
