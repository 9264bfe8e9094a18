"""What a writer has left behind, so that two can be compared."""

from pathlib import Path
from typing import Any

from asynctb.proto import hparams_pb2
from tests.readback.events import run_events


def left(folder: Path) -> dict[str, list[Any]]:
    """Return each run's events but those that open a file, without the moments at which they were added."""
    found = {}
    for run, events in run_events(folder).items():
        kept = [event for event in events if event.WhichOneof("what") != "file_version"]
        for event in kept:
            if event.wall_time > 1.71e9:  # none that a client gave
                event.ClearField("wall_time")
            for value in event.summary.value:
                plugin = value.metadata.plugin_data
                if plugin.plugin_name == "hparams":  # a map, whose order on the wire says nothing
                    data = hparams_pb2.HParamsPluginData.FromString(plugin.content)
                    plugin.content = data.SerializeToString(deterministic=True)
        found[run] = kept
    return found
