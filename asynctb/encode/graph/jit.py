"""TorchScript to nodes: the graph that torch's own `add_graph` makes, name by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from asynctb.encode.graph.caller import torch_if_loaded
from asynctb.encode.graph.nodes import Attr, Node, Shapes, device, dtype
from asynctb.encode.graph.trace import Script

__all__ = ["Drawn", "draw"]

GET_ATTR, PACK, UNPACK = "prim::GetAttr", "prim::TupleConstruct", "prim::TupleUnpack"
NO_TENSOR = (1,)  # the shape that torch writes for inputs and outputs that are none


class _Op(NamedTuple):
    kind: str
    scope: str
    inputs: Sequence[str]
    outputs: Sequence[Any]
    attributes: str
    found: Any
    """The tensor that it gets from a module; None for other kinds."""


class Drawn(NamedTuple):
    """A script's graph as nodes, and their names by those of the values that they make."""

    nodes: list[Node]
    names: Mapping[str, str]


def draw(script: Script) -> Drawn:
    """Return a graph's nodes in torch's order: inputs, outputs, and what is between them as it runs."""
    values = [value for value in script.graph.inputs() if not _is_module(value)]
    labels = script.labels or [value.debugName() for value in values]
    inputs = {value: f"input/{label}" for value, label in zip(values, labels, strict=True) if value.uses()}
    outputs, packing = _results(script)
    ops = [op for op in _ops(script) if packing.isdisjoint(value.debugName() for value in op.outputs)]
    names = _names(inputs, ops)
    made = [
        *(_end(name, value, []) for value, name in inputs.items()),
        *(_end(f"output/output.{i}", v, [names[v.debugName()]]) for i, v in enumerate(outputs, 1)),
        *(_node(op, value, names) for op in ops for value in op.outputs),
    ]
    return Drawn(made, names)


def _results(script: Script) -> tuple[list[Any], set[str]]:
    """Return the results' values; where tensors alone were looked at, without the tuple that they were put in.

    The second is what the tuple's nodes are known by.
    """
    outputs = list(script.graph.outputs())
    if script.labels is None or outputs[0].node().kind() != PACK:
        return outputs, set()
    packing = {outputs[0].debugName()}
    results = []
    for value in outputs[0].node().inputs():
        if value.node().kind() == UNPACK and value.node().input().node().kind() == PACK:
            # The model's own call hands its tensors over in a tuple as well.
            parts = [each.debugName() for each in value.node().outputs()]
            packing |= {parts[0], value.node().input().debugName()}
            value = list(value.node().input().node().inputs())[parts.index(value.debugName())]
        results.append(value)
    return results, packing


def _names(inputs: Mapping[Any, str], ops: Sequence[_Op]) -> dict[str, str]:
    """Name each value by its scope; one that no node makes by the scope of the last that takes it, as torch does."""
    names = {name: f"{op.scope}/{name}" for op in ops for name in op.inputs}
    names.update((value.debugName(), name) for value, name in inputs.items())
    names.update((name, f"{op.scope}/{name}") for op in ops for name in (value.debugName() for value in op.outputs))
    return names


def _end(name: str, value: Any, inputs: Sequence[str]) -> Node:
    """Return the node of an input or output."""
    try:
        shape = value.type().sizes()
    except RuntimeError:
        return Node(name, "IO Node", inputs, {"attr": "", "_output_shapes": Shapes([NO_TENSOR])})
    attrs: dict[str, Attr] = {"attr": ""} if shape is None else {"attr": "", "_output_shapes": Shapes([shape])}
    return Node(name, "IO Node", inputs, {**attrs, **dtype(value.type().dtype())}, device(value.type().device()))


def _node(op: _Op, value: Any, names: Mapping[str, str]) -> Node:
    attrs: dict[str, Attr] = {"attr": op.attributes}
    where = ""
    if value.isCompleteTensor():
        kind = value.type()
        attrs.update({"_output_shapes": Shapes([kind.sizes()]), **dtype(kind.dtype())})
        where = device(kind.device())
    elif op.found is not None:
        shape = tuple(op.found.shape)
        attrs.update({"_output_shapes": Shapes([shape]), **dtype(op.found.dtype), "parameters": op.found.numel()})
        where = device(op.found.device)
    inputs = [names[name] for name in op.inputs]
    return Node(names[value.debugName()], op.kind, inputs, attrs, where)


def _ops(script: Script) -> Iterator[_Op]:
    """Read the graph's nodes, but for those that only lead to a module."""
    torch = torch_if_loaded()
    boxes = _boxes(script.root, whole=script.labels is None)
    scopes: dict[str, str] = {}
    found: dict[str, Any] = {value.debugName(): script.root for value in script.graph.inputs() if _is_module(value)}
    for node in script.graph.nodes():
        kind = node.kind()
        scope = node.scopeName()
        owner = None
        if kind == GET_ATTR:
            scope = _reach(node, scopes)
            owner = _look_up(node, found)
            if _is_module(node.output()):
                continue
        yield _Op(
            kind,
            boxes.of(scope),
            [value.debugName() for value in node.inputs()],
            list(node.outputs()),
            _attributes(node),
            owner if isinstance(owner, torch.Tensor) else None,
        )


def _reach(node: Any, scopes: dict[str, str]) -> str:
    """Return the scope of what is got from a module, and remember it for what is got from that."""
    parent, name = node.input().node(), node.s("name")
    scope = f"__module.{name}"
    if parent.kind() == GET_ATTR:
        above = scopes[parent.output().debugName()]
        scope = f"{above}/{above.rpartition('/')[2]}.{name}"
    scopes[node.output().debugName()] = scope
    return scope


def _look_up(node: Any, found: dict[str, Any]) -> Any:
    """Return what is got from a module, as the object that it is, and remember it for what is got from that."""
    owner = found.get(node.input().debugName())
    value = found[node.output().debugName()] = getattr(owner, node.s("name"), None)
    return value


def _attributes(node: Any) -> str:
    attributes = {name: getattr(node, node.kindOf(name))(name) for name in node.attributeNames()}
    return str(attributes).replace("'", " ")  # as torch does: quotes end the text early in TensorBoard


def _is_module(value: Any) -> bool:
    return bool(value.type().kind() == "ClassType")


class _Boxes:
    """The names that a model's modules go by in a graph: the class, and the attribute in brackets."""

    def __init__(self, root: str, aliases: Mapping[str, str], hidden: str = "") -> None:
        self._root = root
        self._aliases = aliases
        self._hidden = hidden
        self._known: dict[str, str] = {}

    def of(self, scope: str) -> str:
        """Return the boxes of one of the tracer's scopes, joined by slashes."""
        if scope not in self._known:
            aliases = [alias for alias in scope.split("/") if alias != self._hidden]
            parts = [self._aliases.get(alias, alias.rpartition(".")[2]) for alias in aliases]
            self._known[scope] = "/".join([self._root, *parts] if any(parts) else [self._root])
        return self._known[scope]


def _boxes(root: Any, whole: bool) -> _Boxes:
    """Return the boxes of a script; of one that is not `whole`, those of the model that it calls."""
    torch = torch_if_loaded()
    if isinstance(root, torch.jit.ScriptFunction):
        return _Boxes(root.name, {})
    aliases = {name: f"{_class(m)}[{name.rpartition('.')[2]}]" for name, m in root.named_modules(prefix="__module")}
    return _Boxes(_class(root), aliases) if whole else _Boxes(_class(root.model), aliases, "__module.model")


def _class(module: Any) -> str:
    """Name the class that a module had before it was traced or scripted."""
    torch = torch_if_loaded()
    traced = isinstance(module, torch.jit.TracedModule)
    return str(module._name if traced else getattr(module, "original_name", "Module"))
