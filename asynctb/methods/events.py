"""What is a message already: summaries and events of other libraries."""

from __future__ import annotations

from typing import Any

from asynctb.encode import ready_made
from asynctb.methods.base import Family, R_co, Step, WallTime

__all__ = ["EventMethods"]


class EventMethods(Family[R_co]):
    """Protobuf messages, stored as they are."""

    def add_summary(self, summary: Any, global_step: Step = None, walltime: WallTime = None) -> R_co:
        """Add a `Summary` message that is there already: torch's, TensorBoard's, tensorboardX's, TensorFlow's.

        Its bytes are stored as they are, with whatever fields they have.

        Args:
            summary: anything with a `SerializeToString()` that gives a `Summary` in wire form; or those bytes.
            global_step: the step of all its values; None for no step, as in torch, which shows as 0.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for what is no `Summary`.
        """
        stepped = global_step is not None
        return self._emit("add_summary", "add_summary", global_step, walltime, ready_made.summary, summary, stepped)

    def add_event(self, event: Any, step: Step = None, walltime: WallTime = None) -> R_co:
        """Add an `Event` message that is there already, with the wall time of the call and, if given, another step.

        As in torch's `FileWriter`, the event's own step stays if none is given, and its own wall time never does; the
        message itself is left as it is.

        Args:
            event: anything with a `SerializeToString()` that gives an `Event` in wire form; or those bytes.
            step: the event's step; None for its own.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for what is no `Event`, or holds nothing.
        """
        return self._emit("add_event", "add_event", step, walltime, ready_made.event, event, step is not None)
