"""Many events as framed records, at once. Pure; the bytes are those of `frame(event(...))` for each.

Events of one length are laid out as the rows of one array, so that Python's cost is per column instead of per event.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from asynctb.encode.wire import event
from asynctb.record import frame, frame_large, masked_crcs, record_head

__all__ = ["POINT", "Columns", "Points", "frame_events", "frame_points"]

FEW = 16  # events of one length up to which rows cost more than they save
SHORT = 512  # bytes of payload up to which it is Python that costs, not the bytes
LARGE = 1 << 16  # bytes of payload from which copying it costs more than what goes around it
HEAD, WALL, TAIL = 12, 9, 4  # bytes of a record's head, of an event's wall time with its field header, of a checksum
FLOAT = 4  # bytes of a number
ALONE = -1  # for an event that is not laid out in rows
# The least number of each length of varint; a negative one has ten bytes, and as unsigned it is the largest.
VARINTS = np.array([0, *(1 << 7 * size for size in range(1, 10))], np.uint64)

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]


Columns: TypeAlias = tuple[Sequence[float], Sequence[int | None], Sequence[bytes]]
"""Wall times, steps, and payloads in wire form, of the same events."""

POINT = struct.Struct("<dqdI")
"""A number of a curve: wall time, step, number, and which curve. Packed, so that no other core has to look at objects
that one core has made, which costs more than all that is done with them."""
AS_ROW = np.dtype([("wall_time", "<f8"), ("step", "<i8"), ("number", "<f8"), ("curve", "<u4")])


class Points:
    """Packed numbers of curves."""

    def __init__(self, packed: bytes | bytearray, head: Callable[[int], bytes]) -> None:
        """Take them as `POINT` packs them; `head` gives what the payload of each number of a curve begins with."""
        rows = np.frombuffer(packed, AS_ROW)
        self.wall_times = np.ascontiguousarray(rows["wall_time"])
        self.steps = np.ascontiguousarray(rows["step"])
        with np.errstate(over="ignore", invalid="ignore"):  # what is beyond float32 becomes infinite
            floats = rows["number"].astype("<f4")
        curves = rows["curve"]
        if len(rows) and np.all(curves == curves[0]):
            self.payloads = _Numbers([head(int(curves[0]))], np.zeros(len(rows), np.int64), floats)
        else:
            distinct = sorted(set(curves.tolist()))
            self.payloads = _Numbers([*map(head, distinct)], np.searchsorted(distinct, curves), floats)

    def __len__(self) -> int:
        """Count them."""
        return len(self.steps)

    @property
    def size(self) -> int:
        """How many bytes their payloads have together."""
        return int(self.payloads.sizes.sum())


def frame_events(wall_times: Sequence[float], steps: Sequence[int | None], whats: Sequence[bytes]) -> bytes:
    """Return events as framed records, in order."""
    if len(wall_times) <= FEW:
        return b"".join(map(_frame, wall_times, steps, whats))
    numbers = np.array([step or 0 for step in steps] if None in steps else steps, np.int64)
    return _framed(np.array(wall_times, "<f8"), numbers, _Payloads(whats))


def frame_points(points: Points) -> bytes:
    """Return numbers as framed records, in order."""
    if len(points) <= FEW:
        return b"".join(map(_frame, points.wall_times.tolist(), points.steps.tolist(), points.payloads.each()))
    return _framed(points.wall_times, points.steps, points.payloads)


def _framed(walls: npt.NDArray[np.float64], steps: Ints, payloads: _Payloads) -> bytes:
    step_sizes = np.where(steps == 0, 0, np.searchsorted(VARINTS, steps.view(np.uint64), "right"))
    layouts = np.where((walls == 0) | (payloads.sizes > SHORT), ALONE, payloads.sizes * 16 + step_sizes)
    if layouts[0] != ALONE and not np.any(layouts != layouts[0]):
        return _rows(walls, steps, payloads, int(layouts[0])).tobytes()
    return _mixed(walls, steps, payloads, layouts)


def _frame(wall_time: float, step: int | None, what: bytes) -> bytes:
    if len(what) > LARGE:
        return frame_large(event(wall_time, step, b""), what)
    return frame(event(wall_time, step, what))


class _Payloads:
    """Payloads of any kind."""

    def __init__(self, whats: Sequence[bytes]) -> None:
        self._whats = whats
        self.sizes: Ints = np.array(list(map(len, whats)), np.int64)

    def at(self, indices: Ints) -> _Payloads:
        """Return some of them."""
        return _Payloads([self._whats[index] for index in indices.tolist()])

    def each(self) -> Sequence[bytes]:
        """Return them one by one."""
        return self._whats

    def put(self, columns: Bytes) -> None:
        """Put them, which are of one size, into the rows of an array."""
        columns[:] = np.frombuffer(b"".join(self._whats), np.uint8).reshape(columns.shape)


class _Numbers(_Payloads):
    """Payloads of numbers, which are made into bytes all at once: each is one of few heads, and four bytes of float."""

    def __init__(self, heads: Sequence[bytes], which: Ints, floats: npt.NDArray[np.float32]) -> None:
        self._heads = heads
        self._which = which
        self._floats = floats
        self.sizes = np.array([*map(len, heads)], np.int64)[which] + FLOAT

    def at(self, indices: Ints) -> _Numbers:
        return _Numbers(self._heads, self._which[indices], self._floats[indices])

    def each(self) -> Sequence[bytes]:
        floats = self._floats.tobytes()
        heads = map(self._heads.__getitem__, self._which.tolist())
        return [head + floats[FLOAT * number : FLOAT * (number + 1)] for number, head in enumerate(heads)]

    def put(self, columns: Bytes) -> None:
        size = columns.shape[1] - FLOAT
        table = b"".join(head if len(head) == size else bytes(size) for head in self._heads)  # no other is looked up
        columns[:, :size] = np.frombuffer(table, np.uint8).reshape(len(self._heads), size)[self._which]
        columns[:, size:] = self._floats.view(np.uint8).reshape(-1, FLOAT)


def _mixed(walls: npt.NDArray[np.float64], numbers: Ints, payloads: _Payloads, layouts: Ints) -> bytes:
    """Frame events of several lengths: those of each length together, and back in their order."""
    out: list[bytes] = [b""] * len(walls)
    for layout in set(layouts.tolist()):  # not np.unique: it imports when first called, which no forked child survives
        indices = np.flatnonzero(layouts == layout)
        mine = payloads.at(indices)
        if layout == ALONE or len(indices) <= FEW:
            records = map(_frame, walls[indices].tolist(), numbers[indices].tolist(), mine.each())
        elif indices[-1] - indices[0] < len(indices):
            # Nothing lies between them, as where a step gains a digit: together they are one piece.
            out[indices[0]] = _rows(walls[indices], numbers[indices], mine, layout).tobytes()
            continue
        else:
            records = map(bytes, _rows(walls[indices], numbers[indices], mine, layout))
        for index, record in zip(indices.tolist(), records, strict=True):
            out[index] = record
    return b"".join(out)


def _rows(walls: npt.NDArray[np.float64], numbers: Ints, payloads: _Payloads, layout: int) -> Bytes:
    """Return the records of events of one layout, one a row."""
    count, (what_size, step_size) = len(walls), divmod(layout, 16)
    body = WALL + (1 + step_size if step_size else 0) + what_size
    rows = np.empty((count, HEAD + body + TAIL), np.uint8)
    rows[:, :HEAD] = np.frombuffer(record_head(body), np.uint8)
    rows[:, HEAD] = 0x09  # Event.wall_time
    rows[:, HEAD + 1 : HEAD + WALL] = walls.view(np.uint8).reshape(count, 8)
    if step_size:
        rows[:, HEAD + WALL] = 0x10  # Event.step
        _put_varints(rows[:, HEAD + WALL + 1 : HEAD + WALL + 1 + step_size], numbers)
    payloads.put(rows[:, HEAD + body - what_size : -TAIL])
    crcs = masked_crcs(rows[:, HEAD:-TAIL])
    rows[:, -TAIL:] = crcs.view(np.uint8).reshape(count, TAIL)
    return rows


def _put_varints(columns: Bytes, numbers: Ints) -> None:
    rest = numbers.view(np.uint64)
    last = columns.shape[1] - 1
    for column in range(last + 1):
        more = 0x80 if column < last else 0
        columns[:, column] = (rest & np.uint64(0x7F)).astype(np.uint8) | np.uint8(more)
        rest = rest >> np.uint64(7)
