"""What a model is called with in order to see what it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from copy import copy
from dataclasses import fields, is_dataclass
from inspect import signature
from typing import Any, NamedTuple

from asynctb.errors import EncodeError

__all__ = ["Call", "Inputs", "call_of", "inputs_of", "tensors_in"]


DEEP = 12  # how far results are looked into


class Inputs(NamedTuple):
    """A call's arguments."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}


def inputs_of(tag: str, model: Any, given: Any) -> Inputs:
    """Return what the user gave as arguments: one tensor, several in a tuple or list, or keywords in a mapping.

    A mapping whose keys `forward` does not take is its one argument, as it is for torch.
    """
    if isinstance(given, Mapping):
        return Inputs(kwargs=dict(given)) if _takes(model, given) else Inputs((given,))
    if hasattr(given, "detach"):
        return Inputs((given,))
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise EncodeError(tag, "input_to_model: a tensor, a tuple of inputs, or a mapping of keyword inputs", given)
    return Inputs(tuple(given))


def _takes(model: Any, keywords: Mapping[Any, Any]) -> bool:
    try:
        signature(model.forward).bind(**keywords)
    except (TypeError, ValueError):
        return False
    return True


class Call(NamedTuple):
    """A call's arguments, of which the tensors can be exchanged, wherever they stand."""

    arguments: tuple[tuple[Any, ...], dict[str, Any]]
    labels: list[str]
    """A name for each of the tensors, from where it stands."""
    tensors: tuple[Any, ...]

    def with_tensors(self, tensors: Iterable[Any]) -> Inputs:
        """Return the arguments with others in the tensors' places."""
        return Inputs(*_exchanged(self.arguments, iter(tensors)))


def call_of(model: Any, inputs: Inputs) -> Call:
    """Look for the tensors in a call's arguments."""
    parameters = signature(model.forward).parameters.values()
    names = [each.name for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    names += [str(number) for number in range(len(names), len(inputs.args))]
    named = [*zip(names, inputs.args, strict=False), *inputs.kwargs.items()]
    found = [pair for name, value in named for pair in _tensors(name, value)]
    labels = [label for label, _ in found]
    return Call((inputs.args, dict(inputs.kwargs)), labels, tuple(tensor for _, tensor in found))


def _tensors(label: str, value: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(value, "detach"):
        yield label, value
    for key, part in _parts(value):
        yield from _tensors(f"{label}_{key}", part)


def _parts(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, MutableMapping):
        return value.items()
    return enumerate(value) if isinstance(value, (list, tuple)) else ()


def _exchanged(value: Any, tensors: Iterator[Any]) -> Any:
    if hasattr(value, "detach"):
        return next(tensors)
    if isinstance(value, MutableMapping):
        made = copy(value)
        made.update([(key, _exchanged(part, tensors)) for key, part in value.items()])
        return made
    if isinstance(value, (list, tuple)):
        parts = [_exchanged(part, tensors) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def tensors_in(value: Any, depth: int = 0) -> Iterator[Any]:
    """Return the tensors of a result: in lists, tuples, mappings, data classes and other objects, however deep."""
    if hasattr(value, "detach"):
        yield value
    elif depth < DEEP:  # an object may hold itself
        for part in _results(value):
            yield from tensors_in(part, depth + 1)


def _results(value: Any) -> Iterable[Any]:
    if isinstance(value, (Mapping, list, tuple)):
        return [part for _, part in _parts(value)]
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in fields(value)]
    # Of what is neither a class, nor a function or module: a distribution, say, or somebody's own result.
    return vars(value).values() if hasattr(value, "__dict__") and not callable(value) else ()
