"""Models to graphs: which of the ways there are, and what is said when there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeVar

from asynctb.encode.graph.caller import Caller, torch_if_loaded
from asynctb.encode.graph.evaluating import evaluating
from asynctb.encode.graph.export import export, of_module, of_program
from asynctb.encode.graph.inputs import Inputs, inputs_of
from asynctb.encode.graph.jit import draw
from asynctb.encode.graph.nodes import PLUGIN, Node, Stat, graph_event, stats_event
from asynctb.encode.graph.profile import Clock, run_program, run_script
from asynctb.encode.graph.ready import is_ready, ready
from asynctb.encode.graph.trace import Script, is_script, trace, trace_tensors
from asynctb.entry import Draft, Encode, Entry
from asynctb.errors import EncodeError

__all__ = ["graph"]

T = TypeVar("T")

TAG = "add_graph"
ROOM = 256 << 10  # bytes that a graph is counted with until it is known
LONG = 400  # characters of a way's complaint that are quoted

WANTED = "a torch.nn.Module, a torch.jit, torch.fx or torch.export program, or a GraphDef"
NO_TORCH = " (models need torch: pip install 'asynctb[graph]')"


def graph(model: Any, given: Any, verbose: bool, strict: bool, profile: bool, now: Clock) -> Sequence[Entry]:
    """Return the events of a model's graph: the graph itself, and what its nodes took, empty unless profiled.

    Checks at once what can be checked without running the model; the rest when the entries are taken.
    """
    if is_ready(model):
        if profile:
            raise EncodeError(TAG, "a model that can be run, for profile=True", model)
        return ready(TAG, model)
    model = getattr(model, "_orig_mod", model)  # what torch.compile wraps
    task = _task(model, given, verbose, strict, now if profile else None)
    caller = Caller()
    stats: list[Stat] = []

    def take() -> Encode:
        picture = caller.run(task)
        stats.extend(picture.stats)
        return partial(graph_event, picture.nodes)

    # They are taken one after the other, so the second has what the first has found.
    return [
        Draft((), ROOM, take, PLUGIN, slow=True),
        Draft((), 0, lambda: partial(stats_event, stats), PLUGIN),
    ]


class Picture(NamedTuple):
    """A graph, and what its nodes took."""

    nodes: Sequence[Node]
    stats: Sequence[Stat] = ()


class Found(NamedTuple):
    """A graph, and how it is run to see what its nodes take."""

    nodes: Sequence[Node]
    run: Callable[[Clock], list[Stat]]


def _task(model: Any, given: Any, verbose: bool, strict: bool, clock: Clock | None) -> Callable[[], Picture]:
    """Return what draws a model; raises `EncodeError` for what is none, and for inputs that will not do."""
    torch = torch_if_loaded()
    if torch is None or not (_is_program(model) or isinstance(model, torch.nn.Module) or is_script(model)):
        missing = NO_TORCH if torch is None and find_spec("torch") is None else ""
        raise EncodeError(TAG, WANTED + missing, model)
    if _is_program(model):
        return lambda: _picture(model, _as_it_is(model, partial(_program, model, verbose)), clock)
    if given is None and not clock and isinstance(model, torch.fx.GraphModule):
        return lambda: _as_it_is(model, partial(_module, model, verbose))
    if given is None and (clock or not is_script(model)):
        raise EncodeError(TAG, "input_to_model: what to call the model with", given)
    inputs = Inputs() if given is None else inputs_of(TAG, model, given)
    return lambda: _traced(model, inputs, verbose, strict, clock)


def _as_it_is(model: Any, draw_it: Callable[[], T]) -> T:
    try:
        return draw_it()
    except Exception as error:
        # Its makers may change what a graph knows of itself.
        raise EncodeError(TAG, f"a graph that can be drawn ({_said(error)})", model) from error


def _is_program(model: Any) -> bool:
    return hasattr(model, "graph_signature") and hasattr(model, "graph_module")


def _traced(model: Any, inputs: Inputs, verbose: bool, strict: bool, clock: Clock | None) -> Picture:
    with evaluating(model):
        return _picture(model, _found(model, inputs, verbose, strict), clock)


def _picture(model: Any, found: Found, clock: Clock | None) -> Picture:
    if clock is None:
        return Picture(found.nodes)
    try:
        return Picture(found.nodes, found.run(clock))
    except Exception as error:
        wanted = f"a model whose graph runs node by node, for profile=True ({_said(error)})"
        raise EncodeError(TAG, wanted, model) from error


def _found(model: Any, inputs: Inputs, verbose: bool, strict: bool) -> Found:
    """Find a model's graph in the first way that there is."""
    try:
        return _script(trace(model, inputs, strict), verbose)
    except Exception as error:
        # Anything can go wrong in a model, and some is the tracer's: the other ways tell which.
        first = error
    try:
        return _script(trace_tensors(model, inputs), verbose)
    except Exception as error:
        if _said(error) == _said(first):
            _call(model, inputs, first)
    try:
        return _program(export(model, inputs), verbose, model)
    except Exception as second:
        wanted = f"a model and inputs that torch can trace (torch.jit: {_said(first)}; torch.export: {_said(second)})"
        raise EncodeError(TAG, wanted, model) from ExceptionGroup("no way leads to a graph", [first, second])


def _call(model: Any, inputs: Inputs, complaint: Exception) -> None:
    """Call a model, and raise its own error if that is the complaint: then no other way can lead to a graph."""
    try:
        model(*inputs.args, **inputs.kwargs)
    except Exception as error:
        if _said(error) == _said(complaint):
            raise EncodeError(TAG, f"inputs that the model can be called with ({_said(error)})", model) from error


def _script(script: Script, verbose: bool) -> Found:
    nodes, names = draw(script)
    _print(script.graph, verbose)
    return Found(nodes, partial(run_script, script, names))


def _program(program: Any, verbose: bool, model: Any = None) -> Found:
    drawing = of_program(program, model)
    _print(program, verbose)
    return Found(drawing.nodes, partial(run_program, program, drawing.names))


def _module(module: Any, verbose: bool) -> Picture:
    drawing = of_module(module)
    _print(module.graph, verbose)
    return Picture(drawing.nodes)


def _print(graph: Any, verbose: bool) -> None:
    if verbose:
        print(graph)  # noqa: T201 - what `verbose` is for


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    text = text if len(text) <= LONG else f"{text[:LONG]}..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
