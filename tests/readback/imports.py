"""TensorBoard's modules, imported when first asked for."""

import importlib
import sys
import warnings
from types import ModuleType


def module(name: str) -> ModuleType:
    """Import a module of TensorBoard; what its imports warn about (pkg_resources, old generated protos) is not ours."""
    if loaded := sys.modules.get(name):
        return loaded
    with warnings.catch_warnings():
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning, UserWarning):
            warnings.simplefilter("ignore", category)
        return importlib.import_module(name)
