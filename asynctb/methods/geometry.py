"""Meshes, point clouds and embeddings: the Mesh and Projector dashboards."""

from __future__ import annotations

from typing import Any

from asynctb.encode.mesh import mesh
from asynctb.methods.base import Family, R_co, Step, WallTime

__all__ = ["GeometryMethods"]


class GeometryMethods(Family[R_co]):
    """Points in space."""

    def add_mesh(
        self,
        tag: str,
        vertices: Any,
        colors: Any = None,
        faces: Any = None,
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
