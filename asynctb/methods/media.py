"""Images, videos and sound: the Images and Audio dashboards."""

from __future__ import annotations

from asynctb.methods.base import Family, R_co

__all__ = ["MediaMethods"]


class MediaMethods(Family[R_co]):
    """What is seen and heard, by step."""
