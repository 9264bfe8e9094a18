"""Graphs of torch.export and torch.fx to nodes, in the style of those of TorchScript."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import signature
from typing import Any, NamedTuple

from asynctb.encode.graph.inputs import Inputs
from asynctb.encode.graph.nodes import Attr, Node, Shapes, device, dtype
from asynctb.encode.graph.scopes import Names, Scopes

__all__ = ["Drawing", "export", "of_module", "of_program"]

LEAVES = (list, tuple)


def export(model: Any, inputs: Inputs) -> Any:
    """Return a model as an `ExportedProgram`. Raises whatever torch or the model do."""
    import torch.export

    known = signature(torch.export.export).parameters
    options: dict[str, Any] = {"strict": False} if "strict" in known else {}
    return torch.export.export(model, inputs.args, dict(inputs.kwargs), **options)


class Source(NamedTuple):
    """What an input of a graph stands for."""

    op: str
    """"IO Node", or what a module holds: "Parameter", "Buffer", "Constant"."""
    target: str
    """The name of what a module holds, from the root."""


def of_program(program: Any, model: Any = None) -> Drawing:
    """Draw an `ExportedProgram`, and if known the model that it was made of."""
    signature = program.graph_signature
    ops = {"PARAMETER": "Parameter", "BUFFER": "Buffer", "CONSTANT_TENSOR": "Constant"}
    sources = {
        spec.arg.name: Source(ops[spec.kind.name], spec.target)
        for spec in signature.input_specs
        if spec.kind.name in ops
    }
    graph = program.graph_module.graph
    drawing = Drawing(Scopes.of(graph, "Module", _classes(model)), program.graph_module, sources)
    results = next((node for node in graph.nodes if node.op == "output"), None)
    returned = [] if results is None else results.args[0]
    kinds = [spec.kind.name for spec in signature.output_specs]
    drawing.draw([node for node, kind in zip(returned, kinds, strict=False) if kind == "USER_OUTPUT"])
    return drawing


def _classes(model: Any) -> dict[str, str]:
    return {path: type(each).__name__ for path, each in model.named_modules()} if model is not None else {}


def of_module(module: Any) -> Drawing:
    """Draw a `torch.fx.GraphModule`."""
    drawing = Drawing(Scopes.of(module.graph, type(module).__name__, {}), module, {})
    results = next((node for node in module.graph.nodes if node.op == "output"), None)
    drawing.draw(list(_leaves(results.args)) if results is not None else [])
    return drawing


class Drawing:
    """A graph, and how far it is drawn."""

    def __init__(self, scopes: Scopes, module: Any, sources: Mapping[str, Source]) -> None:
        self.nodes: list[Node] = []
        # The drawn nodes by the names of the graph's own, or by the paths of what the model holds.
        self.names: dict[str, str] = {}
        self._unique = Names().unique
        self._scopes = scopes
        self._module = module
        self._sources = sources
        # How edges name each of the graph's nodes that has a value.
        self._edges: dict[Any, str] = {}
        # Those of modules that are called as a whole, by their paths.
        self._parameters: dict[str, str] = {}

    def draw(self, results: Sequence[Any]) -> None:
        """Draw the graph: inputs, outputs, and what is between them as it runs."""
        self._run(self._module, "")
        ends = [
            _node(self._unique(f"output/output.{i}"), "IO Node", [self._edges[result]], result)
            for i, result in enumerate(results, 1)
            if result in self._edges
        ]
        inputs = [node for node in self.nodes if node.op == "IO Node"]
        self.nodes = [*inputs, *ends, *(node for node in self.nodes if node.op != "IO Node")]

    def _run(self, module: Any, within: str) -> None:
        live = _live(module.graph)
        for node in module.graph.nodes:
            match node.op:
                case "placeholder" if not within:
                    self._input(node)
                case "get_attr" if not _is_graph(_held(module, node.target)):
                    self._held(module, node, within)
                case "call_function" | "call_method" | "call_module" if node in live:
                    self._call(module, node, within)
                case _:
                    pass

    def _input(self, node: Any) -> None:
        source = self._sources.get(node.name)
        if not node.users:
            return  # torch leaves those out too
        if source is None:
            self._add(node, f"input/{node.name}", "IO Node", [])
        else:
            self._add(node, self._scopes.path(source.target), source.op, [], counted=source.op == "Parameter")
            self.names[source.target] = self._edges[node]

    def _held(self, module: Any, node: Any, within: str) -> None:
        value = _held(module, node.target)
        op = "Parameter" if hasattr(value, "grad_fn") and value.requires_grad else "Constant"
        name = self._scopes.path(node.target) if not within else f"{within}/{node.name}"
        self._add(node, name, op, [], counted=op == "Parameter", value=value)

    def _call(self, module: Any, node: Any, within: str) -> None:
        if (part := _part(node)) is not None and part[0] in self._edges:
            # A part of what has several outputs is no node, but a name for the edge.
            whole, index = part
            self._edges[node] = f"{self._edges[whole]}:{index}" if index else self._edges[whole]
            return
        scope = within or self._scopes.of_node(node)
        inputs = [self._edges[each] for each in node.all_input_nodes if each in self._edges]
        graphs = [each for each in _leaves(node.args) if _is_subgraph(module, each)]
        if graphs:
            inputs = self._branches(module, node, f"{scope}/{node.name}", graphs)
        if node.op == "call_module":
            scope, held = self._module_call(module, node, scope)
            inputs += held
        self._add(node, f"{scope}/{node.name}", _op(module, node), inputs, text=_arguments(node))

    def _branches(self, module: Any, node: Any, within: str, graphs: Sequence[Any]) -> list[str]:
        """Draw the graphs that an operator chooses from or repeats, in a box of its name; return what leads to it."""
        given = [each for each in _leaves(node.args) if each not in graphs]
        inputs: list[str] = []
        used: set[Any] = set()
        for graph in graphs:
            branch = _held(module, graph.target)
            entries = [each for each in branch.graph.nodes if each.op == "placeholder"]
            # The operands come last, whatever an operator has before them.
            operands = given[max(0, len(given) - len(entries)) :]
            for entry, operand in zip(entries, operands, strict=False):
                if operand in self._edges:
                    self._edges[entry] = self._edges[operand]
                    used |= {operand} if entry.users else set()
            self._run(branch, f"{within}/{graph.target}")
            results = next((each for each in branch.graph.nodes if each.op == "output"), None)
            inputs += [self._edges[each] for each in _leaves(results.args if results else ()) if each in self._edges]
        direct = [self._edges[each] for each in given if each in self._edges and each not in used]
        return list(dict.fromkeys([*direct, *inputs]))

    def _module_call(self, module: Any, node: Any, scope: str) -> tuple[str, list[str]]:
        """Draw what a module holds that is called as a whole; return its box, and names for the edges from there."""
        target = module.get_submodule(node.target)
        scope = self._scopes.leaf(scope, node.target, type(target).__name__)
        for name, value in target.named_parameters():
            if (path := f"{node.target}.{name}") not in self._parameters:
                made = _node(self._unique(f"{scope}/{name}"), "Parameter", [], None, counted=True, value=value)
                self.nodes.append(made)
                self._parameters[path] = made.name
        return scope, [self._parameters[f"{node.target}.{name}"] for name, _ in target.named_parameters()]

    def _add(self, node: Any, name: str, op: str, inputs: Sequence[str], **details: Any) -> None:
        made = _node(self._unique(name), op, inputs, node, **details)
        self.nodes.append(made)
        self._edges[node] = made.name
        self.names[node.name] = made.name


def _node(
    name: str, op: str, inputs: Sequence[str], node: Any, text: str = "", counted: bool = False, value: Any = None
) -> Node:
    """Return a node, with what is known of the values that it makes."""
    values = [value] if value is not None else _values(node)
    tensors = [each for each in values if _is_tensor(each)]
    attrs: dict[str, Attr] = {"attr": text}
    if not tensors:
        return Node(name, op, inputs, attrs)
    attrs["_output_shapes"] = Shapes([_shape(each) if _is_tensor(each) else None for each in values])
    attrs.update(dtype(tensors[0].dtype))
    if counted:
        attrs["parameters"] = tensors[0].numel()
    return Node(name, op, inputs, attrs, device(getattr(tensors[0], "device", None)))


def _values(node: Any) -> list[Any]:
    """Return what a node makes, without its data: fake tensors, or what torch.fx noted when it ran."""
    value = node.meta.get("val", node.meta.get("tensor_meta"))
    # Notes of a tensor are a tuple themselves.
    return list(value) if isinstance(value, LEAVES) and not _is_tensor(value) else [value]


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _shape(tensor: Any) -> list[int]:
    # A side may be a symbol: of any length, or of one that only the data tell.
    return [side if type(side) is int else -1 for side in tensor.shape]


def _part(node: Any) -> tuple[Any, int] | None:
    """Return what a node takes a part of, and which, if that is all it does."""
    if node.target is not operator.getitem or not isinstance(node.args[1], int):
        return None
    whole, index = node.args
    several = isinstance(value := whole.meta.get("val", whole.meta.get("tensor_meta")), LEAVES)
    return (whole, index) if several and not _is_tensor(value) else None


def _op(module: Any, node: Any) -> str:
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


def _arguments(node: Any) -> str:
    """Return those of a call's arguments that are no edges, as text like TorchScript's attributes."""
    schema = getattr(node.target, "_schema", None)
    names = [argument.name for argument in schema.arguments] if schema is not None else []
    names += [str(number) for number in range(len(names), len(node.args))]
    given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
    fixed = {name: value for name, value in given.items() if not any(map(_is_node, _leaves(value)))}
    return "{" + ", ".join(f" {name} : {value}" for name, value in fixed.items()).replace("'", " ") + "}"


def _live(graph: Any) -> set[Any]:
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


def _leaves(value: Any) -> Iterator[Any]:
    """Return all that is in nested lists, tuples and mappings."""
    if isinstance(value, (*LEAVES, Mapping)):
        inside: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
        for each in inside:
            yield from _leaves(each)
    else:
        yield value


def _is_node(value: Any) -> bool:
    return hasattr(value, "all_input_nodes")


def _held(module: Any, target: str) -> Any:
    for name in target.split("."):
        module = getattr(module, name, None)
    return module


def _is_graph(value: Any) -> bool:
    return hasattr(value, "graph") and hasattr(value, "named_parameters")


def _is_subgraph(module: Any, node: Any) -> bool:
    return _is_node(node) and node.op == "get_attr" and _is_graph(_held(module, node.target))
