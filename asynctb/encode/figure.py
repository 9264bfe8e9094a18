"""Matplotlib's figures, drawn by Agg, for the Images dashboard."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from asynctb.encode.arrays import Array
from asynctb.encode.files import QUALITY, Format
from asynctb.encode.image import PLUGIN, file_payload
from asynctb.encode.pixels import picture
from asynctb.encode.png import LEVEL
from asynctb.encode.tags import encode_tag
from asynctb.entry import Draft, Encode, Entry
from asynctb.errors import EncodeError

__all__ = ["figure"]

WANTED = "a matplotlib figure, or a list of them"
PNG = Format("png", QUALITY, LEVEL)


def figure(tag: str, given: Any, close: Any) -> Entry:
    """Return a figure as an image; several of one size as a grid.

    Drawing runs matplotlib's Python, so it is what the entry does when it is taken; its caller's thread closes it.
    """
    encode_tag(tag)
    several = isinstance(given, (list, tuple))
    figures: Sequence[Any] = list(given) if several else [given]
    if not figures or not all(map(_is_figure, figures)):
        raise EncodeError(tag, WANTED, given)
    size = sum(map(_size, figures))
    return Draft(
        (tag,),
        size,
        partial(_take, tag, figures, "NHWC" if several else "HWC"),
        PLUGIN,
        slow=True,
        taken=partial(_close, figures) if close else None,
    )


def _is_figure(value: Any) -> bool:
    # A subfigure is drawn with the figure it is in, and has no size of its own to be asked for.
    return all(hasattr(value, name) for name in ("canvas", "dpi", "set_canvas", "get_size_inches"))


def _size(figure: Any) -> int:
    width, height = figure.get_size_inches()
    return int(4 * width * height * figure.dpi * figure.dpi)


def _take(tag: str, figures: Sequence[Any], dims: str) -> Encode:
    drawn = [_drawn(tag, figure) for figure in figures]
    for pixels in drawn:
        if pixels.shape != drawn[0].shape:
            height, width, _ = drawn[0].shape
            raise EncodeError(tag, f"figures that are all of one size, {width}x{height} pixels", pixels.shape[1::-1])
    array = np.stack(drawn) if dims == "NHWC" else drawn[0]
    return lambda: file_payload(tag, picture(array, dims), PNG)


def _drawn(tag: str, figure: Any) -> Array:
    """Return what Agg draws of a figure as RGB (H, W, 3), whatever its own canvas, which it gets back."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
    except ImportError as error:
        raise ImportError("add_figure needs matplotlib: pip install 'asynctb[figure]'") from error
    # A canvas makes itself its figure's, and takes the resolution of a screen for the figure's own.
    own, resolution = figure.canvas, getattr(figure, "_original_dpi", None)
    try:
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
        return np.array(np.asarray(canvas.buffer_rgba())[..., :3])
    except Exception as error:
        # Anything can go wrong in a figure: a formula that is none, a callback of the user's.
        raise EncodeError(tag, "a figure that can be drawn", figure) from error
    finally:
        figure.set_canvas(own)
        if resolution is not None:
            figure._original_dpi = resolution


def _close(figures: Sequence[Any]) -> None:
    """Close figures, if anybody knows them: those made without pyplot are nobody's."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        for figure in figures:
            pyplot.close(figure)
