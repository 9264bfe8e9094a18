"""Matplotlib's figures: the Images dashboard."""

from __future__ import annotations

from asynctb.methods.base import Family, R_co

__all__ = ["FigureMethods"]


class FigureMethods(Family[R_co]):
    """Figures by step, which are drawn before the add is done."""
