"""Layouts of the Custom Scalars dashboard: which curves share a chart, and which charts a category."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from asynctb.encode import tensors
from asynctb.encode.tags import encode_tag
from asynctb.encode.wire import summary
from asynctb.entry import Draft, Encode
from asynctb.errors import EncodeError
from asynctb.proto import custom_scalars_pb2

__all__ = ["Layout", "custom_chart", "custom_scalars"]

PLUGIN = "custom_scalars"
TAG = "custom_scalars__config__"
ARGUMENT = "layout"
SIZE = 1 << 12  # bytes that a layout is taken for until it is encoded, which is soon
TRIPLE = "three tags: value, lower bound, upper bound; or a list of such triples"

Charts = dict[str, custom_scalars_pb2.Chart]


class Layout:
    """A writer's layout, which grows: readers show the last one of a run, so each that is stored holds all before it.

    Adds of threads, finalizers and signal handlers meet here. Each step is a single operation on a dict or set of
    texts, so there is no lock that one of them could wait for.
    """

    def __init__(self) -> None:
        self._categories: dict[str, Charts] = {}
        self._closed: set[str] = set()

    def add(self, categories: Mapping[str, Charts], closed: Iterable[str]) -> None:
        """Add charts behind those that are there; one of the same title in its category is replaced."""
        self._closed.update(closed)
        for title, charts in categories.items():
            self._categories.setdefault(title, {}).update(charts)

    def encoded(self) -> bytes:
        """Return the layout as it is now, in wire form."""
        layout = custom_scalars_pb2.Layout()
        for title, charts in self._categories.copy().items():
            layout.category.add(title=title, chart=charts.copy().values(), closed=title in self._closed)
        return layout.SerializeToString()


def custom_scalars(layout: Any, closed: Any, kept: Layout) -> Draft:
    """Add charts to a layout that is kept, and return what is stored: all of it, as it is once this has its place.

    Raises `EncodeError` for what makes no charts, and then adds none.
    """
    categories = {title: _charts(title, charts) for title, charts in _mapping(ARGUMENT, "categories", layout)}
    return _draft(categories, _closed(closed, categories), kept)


def custom_chart(category: Any, title: Any, kind: str, tags: Any, kept: Layout) -> Draft:
    """Add one chart, and return what is stored; raises as `custom_scalars`."""
    _text("category", "text", category)
    _text("title", "text", title)
    return _draft({category: {title: _chart(f"{category}/{title}", title, [kind, tags])}}, (), kept)


def _draft(categories: Mapping[str, Charts], closed: Iterable[str], kept: Layout) -> Draft:
    kept.add(categories, closed)

    def take() -> Encode:
        # Now, not at the call: of two adds at once, the one that comes second in the file must hold both.
        encoded = kept.encoded()
        return lambda: summary(tensors.value(TAG, tensors.strings([encoded], ()), PLUGIN))

    return Draft((), SIZE, take, PLUGIN, media=False)


def _mapping(where: str, what: str, value: Any) -> Iterable[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise EncodeError(where, f"a mapping from titles of {what}", value)
    for title in value:
        _text(where, "titles that are text", title)
    return value.items()


def _closed(closed: Any, categories: Mapping[str, Charts]) -> list[str]:
    titles = _list("closed", "a list of categories", closed)
    for title in titles:
        if title not in [*categories]:
            raise EncodeError("closed", "categories of this layout", title)
    return titles


def _charts(category: str, charts: Any) -> Charts:
    return {title: _chart(f"{category}/{title}", title, chart) for title, chart in _mapping(category, "charts", charts)}


def _chart(where: str, title: str, chart: Any) -> custom_scalars_pb2.Chart:
    """Return a chart; `where` is what errors name: its category and itself."""
    wanted = "['Multiline', tags] or ['Margin', tags]"
    if not isinstance(chart, (list, tuple)) or len(chart) != 2:
        raise EncodeError(where, wanted, chart)
    kind, tags = chart
    if kind == "Multiline":
        return custom_scalars_pb2.Chart(title=title, multiline={"tag": _patterns(where, tags)})
    if kind == "Margin":
        return custom_scalars_pb2.Chart(title=title, margin={"series": _series(where, tags)})
    raise EncodeError(where, wanted, chart)


def _patterns(where: str, tags: Any) -> list[str]:
    patterns = [_text(where, "tags that are text", tag) for tag in _list(where, "a list of tags", tags)]
    for pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            wanted = f"tags that are regular expressions, of which this is none ({error})"
            raise EncodeError(where, wanted, pattern) from error
    return patterns


def _series(where: str, tags: Any) -> list[custom_scalars_pb2.MarginChartContent.Series]:
    items = _list(where, TRIPLE, tags)
    triples = [items] if all(isinstance(item, str) for item in items) else items
    return [_one_series(where, triple) for triple in triples]


def _one_series(where: str, triple: Any) -> custom_scalars_pb2.MarginChartContent.Series:
    if not isinstance(triple, (list, tuple)) or len(triple) != 3:
        raise EncodeError(where, TRIPLE, triple)
    value, lower, upper = (_text(where, TRIPLE, tag) for tag in triple)
    return custom_scalars_pb2.MarginChartContent.Series(value=value, lower=lower, upper=upper)


def _list(where: str, wanted: str, value: Any) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise EncodeError(where, wanted, value)
    return list(value)


def _text(where: str, wanted: str, value: Any) -> str:
    if not isinstance(value, str):
        raise EncodeError(where, wanted, value)
    encode_tag(value)
    return value
