"""What a loader returns: points, by run and tag; and how two such answers differ."""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any, TypeAlias

# A tensor is nested tuples of its shape, a bare value for shape (); text is decoded, other strings are bytes.
# A blob sequence (image, audio, graph) is a tuple of bytes.
Value: TypeAlias = "bool | int | float | complex | str | bytes | tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a tag, as TensorBoard gives it: no rounding, no sorting."""

    step: int
    wall_time: float
    value: Value


Series: TypeAlias = dict[str, dict[str, list[Point]]]  # run -> tag -> points; the log directory itself is run '.'
AnyPoint: TypeAlias = Point | tuple[int, Any, Any]  # wall time and value may also be `unittest.mock.ANY`
Expected: TypeAlias = Mapping[str, Mapping[str, Sequence[AnyPoint]]]


def float32(value: float) -> float:
    """Round as a `simple_value` or DT_FLOAT is rounded: what a reader gives back for `value`."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


def differences(expected: Expected, got: Series) -> list[str]:
    """Say for each tag that differs where it does so first; a run without points is the same as no run."""
    wanted, found = _by_tag(expected), _by_tag(got)
    lines = [(key, _difference(wanted.get(key), found.get(key))) for key in sorted(wanted.keys() | found.keys())]
    return [f"run {run!r} tag {tag!r}: {line}" for (run, tag), line in lines if line]


def _by_tag(series: Expected) -> dict[tuple[str, str], list[Point]]:
    return {(run, tag): [_point(p) for p in points] for run, tags in series.items() for tag, points in tags.items()}


def _point(point: AnyPoint) -> Point:
    return point if isinstance(point, Point) else Point(*point)


def _difference(wanted: list[Point] | None, found: list[Point] | None) -> str | None:
    if found is None:
        return f"missing; {len(wanted or ())} points expected"
    if wanted is None:
        return f"not expected; got {len(found)} points"
    for index, (want, have) in enumerate(zip_longest(wanted, found)):
        if not _same_point(want, have):
            counts = f"{len(wanted)} expected, {len(found)} got"
            return f"point {index} differs ({counts})\n    expected {want}\n    got      {have}"
    return None


def _same_point(want: Point | None, have: Point | None) -> bool:
    if want is None or have is None:
        return False
    return all(_same(getattr(want, field.name), getattr(have, field.name)) for field in fields(Point))


def _same(want: Any, have: Any) -> bool:
    if isinstance(want, tuple) and isinstance(have, tuple):
        return len(want) == len(have) and all(map(_same, want, have))
    return bool(want == have or (want != want and have != have))  # NaN is the same as NaN
