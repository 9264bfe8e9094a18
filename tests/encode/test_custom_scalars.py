"""Layouts grow by each call, keep their order, and say what is wrong with a chart by its name."""

import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.custom_scalars import Layout, custom_chart, custom_scalars
from asynctb.entry import Draft
from asynctb.errors import EncodeError
from asynctb.proto import custom_scalars_pb2, event_pb2, tensor_pb2
from tests.inputs import TEXTS, holds

Shown = list[tuple[str, bool, list[tuple[str, Any]]]]  # categories, whether they are closed, and their charts


def shown(draft: Draft) -> Shown:
    """Read what is stored: one string of rank 0 that is a layout."""
    (value,) = event_pb2.Event.FromString(draft.take()()).summary.value
    assert (value.tag, value.metadata.plugin_data.plugin_name) == ("custom_scalars__config__", "custom_scalars")
    assert value.tensor.dtype == tensor_pb2.DT_STRING
    assert value.tensor.HasField("tensor_shape")
    assert not value.tensor.tensor_shape.dim
    (encoded,) = value.tensor.string_val
    layout = custom_scalars_pb2.Layout.FromString(encoded)
    return [(c.title, c.closed, [(chart.title, tags(chart)) for chart in c.chart]) for c in layout.category]


def tags(chart: custom_scalars_pb2.Chart) -> Any:
    if chart.WhichOneof("content") == "multiline":
        return list(chart.multiline.tag)
    return [(series.value, series.lower, series.upper) for series in chart.margin.series]


def layout(given: Any, closed: Any = (), kept: Layout | None = None) -> Draft:
    return custom_scalars(given, closed, kept or Layout())


def test_record() -> None:
    """A layout has no step axis, is never shed, and stands in the writer's own run."""
    draft = layout({"c": {"t": ["Multiline", ["a"]]}})
    assert (draft.tags, draft.run, draft.media, draft.slow, draft.plugin) == ((), "", False, False, "custom_scalars")


PATTERNS = st.sampled_from(["loss", "loss/.*", r"a\.b", "", "(x|y)[0-9]+"])
CHARTS = st.one_of(
    st.tuples(st.just("Multiline"), st.lists(PATTERNS)),
    st.tuples(st.just("Margin"), st.tuples(TEXTS, TEXTS, TEXTS)),
    st.tuples(st.just("Margin"), st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1)),
)
LAYOUTS = st.dictionaries(TEXTS, st.dictionaries(TEXTS, CHARTS, max_size=4), max_size=4)


def wanted(chart: Any) -> Any:
    kind, found = chart
    return [found] if kind == "Margin" and isinstance(found, tuple) else list(found)


def as_shown(given: Mapping[str, Mapping[str, Any]]) -> Shown:
    return [
        (title, False, [(name, wanted(chart)) for name, chart in charts.items()]) for title, charts in given.items()
    ]


@holds()
@given(LAYOUTS)
def test_reads_back(given: Any) -> None:
    """All charts read back, in order."""
    assert shown(layout(given)) == as_shown(given)


@holds()
@given(st.lists(LAYOUTS, max_size=4))
def test_grows(layouts: list[Any]) -> None:
    """After several calls, all their charts are there: new ones behind the old, one of an old title in its place."""
    kept = Layout()
    merged: dict[str, dict[str, Any]] = {}
    for each in layouts:
        for title, charts in each.items():
            merged[title] = {**merged.get(title, {}), **charts}
        assert shown(layout(each, kept=kept)) == as_shown(merged)


def test_later_ones_hold_more() -> None:
    """What is stored is the layout when it is taken, so that of two adds at once the last in the file holds both."""
    kept = Layout()
    first, second = (
        layout({"c": {"a": ["Multiline", ["a"]]}}, kept=kept),
        layout({"c": {"b": ["Multiline", ["b"]]}}, kept=kept),
    )
    assert shown(second) == shown(first) == [("c", False, [("a", ["a"]), ("b", ["b"])])]


def test_single_charts() -> None:
    """The short forms are layouts of one chart."""
    kept = Layout()
    custom_chart("c", "t", "Multiline", ("a", "b"), kept)
    custom_chart("c", "u", "Margin", ["v", "l", "h"], kept)
    draft = custom_chart("c", "w", "Margin", [["v", "l", "h"], ("x", "y", "z")], kept)
    margin = [("v", "l", "h")]
    assert shown(draft) == [("c", False, [("t", ["a", "b"]), ("u", margin), ("w", [*margin, ("x", "y", "z")])])]


def test_closed() -> None:
    """Categories that are named so are folded up, and stay so."""
    kept = Layout()
    charts = {"t": ["Multiline", ["a"]]}
    assert [(title, closed) for title, closed, _ in shown(layout({"c": charts, "d": charts}, iter(["d"]), kept))] == [
        ("c", False),
        ("d", True),
    ]
    assert [closed for _, closed, _ in shown(layout({"c": charts, "d": charts}, (), kept))] == [False, True]


@pytest.mark.parametrize(
    "tags", [["a", "b"], ("a", "b"), {"a": 1, "b": 2}.keys(), iter(["a", "b"])], ids=["list", "tuple", "keys", "iter"]
)
def test_lists_of_tags(tags: Any) -> None:
    """Tags may come in anything that is gone through."""
    assert shown(layout(MappingProxyType({"c": {"t": ("Multiline", tags)}}))) == [("c", False, [("t", ["a", "b"])])]


KINDS = "['Multiline', tags] or ['Margin', tags]"
TRIPLE = "three tags: value, lower bound, upper bound; or a list of such triples"
SURROGATE, UTF8 = "\ud800", "a tag that UTF-8 can encode"


def chart(value: Any) -> Any:
    return {"fine": {"f": ["Multiline", ["x"]]}, "c": {"fine": ["Margin", ["x", "y", "z"]], "t": value}}


BAD: list[tuple[Any, Any, str, str]] = [
    (None, (), "layout", "a mapping from titles of categories"),
    ([("c", {})], (), "layout", "a mapping from titles of categories"),
    ({3: {}}, (), "layout", "titles that are text"),
    ({SURROGATE: {}}, (), SURROGATE, UTF8),
    ({"c": [("t", ["Multiline", ["x"]])]}, (), "c", "a mapping from titles of charts"),
    ({"c": ["Multiline", ["x"]]}, (), "c", "a mapping from titles of charts"),
    ({"c": {None: ["Multiline", ["x"]]}}, (), "c", "titles that are text"),
    (chart(None), (), "c/t", KINDS),
    (chart(["Multiline"]), (), "c/t", KINDS),
    (chart(["Multiline", ["x"], 3]), (), "c/t", KINDS),
    (chart("Multiline"), (), "c/t", KINDS),
    (chart(["Lines", ["x"]]), (), "c/t", KINDS),
    (chart([["x"], "Multiline"]), (), "c/t", KINDS),
    (chart(["Multiline", "loss"]), (), "c/t", "a list of tags"),
    (chart(["Multiline", None]), (), "c/t", "a list of tags"),
    (chart(["Multiline", {"a": 1}]), (), "c/t", "a list of tags"),
    (chart(["Multiline", ["x", 3]]), (), "c/t", "tags that are text"),
    (chart(["Multiline", [SURROGATE]]), (), SURROGATE, UTF8),
    (chart(["Margin", "abc"]), (), "c/t", TRIPLE),
    (chart(["Margin", ["a", "b"]]), (), "c/t", TRIPLE),
    (chart(["Margin", ["a", "b", "c", "d"]]), (), "c/t", TRIPLE),
    (chart(["Margin", ["a", "b", 3]]), (), "c/t", TRIPLE),
    (chart(["Margin", []]), (), "c/t", TRIPLE),
    (chart(["Margin", [["a", "b", "c"], ["a", "b"]]]), (), "c/t", TRIPLE),
    (chart(["Margin", [["a", "b", 3]]]), (), "c/t", TRIPLE),
    (chart(["Margin", 3]), (), "c/t", TRIPLE),
    (chart(["Multiline", ["x"]]), "c", "closed", "a list of categories"),
    (chart(["Multiline", ["x"]]), ["d"], "closed", "categories of this layout"),
    (chart(["Multiline", ["x"]]), [["c"]], "closed", "categories of this layout"),
]


@pytest.mark.parametrize(("given", "closed", "tag", "wanted"), BAD, ids=lambda each: ascii(each)[:50])
def test_refused(given: Any, closed: Any, tag: str, wanted: str) -> None:
    """What makes no chart is refused by the names of its category and its own, and nothing of the call is kept."""
    kept = Layout()
    with pytest.raises(EncodeError) as raised:
        layout(given, closed, kept)
    assert (raised.value.tag, raised.value.wanted) == (tag, wanted)
    assert kept.encoded() == b""


@pytest.mark.parametrize("pattern", ["loss(", "*loss", "[a", "(?P<x>a)(?P<x>b)"])
def test_no_regular_expression(pattern: str) -> None:
    """What TensorBoard could not compile is refused, with the reason; what is a tag of a margin may be anything."""
    with pytest.raises(EncodeError) as raised:
        layout(chart(["Multiline", ["fine", pattern]]))
    assert (raised.value.tag, raised.value.got) == ("c/t", pattern)
    assert raised.value.wanted.startswith("tags that are regular expressions, of which this is none (")
    assert shown(layout({"c": {"t": ["Margin", [pattern] * 3]}})) == [("c", False, [("t", [(pattern,) * 3])])]


@pytest.mark.parametrize(
    ("category", "title", "tag"), [(3, "t", "category"), (["c"], "t", "category"), ("c", None, "title")]
)
def test_no_titles(category: Any, title: Any, tag: str) -> None:
    """A title that is no text is refused by the name of its argument."""
    with pytest.raises(EncodeError) as raised:
        custom_chart(category, title, "Multiline", ["x"], Layout())
    assert (raised.value.tag, raised.value.wanted) == (tag, "text")


def test_threads() -> None:
    """Charts that threads add at once are all there in the end, and each one's own in what it stores."""
    kept = Layout()
    wrong: list[str] = []

    def work(number: int) -> None:
        for count in range(200):
            title = f"{number}/{count}"
            draft = custom_chart(f"c{count % 7}", title, "Multiline", ["x"], kept)
            if title not in {name for _, _, charts in shown(draft) for name, _ in charts}:
                wrong.append(title)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sum(len(charts) for _, _, charts in shown(layout({}, (), kept))) == 800
