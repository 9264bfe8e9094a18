"""Histograms, precision-recall curves and tensors: the Histograms, Distributions and PR Curves dashboards."""

from __future__ import annotations

from asynctb.methods.base import Family, R_co

__all__ = ["DistributionMethods"]


class DistributionMethods(Family[R_co]):
    """Many numbers by step."""
