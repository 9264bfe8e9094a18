"""Matplotlib's figures: the Images dashboard."""

from __future__ import annotations

from typing import Any

from asynctb.encode.figure import figure as encode_figure
from asynctb.methods.base import Family, R_co, Step, WallTime

__all__ = ["FigureMethods"]


class FigureMethods(Family[R_co]):
    """Figures by step, which are drawn before the add is done."""

    def add_figure(
        self, tag: str, figure: Any, global_step: Step = None, close: bool = True, walltime: WallTime = None
    ) -> R_co:
        """Draw a figure, and add it to the Images dashboard as an RGB image.

        It is drawn by Agg in its own size and resolution, whatever backend is in use; its own canvas is put back. With
        `AsyncSummaryWriter` that happens in a thread, so leave the figure alone until the add is done.

        Args:
            tag: the image's name; `/` groups images under a heading.
            figure: a `matplotlib.figure.Figure`, made by pyplot or not; or a list of them, all of one size in pixels,
                which are shown as a grid of at most 8 columns.
            global_step: the image's step; None for one more than this tag's last step, from 0.
            close: close the figure, with `pyplot.close`, once it is drawn; nothing happens to one that pyplot does not
                know.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for what is no figure, figures of several sizes, and figures that cannot be drawn.
            ImportError: without matplotlib, which the extra `asynctb[figure]` installs.
        """
        return self._emit("add_figure", tag, global_step, walltime, encode_figure, tag, figure, close)
