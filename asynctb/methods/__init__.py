"""Every `add_*`, once. What an add gives back is all in which the writers differ: a coroutine, None, or a bool."""

from __future__ import annotations

from asynctb.methods.base import Make, Number, R_co, Step, WallTime, checked
from asynctb.methods.distributions import DistributionMethods
from asynctb.methods.events import EventMethods
from asynctb.methods.experiments import ExperimentMethods
from asynctb.methods.figures import FigureMethods
from asynctb.methods.geometry import GeometryMethods
from asynctb.methods.graphs import GraphMethods
from asynctb.methods.media import MediaMethods
from asynctb.methods.scalars import ScalarMethods
from asynctb.methods.text import TextMethods

__all__ = ["AddMethods", "Make", "Number", "QuickMethods", "Step", "WallTime", "checked", "names"]


class QuickMethods(
    ScalarMethods[R_co],
    TextMethods[R_co],
    MediaMethods[R_co],
    DistributionMethods[R_co],
    GeometryMethods[R_co],
    ExperimentMethods[R_co],
    EventMethods[R_co],
):
    """What can be taken from its caller at once."""


class AddMethods(QuickMethods[R_co], FigureMethods[R_co], GraphMethods[R_co]):
    """What can be logged."""


def names(methods: type) -> list[str]:
    """Return the names of a class's public methods, those of its families included."""
    return [name for name in dir(methods) if not name.startswith("_")]
