"""What real programs call on a SummaryWriter, as they call it: read in their sources at the commits named.

Each client gets the names it would import, and a directory; what it leaves is compared. What it must be able to rely on
besides, it asserts itself.
"""

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Names(NamedTuple):
    """What a client imports."""

    writer: Any
    """`SummaryWriter`."""
    hparams: Any
    """`summary.hparams`."""
    proto: Any
    """`tensorboard.compat.proto.summary_pb2`, or tensorboardX's."""
    file_writer: Any
    """`FileWriter`."""


Client = Callable[[Names, str], None]


def lightning(names: Names, folder: str) -> None:
    """Lightning 7f0c3436, fabric/loggers/tensorboard.py."""
    experiment = names.writer(log_dir=folder, max_queue=20, flush_secs=30)
    experiment.add_scalars("losses", {"train": 0.5, "val": 0.25}, 1)
    experiment.add_scalar("loss", 0.5, 1)
    try:
        experiment.add_scalar("loss", object(), 2)
    except Exception as error:
        assert str(error)  # it is raised again as a ValueError, from where it stands  # noqa: PT017
    else:
        raise AssertionError("no error")
    for summary in names.hparams({"lr": 0.1, "layers": 3, "net": "mlp"}, {"hp_metric": -1}):
        experiment._get_file_writer().add_summary(summary, 0)
    experiment.add_histogram("weights", np.array([1.0, 2.0]), 1)
    experiment.flush()
    experiment.close()


def transformers(names: Names, folder: str) -> None:
    """HF transformers 0101dc05, TensorBoardCallback."""
    tb_writer = names.writer(log_dir=folder)
    assert tb_writer
    tb_writer.add_text("args", json.dumps({"lr": 0.1}))
    tb_writer.add_text("model_config", "{}")
    for step in (1, 2):
        tb_writer.add_scalar("train/loss", 1.0 / step, step)
        tb_writer.add_scalar("train/epoch", step, step)
        tb_writer.flush()
    tb_writer.close()


def stable_baselines3(names: Names, folder: str) -> None:
    """stable-baselines3 e05d2dbe, common/logger.py."""
    writer = names.writer(log_dir=folder)
    for value in (1, 1.5, True, np.int64(3), np.float32(2.5), np.bool_(True)):
        writer.add_scalar(f"value/{type(value).__name__}", value, 7)
    writer.add_text("text", str("words"), 7)  # noqa: UP018 - as there
    experiment, session_start, session_end = names.hparams({"gamma": 0.9}, {"rollout/ep_rew_mean": 0.0})
    assert writer.file_writer is not None
    writer.file_writer.add_summary(experiment)
    writer.file_writer.add_summary(session_start)
    writer.file_writer.add_summary(session_end)
    writer.flush()
    assert writer.file_writer.get_logdir() == folder
    writer.close()
    assert writer.all_writers is None


def detectron2(names: Names, folder: str) -> None:
    """detectron2 02b5c4e2, utils/events.py: lists from torch.histc."""
    writer = names.writer(folder)
    writer.add_scalar("total_loss", 2.0, 20)
    writer.add_histogram_raw(
        tag="h",
        min=0.0,
        max=2.0,
        num=3,
        sum=3.0,
        sum_squares=5.0,
        bucket_limits=[1.0, 2.0],
        bucket_counts=[1.0, 2.0],
        global_step=20,
    )
    writer.close()


def torchtitan(names: Names, folder: str) -> None:
    """torchtitan b5bcd76c, components/metrics.py."""
    writer = names.writer(folder, max_queue=1000)
    for step in range(3):
        writer.add_scalar("loss_metrics/global_avg_loss", 1.0, step)
    writer.close()


def cleanrl(names: Names, folder: str) -> None:
    """cleanrl fe8d8a03, ppo.py: a table, and arrays with one element."""
    writer = names.writer(folder)
    writer.add_text("hyperparameters", "|param|value|\n|-|-|\n|lr|0.1|")
    writer.add_scalar("charts/episodic_return", np.array([12.0], np.float32), 100)
    writer.add_scalar("charts/SPS", int(9.7), 100)
    writer.close()


def ray_tune(names: Names, folder: str) -> None:
    """Ray 0aa04de2, tune/logger/tensorboardx.py: it is tensorboardX that takes a list."""
    writer = names.writer(folder, flush_secs=30)
    writer.add_scalar("ray/tune/score", 1.0, global_step=1)
    writer.add_histogram("ray/tune/hist", [1.0, 2.0], global_step=1)
    for bad in ("words", {"a": 1}):
        try:
            writer.add_histogram("ray/tune/bad", bad, global_step=1)
        except (ValueError, TypeError):
            continue
        except (NotImplementedError, AssertionError):  # of torch and tensorboardX, which Ray would not survive
            continue
        raise AssertionError("no error")
    experiment_tag, session_start_tag, session_end_tag = names.hparams({"lr": 0.1}, {"score": 1.0})
    for tag in (experiment_tag, session_start_tag, session_end_tag):
        writer.file_writer.add_summary(tag)
    writer.flush()
    writer.close()


def monai(names: Names, folder: str) -> None:
    """MONAI 01aab900, visualize/img2tensorboard.py: a summary with a GIF of its own."""
    writer = names.writer(folder)
    assert isinstance(writer, names.writer)
    image = names.proto.Summary.Image(height=10, width=20, colorspace=1, encoded_image_string=b"GIF89a" + b"." * 99)
    summary = names.proto.Summary(value=[names.proto.Summary.Value(tag="gif", image=image)])
    writer._get_file_writer().add_summary(summary, 3)
    writer.close()


def megatron(names: Names, folder: str) -> None:
    """Megatron-LM 00caa53a and its forks: a method replaced by a partial one."""
    writer = names.writer(log_dir=folder, max_queue=99)
    writer.add_scalar = functools.partial(writer.add_scalar, walltime=1.7e9)
    for step in range(3):
        writer.add_scalar("lm loss", 0.5, step)
    writer.close()


def monitor(names: Names, folder: str) -> None:
    """torch.monitor 2.13: a time and no step."""
    writer = names.writer(folder)
    writer.add_scalar("torch.workers.count", 3, walltime=1.7e9)
    writer.add_scalar("torch.workers.count", 4, walltime=1.7e9 + 1)
    writer.close()


def insides(names: Names, folder: str) -> None:
    """Profilers and users, in public code: what is inside of a writer."""
    writer = names.writer(folder)
    writer.add_scalar("x", 1.0, 1)
    writer.add_scalars("curves", {"a": 1.0}, 1)
    assert list(writer.all_writers.keys())[0] == folder  # noqa: RUF015 - as there
    assert len(writer.all_writers) == 2
    for one in writer.all_writers.values():
        one.flush()
    writer._get_file_writer().flush()
    assert writer.file_writer.event_writer._logdir == writer.file_writer.get_logdir() == folder
    assert writer.file_writer.event_writer.get_logdir() == folder
    writer.close()
    assert writer.file_writer is None
    writer.close()


def goes_on(names: Names, folder: str) -> None:
    """A trainer whose writer is closed after each of its phases."""
    writer = names.writer(folder)
    for step in range(3):
        writer.add_scalar("x", 2.0, step)
        assert writer.file_writer is not None
        writer.close()
        assert writer.file_writer is None


def other_runs(names: Names, folder: str) -> None:
    """A subclass that has file writers of its own, and puts them beside the writer's."""

    class Writer(names.writer):  # type: ignore[misc, name-defined]
        def add_to(self, run: str, summary: Any, step: int) -> None:
            path = os.path.join(self._get_file_writer().get_logdir(), run)
            if path not in self.all_writers:
                self.all_writers[path] = names.file_writer(path, 10, 120, "")
            self.all_writers[path].add_summary(summary, step)

    writer = Writer(folder)
    value = names.proto.Summary.Value(tag="y", simple_value=2.0)
    for step in range(3):
        writer.add_to("other", names.proto.Summary(value=[value]), step)
    writer.flush()
    assert os.listdir(Path(folder) / "other")
    writer.close()


def hub(names: Names, folder: str) -> None:
    """huggingface_hub 1448e582, _tensorboard_logger.py: a subclass that takes other arguments."""
    left = []

    class HFSummaryWriter(names.writer):  # type: ignore[misc, name-defined]
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return super().__new__(cls)

        def __init__(self, repo_id: str, *, logdir: str | None = None, **kwargs: Any) -> None:
            super().__init__(logdir, **kwargs)
            self.repo_id = repo_id

        def __exit__(self, *error: object) -> None:
            super().__exit__(*error)
            left.append([name for name in os.listdir(folder) if ".tfevents." in name])

    with HFSummaryWriter("me/repo", logdir=folder, flush_secs=30) as writer:
        writer.add_scalar("a", 1.0, 0)
        assert writer.repo_id == "me/repo"
    assert len(left[0]) == 1


CLIENTS: list[Client] = [
    cleanrl,
    detectron2,
    goes_on,
    hub,
    insides,
    lightning,
    megatron,
    monai,
    monitor,
    other_runs,
    ray_tune,
    stable_baselines3,
    torchtitan,
    transformers,
]
