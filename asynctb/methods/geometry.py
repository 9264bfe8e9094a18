"""Meshes, point clouds and embeddings: the Mesh and Projector dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from asynctb.encode.embedding import embedding
from asynctb.encode.mesh import mesh
from asynctb.methods.base import ArrayLike, Family, R_co, Step, WallTime

__all__ = ["GeometryMethods"]


class GeometryMethods(Family[R_co]):
    """Points in space."""

    def add_mesh(
        self,
        tag: str,
        vertices: ArrayLike,
        colors: ArrayLike = None,
        faces: ArrayLike = None,
        config_dict: dict[str, Any] | None = None,
        global_step: Step = None,
        walltime: WallTime = None,
    ) -> R_co:
        """Add 3D meshes, or point clouds where there are no faces, to the Mesh dashboard.

        They are stored under the tags `{tag}_VERTEX`, `{tag}_FACE` and `{tag}_COLOR`, and shown under `tag`. Whether
        there are faces and colours, how many meshes, and `config_dict`, TensorBoard takes from a tag's first step.

        Args:
            tag: the mesh's name.
            vertices: coordinates, in the shape `(B, N, 3)` for a batch of meshes, or `(N, 3)` for one. A point with a
                NaN is not drawn.
            colors: red, green and blue of each vertex, in the shape of `vertices`. Floats go from 0 to 1, or from 0 to
                255 if any of them is above 1; integers go from 0 to 255; what is beyond is clipped, and NaN is 0.
            faces: triangles, as the numbers of three vertices each, in the shape `(B, F, 3)` or `(F, 3)`. TensorBoard's
                page can only draw those of the first 65,536 vertices, which is said once per tag in the log.
            config_dict: camera, lights and material, by the names and arguments of THREE.js' classes.
            global_step: the mesh's step; None for one more than this tag's last step, from 0.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for arrays of other shapes or of different batches; for infinite vertices, with which
                TensorBoard shows nothing; for faces of vertices that are not there; for what JSON cannot hold.
        """
        args = (tag, vertices, colors, faces, config_dict, self._notices.once)
        return self._emit("add_mesh", tag, global_step, walltime, mesh, *args)

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
