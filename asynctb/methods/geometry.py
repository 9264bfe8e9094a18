"""Meshes, point clouds and embeddings: the Mesh and Projector dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from asynctb.encode.embedding import embedding
from asynctb.methods.base import Family, R_co, Step

__all__ = ["GeometryMethods"]


class GeometryMethods(Family[R_co]):
    """Points in space."""

    def add_embedding(
        self,
        mat: Any,
        metadata: Sequence[Any] | None = None,
        label_img: Any = None,
        global_step: Step = None,
        tag: str = "default",
        metadata_header: Sequence[Any] | None = None,
        *,
        format: Literal["tsv", "binary"] = "tsv",
    ) -> R_co:
        """Add points in a space of many dimensions to the Projector dashboard, which shows them in two or three.

        Writes files below the log directory, `{step}/{tag}/tensors.tsv`, `metadata.tsv` and `sprite.png`, and then an
        entry in `projector_config.pbtxt`. What others have in that file stays there; an embedding of the same tag and
        step is replaced. TensorBoard reads the file when it starts, and when a new run appears.

        Args:
            mat: an (N, D) array of finite real numbers: N points of D dimensions. The Projector shows 100,000 points.
            metadata: N labels, turned to text by `str`; or N rows of as many cells as `metadata_header` has. Tabs and
                line breaks in them become spaces.
            label_img: an (N, C, H, W) array with an image for each point, of 1 (grey), 3 (RGB) or 4 (RGBA) channels:
                floats from 0 to 1, or integers from 0 to 255. All together they are one square of images, which
                TensorBoard shows up to 8,192 pixels a side: larger ones are shrunk, and that is logged.
            global_step: part of the embedding's name; None for 0, as in torch.
            tag: the embedding's name, with the step behind it.
            metadata_header: the names of several columns of metadata. A single column has no name in TensorBoard.
            format: "tsv" stores text, which anything can read; "binary" stores float32, a third of the size, which
                TensorBoard loads at once.

        Raises:
            EncodeError: for a tag that is no text or cannot name a folder, a matrix, labels or images of other shapes,
                numbers that are not finite or beyond float32, a step outside int64.
        """
        return self._emit(
            "add_embedding",
            tag,
            global_step,
            None,
            embedding,
            tag,
            mat,
            metadata,
            label_img,
            global_step,
            metadata_header,
            format,
            self._notices.once,
        )
