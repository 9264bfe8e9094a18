"""Meshes, point clouds and embeddings: the Mesh and Projector dashboards."""

from __future__ import annotations

from asynctb.methods.base import Family, R_co

__all__ = ["GeometryMethods"]


class GeometryMethods(Family[R_co]):
    """Points in space."""
