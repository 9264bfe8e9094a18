"""Graphs run node by node, to see what each of them takes.

torch's profiler would know it too, but there is one for the whole process, which may be running already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from asynctb.encode.graph.jit import Script
from asynctb.encode.graph.nodes import Stat, device

__all__ = ["Clock", "run_program", "run_script"]

Clock = Callable[[], int]
"""Tells the time in nanoseconds since the epoch."""


def run_script(script: Script, names: Mapping[str, str], now: Clock) -> list[Stat]:
    """Run a graph of TorchScript; raises whatever its nodes do, and for a node that cannot be run by itself."""
    values = _arguments(script)
    stats: list[Stat] = []
    for node in script.graph.nodes():
        given = [values[each.debugName()] for each in node.inputs()]
        outputs = [each.debugName() for each in node.outputs()]
        structure = _STRUCTURE.get(node.kind())
        if structure is not None:
            made = structure(node, given)
        else:
            name = names.get(outputs[0], "") if outputs else ""
            result = _metered(stats, name, _operator(node), given, now)
            made = (result,) if len(outputs) == 1 else result or ()
        values.update(zip(outputs, made, strict=False))
    return stats


def _arguments(script: Script) -> dict[str, Any]:
    """Return what the graph's inputs are: the module itself, and the arguments by their names or in their order."""
    schema = getattr(script.root, "forward", script.root).schema
    given = iter(script.args)
    values = [
        script.root if argument.name == "self" and not number else _argument(argument, given, script.kwargs)
        for number, argument in enumerate(schema.arguments)
    ]
    return {value.debugName(): made for value, made in zip(script.graph.inputs(), values, strict=True)}


def _argument(argument: Any, given: Iterator[Any], keywords: Mapping[str, Any]) -> Any:
    return keywords[argument.name] if argument.name in keywords else next(given, argument.default_value)


_STRUCTURE: dict[str, Callable[[Any, list[Any]], Sequence[Any]]] = {
    "prim::Constant": lambda node, _: (node.output().toIValue(),),
    "prim::GetAttr": lambda node, given: (getattr(given[0], node.s("name")),),
    "prim::ListConstruct": lambda _, given: (given,),
    "prim::TupleConstruct": lambda _, given: (tuple(given),),
    "prim::DictConstruct": lambda _, given: (dict(zip(given[::2], given[1::2], strict=True)),),
    "prim::ListUnpack": lambda _, given: given[0],
    "prim::TupleUnpack": lambda _, given: given[0],
    "aten::__getitem__": lambda _, given: (given[0][given[1]],),  # of lists and dictionaries only
    "prim::NumToTensor": lambda _, given: (_as_tensor(given[0]),),
}


def _as_tensor(number: Any) -> Any:
    import torch

    return torch.tensor(number)


def _operator(node: Any) -> Callable[..., Any]:
    """Return what a node calls, as a function of its inputs."""
    import torch

    path, _, _ = node.schema().partition("(")
    path, _, overload = path.partition(".")
    library, _, name = path.partition("::")
    operator = getattr(getattr(getattr(torch.ops, library), name), overload or "default")
    arguments = operator._schema.arguments

    def call(*given: Any) -> Any:
        pairs = list(zip(given, arguments, strict=True))
        keywords = {argument.name: value for value, argument in pairs if argument.kwarg_only}
        return operator(*(value for value, argument in pairs if not argument.kwarg_only), **keywords)

    return call


def run_program(program: Any, names: Mapping[str, str], now: Clock) -> list[Stat]:
    """Run an `ExportedProgram` with the inputs that it was made with; raises whatever its nodes do."""
    import torch.fx
    from torch.utils import _pytree as pytree

    stats: list[Stat] = []

    class Metered(torch.fx.Interpreter):
        def run_node(self, n: Any) -> Any:
            if n.op != "call_function" or n.name not in names:
                return super().run_node(n)
            given = [self.env[each] for each in n.all_input_nodes]
            return _metered(stats, names[n.name], lambda *_: super(Metered, self).run_node(n), given, now)

    leaves = pytree.tree_leaves(program.example_inputs)
    Metered(program.module()).run(*leaves, enable_io_processing=False)
    return stats


def _metered(stats: list[Stat], name: str, call: Callable[..., Any], given: Sequence[Any], now: Clock) -> Any:
    start = now()
    result = call(*given)
    made = list(_tensors(result))
    _wait_for(made)
    if name:
        where = device(made[0].device) if made else ""
        stats.append(Stat(name, start, now() - start, _allocated(made, given), where))
    return result


def _wait_for(tensors: Sequence[Any]) -> None:
    import torch

    if any(tensor.is_cuda for tensor in tensors):
        torch.cuda.synchronize(tensors[0].device)


def _allocated(made: Sequence[Any], given: Sequence[Any]) -> int:
    """Return how many bytes the memory of new tensors takes, without what is that of given ones, as a view's is."""
    with suppress(Exception):  # sparse tensors and others have no memory of one piece
        theirs = {tensor.untyped_storage().data_ptr() for tensor in _tensors(given)}
        ours = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in made}
        return sum(size for place, size in ours.items() if place not in theirs)
    return 0


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors(each)
    elif hasattr(value, "is_cuda"):
        yield value
