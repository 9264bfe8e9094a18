"""A model in evaluation mode for a while, and back in its own: each of its modules in the one that it was in."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["evaluating"]


@contextmanager
def evaluating(model: Any) -> Generator[None, None, None]:
    """Have a module in evaluation mode, as torch's `add_graph` does, whatever happens inside; what is none stays so."""
    modules = [(module, module.training) for module in model.modules()] if hasattr(model, "training") else []
    try:
        if modules:
            _evaluate(model, modules)
        yield
    finally:
        _restore(modules)


def _evaluate(model: Any, modules: Sequence[tuple[Any, bool]]) -> None:
    try:
        model.train(False)
    except Exception:  # such as an exported program's, which has no `train`
        for module, _ in modules:
            module.training = False


def _restore(modules: Sequence[tuple[Any, bool]]) -> None:
    # By `train` first, parents before children: there are modules that do more in it than to set a flag, such as
    # adapters that add their weights to those they adapt. Then the flags, for those that do less.
    for module, training in modules:
        if module.training != training:
            with suppress(Exception):
                module.train(training)
    for module, training in modules:
        if module.training != training:
            module.training = training
