"""The names of `tensorboardX`, with the arguments that are its own."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from time import time
from typing import Any, NoReturn, Self

from asynctb import filewriter, sync
from asynctb.dropin import tensorboardx_summary as summary
from asynctb.dropin.tensorboardx_summary import FRAMES, clean, frames_first
from asynctb.encode.arrays import as_step
from asynctb.encode.hparams import Session, hparams
from asynctb.encode.scalar import scalars
from asynctb.encode.tags import sub_run
from asynctb.entry import Record
from asynctb.methods.base import ArrayLike, Make, Number, Step, WallTime
from asynctb.pipeline.steps import Series
from asynctb.settings import LogDir, Settings

__all__ = ["FileWriter", "SummaryWriter", "__version__"]

__version__ = "2.6.5"  # the tensorboardX whose calls are taken here


class FileWriter(filewriter.FileWriter):
    """A writer of messages, by the names of tensorboardX's: one event file of a directory."""

    def __init__(self, logdir: LogDir, max_queue: int = 10, flush_secs: float = 120, filename_suffix: str = "") -> None:
        self._set_up(SummaryWriter(logdir, "", None, max_queue, flush_secs, filename_suffix), "")


class SummaryWriter(sync.SummaryWriter):
    """`asynctb.SummaryWriter` with tensorboardX's arguments and defaults, for programs written for it.

    Tags are cleaned where tensorboardX cleans them, and a step that is left out stays out.
    """

    _FileWriter = FileWriter
    _metadata: tuple[Step, WallTime] | None = None  # what `use_metadata` gives to adds

    def __init__(
        self,
        logdir: LogDir = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
        write_to_disk: bool = True,
        log_dir: LogDir = None,
        comet_config: Mapping[str, Any] | None = None,
        *,
        auto_step: bool = False,
        **options: Any,
    ) -> None:
        if comet_config is not None and not comet_config.get("disabled"):
            _refuse("comet_config", "nothing is sent to Comet")
        options.setdefault("enabled", bool(write_to_disk))
        folder = log_dir if logdir is None else logdir
        super().__init__(
            folder, comment, purge_step, max_queue, flush_secs, filename_suffix, auto_step=auto_step, **options
        )

    def _configure(self, settings: Settings) -> None:
        super()._configure(settings)
        self.logdir = settings.log_dir

    @contextmanager
    def use_metadata(self, *, global_step: Step = None, walltime: WallTime = None) -> Generator[Self, None, None]:
        """Have the adds of a block that give no step or wall time take these."""
        before = self._metadata
        self._metadata = (global_step, walltime)
        try:
            yield self
        finally:
            self._metadata = before

    def _emit(self, method: str, tag: str, step: Step, walltime: WallTime, make: Make, *args: Any) -> None:
        if self._metadata is not None:
            step = self._metadata[0] if step is None else step
            walltime = self._metadata[1] if walltime is None else walltime
        super()._emit(method, tag, step, walltime, make, *args)

    def _emit_point(self, curve: Series, number: float, step: int | None, wall_time: float) -> None:
        if self._metadata is None:
            super()._emit_point(curve, number, step, wall_time)
        else:
            self._emit("add_scalar", curve.tag, step, None, curve.record, number)

    # Arguments of its own

    def add_scalar(  # type: ignore[override]
        self,
        tag: str,
        scalar_value: Number,
        global_step: Step = None,
        walltime: WallTime = None,
        display_name: str = "",
        summary_description: str = "",
    ) -> None:
        """Add a point to a curve, with a title and a description for its chart."""
        if not display_name and not summary_description:
            super().add_scalar(clean(tag), scalar_value, global_step, walltime)
            return
        message = summary.scalar(tag, scalar_value, display_name, summary_description)
        self.add_summary(message, global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Number],
        global_step: Step = None,
        walltime: WallTime = None,
    ) -> None:
        """Add a point to each of several curves, each a run in the directory `{main_tag}/{key}`."""
        self._emit("add_scalars", main_tag, global_step, walltime, _scalars, main_tag, tag_scalar_dict)

    def add_histogram(
        self,
        tag: str,
        values: ArrayLike,
        global_step: Step = None,
        bins: Any = "tensorflow",
        walltime: WallTime = None,
        max_bins: int | None = None,
    ) -> None:
        """Add a distribution."""
        super().add_histogram(clean(tag), values, global_step, bins, walltime, max_bins)

    def add_image(  # type: ignore[override]
        self,
        tag: str,
        img_tensor: ArrayLike,
        global_step: Step = None,
        walltime: WallTime = None,
        dataformats: str = "CHW",
    ) -> None:
        """Add an image."""
        super().add_image(clean(tag), img_tensor, global_step, walltime, dataformats)

    def add_images(  # type: ignore[override]
        self,
        tag: str,
        img_tensor: ArrayLike,
        global_step: Step = None,
        walltime: WallTime = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Add a batch of images as a grid; for a list of images, `dataformats` is that of one."""
        listed = isinstance(img_tensor, list) and "N" not in dataformats.upper()
        layout = f"N{dataformats}" if listed else dataformats
        super().add_images(clean(tag), img_tensor, global_step, walltime, layout)

    def add_image_with_boxes(  # type: ignore[override]
        self,
        tag: str,
        img_tensor: ArrayLike,
        box_tensor: ArrayLike,
        global_step: Step = None,
        walltime: WallTime = None,
        dataformats: str = "CHW",
        labels: str | Sequence[str] | None = None,
        rescale: Number = 1,
    ) -> None:
        """Add an image with boxes."""
        super().add_image_with_boxes(tag, img_tensor, box_tensor, global_step, walltime, rescale, dataformats, labels)

    def add_figure(
        self, tag: str, figure: Any, global_step: Step = None, close: bool = True, walltime: WallTime = None
    ) -> None:
        """Draw a figure, and add it as an image."""
        super().add_figure(clean(tag), figure, global_step, close, walltime)

    def add_video(  # type: ignore[override]
        self,
        tag: str,
        vid_tensor: ArrayLike,
        global_step: Step = None,
        fps: Number = 4,
        walltime: WallTime = None,
        dataformats: str = FRAMES,
    ) -> None:
        """Add a video, whose dimensions are in the order of `dataformats`."""
        super().add_video(clean(tag), frames_first(tag, vid_tensor, dataformats), global_step, fps, walltime)

    def add_hparams(  # type: ignore[override]
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Number | None],
        name: str | None = None,
        global_step: Step = None,
    ) -> None:
        """Add a row to the HParams dashboard, in a run of its own; the step is that of the metrics."""
        step = as_step("add_hparams", global_step)
        session = Session(run_name=name or str(time()))
        experiment, start, end, *points = hparams(hparam_dict, metric_dict, session)
        self._emit("add_hparams", "add_hparams", None, None, lambda: [experiment, start, end])
        self._emit("add_hparams", "add_hparams", step, None, lambda: points)

    def add_onnx_graph(self, onnx_model_file: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Add the graph of an ONNX model."""
        super().add_onnx_graph(onnx_model_file)

    def add_openvino_graph(self, xmlname: Any) -> NoReturn:
        """Refuse it: graphs of OpenVINO are not drawn."""
        _refuse("add_openvino_graph", "graphs of OpenVINO are not drawn")

    def export_scalars_to_json(self, path: Any) -> NoReturn:
        """Refuse it: nothing that was added is kept in memory."""
        _refuse("export_scalars_to_json", "nothing that was added is kept in memory")


def _scalars(main_tag: str, values: Mapping[str, Number]) -> list[Record]:
    records = scalars(clean(main_tag), values)
    folders = [sub_run(main_tag, f"{main_tag}/{key}") for key in values]
    return [record._replace(run=folder) for record, folder in zip(records, folders, strict=True)]


def _refuse(what: str, why: str) -> NoReturn:
    raise NotImplementedError(f"asynctb in the place of tensorboardX has no {what}: {why}")
