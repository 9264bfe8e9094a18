"""The clients, and what is known of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.clients.stored import Differences, Stored

TENSORBOARD = ("tensorboard", "tensorboard-data-server")
TENSORBOARDX = ("tensorboardX",)

# What the first event of a file names as its writer.
TORCHS_WRITER = "tensorboard.summary.writer.event_file_writer"
TENSORBOARDX_WRITER = ""


def tensorboardx_of_lightning(events: Stored) -> Stored:
    """Lightning takes tensorboardX then: it draws no graph for it, and a slash is in the names of the sub-runs."""
    graph = ("graph_def", "tagged_run_metadata")
    return {
        run.replace("norms_", "norms/"): [[told for told in file if not told.startswith(graph)] for file in files]
        for run, files in events.items()
    }


class Client(NamedTuple):
    """A program, the packages that it is about, and what is known of it."""

    program: str
    packages: tuple[str, ...]
    kinds: frozenset[str]  # of what it logs at the least
    but: Differences = Differences()
    notices: frozenset[str] = frozenset()  # tags that it logs twice at a step, which asynctb says once
    writer: str = TORCHS_WRITER  # whose events are compared with
    absent: tuple[str, ...] = ()  # distributions that it would rather use than torch's writer
    alone: Callable[[Stored], Stored] = lambda events: events  # what it logs where no tensorboard is
    needs: str = ""  # how it ends there, if it does not log at all


ALL_KINDS = frozenset({"simple_value", "histo", "image", "tensor", "hparams"})
HUGGING_FACE_CLOCKS = {
    "train": ("train_runtime", "train_samples_per_second", "train_steps_per_second"),
    "eval": ("runtime", "samples_per_second", "steps_per_second"),
}
CLIENTS = [
    Client(
        "lightning_trainer",
        ("pytorch_lightning",),
        ALL_KINDS | {"graph_def", "tagged_run_metadata"},
        notices=frozenset({"epoch"}),
        alone=tensorboardx_of_lightning,
    ),
    Client(
        "transformers_trainer",
        ("transformers", "accelerate"),
        frozenset({"simple_value", "tensor"}),
        Differences(
            clocks=frozenset(f"{stage}/{name}" for stage, names in HUGGING_FACE_CLOCKS.items() for name in names)
        ),
        notices=frozenset({"train/epoch"}),
    ),
    Client(
        "accelerate_tracker",
        ("accelerate",),
        ALL_KINDS - {"histo"},
        needs="`log_with=tensorboard` was passed but no supported trackers are currently installed",
    ),
    Client(
        "stable_baselines3_ppo",
        ("stable_baselines3", "moviepy"),
        ALL_KINDS,
        Differences(clocks=frozenset({"time/fps"}), videos=frozenset({"kinds/video"})),
    ),
    Client("ignite_logger", ("ignite",), frozenset({"simple_value", "histo", "tensor"}), absent=TENSORBOARDX),
    Client("ignite_logger", ("ignite",), frozenset({"simple_value", "histo", "tensor"}), writer=TENSORBOARDX_WRITER),
    Client(
        "monai_visualize",
        ("monai",),
        frozenset({"image"}),
        needs="from tensorboard.compat.proto.summary_pb2 import Summary",
    ),
    Client("torch_monitor", (), frozenset({"simple_value"})),
]
