"""Scalars: one number of one tag, one number of many runs, many numbers of one event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from asynctb.encode.arrays import as_number
from asynctb.encode.tags import encode_tag, sub_run
from asynctb.encode.wire import FLOAT, delimited, float32, float32s, summary, varint
from asynctb.entry import Record
from asynctb.errors import EncodeError
from asynctb.proto import summary_pb2, tensor_pb2

__all__ = ["PLUGIN", "head", "log", "scalar", "scalars"]

PLUGIN = "scalars"
MANY = 256  # keys of a mapping from which few such are remembered: they may be others each time, and take much memory
PLAIN = {float, int, bool, np.float64, np.float32, np.float16, np.int64, np.int32}  # whose `float()` is their number
_record = tuple.__new__  # a NamedTuple's own constructor takes twice the time, and this is the hottest path


class _Known(NamedTuple):
    """What is the same for every point of a tag."""

    tags: tuple[str]
    summary: bytes
    """All of a scalar's payload but its number."""
    value: bytes
    """The same as one value of a larger summary."""


@lru_cache(maxsize=8192)
def _known(tag: str) -> _Known:
    encoded = encode_tag(tag)
    name = (delimited(b"\x0a", encoded) if encoded else b"") + b"\x15"  # Value.tag, the header of Value.simple_value
    value = b"\x0a" + varint(len(name) + FLOAT) + name  # Summary.value, up to its four bytes of float
    return _Known((tag,), b"\x2a" + varint(len(value) + FLOAT) + value, value)  # Event.summary


def head(tag: str) -> bytes:
    """Return a scalar's payload up to the four bytes of its number, for a tag that has had one."""
    return _known(tag).summary


def _no_text(tag: object) -> EncodeError:
    return EncodeError(tag, "a tag: text", tag)  # not hashable, so no text


def scalar(tag: str, value: Any, new_style: bool = False, double_precision: bool = False) -> Record:
    """Return one number as torch stores it: `simple_value`, or a tensor with `new_style`.

    `double_precision` counts only with `new_style`, as in torch; otherwise values are rounded to float32.
    """
    try:
        known = _known(tag)
    except TypeError:
        raise _no_text(tag) from None
    number = value if type(value) is float else as_number(tag, value)
    if new_style:
        return Record(known.tags, _tensor(tag, number, double_precision), PLUGIN)
    return _record(Record, (known.tags, known.summary + float32(number), PLUGIN, "", False))


def _tensor(tag: str, number: float, double_precision: bool) -> bytes:
    # No tensor_shape: torch leaves it out for scalars, and both readers take that for rank 0.
    if double_precision:
        tensor = tensor_pb2.TensorProto(dtype=tensor_pb2.DT_DOUBLE, double_val=[number])
    else:
        tensor = tensor_pb2.TensorProto(dtype=tensor_pb2.DT_FLOAT, float_val=[number])
    metadata = summary_pb2.SummaryMetadata(plugin_data={"plugin_name": PLUGIN})
    value = summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
    return summary(summary_pb2.Summary(value=[value]).SerializeToString())


def scalars(main_tag: str, tag_scalar_dict: Mapping[str, Any]) -> list[Record]:
    """Return one record a key, each in the sub-run that torch gives it, so that TensorBoard draws them in one chart."""
    encode_tag(main_tag)
    if not isinstance(tag_scalar_dict, Mapping):
        raise EncodeError(main_tag, "a mapping from names to numbers", tag_scalar_dict)
    folder = main_tag.replace("/", "_")
    return [
        scalar(main_tag, value)._replace(run=sub_run(main_tag, f"{folder}_{_name(main_tag, key)}"))
        for key, value in tag_scalar_dict.items()
    ]


def _name(tag: str, key: object) -> str:
    if not isinstance(key, str):
        raise EncodeError(tag, "names that are text", key)
    return key


def log(metrics: Mapping[str, Any]) -> tuple[list[Record], list[tuple[str, Any]]]:
    """Return one event of all numbers in a nested mapping, and the tags with what was no number.

    Nested keys are joined by `/`. Text, None, containers and arrays of several elements are no numbers here.
    """
    if not isinstance(metrics, Mapping):
        raise EncodeError("log", "a mapping from tags to numbers", metrics)
    tags, values = _flat(metrics, "")
    if values and PLAIN.issuperset(map(type, values)):
        with suppress(OverflowError):  # beyond float32, or even beyond float64
            together = _together if len(tags) < MANY else _many_together
            return [Record(tags, together(tags)(values), PLUGIN)], []
    return _one_by_one(tags, values)


@lru_cache(maxsize=256)
def _together(tags: tuple[str, ...]) -> Callable[[Sequence[float]], bytes]:
    """Return what makes the payload of these tags' numbers: a program logs the same ones each time."""
    heads = [_known(tag).value for tag in tags]
    size = sum(map(len, heads)) + FLOAT * len(heads)
    heads[0] = summary(bytes(size))[:-size] + heads[0]
    return float32s(heads)


_many_together = lru_cache(maxsize=8)(_together.__wrapped__)


def _one_by_one(tags: Sequence[str], values: Sequence[Any]) -> tuple[list[Record], list[tuple[str, Any]]]:
    numbers: list[tuple[str, bytes]] = []
    skipped: list[tuple[str, Any]] = []
    for tag, value in zip(tags, values, strict=True):
        known = _known(tag)
        try:
            number = value if type(value) is float else _strict_number(tag, value)
        except EncodeError:
            skipped.append((tag, value))
            continue
        numbers.append((tag, known.value + float32(number)))
    if not numbers:
        return [], skipped
    logged, payloads = zip(*numbers, strict=True)
    return [Record(logged, summary(b"".join(payloads)), PLUGIN)], skipped


def _flat(metrics: Mapping[str, Any], above: str) -> tuple[tuple[str, ...], list[Any]]:
    try:
        # One look, as another thread may change it; and the methods of whoever has made a class of it.
        metrics = dict(metrics if type(metrics) is dict else metrics.items())
        keys, values = tuple(metrics), [*metrics.values()]
        names = (_joined if len(keys) < MANY else _many_joined)(above, keys)
    except TypeError:
        raise EncodeError(above or "log", "names that are text", tuple(metrics)) from None  # not hashable, so no text
    if PLAIN.issuperset(map(type, values)):
        return names, values
    all_tags: list[str] = []
    all_values: list[Any] = []
    for name, value in zip(names, values, strict=True):
        inner = _flat(value, name + "/") if isinstance(value, Mapping) else ((name,), [value])
        all_tags += inner[0]
        all_values += inner[1]
    return tuple(all_tags), all_values


@lru_cache(maxsize=1024)
def _joined(above: str, keys: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(above + _name(above or "log", key) for key in keys)


_many_joined = lru_cache(maxsize=32)(_joined.__wrapped__)


def _strict_number(tag: str, value: Any) -> float:
    if isinstance(value, (str, bytes, list, tuple)):
        raise EncodeError(tag, "a number", value)
    return as_number(tag, value)
