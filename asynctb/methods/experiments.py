"""Hyperparameters and layouts: the HParams and Custom Scalars dashboards."""

from __future__ import annotations

from asynctb.methods.base import Family, R_co

__all__ = ["ExperimentMethods"]


class ExperimentMethods(Family[R_co]):
    """What goes with a run as a whole."""
