"""Putting our modules in the place of others, and putting those back."""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType, TracebackType
from typing import Any, Self

from asynctb.dropin.finder import FAMILIES, Finder, is_in, is_ours

__all__ = ["Installed", "install", "uninstall"]

MISSING: Any = object()
_lock = threading.RLock()
_current: _Replaced | None = None


class Installed:
    """One call of `install()`, whose `with` block ends with what there was before, if it is the outermost."""

    def __init__(self, replaced: _Replaced) -> None:
        self._replaced: _Replaced | None = replaced

    def __enter__(self) -> Self:
        """Return the call."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Undo the call; that of the first undoes all."""
        with _lock:
            replaced, self._replaced = self._replaced, None
            if replaced is None or replaced is not _current:
                return  # uninstall() has been called meanwhile
            replaced.calls -= 1
            if not replaced.calls:
                uninstall()


class _Replaced:
    """What was there before."""

    def __init__(self) -> None:
        self.calls = 0  # of install(), whose blocks have not ended
        self._finder = Finder()
        self._modules = {name: module for name, module in sys.modules.items() if is_in(name)}
        self._parts = {family: _part(family) for family in FAMILIES}

    def begin(self) -> None:
        for name in self._modules:
            del sys.modules[name]
        sys.meta_path.insert(0, self._finder)
        # What was there already is replaced at once: a program may reach it without another import.
        for name in self._modules:
            if self._finder.find_spec(name) is not None:
                importlib.import_module(name)

    def end(self) -> None:
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        for name, module in list(sys.modules.items()):
            if is_in(name) and is_ours(module):
                del sys.modules[name]
        sys.modules.update(self._modules)
        for family, part in self._parts.items():
            _put_back(family, part)


def install() -> Installed:
    """See `asynctb.install`."""
    global _current
    with _lock:
        if _current is None:
            _current = _Replaced()
            try:
                _current.begin()
            except BaseException:
                uninstall()
                raise
        _current.calls += 1
        return Installed(_current)


def uninstall() -> None:
    """See `asynctb.uninstall`."""
    global _current
    with _lock:
        replaced, _current = _current, None
        if replaced is not None:
            replaced.end()


def _parent(family: str) -> ModuleType | None:
    return sys.modules.get(family.rpartition(".")[0])


def _part(family: str) -> Any:
    """Return what a family's parent has under its name."""
    return getattr(_parent(family), "__dict__", {}).get(family.rpartition(".")[2], MISSING)


def _put_back(family: str, part: Any) -> None:
    parent, name = _parent(family), family.rpartition(".")[2]
    if parent is None:
        return
    if part is not MISSING:
        setattr(parent, name, part)
    elif is_ours(_part(family)):
        delattr(parent, name)
