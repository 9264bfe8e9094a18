"""Read everything that a DataProvider lists: the interface from which TensorBoard's dashboards take their data."""

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.readback.imports import module
from tests.readback.points import Point, Series, Value

if TYPE_CHECKING:
    from tensorboard.data.provider import DataProvider

Read: TypeAlias = Callable[..., dict[str, dict[str, list[Any]]]]

ALL = sys.maxsize  # no downsampling


def read_series(provider: "DataProvider") -> Series:
    """Return all runs, and all scalars, tensors and blob sequences in them; runs and tags by name, points as given."""
    ctx = module("tensorboard.context").RequestContext()
    series: Series = {run.run_name: {} for run in provider.list_runs(ctx, experiment_id="")}
    for plugin in provider.list_plugins(ctx, experiment_id=""):
        for run, tag, points in _read_plugin(provider, ctx, plugin):
            series.setdefault(run, {})[tag] = points
    return {run: dict(sorted(tags.items())) for run, tags in sorted(series.items())}


def _read_plugin(provider: "DataProvider", ctx: Any, plugin: str) -> Iterator[tuple[str, str, list[Point]]]:
    kinds: list[tuple[Read, Callable[[Any], Value]]] = [
        (provider.read_scalars, lambda datum: datum.value),
        (provider.read_tensors, lambda datum: _plain(datum.numpy.tolist(), decode=plugin == "text")),
        (provider.read_blob_sequences, lambda datum: _blobs(provider, ctx, datum)),
    ]
    for read, value in kinds:
        found = read(ctx, experiment_id="", plugin_name=plugin, downsample=ALL)
        for run, tags in found.items():
            for tag, data in tags.items():
                yield run, tag, [Point(datum.step, datum.wall_time, value(datum)) for datum in data]


def _plain(item: Any, *, decode: bool) -> Value:
    """Turn nested lists into tuples, and the bytes in them into strings where they are text."""
    if isinstance(item, list):
        return tuple(_plain(each, decode=decode) for each in item)
    return item.decode() if decode and isinstance(item, bytes) else item


def _blobs(provider: "DataProvider", ctx: Any, datum: Any) -> Value:
    return tuple(provider.read_blob(ctx, blob_key=reference.blob_key) for reference in datum.values)
