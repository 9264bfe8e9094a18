"""Graphs of torch.export and torch.fx to nodes, in the style of those of TorchScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any, NamedTuple

from asynctb.encode.graph.caller import torch_if_loaded
from asynctb.encode.graph.fx import (
    arguments,
    held_by,
    is_graph,
    is_subgraph,
    is_tensor,
    leaves,
    live_nodes,
    made_by,
    operator_name,
    part_of,
    sides,
)
from asynctb.encode.graph.inputs import Inputs
from asynctb.encode.graph.nodes import Attr, Node, Shapes, device, dtype
from asynctb.encode.graph.scopes import Names, Scopes

__all__ = ["Drawing", "export", "of_module", "of_program"]


def export(model: Any, inputs: Inputs) -> Any:
    """Return a model as an `ExportedProgram`. Raises whatever torch or the model do."""
    torch = torch_if_loaded()
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
    drawing.draw(list(leaves(results.args)) if results is not None else [])
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
        live = live_nodes(module.graph)
        for node in module.graph.nodes:
            match node.op:
                case "placeholder" if not within:
                    self._input(node)
                case "get_attr" if not is_graph(held_by(module, node.target)):
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
        value = held_by(module, node.target)
        op = "Parameter" if hasattr(value, "grad_fn") and value.requires_grad else "Constant"
        name = self._scopes.path(node.target) if not within else f"{within}/{node.name}"
        self._add(node, name, op, [], counted=op == "Parameter", value=value)

    def _call(self, module: Any, node: Any, within: str) -> None:
        if (part := part_of(node)) is not None and part[0] in self._edges:
            # A part of what has several outputs is no node, but a name for the edge.
            whole, index = part
            edge = self._edges[whole]
            self._edges[node] = f"{edge}:{index}" if index and ":" not in edge else edge
            return
        scope = within or self._scopes.of_node(node)
        inputs = [self._edges[each] for each in node.all_input_nodes if each in self._edges]
        graphs = [each for each in leaves(node.args) if is_subgraph(module, each)]
        if graphs:
            inputs = self._branches(module, node, f"{scope}/{node.name}", graphs)
        if node.op == "call_module":
            scope, held = self._module_call(module, node, scope)
            inputs += held
        self._add(node, f"{scope}/{node.name}", operator_name(module, node), inputs, text=arguments(node))

    def _branches(self, module: Any, node: Any, within: str, graphs: Sequence[Any]) -> list[str]:
        """Draw the graphs that an operator chooses from or repeats, in a box of its name; return what leads to it."""
        given = [each for each in leaves(node.args) if each not in graphs]
        inputs: list[str] = []
        used: set[Any] = set()
        for graph in graphs:
            branch = held_by(module, graph.target)
            entries = [each for each in branch.graph.nodes if each.op == "placeholder"]
            # The operands come last, whatever an operator has before them.
            operands = given[max(0, len(given) - len(entries)) :]
            for entry, operand in zip(entries, operands, strict=False):
                if operand in self._edges:
                    self._edges[entry] = self._edges[operand]
                    used |= {operand} if entry.users else set()
            self._run(branch, f"{within}/{graph.target}")
            results = next((each for each in branch.graph.nodes if each.op == "output"), None)
            inputs += [self._edges[each] for each in leaves(results.args if results else ()) if each in self._edges]
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
    made = [value] if value is not None else made_by(node)
    tensors = [each for each in made if is_tensor(each)]
    attrs: dict[str, Attr] = {"attr": text}
    if not tensors:
        return Node(name, op, inputs, attrs)
    attrs["_output_shapes"] = Shapes([sides(each) if is_tensor(each) else None for each in made])
    attrs.update(dtype(tensors[0].dtype))
    if counted:
        attrs["parameters"] = tensors[0].numel()
    return Node(name, op, inputs, attrs, device(getattr(tensors[0], "device", None)))
