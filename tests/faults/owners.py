"""Which process wrote what: a tag's first part names the process that added it."""

from pathlib import Path

from tests.readback.events import events

Steps = dict[str, list[int]]


def steps_by_tag(log_dir: Path, *, apart: bool = True) -> Steps:
    """Return the steps of all tags, files in name order; fails where one is not whole, or, if `apart`, of several."""
    found: Steps = {}
    for file in sorted(log_dir.rglob("*tfevents*")):
        points = [(value.tag, event.step) for event in events(file) for value in event.summary.value]
        owners = {tag.split("/")[0] for tag, _ in points}
        assert len(owners) <= 1 or not apart, f"{file} holds points of several processes: {owners}"
        for tag, step in points:
            found.setdefault(tag, []).append(step)
    return found
