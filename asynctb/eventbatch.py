"""Many events as framed records, at once. Pure; the bytes are those of `frame(event(...))` for each.

Events of one length are laid out as the rows of one array, so that Python's cost is per column instead of per event.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from asynctb.encode.wire import FLOAT, event
from asynctb.record import frame, frame_large, masked_crcs, masked_crcs_apart, record_head

__all__ = ["POINT", "Columns", "Points", "frame_events", "frame_points"]

FEW = 16  # events of one length up to which rows cost more than they save
SHORT = 512  # bytes of payload up to which it is Python that costs, not the bytes
NARROW = 160  # the same, where all rows are as wide as the widest
LARGE = 1 << 16  # bytes of payload from which copying it costs more than what goes around it
HEAD, WALL, TAIL = 12, 9, 4  # bytes of a record's head, of an event's wall time with its field header, of a checksum
ALONE = -1  # for an event that is not laid out in rows
# The least number of each length of varint; a negative one has ten bytes, and as unsigned it is the largest.
VARINTS = np.array([0, *(1 << 7 * size for size in range(1, 10))], np.uint64)

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]


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


def _framed(walls: Floats, steps: Ints, payloads: _Payloads) -> bytes:
    step_sizes = np.where(steps == 0, 0, np.searchsorted(VARINTS, steps.view(np.uint64), "right"))
    layouts = np.where((walls == 0) | (payloads.sizes > SHORT), ALONE, payloads.sizes * 16 + step_sizes)
    if layouts[0] != ALONE and not np.any(layouts != layouts[0]):
        return _rows(walls, steps, payloads, int(layouts[0])).tobytes()
    alone = (layouts == ALONE) | (payloads.sizes > NARROW)
    together, ends = b"", np.zeros(0, np.int64)
    if not alone.all():
        those = np.flatnonzero(~alone)
        together, ends = _ragged(walls[those], steps[those], payloads.at(those), step_sizes[those])
    return _spliced(together, ends, alone, walls, steps, payloads) if alone.any() else together


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

    def put_at_right(self, columns: Bytes) -> None:
        """Put them into the rows of an array of zeros, so that each ends where its row does."""
        width = columns.shape[1]
        aligned = b"".join([what.rjust(width, b"\0") for what in self._whats])
        columns[:] = np.frombuffer(aligned, np.uint8).reshape(columns.shape)


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

    def put_at_right(self, columns: Bytes) -> None:
        size = columns.shape[1] - FLOAT
        table = b"".join([head[:size].rjust(size, b"\0") for head in self._heads])  # none cut that is looked up
        columns[:, :size] = np.frombuffer(table, np.uint8).reshape(len(self._heads), size)[self._which]
        columns[:, size:] = self._floats.view(np.uint8).reshape(-1, FLOAT)


def _spliced(together: bytes, ends: Ints, alone: Flags, walls: Floats, steps: Ints, payloads: _Payloads) -> bytes:
    """Return records framed together, and those of events that stand alone in their places among them."""
    indices = np.flatnonzero(alone)
    singles = map(_frame, walls[indices].tolist(), steps[indices].tolist(), payloads.at(indices).each())
    # Before each single there are as many of the others as its index says, less the singles before it.
    cuts = np.concatenate(([0], ends))[indices - np.arange(len(indices))].tolist()
    pieces, last = [], 0
    for cut, single in zip(cuts, singles, strict=True):
        pieces += [together[last:cut], single]
        last = cut
    return b"".join([*pieces, together[last:]])


def _ragged(walls: Floats, numbers: Ints, payloads: _Payloads, step_sizes: Ints) -> tuple[bytes, Ints]:
    """Return the records of events of several lengths, and where each ends.

    Each is a row of cells, in which an event's parts stand in columns of their own; then what is unused is left out.
    """
    count, widest = len(walls), int(payloads.sizes.max())
    fields = np.where(step_sizes > 0, 1 + step_sizes, 0)
    sizes = WALL + fields + payloads.sizes
    step, what, tail = HEAD + WALL, HEAD + WALL + int(fields.max()), HEAD + WALL + int(fields.max()) + widest
    cells = np.zeros((count, tail + TAIL), np.uint8)
    cells[:, :HEAD] = _heads(int(sizes.max()))[sizes]
    cells[:, HEAD] = 0x09  # Event.wall_time
    cells[:, HEAD + 1 : step] = walls.view(np.uint8).reshape(count, 8)
    if what > step:
        cells[:, step] = np.where(step_sizes > 0, 0x10, 0)  # Event.step
        _put_varints(cells[:, step + 1 : what], numbers, step_sizes)
    payloads.put_at_right(cells[:, what:tail])
    columns = np.arange(tail, dtype=np.int32)
    after = np.empty((count, tail), np.int32)
    last = (HEAD + sizes - 1).astype(np.int32)[:, np.newaxis]
    after[:, :step] = last - columns[:step]
    # Cells behind a step that takes fewer bytes are none of the body: what is zero counts nowhere.
    after[:, step:what] = np.maximum(last - columns[step:what], 0)
    after[:, what:] = tail - 1 - columns[what:]
    crcs = masked_crcs_apart(cells[:, HEAD:tail], after[:, HEAD:], sizes)
    cells[:, tail:] = crcs.view(np.uint8).reshape(count, TAIL)
    used = np.ones(cells.shape, np.bool_)
    used[:, step:what] = columns[step:what] < (step + fields).astype(np.int32)[:, np.newaxis]
    used[:, what:tail] = columns[what:] >= (tail - payloads.sizes).astype(np.int32)[:, np.newaxis]
    return cells[used].tobytes(), np.cumsum(HEAD + sizes + TAIL)


@lru_cache(maxsize=64)
def _heads(longest: int) -> Bytes:
    return np.frombuffer(b"".join(map(record_head, range(longest + 1))), np.uint8).reshape(-1, HEAD)


def _rows(walls: Floats, numbers: Ints, payloads: _Payloads, layout: int) -> Bytes:
    """Return the records of events of one layout, one a row."""
    count, (what_size, step_size) = len(walls), divmod(layout, 16)
    body = WALL + (1 + step_size if step_size else 0) + what_size
    rows = np.empty((count, HEAD + body + TAIL), np.uint8)
    rows[:, :HEAD] = np.frombuffer(record_head(body), np.uint8)
    rows[:, HEAD] = 0x09  # Event.wall_time
    rows[:, HEAD + 1 : HEAD + WALL] = walls.view(np.uint8).reshape(count, 8)
    if step_size:
        rows[:, HEAD + WALL] = 0x10  # Event.step
        _put_varints(rows[:, HEAD + WALL + 1 : HEAD + WALL + 1 + step_size], numbers, np.int64(step_size))
    payloads.put(rows[:, HEAD + body - what_size : -TAIL])
    crcs = masked_crcs(rows[:, HEAD:-TAIL])
    rows[:, -TAIL:] = crcs.view(np.uint8).reshape(count, TAIL)
    return rows


def _put_varints(columns: Bytes, numbers: Ints, sizes: Ints | np.int64) -> None:
    """Put varints of so many bytes into columns, from the left; the rest becomes zero."""
    rest = numbers.view(np.uint64)
    for column in range(columns.shape[1]):
        more = np.where(column < sizes - 1, np.uint8(0x80), np.uint8(0))
        columns[:, column] = (rest & np.uint64(0x7F)).astype(np.uint8) | more
        rest = rest >> np.uint64(7)
