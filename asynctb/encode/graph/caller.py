"""What the thread that traces a model must have of its caller's: a thread inherits none of it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any, TypeVar

__all__ = ["Caller", "torch_if_loaded"]

T = TypeVar("T")
Mode = Callable[[], AbstractContextManager[Any]]


def torch_if_loaded() -> Any:
    """Return torch, or None where nobody has imported it: then no value is one of its models."""
    return sys.modules.get("torch")


class Caller:
    """The context of the thread and task that makes one: context variables, and torch's modes."""

    def __init__(self) -> None:
        self._variables = copy_context()
        torch = torch_if_loaded()
        self._modes = [] if torch is None else [*_modes(torch), *_autocasts(torch), *_devices(torch)]

    def run(self, function: Callable[[], T]) -> T:
        """Call a function as if its caller had, once, with Python's warnings silent."""
        return self._variables.run(self._run, function)

    def _run(self, function: Callable[[], T]) -> T:
        with ExitStack() as stack:
            stack.enter_context(_silence())
            for mode in self._modes:
                stack.enter_context(mode())
            return function()


def _modes(torch: Any) -> Iterator[Mode]:
    if torch.is_inference_mode_enabled():
        yield torch.inference_mode
    yield partial(torch.set_grad_enabled, torch.is_grad_enabled())  # inside, for inference mode sets it too


def _autocasts(torch: Any) -> Iterator[Mode]:
    for kind, enabled, dtype in _autocast_states(torch):
        if enabled:
            cache = torch.is_autocast_cache_enabled()
            yield partial(torch.autocast, kind, dtype=dtype, cache_enabled=cache)


def _autocast_states(torch: Any) -> Iterator[tuple[str, bool, Any]]:
    if hasattr(torch, "get_autocast_dtype"):
        for kind in ("cpu", "cuda"):
            yield kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)
    else:  # before torch 2.4
        yield "cpu", torch.is_autocast_cpu_enabled(), torch.get_autocast_cpu_dtype()
        yield "cuda", torch.is_autocast_enabled(), torch.get_autocast_gpu_dtype()


def _devices(torch: Any) -> Iterator[Mode]:
    # Each thread has its own default for new tensors, and its own current device and stream of CUDA.
    default = torch.get_default_device() if hasattr(torch, "get_default_device") else None
    if default is not None and default.type != "cpu":
        yield partial(torch.device, default)
    if torch.cuda.is_initialized():
        yield partial(torch.cuda.stream, torch.cuda.current_stream())


# Tracers warn of what a trace cannot be trusted with for other inputs, which a picture need not be. They do it through
# Python's warnings, whose settings are the process's: to change them for a while, as `catch_warnings` does, would take
# other threads' warnings away, and may end with the wrong settings when two do it at once. So one filter is put in for
# good that asks who warns, and matches nobody but us.

_silent: ContextVar[bool] = ContextVar("asynctb_silent", default=False)


class _WhenSilent:
    """Stands where a filter has its pattern; who copies filters by their patterns copies one that matches nothing."""

    pattern = "(?!)"

    def match(self, _: str) -> bool:
        """Tell whether a warning comes from what runs silently."""
        return _silent.get()


_FILTER: Any = ("ignore", _WhenSilent(), Warning, None, 0)


@contextmanager
def _silence() -> Generator[None, None, None]:
    """Let no warning of this context through, and every other."""
    filters: Any = warnings.filters
    if _FILTER not in filters[:1]:
        filters[:] = [_FILTER, *(other for other in filters if other is not _FILTER)]
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)
