"""Models to TorchScript: what torch's tracer takes, and what it takes only when it sees the tensors alone."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from asynctb.encode.graph.caller import torch_if_loaded
from asynctb.encode.graph.inputs import Inputs, call_of, tensors_in

__all__ = ["Script", "is_script", "trace", "trace_tensors"]


class Script(NamedTuple):
    """A model in TorchScript, all of its functions in one graph."""

    root: Any
    """The traced or scripted module or function."""
    graph: Any
    args: Sequence[Any] = ()
    """What it was traced with; the keywords as well."""
    kwargs: Mapping[str, Any] = {}
    labels: Sequence[str] | None = None
    """The names of its inputs, where only the tensors among its model's are inputs of its own."""


def is_script(model: Any) -> bool:
    """Tell whether a model is in TorchScript already."""
    jit = getattr(torch_if_loaded(), "jit", None)
    return jit is not None and isinstance(model, (jit.ScriptModule, jit.ScriptFunction))


def trace(model: Any, inputs: Inputs, strict: bool) -> Script:
    """Run a model once, and return what it did. Raises whatever the tracer or the model do."""
    torch = torch_if_loaded()
    if is_script(model):
        return Script(model, model.inlined_graph, *inputs)  # a copy: the model keeps its own
    given: Any = {"example_kwarg_inputs": dict(inputs.kwargs)} if inputs.kwargs else {"example_inputs": inputs.args}
    # The check would run the model twice more, and refuses models whose graph is right.
    traced = torch.jit.trace(model, **given, strict=strict, check_trace=False)
    return Script(traced, _inlined(traced), *inputs)


def trace_tensors(model: Any, inputs: Inputs) -> Script:
    """Do so for inputs and results that the tracer does not know: it sees the tensors alone that are in them."""
    torch = torch_if_loaded()
    call = call_of(model, inputs)

    class Call(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Any) -> Any:
            args, kwargs = call.with_tensors(tensors)
            found = tuple(tensors_in(self.model(*args, **kwargs)))
            if not found:
                raise ValueError("no tensor among the model's results")
            return found

    if not call.tensors and any(inputs):
        raise ValueError("no tensor among the inputs")
    with _uncached_autocast():
        traced = torch.jit.trace(Call(), call.tensors, check_trace=False)
    return Script(traced, _inlined(traced), call.tensors, labels=call.labels)


@contextmanager
def _uncached_autocast() -> Generator[None, None, None]:
    """Have autocast convert a weight each time: one that was converted before the trace began has no place in it."""
    torch = torch_if_loaded()
    enabled = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(enabled)


def _inlined(traced: Any) -> Any:
    torch = torch_if_loaded()
    graph = traced.graph
    torch._C._jit_pass_inline(graph)
    return graph
