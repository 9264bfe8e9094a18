"""Finds the modules that are ours under names of others."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NamedTuple

__all__ = ["FAMILIES", "Finder", "is_in", "is_ours"]

FAMILIES = ("tensorboardX", "torch.utils.tensorboard")


class Provided(NamedTuple):
    """What a name stands for."""

    module: str
    """The module of ours whose public names it has."""
    inside: Sequence[str] | None = None
    """If it is a package: the names of modules that are there once it is imported."""


PROVIDED = {
    "tensorboardX": Provided("asynctb.dropin.tensorboardx", ("summary", "writer")),
    "tensorboardX.proto": Provided("asynctb.proto", ("event_pb2", "summary_pb2")),
    "tensorboardX.proto.event_pb2": Provided("asynctb.proto.event_pb2"),
    "tensorboardX.proto.summary_pb2": Provided("asynctb.proto.summary_pb2"),
    "tensorboardX.summary": Provided("asynctb.dropin.tensorboardx_summary"),
    "tensorboardX.writer": Provided("asynctb.dropin.tensorboardx"),
    "torch.utils.tensorboard": Provided("asynctb.dropin.torchs", ("summary", "writer")),
    "torch.utils.tensorboard.summary": Provided("asynctb.summary"),
    "torch.utils.tensorboard.writer": Provided("asynctb.dropin.torchs"),
}


class Finder(MetaPathFinder):
    """Gives our modules under the names of others, and knows no more names than these."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what a name of ours is loaded by, or None."""
        provided = PROVIDED.get(fullname)
        if provided is None:
            return None
        found = importlib.util.find_spec(provided.module)
        assert found is not None
        spec = ModuleSpec(fullname, _Loader(provided), origin=found.origin, is_package=provided.inside is not None)
        spec.has_location = True
        return spec


class _Loader(Loader):
    """Fills a module with the public names of one of ours.

    They are the same objects, so that what is pickled names asynctb, and a process without `install()` can load it.
    """

    def __init__(self, provided: Provided) -> None:
        self._provided = provided

    def exec_module(self, module: ModuleType) -> None:
        """Run the module: it takes names, and imports what a program expects to be there."""
        ours = importlib.import_module(self._provided.module)
        names = getattr(ours, "__all__", None) or [name for name in vars(ours) if not name.startswith("__")]
        vars(module).update({name: getattr(ours, name) for name in names})
        module.__doc__ = ours.__doc__
        vars(module)["__all__"] = [name for name in names if not name.startswith("_")]
        for name in self._provided.inside or ():
            importlib.import_module(f"{module.__name__}.{name}")


def is_ours(module: object) -> bool:
    """Tell whether a module has been made here."""
    return isinstance(getattr(module, "__loader__", None), _Loader)


def is_in(name: str, families: Sequence[str] = FAMILIES) -> bool:
    """Tell whether a module's name is that of a family, or of a module in one."""
    return any(f"{name}.".startswith(f"{family}.") for family in families)
