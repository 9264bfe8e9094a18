"""Graphs run node by node, to see what each of them takes.

torch's profiler would know it too, but there is one for the whole process, which may be running already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from asynctb.encode.graph.caller import torch_if_loaded
from asynctb.encode.graph.nodes import Stat, device
from asynctb.encode.graph.trace import Script

__all__ = ["Clock", "run_program", "run_script"]

Clock = Callable[[], int]
"""Tells the time in nanoseconds since the epoch."""

WARM_UP = (
    1  # runs that do not count: operators prepare themselves in their first, which may take a hundred times longer
)


class _Meter:
    """Runs calls, and notes what each took."""

    def __init__(self, now: Clock) -> None:
        self.stats: list[Stat] = []
        self._now = now
        # TensorBoard takes what is between the first start and the last end in a box for the time that the box took,
        # so calls are put end to end, without what is between them here.
        self._end = now()

    def run(self, name: str, call: Callable[..., Any], given: Sequence[Any]) -> Any:
        start = self._now()
        result = call(*given)
        made = list(_tensors(result))
        _wait_for(made)
        self._note(name, max(1, self._now() - start), made, _allocated(made, given))
        return result

    def hold(self, name: str, value: Any) -> None:
        """Note what was there before."""
        if made := list(_tensors(value)):
            self._note(name, 0, made, _allocated(made, []))

    def _note(self, name: str, took: int, made: Sequence[Any], memory: int) -> None:
        if name:
            where = device(made[0].device) if made else ""
            self.stats.append(Stat(name, self._end, took, memory, where, [list(each.shape) for each in made]))
        self._end += took


def run_script(script: Script, names: Mapping[str, str], now: Clock) -> list[Stat]:
    """Run a graph of TorchScript; raises whatever its nodes do, and for a node that cannot be run by itself."""
    for _ in range(WARM_UP):
        _run_script(script, names, _Meter(now))
    return _run_script(script, names, _Meter(now))


def _run_script(script: Script, names: Mapping[str, str], meter: _Meter) -> list[Stat]:
    values = _arguments(script)
    for name, value in values.items():
        meter.hold(names.get(name, ""), value)
    for node in script.graph.nodes():
        given = [values[each.debugName()] for each in node.inputs()]
        outputs = [each.debugName() for each in node.outputs()]
        name = names.get(outputs[0], "") if outputs else ""
        structure = _STRUCTURE.get(node.kind())
        if structure is None:
            result = meter.run(name, _operator(node), given)
            made = (result,) if len(outputs) == 1 else result or ()
        else:
            made = structure(node, given)
            if not given or node.kind() == "prim::GetAttr":
                meter.hold(name, made)
        values.update(zip(outputs, made, strict=False))
    return meter.stats


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
    torch = torch_if_loaded()
    return torch.tensor(number)


def _operator(node: Any) -> Callable[..., Any]:
    """Return what a node calls, as a function of its inputs."""
    torch = torch_if_loaded()
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
    """Run an `ExportedProgram` with the inputs that it was made with; raises whatever its nodes do.

    `names` are by the names of its graph's nodes, and by the paths of what it holds.
    """
    torch = torch_if_loaded()

    class Metered(torch.fx.Interpreter):  # type: ignore[misc, name-defined]
        def run_node(self, n: Any) -> Any:
            if n.op == "call_function" and n.name in names:
                return meter.run(names[n.name], partial(self._run, n), [self.env[each] for each in n.all_input_nodes])
            value = super().run_node(n)
            meter.hold(names.get(n.target if n.op == "get_attr" else n.name, ""), value)
            return value

        def _run(self, n: Any, *_: Any) -> Any:
            return super().run_node(n)

    module = program.module()
    leaves = torch.utils._pytree.tree_leaves(program.example_inputs)
    meter = _Meter(now)
    for _ in range(WARM_UP):
        Metered(module).run(*leaves, enable_io_processing=False)
        meter = _Meter(now)
    Metered(module).run(*leaves, enable_io_processing=False)
    return meter.stats


def _wait_for(tensors: Sequence[Any]) -> None:
    torch = torch_if_loaded()
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
