"""Texts are stored verbatim, and the cells of a table show exactly their text in TensorBoard."""

import random
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.text import LONG, PLUGIN, SLICE, table, text
from asynctb.entry import Draft, Entry, Record
from asynctb.errors import EncodeError
from asynctb.proto import event_pb2, summary_pb2, tensor_pb2
from tests.inputs import TEXTS, holds
from tests.readback.imports import module

# What Markdown, HTML or a table might take for its own.
MARKDOWN = r"""| \| \ ` `` ``` ~~~ * ** _ ![ [a](http://b.c) [^1] [x]:y {#id} $x$ --- :-- === 1. ' " http://x.y a@b.c"""
HTML = "<b> </td> <script> <!-- <http://x> &amp; &#65; & é 名 😀 word 0"
SPACED = ["# ", "- ", "+ ", "> ", "\n", "\n\n", "  \n", "    ", "\t", "\u2028", "\x85", "\xa0"]
MARKS = st.sampled_from([*MARKDOWN.split(" "), *HTML.split(" "), *SPACED])
# Control characters have no look: TensorBoard replaces or removes them, whatever a cell says.
VISIBLE = st.characters(exclude_categories=["Cs", "Cc"])
CELLS = st.one_of(st.text(VISIBLE, max_size=12), st.lists(MARKS, max_size=6).map("".join))
TABLES = st.integers(1, 4).flatmap(
    lambda size: st.lists(st.lists(CELLS, min_size=size, max_size=size), min_size=1, max_size=4)
)

SURROGATES = ["\ud800", "\udfff", "\ud83d\ude00"]


class Cells(HTMLParser):
    """What a browser would show in the cells of tables: text by row, and every tag on the way."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self._inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._inside = True
        elif tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data
        else:
            assert not data.strip()  # nothing falls out of the table


def shown(markdown: str) -> Cells:
    """Render Markdown as TensorBoard's text dashboard does, and look at the cells."""
    return Cells(module("tensorboard.plugin_util").markdown_to_safe_html(markdown))


def value(entry: Entry) -> summary_pb2.Summary.Value:
    """Read an entry's payload."""
    what = entry.what if isinstance(entry, Record) else entry.take()()
    (value,) = event_pb2.Event.FromString(what).summary.value
    return value


def content(entry: Entry) -> str:
    """Read an entry's text."""
    (encoded,) = value(entry).tensor.string_val
    return encoded.decode()


def non_ascii(length: int) -> str:
    """A text so long, of characters of one to four bytes."""
    return "".join(random.Random(length).choices("aé名😀", k=length))


# Text


@holds()
@given(TEXTS, TEXTS)
def test_text_is_stored_verbatim(tag: str, written: str) -> None:
    """A text is stored as it is, under its tag's summary, as a vector of one string for the text dashboard."""
    record = text(tag, written)
    stored = value(record)
    assert content(record) == written
    assert (stored.tag, stored.metadata.plugin_data.plugin_name) == (f"{tag}/text_summary", "text")
    assert (stored.tensor.dtype, [dim.size for dim in stored.tensor.tensor_shape.dim]) == (tensor_pb2.DT_STRING, [1])
    assert isinstance(record, Record)
    assert (record.tags, record.plugin, record.media) == ((stored.tag,), PLUGIN, True)


@pytest.mark.parametrize(
    "written", ["", "plain", "# *Markdown*\n\n|a|b|", "名前 😀\0", "x" * 100_000, non_ascii(LONG)], ids=len
)
def test_text_is_torchs(written: str) -> None:
    """The payload is torch's own to the byte, short or long."""
    torch = pytest.importorskip("torch.utils.tensorboard.summary", reason="torch is not installed")
    entry = text("a/b", written)
    what = entry.what if isinstance(entry, Record) else entry.take()()
    theirs = torch.text("a/b", written).SerializeToString()
    assert event_pb2.Event.FromString(what).summary.SerializeToString() == theirs


@pytest.mark.parametrize("written", [None, 5, 1.5, b"text", {"a": 1}, {"a"}, object(), np.array(["a"]), iter(["a"])])
def test_what_is_neither_text_nor_rows_is_refused(written: Any) -> None:
    """What is neither text nor a list of rows is refused, with tag and value."""
    with pytest.raises(EncodeError, match="text, or a list of rows") as caught:
        text("note", written)
    assert caught.value.tag == "note"
    assert caught.value.got is written


@pytest.mark.parametrize("tag", [None, 5, b"note", "\ud800"])
def test_what_is_no_tag_is_refused(tag: Any) -> None:
    """What is no text, or none that UTF-8 can encode, is refused as a tag, with text and with rows."""
    for written in ("text", [["cell"]]):
        with pytest.raises(EncodeError) as caught:
            text(tag, written)
        assert caught.value.got is tag


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("before", ["", "plain ", "名" * 1000])
def test_lone_surrogates_are_refused_at_the_call(before: str, surrogate: str) -> None:
    """A short text that UTF-8 cannot encode is refused by the call itself; a pair of surrogates is none either."""
    with pytest.raises(EncodeError, match="UTF-8") as caught:
        text("note", f"{before}{surrogate} after")
    assert caught.value.tag == "note"
    with pytest.raises(EncodeError, match="UTF-8"):
        text("note", [["cell", before + surrogate]])


# Long text


@pytest.mark.parametrize("length", [LONG - 1, LONG, LONG + 1, SLICE * 5, SLICE * 5 + 1])
def test_long_text_is_stored_verbatim(length: int) -> None:
    """Long text is stored whole, wherever it is cut for its encoding."""
    written = non_ascii(length)
    entry = text("note", written)
    assert isinstance(entry, Draft) == (length >= LONG)
    assert content(entry) == written
    assert entry.tags == ("note/text_summary",)
    assert (entry.plugin, entry.run, entry.media) == (PLUGIN, "", True)


def test_long_text_counts_at_least_what_it_takes() -> None:
    """A draft of long text declares no fewer bytes than its payload has, but for the payload's few fields."""
    entry = text("note", "😀" * LONG)
    assert isinstance(entry, Draft)
    assert len(entry.take()()) - entry.size < 100


def test_long_text_is_a_draft_whatever_its_alphabet() -> None:
    """From LONG characters on a thread makes the payload, of ASCII too; below it the call does."""
    assert isinstance(text("note", "x" * LONG), Draft)
    assert isinstance(text("note", "x" * (LONG - 1)), Record)


@pytest.mark.parametrize("surrogate", SURROGATES)
@pytest.mark.parametrize("place", [0, 1, SLICE - 1, SLICE, LONG, LONG + SLICE - 1])
def test_lone_surrogates_far_inside_are_refused_at_taking(surrogate: str, place: int) -> None:
    """A long text that UTF-8 cannot encode is refused when it is taken, before the add returns, wherever its fault."""
    written = "名" * place + surrogate + "名" * (LONG + SLICE - place)
    entry = text("note", written)
    assert isinstance(entry, Draft)
    with pytest.raises(EncodeError, match="UTF-8") as caught:
        entry.take()
    assert caught.value.tag == "note"


# Tables


def visible(cell: str) -> str:
    """What a cell can show: HTML does not show the spaces at its ends."""
    return cell.strip(" ")


@holds(200)
@given(TABLES)
def test_cells_show_exactly_their_text(rows: list[list[str]]) -> None:
    """Rendered by TensorBoard, each cell shows its text and nothing else, whatever Markdown or HTML is in it."""
    cells = shown(table("note", rows))
    head, *body = cells.rows
    assert [[visible(cell) for cell in row] for row in body] == [[visible(cell) for cell in row] for row in rows]
    assert head == [""] * len(rows[0])
    assert cells.tags <= {"table", "thead", "tbody", "tr", "th", "td", "br"}


@holds(100)
@given(st.lists(CELLS, min_size=1, max_size=4))
def test_a_header_shows_exactly_its_text(header: list[str]) -> None:
    """The header's cells show their texts in the head row, also above no rows at all."""
    assert [visible(cell) for cell in shown(table("note", [], header)).rows[0]] == list(map(visible, header))
    body = ["x"] * len(header)
    assert shown(table("note", [body], header)).rows[1:] == [body]


@pytest.mark.parametrize("cell", ["a\nb", "a\r\nb"])
def test_a_newline_is_a_line_break(cell: str) -> None:
    """A newline of either kind is one line break inside its cell."""
    cells = shown(table("note", [[cell, "c"]]))
    assert cells.rows[1:] == [["a\nb", "c"]]
    assert "br" in cells.tags


def test_runs_of_spaces_are_in_the_page() -> None:
    """Spaces and tabs inside a cell reach the page, each of them."""
    assert shown(table("note", [["a   b\t\tc"]])).rows[1:] == [["a   b\t\tc"]]


def test_cells_are_turned_to_text() -> None:
    """Cells of any type show what `str` makes of them, and rows may be tuples."""
    assert shown(table("note", ((1, None, 0.5), [True, np.float32(2.5), (1, 2)]))).rows[1:] == [
        ["1", "None", "0.5"],
        ["True", "2.5", "(1, 2)"],
    ]


def test_rows_are_stored_as_their_table() -> None:
    """Rows given in the place of a text are stored as their table, with their header."""
    rows, header = [["a", 1], ["b", 2]], ["name", "number"]
    assert content(text("note", rows)) == table("note", rows)
    assert content(text("note", rows, header)) == table("note", rows, header)
    assert shown(content(text("note", rows, header))).rows == [header, ["a", "1"], ["b", "2"]]


def test_a_table_in_the_dashboard_is_one_table() -> None:
    """Inside what the text dashboard itself wraps around a text, there is the table and nothing but it."""
    to_html = module("tensorboard.plugins.text.text_plugin").text_array_to_html
    html = to_html(np.array([table("note", [["a|b", "c"]], ["x", "y"])]), True)
    assert re.findall(r"<t[hd]>(\w.*?)</t[hd]>", html) == ["x", "y", "a&#124;b", "c"]


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["a"], ["b", "c"]], None),
        ([["a", "b"], ["c"]], None),
        ([["a"], []], None),
        ([["a"]], ["x", "y"]),
        ([["a", "b"]], ["x"]),
        ([["a"]], []),
    ],
)
def test_ragged_rows_are_refused(rows: Any, header: Any) -> None:
    """Rows that are not all of one length, the header's included, are refused, with the first that differs."""
    with pytest.raises(EncodeError, match="rows of") as caught:
        text("note", rows, header)
    assert caught.value.tag == "note"
    assert caught.value.got in [*rows, header]


@pytest.mark.parametrize(
    ("rows", "header"), [([], None), ((), None), ([[]], None), ([[], []], None), ([], []), ([[]], [])]
)
def test_a_table_without_a_cell_is_refused(rows: Any, header: Any) -> None:
    """No rows, rows without cells and a header without cells make no table."""
    with pytest.raises(EncodeError):
        text("note", rows, header)


@pytest.mark.parametrize("row", ["ab", None, 5, {"a": 1}, {"a"}, b"ab"])
def test_a_row_that_is_no_list_is_refused(row: Any) -> None:
    """A row that is no list of cells is refused: text would be one cell a letter."""
    with pytest.raises(EncodeError, match="lists of cells") as caught:
        text("note", [["a"], row])
    assert caught.value.got is row


@pytest.mark.parametrize("header", ["ab", 5, {"a": 1}, b"ab"])
def test_a_header_that_is_no_list_is_refused(header: Any) -> None:
    """A header that is no list of cells is refused likewise."""
    with pytest.raises(EncodeError, match="lists of cells") as caught:
        text("note", [["a"]], header)
    assert caught.value.got is header


@pytest.mark.parametrize("header", [["x"], [], "x"])
def test_a_header_wants_rows(header: Any) -> None:
    """A header beside a plain text is refused."""
    with pytest.raises(EncodeError, match="header"):
        text("note", "plain", header)
