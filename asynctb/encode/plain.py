"""Hyperparameters as the HParams dashboard knows them: booleans, numbers and texts. Whatever else gets a fitting text.

The texts are the same in every run of a program: without addresses, and sets in order, so that equal values compare
equal in the dashboard.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from asynctb.encode.arrays import is_masked, is_meta, is_time
from asynctb.encode.tags import encode_tag
from asynctb.errors import EncodeError

__all__ = ["Plain", "flat", "plain"]

Plain: TypeAlias = bool | float | str

MANY = 100  # items of a list, or elements of an array, up to which its text shows them all: it is for a table's cell
HYPERPARAMETER = "a hyperparameter: a number, a boolean, text, or what has a text"


def flat(argument: str, values: Any) -> dict[str, Any]:
    """Return what a nested mapping, namespace or dataclass holds, the names joined by `/`.

    Raises `EncodeError` for everything else, for names that are no text, and for two that are the same when joined.
    """
    items: dict[str, Any] = {}
    try:
        for name, value in _flat(argument, "", values):
            if name in items:
                raise EncodeError(argument, f"one value of the name {name!r}", values)
            items[name] = value
    except EncodeError:
        raise
    except Exception as error:  # a mapping of another library may raise anything here, or hold itself
        raise EncodeError(argument, "a mapping from names to values", values) from error
    return items


def _flat(argument: str, above: str, values: Any) -> Iterator[tuple[str, Any]]:
    items = _items(values)
    if items is None:
        raise EncodeError(argument, "a mapping from names to values", values)
    for key, value in items:
        if not isinstance(key, str):
            raise EncodeError(argument, "names that are text", key)
        name = above + key
        encode_tag(name)
        if _items(value) is None:
            yield name, value
        else:
            yield from _flat(argument, name + "/", value)


def _items(value: Any) -> Iterable[tuple[Any, Any]] | None:
    if isinstance(value, Mapping):
        return value.items()
    if is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in fields(value)]
    if type(value).__name__ in ("Namespace", "SimpleNamespace"):  # argparse's, and that of types
        return [*vars(value).items()]
    return None


def plain(name: str, value: Any) -> Plain | None:
    """Return a hyperparameter as the dashboard can hold it, or None for None.

    What counts for one number is a float, unless it is not finite, or an integer beyond float64: those become text,
    since TensorBoard leaves numbers that are not finite out, or fails on them. Raises `EncodeError` for tensors on the
    meta device, text that UTF-8 cannot encode, and what raises when it is asked for its text.
    """
    try:
        found = _plain(value)
    except Exception as error:
        raise EncodeError(name, HYPERPARAMETER, value) from error
    if isinstance(found, str):
        _check_text(name, found, value)
    return found


def _check_text(name: str, text: str, value: Any) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(name, "text that UTF-8 can encode", value) from error


def _plain(value: Any) -> Plain | None:
    if value is None or isinstance(value, (bool, np.bool_)):
        return None if value is None else bool(value)
    if isinstance(value, Enum):
        return _plain(value.value) if isinstance(value, (str, int, float)) else value.name or str(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(name := getattr(value, "__name__", None), str):
        return name  # a class, a function, a module
    if is_time(value):
        return str(value)
    if isinstance(getattr(value, "shape", None), tuple) and callable(getattr(value, "tolist", None)):
        return _of_array(value)
    if callable(getattr(value, "__float__", None)) and not isinstance(value, complex):
        return _number(value)  # Decimal, Fraction and the like
    return _text(value)


def _number(value: Any) -> float | str:
    try:
        number = float(value)
    except OverflowError:
        return str(value)
    return number if math.isfinite(number) else str(number)


def _of_array(array: Any) -> Plain | None:
    if is_meta(array):
        raise ValueError("a tensor on the meta device has no value")
    if is_masked(array):
        return str(math.nan)
    size = math.prod(array.shape)
    if size == 1:
        element = array.item()
        return _number(element) if hasattr(element, "shape") else _plain(element)
    return _text(array.tolist()) if size <= MANY else f"{array.dtype}{list(array.shape)}"


def _text(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)):
        return value.decode(errors="backslashreplace")
    if callable(getattr(value, "__fspath__", None)):
        return str(value)
    if isinstance(value, partial):
        named = (f"{name}={_item(item)}" for name, item in value.keywords.items())
        return f"partial({_joined([_item(value.func), *map(_item, value.args), *named])})"
    if isinstance(value, Mapping):
        return f"{{{_joined(f'{_item(key)}: {_item(item)}' for key, item in value.items())}}}"
    if isinstance(value, AbstractSet):
        return f"{{{_joined(sorted(map(_item, value)))}}}"
    if isinstance(value, Sequence) and not isinstance(value, range):
        items = _joined(map(_item, value))
        return f"({items})" if isinstance(value, tuple) else f"[{items}]"
    return _own_text(value)


def _own_text(value: Any) -> str:
    kind: Any = type(value)
    if kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__:
        return str(kind.__name__)  # all that there is besides is an address
    return str(value)


def _joined(items: Iterable[str]) -> str:
    first = list(islice(items, MANY + 1))
    return ", ".join(first if len(first) <= MANY else [*first[:MANY], "..."])


def _item(value: Any) -> str:
    """Return the text of something inside of something: texts in quotes, integers as integers."""
    if getattr(value, "shape", None) == () and callable(getattr(value, "item", None)) and not is_time(value):
        value = value.item()
    if value is None or (isinstance(value, (str, int, float)) and not isinstance(value, Enum)):
        return repr(value)
    return str(_plain(value))
