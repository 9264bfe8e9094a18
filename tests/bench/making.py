"""How cases are made: the sizes there are, and those that call one method of all who have it."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypeVar

from tests.bench.case import Case

__all__ = ["WRITERS", "Form", "calls", "sized"]

Form: TypeAlias = Literal["quick", "full", "long"]
T = TypeVar("T")

WRITERS = ("await", "sync", "torch", "tensorboardX")
COUNTED = {"add_hparams": "trials", "add_graph": "graphs", "add_embedding": "embeddings"}
VALUES = {"add_scalars": 10, "add_mesh": 3}


def sized(form: Form, full: T, quick: T) -> T:
    """Return what goes with the form."""
    return quick if form == "quick" else full


def calls(key: str, title: str, method: str, many: int, few: int, **options: Any) -> Case:
    """Return a case of one method: `many` calls by asynctb, `few` by the others."""
    return Case(
        key,
        title,
        "calling:calls",
        tuple(name for name in WRITERS if not (name == "tensorboardX" and method == "add_tensor")),
        {"method": method, "count": many, **options},
        own={name: {"count": few} for name in WRITERS[2:]},
        limit="" if method == "add_graph" else "limits:calls",
        counts=COUNTED.get(method, "values"),
        values=VALUES.get(method, 1),
    )
