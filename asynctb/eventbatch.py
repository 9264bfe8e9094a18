"""Many events as framed records, at once. Pure; the bytes are those of `frame(event(...))` for each.

Events of one length are laid out as the rows of one array, so that Python's cost is per column instead of per event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from asynctb.encode.wire import event
from asynctb.record import frame, frame_large, masked_crcs, record_head

__all__ = ["Columns", "frame_events"]

Columns: TypeAlias = tuple[Sequence[float], Sequence[int | None], Sequence[bytes]]
"""Wall times, steps, and payloads in wire form, of the same events."""

FEW = 16  # events of one length up to which rows cost more than they save
SHORT = 512  # bytes of payload up to which it is Python that costs, not the bytes
LARGE = 1 << 16  # bytes of payload from which copying it costs more than what goes around it
HEAD, WALL, TAIL = 12, 9, 4  # bytes of a record's head, of an event's wall time with its field header, of a checksum
ALONE = -1  # for an event that is not laid out in rows
# The least number of each length of varint; a negative one has ten bytes, and as unsigned it is the largest.
VARINTS = np.array([0, *(1 << 7 * size for size in range(1, 10))], np.uint64)

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]


def frame_events(wall_times: Sequence[float], steps: Sequence[int | None], whats: Sequence[bytes]) -> bytes:
    """Return events as framed records, in order."""
    if len(whats) <= FEW:
        return b"".join(map(_frame, wall_times, steps, whats))
    numbers = np.array([step or 0 for step in steps] if None in steps else steps, np.int64)
    walls = np.array(wall_times, "<f8")
    what_sizes = np.array(list(map(len, whats)), np.int64)
    step_sizes = np.where(numbers == 0, 0, np.searchsorted(VARINTS, numbers.view(np.uint64), "right"))
    layouts = np.where((walls == 0) | (what_sizes > SHORT), ALONE, what_sizes * 16 + step_sizes)
    if layouts[0] != ALONE and not np.any(layouts != layouts[0]):
        return _rows(walls, numbers, whats, int(what_sizes[0]), int(step_sizes[0])).tobytes()
    return _mixed(walls, numbers, whats, layouts)


def _frame(wall_time: float, step: int | None, what: bytes) -> bytes:
    if len(what) > LARGE:
        return frame_large(event(wall_time, step, b""), what)
    return frame(event(wall_time, step, what))


def _mixed(walls: npt.NDArray[np.float64], numbers: Ints, whats: Sequence[bytes], layouts: Ints) -> bytes:
    """Frame events of several lengths: those of each length together, and back in their order."""
    out: list[bytes] = [b""] * len(whats)
    for layout in set(layouts.tolist()):  # not np.unique: it imports when first called, which no forked child survives
        indices = np.flatnonzero(layouts == layout)
        mine = [whats[index] for index in indices.tolist()]
        if layout == ALONE or len(mine) <= FEW:
            records = map(_frame, walls[indices].tolist(), numbers[indices].tolist(), mine)
        else:
            rows = _rows(walls[indices], numbers[indices], mine, layout // 16, layout % 16)
            records = map(bytes, rows)
        for index, record in zip(indices.tolist(), records, strict=True):
            out[index] = record
    return b"".join(out)


def _rows(
    walls: npt.NDArray[np.float64], numbers: Ints, whats: Sequence[bytes], what_size: int, step_size: int
) -> Bytes:
    """Return the records of events of one layout, one a row."""
    count = len(whats)
    body = WALL + (1 + step_size if step_size else 0) + what_size
    rows = np.empty((count, HEAD + body + TAIL), np.uint8)
    rows[:, :HEAD] = np.frombuffer(record_head(body), np.uint8)
    rows[:, HEAD] = 0x09  # Event.wall_time
    rows[:, HEAD + 1 : HEAD + WALL] = walls.view(np.uint8).reshape(count, 8)
    if step_size:
        rows[:, HEAD + WALL] = 0x10  # Event.step
        _put_varints(rows[:, HEAD + WALL + 1 : HEAD + WALL + 1 + step_size], numbers)
    rows[:, -TAIL - what_size : -TAIL] = np.frombuffer(b"".join(whats), np.uint8).reshape(count, what_size)
    crcs = masked_crcs(rows[:, HEAD:-TAIL].tobytes(), body)
    rows[:, -TAIL:] = crcs.view(np.uint8).reshape(count, TAIL)
    return rows


def _put_varints(columns: Bytes, numbers: Ints) -> None:
    rest = numbers.view(np.uint64)
    last = columns.shape[1] - 1
    for column in range(last + 1):
        more = 0x80 if column < last else 0
        columns[:, column] = (rest & np.uint64(0x7F)).astype(np.uint8) | np.uint8(more)
        rest = rest >> np.uint64(7)
