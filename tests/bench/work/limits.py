"""What the work costs alone: the same bytes written at once, their checksums, their messages, the same pictures.

Nobody can do with less than these, or only by doing the work in another way. What is written, checked and serialised is
what asynctb has stored for the same calls; that is made first, and not timed.
"""

from __future__ import annotations

import io
import mmap
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np

from asynctb.encode.buckets import default_edges
from asynctb.proto.event_pb2 import Event
from asynctb.record import parse
from tests.bench.case import Figures
from tests.bench.work import adding, calling
from tests.bench.work.payloads import noise, normal

__all__ = ["calls", "scalars"]

REPEATS, LONG = 3, 0.2  # how often something is done, and seconds after which that was enough


def scalars(entrant: str, folder: Path, count: int, tags: int = 1) -> Figures:
    """The limits of as many scalars; seconds a scalar."""
    adding.scalars("sync", folder, count, tags)
    return _summed(_stored(folder, count))


def keys(entrant: str, folder: Path, count: int, keys: int) -> Figures:
    """The limits of an `add_scalars`; seconds a key."""
    adding.keys("sync", folder, count, keys)
    return _summed(_stored(folder, count * keys))


def calls(entrant: str, folder: Path, method: str, count: int, **options: Any) -> Figures:
    """The limits of as many calls of a method; seconds a call."""
    calling.calls("sync", folder, method, count, **options)
    work = WORK[method](**options) if method in WORK else {}
    figures = _summed({**_stored(folder, count), **{name: _mean(function) for name, function in work.items()}})
    return {**figures, "copy": _copying(options.get("size", 100_000), count)} if method == "add_histogram" else figures


def _mean(function: Callable[[], object]) -> float:
    """Return the seconds that a function takes on average, as the writers' figures are averages."""
    took, done = 0.0, 0
    while done < REPEATS and took < LONG:
        began = time.perf_counter()
        function()
        took, done = took + time.perf_counter() - began, done + 1
    return took / done


def _copying(size: int, count: int) -> float:
    """Return the seconds of one of as many copies, all of which are kept: they are in memory never used before.

    It is mapped for each, since the allocator has memory at hand that was in use before, or has not, by what the
    process has done so far; and that makes a difference of four.
    """
    values = normal(size)
    kept = []
    began = time.perf_counter()
    for _ in range(count):
        kept.append(mmap.mmap(-1, values.nbytes))
        np.frombuffer(kept[-1], values.dtype)[:] = values
    return (time.perf_counter() - began) / count


def _summed(parts: Figures) -> Figures:
    return {**parts, "total": sum(parts.values())}


def _stored(folder: Path, count: int) -> Figures:
    """Return what bytes, checksums and messages of what is stored cost, for each of so many."""
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    logs = [path.read_bytes() for path in folder.rglob("*tfevents*")]
    bodies = [body for log in logs for body in parse([log])]
    events = [Event.FromString(body) for body in bodies]
    content, target = b"".join(files), folder / "plain"
    parts: dict[str, Callable[[], object]] = {
        "write": lambda: _write(target, content),
        "crc": lambda: _each(google_crc32c.value, bodies),
        "protobuf": lambda: _each(Event.SerializeToString, events),
    }
    return {name: _mean(function) / count for name, function in parts.items()}


def _each(function: Callable[[Any], object], values: Sequence[Any]) -> None:
    for value in values:
        function(value)


def _write(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
    finally:
        os.close(fd)


# What is not bytes, checksums and messages, by the library that is known for it


def _png(side: int = 512) -> dict[str, Callable[[], object]]:
    from PIL import Image

    image = Image.fromarray(noise(side, side, 3))
    return {"Pillow's PNG": lambda: image.save(io.BytesIO(), "png")}


def _boxes_png(side: int = 256) -> dict[str, Callable[[], object]]:
    return _png(side)


def _grid_png(number: int = 16, side: int = 64) -> dict[str, Callable[[], object]]:
    return _png(round(number**0.5) * side)


def _gif(frames: int = 16, side: int = 64) -> dict[str, Callable[[], object]]:
    from PIL import Image

    pictures = [Image.fromarray(each) for each in noise(frames, side, side, 3)]
    return {"Pillow's GIF": lambda: pictures[0].save(io.BytesIO(), "gif", save_all=True, append_images=pictures[1:])}


def _histogram(size: int = 100_000) -> dict[str, Callable[[], object]]:
    values, edges = normal(size), default_edges()
    return {"np.histogram": lambda: np.histogram(values, bins=edges)}


def _wav(seconds: float = 1.0) -> dict[str, Callable[[], object]]:
    sound = np.clip(normal(int(44100 * seconds)) * 0.2, -1, 1)
    return {"to int16": lambda: (sound * 32767).astype("<i2").tobytes()}


def _drawing() -> dict[str, Callable[[], object]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3))
    figure.subplots().plot(np.cumsum(normal(500)))
    canvas = FigureCanvasAgg(figure)
    return {"drawing": canvas.draw}


WORK: dict[str, Callable[..., dict[str, Callable[[], object]]]] = {
    "add_image": _png,
    "add_image_with_boxes": _boxes_png,
    "add_images": _grid_png,
    "add_video": _gif,
    "add_histogram": _histogram,
    "add_audio": _wav,
    "add_figure": _drawing,
}
