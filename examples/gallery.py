"""One of everything that TensorBoard shows, from an ordinary script. It takes a second, or a few where torch is
installed, which draws its network.

Look at it with `tensorboard --logdir runs/gallery`; arrows beside the dashboards lead to more of them.
"""

from __future__ import annotations

import argparse
import math
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from asynctb import SummaryWriter

Floats = NDArray[np.float64]

STEPS = 30
RATE = 8000  # samples of sound a second


def main(options: argparse.Namespace) -> None:
    rng = np.random.default_rng(0)
    with SummaryWriter(options.log_dir) as w:
        curves(w, rng)
        pictures(w)
        film(w)
        sounds(w)
        distributions(w, rng)
        knot(w)
        clusters(w, rng)
        if find_spec("torch"):
            network(w)
        for rate in (0.1, 0.01, 0.001):
            loss, accuracy = math.sqrt(rate), 1 - rate
            w.add_hparams(
                {"lr": rate, "optimizer": "adam", "augment": rate < 0.1},
                {"hparam/loss": loss, "hparam/accuracy": accuracy},
                run_name=f"lr={rate}",
            )
    print(f"Written to {w.get_logdir()}. To look at it:\n")
    print(f"    pip install tensorboard\n    tensorboard --logdir {w.get_logdir()}")


def curves(w: SummaryWriter, rng: np.random.Generator) -> None:
    """Numbers and text, and a chart that joins three curves to one with a margin."""
    for step in range(STEPS):
        loss = math.exp(-step / 10) + 0.02 * rng.standard_normal()
        w.log({"loss": {"mean": loss, "low": loss - 0.1, "high": loss + 0.1}}, step)
        w.add_scalars("both", {"train": loss, "test": 1.2 * loss}, step)
    w.add_custom_scalars({"losses": {"loss": ["Margin", ["loss/mean", "loss/low", "loss/high"]]}})
    w.add_text("notes", "**One of everything.** Text is *Markdown*.")
    w.add_text("samples", [["2 + 2", "4", 1.0], ["a | b", "*no*", 0.0]], header=["prompt", "answer", "reward"])


def pictures(w: SummaryWriter) -> None:
    """A picture a step, a grid of pictures, and one with a box."""
    for step in range(3):
        w.add_image("rings", rings(128, step), step, dataformats="HWC")
    w.add_images("grid", np.stack([rings(64, phase) for phase in range(8)]), dataformats="NHWC")
    w.add_image_with_boxes("boxes", rings(128, 0), np.array([[40, 40, 90, 90]]), dataformats="HWC", labels=["centre"])


def rings(size: int, phase: float) -> Floats:
    """Coloured rings of (size, size, 3), from 0 to 1."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    radius = np.hypot(x, y)
    return np.stack([0.5 + 0.5 * np.sin(12 * radius - phase + shift) for shift in (0, 2, 4)], axis=-1)


def film(w: SummaryWriter) -> None:
    """Two seconds of moving rings."""
    frames = np.stack([rings(96, 2 * math.pi * moment / 30) for moment in range(30)])
    w.add_video("film", frames.transpose(0, 3, 1, 2)[np.newaxis], fps=15)


def sounds(w: SummaryWriter) -> None:
    """A chord: one channel, and the same in stereo."""
    seconds = np.arange(RATE) / RATE
    tones = [np.sin(2 * math.pi * pitch * seconds) for pitch in (262, 330, 392)]
    w.add_audio("chord", np.mean(tones, axis=0), sample_rate=RATE)
    w.add_audio("stereo", np.stack(tones[:2]), sample_rate=RATE)


def distributions(w: SummaryWriter, rng: np.random.Generator) -> None:
    """Weights that spread, a curve of precision and recall that improves, and a tensor."""
    for step in range(STEPS):
        w.add_histogram("weights", rng.standard_normal(5000) * (0.2 + step / STEPS), step)
    labels = rng.integers(0, 2, 1000)
    for step in range(5):
        guess = 1 / (1 + np.exp(-rng.normal(0.7 * step * (labels - 0.5), 1)))
        w.add_pr_curve("classifier", labels, guess, step)
    w.add_tensor("confusion", rng.integers(0, 50, (3, 3)))


def knot(w: SummaryWriter) -> None:
    """A tube around a trefoil knot, as a mesh of coloured triangles."""
    around, along = 12, 120
    t, u = np.meshgrid(np.linspace(0, 2 * math.pi, along), np.linspace(0, 2 * math.pi, around), indexing="ij")
    bend = 2 + np.cos(3 * t) + 0.4 * np.cos(u)
    vertices = np.stack([bend * np.cos(2 * t), bend * np.sin(2 * t), np.sin(3 * t) + 0.4 * np.sin(u)], axis=-1)
    vertices = vertices.reshape(1, -1, 3)
    colors = np.stack([127 + 127 * np.sin(t), 127 + 127 * np.cos(t), np.full_like(t, 128)], axis=-1)
    colors = colors.reshape(1, -1, 3).astype(np.uint8)
    corner = (np.arange(along - 1)[:, np.newaxis] * around + np.arange(around - 1)).ravel()
    sides = [corner, corner + 1, corner + around], [corner + 1, corner + around + 1, corner + around]
    faces = np.concatenate([np.stack(side, axis=-1) for side in sides])[np.newaxis]
    w.add_mesh("knot", vertices, colors, faces)


def clusters(w: SummaryWriter, rng: np.random.Generator) -> None:
    """Three clouds of points for the projector, each with its name and its picture."""
    kinds = np.repeat(np.arange(3), 40)
    points = rng.standard_normal((3, 8))[kinds] * 4 + rng.standard_normal((120, 8))
    names = [[f"point {number}", ["red", "green", "blue"][kind]] for number, kind in enumerate(kinds)]
    pictures = np.zeros((120, 3, 16, 16))
    pictures[np.arange(120), kinds] = 1
    w.add_embedding(points, names, pictures, tag="clusters", metadata_header=["name", "colour"])


def network(w: SummaryWriter) -> None:
    """The graph of a small network."""
    import torch
    from torch import nn

    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 6 * 6, 10))
    w.add_graph(model, torch.zeros(1, 3, 8, 8))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log-dir", default="runs/gallery", help="where to write (default: %(default)s)")
    main(parser.parse_args())
