"""A label is one line, whatever is in it, and no line is blank or a header by mistake."""

from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb import EncodeError
from asynctb.encode import labels as module
from asynctb.encode.labels import labels
from tests.inputs import TEXTS, holds

# What JavaScript's trim() takes off: https://tc39.es/ecma262/#prod-WhiteSpace
JAVASCRIPT_SPACES = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
JAVASCRIPT_SPACES += "\u2028\u2029\u202f\u205f\u3000\ufeff"
ODD = st.text(st.sampled_from(["a", *JAVASCRIPT_SPACES, "\x1c", "\x85", "\u200b"]), max_size=4)


def text(metadata: Any, header: Any = None) -> str:
    return b"".join(labels("t", metadata, header, len(metadata))).decode()


def shown(written: str) -> tuple[list[str], list[list[str]]]:
    """Read metadata as the Projector does: column names, and cells."""
    lines = written.replace("\r\n", "\n").replace("\r", "\n").split("\n")  # the server opens the file as text
    rows = [line.split("\t") for line in lines if line.strip(JAVASCRIPT_SPACES)]
    return (rows[0], rows[1:]) if "\t" in lines[0] else (["label"], rows)


@holds(300)
@given(st.lists(TEXTS | ODD, min_size=1, max_size=8))
def test_each_label_is_one_line(values: list[str]) -> None:
    """The Projector finds as many labels as there are, in their order, whatever characters they have."""
    names, rows = shown(text(values))
    assert names == ["label"]
    assert len(rows) == len(values)
    for value, row in zip(values, rows, strict=True):
        [label] = row
        blank = all(letter.isspace() or letter in JAVASCRIPT_SPACES for letter in value)
        assert label.split() == value.split() or (blank and label == "\u200b")


@holds(300)
@given(st.lists(st.lists(TEXTS | ODD, min_size=2, max_size=2), min_size=2, max_size=8))
def test_each_row_is_one_line(rows: list[list[str]]) -> None:
    """With several columns, the first row is the header, and each other one a point's."""
    header, *rest = rows
    names, got = shown(text(rest, header))
    assert len(names) == 2
    assert list(map(len, got)) == [2] * len(rest)


@pytest.mark.parametrize(
    ("metadata", "written"),
    [
        (["a", "b"], "a\nb\n"),
        (("a", "b"), "a\nb\n"),
        ([1, 2.5, None, True], "1\n2.5\nNone\nTrue\n"),
        ([("a", 1), ["b"]], "('a', 1)\n['b']\n"),
        (np.array(["a", "b"]), "a\nb\n"),
        (np.array([3, 4]), "3\n4\n"),
        (np.array([0.1, 2], np.float32), "0.1\n2.0\n"),
        ([np.int64(3), np.float32(0.1), np.str_("x")], "3\n0.1\nx\n"),
        (range(3), "0\n1\n2\n"),
        ({"a": 1, "b": 2}.keys(), None),
        (["a\tb", "c\nd", "e\r\nf", "g\rh", "\t"], "a b\nc d\ne f\ng h\n\u200b\n"),
        (["a", "", " ", "b"], "a\n\u200b\n\u200b\nb\n"),
        (["\u00e9", "\u6f22", "\U0001f600"], "\u00e9\n\u6f22\n\U0001f600\n"),
    ],
)
def test_labels_become_text(metadata: Any, written: str | None) -> None:
    """Labels of any kind are what `str` makes of them; tabs and line breaks become spaces, a blank shows as nothing."""
    if written is None:
        with pytest.raises(EncodeError):
            text(metadata)
    else:
        assert text(metadata) == written


@pytest.mark.parametrize(
    ("metadata", "header", "written"),
    [
        ([["a", 1], ["b", 2]], ["name", "count"], "name\tcount\na\t1\nb\t2\n"),
        ([("a", 1), ("b", 2)], ("name", "count"), "name\tcount\na\t1\nb\t2\n"),
        (np.array([[1, 2], [3, 4]]), np.array(["x", "y"]), "x\ty\n1\t2\n3\t4\n"),
        ([["a\tb", "c\nd"]], ["x\ty", "z"], "x y\tz\na b\tc d\n"),
        ([["", ""], ["", "b"]], ["x", "y"], "x\ty\n\u200b\t\n\tb\n"),
        ([["a"], ["b"]], ["name"], "a\nb\n"),
        (["one", "two"], ["name"], "one\ntwo\n"),
        ([1, ["b"], np.float32(0.5)], ["name"], "1\nb\n0.5\n"),
        (["a", "b"], [], "a\nb\n"),
    ],
)
def test_rows_become_columns(metadata: Any, header: Any, written: str) -> None:
    """Rows of cells stand under their header; one column has none, for its line would be a label."""
    assert text(metadata, header) == written


def test_tensors_become_numbers() -> None:
    """A tensor of class numbers, and one-element tensors among the labels, show their number and not their name."""
    torch = pytest.importorskip("torch")
    assert text(torch.tensor([3, 4])) == "3\n4\n"
    assert text([torch.tensor(3), torch.tensor([0.5])]) == "3\n0.5\n"
    assert text([torch.tensor(3), "a"]) == "3\na\n"
    assert text([torch.tensor([1, 2])], ["x", "y"]) == "x\ty\n1\t2\n"


class Untold:
    def __str__(self) -> str:
        raise ArithmeticError("not today")


@pytest.mark.parametrize(
    ("metadata", "header", "count", "wanted", "got"),
    [
        (["a"], None, 2, "2 labels, one for each row of the matrix", ["a"]),
        ([], None, 1, "1 labels, one for each row of the matrix", []),
        ("ab", None, 2, "a list of labels", "ab"),
        (b"ab", None, 2, "a list of labels", b"ab"),
        ({"a": 1}, None, 1, "a list of labels", {"a": 1}),
        ({"a"}, None, 1, "a list of labels", {"a"}),
        (5, None, 1, "a list of labels", 5),
        (np.array(5), None, 1, "a list of labels", ANY),
        (["a \ud800"], None, 1, "labels that UTF-8 can encode", ANY),
        ([Untold()], None, 1, "labels that can be shown as text", ANY),
        ([["a"]], ["x", "y"], 1, "rows of 2 cells, as many as the header", ["a"]),
        ([["a", "b"], ["a", "b", "c"]], ["x", "y"], 2, "rows of 2 cells, as many as the header", ["a", "b", "c"]),
        (["ab"], ["x", "y"], 1, "rows of 2 cells, as many as the header", "ab"),
        ([5], ["x", "y"], 1, "rows of 2 cells, as many as the header", 5),
        ([["a", "b"]], ["x"], 1, "rows of 1 cells, as many as the header", ["a", "b"]),
        ([["a", "b"]], "xy", 1, "a list of column names", "xy"),
    ],
)
def test_what_is_no_list_of_labels_is_refused(metadata: Any, header: Any, count: int, wanted: str, got: object) -> None:
    """Labels of another number, text for a list, and rows of another length raise, naming what was wanted."""
    with pytest.raises(EncodeError) as raised:
        labels("t", metadata, header, count)
    assert (raised.value.tag, raised.value.wanted) == ("t", wanted)
    assert raised.value.got == got


@holds(50)
@given(st.lists(TEXTS, max_size=30), st.integers(1, 7))
def test_pieces_make_one_text(values: list[str], size: int) -> None:
    """Wherever it is cut into pieces, the text is the same."""
    whole = text(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SLICE", size)
        assert text(values) == whole
