"""What each `add_*` is given: a function that calls it, once for every step, with the same arguments each time."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["PAYLOADS", "Call", "of"]

Call: TypeAlias = Callable[[Any, int], Any]
"""Calls a method of a writer for a step, and returns what it returns."""

RNG = np.random.default_rng(0)
TEXT = "All work and no play makes Jack a dull boy.\n\n"


def of(method: str, options: dict[str, Any]) -> Call:
    """Return the calls of a method; what they need is made here, outside of what is measured."""
    return PAYLOADS[method](**options)


def noise(*shape: int) -> Any:
    """Return random bytes: pixels that no encoder can make much of."""
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def normal(*shape: int) -> Any:
    """Return random numbers as they come out of a network."""
    return RNG.standard_normal(shape, dtype=np.float32)


def _scalar() -> Call:
    return lambda writer, step: writer.add_scalar("loss/train", step * 0.5, step)


def _scalars(keys: int = 10) -> Call:
    numbers = {f"key{number}": number * 0.5 for number in range(keys)}
    return lambda writer, step: writer.add_scalars("curves", numbers, step)


def _text(size: int = 1000) -> Call:
    text = (TEXT * (size // len(TEXT) + 1))[:size]
    return lambda writer, step: writer.add_text("sample", text, step)


def _image(side: int = 512) -> Call:
    image = noise(3, side, side)
    return lambda writer, step: writer.add_image("input", image, step)


def _images(number: int = 16, side: int = 64) -> Call:
    images = noise(number, 3, side, side)
    return lambda writer, step: writer.add_images("batch", images, step)


def _image_with_boxes(side: int = 256) -> Call:
    image = noise(3, side, side)
    boxes = side / 256 * np.array([[8.0 * n, 4.0 * n, 100.0 + 8 * n, 90.0 + 9 * n] for n in range(8)])
    return lambda writer, step: writer.add_image_with_boxes("boxes", image, boxes, step)


def _figure() -> Call:
    figure = importlib.import_module("matplotlib.figure").Figure(figsize=(4, 3))
    figure.subplots().plot(np.cumsum(RNG.standard_normal(500)))
    return lambda writer, step: writer.add_figure("plot", figure, step, close=False)


def _video(frames: int = 16, side: int = 64) -> Call:
    video = noise(1, frames, 3, side, side)
    return lambda writer, step: writer.add_video("episode", video, step, fps=10)


def _audio(seconds: float = 1.0) -> Call:
    sound = np.clip(normal(int(44100 * seconds)) * 0.2, -1, 1)  # of one dimension, which all of them take
    return lambda writer, step: writer.add_audio("sound", sound, step)


def _histogram(size: int = 100_000) -> Call:
    values = normal(size)
    return lambda writer, step: writer.add_histogram("weights", values, step)


def _histogram_raw(buckets: int = 64) -> Call:
    limits, counts = np.arange(1.0, buckets + 1), np.arange(buckets)
    total = int(counts.sum())
    return lambda writer, step: writer.add_histogram_raw(
        "raw", 0.0, float(buckets), total, total * 2.0, total * 4.0, limits.tolist(), counts.tolist(), step
    )


def _pr_curve(size: int = 10_000) -> Call:
    labels, predictions = RNG.integers(0, 2, size), RNG.random(size)
    return lambda writer, step: writer.add_pr_curve("pr", labels, predictions, step)


def _pr_curve_raw(thresholds: int = 127) -> Call:
    counts = [np.arange(thresholds) + number for number in range(4)]
    rates = [np.linspace(0, 1, thresholds), np.linspace(1, 0, thresholds)]
    return lambda writer, step: writer.add_pr_curve_raw("pr", *counts, *rates, step, thresholds)


def _mesh(vertices: int = 10_000) -> Call:
    points, colours = normal(1, vertices, 3), noise(1, vertices, 3)
    faces = RNG.integers(0, vertices, (1, 2 * vertices, 3), dtype=np.int32)
    return lambda writer, step: writer.add_mesh("mesh", points, colours, faces, global_step=step)


def _mesh_of_torch(vertices: int = 10_000) -> Call:
    """torch's writer takes tensors here, and nothing else."""
    as_tensor = importlib.import_module("torch").as_tensor
    points, colours = as_tensor(normal(1, vertices, 3)), as_tensor(noise(1, vertices, 3))
    faces = as_tensor(RNG.integers(0, vertices, (1, 2 * vertices, 3), dtype=np.int32))
    return lambda writer, step: writer.add_mesh("mesh", points, colours, faces, global_step=step)


def _hparams(name: str = "run_name") -> Call:
    settings = {f"number{n}": 0.1 * n for n in range(6)} | {
        "optimizer": "adam",
        "layers": 4,
        "bias": True,
        "tied": False,
    }
    metrics = {"hparam/loss": 0.5, "hparam/accuracy": 0.9}
    return lambda writer, step: writer.add_hparams(settings, metrics, **{name: f"trial{step}"})


def _custom_scalars() -> Call:
    layout = {"losses": {"all": ["Multiline", ["loss/.*"]], "band": ["Margin", ["mean", "low", "high"]]}}
    return lambda writer, step: writer.add_custom_scalars(layout)


def _custom_scalars_multilinechart() -> Call:
    return lambda writer, step: writer.add_custom_scalars_multilinechart(["loss/train", "loss/test"])


def _custom_scalars_marginchart() -> Call:
    return lambda writer, step: writer.add_custom_scalars_marginchart(["mean", "low", "high"])


def _graph() -> Call:
    torch = importlib.import_module("torch")
    layers = [torch.nn.Linear(32, 32) if number % 2 else torch.nn.ReLU() for number in range(8)]
    model, given = torch.nn.Sequential(*layers), torch.zeros(1, 32)
    return lambda writer, step: writer.add_graph(model, given)


def _embedding(points: int = 1000) -> Call:
    table, names = normal(points, 64), [f"point {number}" for number in range(points)]
    return lambda writer, step: writer.add_embedding(table, names, global_step=step)


def _tensor(size: int = 4096) -> Call:
    values = normal(size)
    return lambda writer, step: writer.add_tensor("tensor", values, step)


def _tensor_of_torch(size: int = 4096) -> Call:
    """torch's writer takes tensors here, and nothing else."""
    values = importlib.import_module("torch").as_tensor(normal(size))
    return lambda writer, step: writer.add_tensor("tensor", values, step)


PAYLOADS: dict[str, Callable[..., Call]] = {
    "add_scalar": _scalar,
    "add_scalars": _scalars,
    "add_text": _text,
    "add_image": _image,
    "add_images": _images,
    "add_image_with_boxes": _image_with_boxes,
    "add_figure": _figure,
    "add_video": _video,
    "add_audio": _audio,
    "add_histogram": _histogram,
    "add_histogram_raw": _histogram_raw,
    "add_pr_curve": _pr_curve,
    "add_pr_curve_raw": _pr_curve_raw,
    "add_mesh": _mesh,
    "add_hparams": _hparams,
    "add_custom_scalars": _custom_scalars,
    "add_custom_scalars_multilinechart": _custom_scalars_multilinechart,
    "add_custom_scalars_marginchart": _custom_scalars_marginchart,
    "add_graph": _graph,
    "add_embedding": _embedding,
    "add_tensor": _tensor,
    "add_mesh of torch": _mesh_of_torch,
    "add_tensor of torch": _tensor_of_torch,
    "add_hparams of tensorboardX": lambda: _hparams("name"),
}
