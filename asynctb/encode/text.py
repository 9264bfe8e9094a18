"""Text and tables for TensorBoard's Text dashboard, which renders Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from asynctb.encode.tags import encode_tag
from asynctb.encode.tensors import strings, value
from asynctb.encode.wire import summary
from asynctb.entry import Draft, Encode, Entry, Record
from asynctb.errors import EncodeError

__all__ = ["table", "text"]

PLUGIN = "text"
SLICE = 1 << 16  # characters encoded at a time: a thread gives way between slices, in one piece it would hold the GIL
LONG = 1 << 18  # characters from which making the payload takes about a millisecond


def text(tag: str, given: Any, header: Sequence[Any] | None = None) -> Entry:
    """Return a text, verbatim, or a list of rows as a table, under torch's tag `{tag}/text_summary`.

    Raises `EncodeError` for what is neither, and for text that UTF-8 cannot encode. Very long text is checked and
    encoded in a thread.
    """
    encode_tag(tag)
    if not isinstance(given, str):
        given = table(tag, given, header)
    elif header is not None:
        raise EncodeError(tag, "a list of rows to go with the header", given)
    name = f"{tag}/text_summary"
    if len(given) < LONG:
        return Record((name,), _payload(name, _utf8(tag, given)), PLUGIN, media=True)

    def take() -> Encode:
        encoded = b"".join(_utf8(tag, piece) for piece in _slices(given))
        return lambda: _payload(name, encoded)

    return Draft((name,), 4 * len(given), take, PLUGIN)


def _utf8(tag: str, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise EncodeError(tag, "text that UTF-8 can encode", value) from error


def _slices(value: str) -> Iterator[str]:
    return (value[start : start + SLICE] for start in range(0, len(value), SLICE))


def _payload(name: str, encoded: bytes) -> bytes:
    return summary(value(name, strings([encoded], [1]), PLUGIN))


def table(tag: str, rows: Any, header: Sequence[Any] | None = None) -> str:
    """Return rows as a Markdown table in which every cell shows its text as it is, whatever Markdown would make of it.

    Cells are turned to text by `str`; newlines stay line breaks. Without a header the head row is empty: Markdown's
    tables have one always. What no browser shows stays unseen: control characters, spaces at a cell's ends. Raises
    `EncodeError` for rows that are no sequences, or not all of one length.
    """
    cells = [_row(tag, row) for row in _rows(tag, rows)]
    if header is None and not cells:
        raise EncodeError(tag, "text, or at least one row", rows)
    head = _row(tag, header) if header is not None else [""] * len(cells[0])
    for row in (head, *cells):
        if len(row) != len(head) or not row:
            raise EncodeError(tag, f"rows of {len(head) or 'one or more'} cells", row)
    return "\n".join([_line(head), "|" + " --- |" * len(head), *map(_line, cells)])


def _rows(tag: str, rows: Any) -> Iterable[Any]:
    if not isinstance(rows, (list, tuple)):
        raise EncodeError(tag, "text, or a list of rows", rows)
    return rows


def _row(tag: str, row: Any) -> list[str]:
    if not isinstance(row, (list, tuple)):
        raise EncodeError(tag, "rows that are lists of cells", row)
    return [str(cell) for cell in row]


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(_verbatim, cells)) + " |"


# Numeric references survive Markdown untouched, and the browser shows the character: stronger than backslashes, which
# Markdown honours in some places only. `&` and `<` would be HTML; tabs and runs of spaces stay apart.
_REFERENCES = {ord(mark): f"&#{ord(mark)};" for mark in "&<>|`*_{}[]()#+-.!~\\:/\"'$=^@"}
_BREAKS = {ord("\n"): "<br>", ord("\r"): "", ord("\t"): "&#9;", ord("\0"): "&#65533;"}
_VERBATIM = str.maketrans({**_REFERENCES, **_BREAKS})


def _verbatim(cell: str) -> str:
    return cell.translate(_VERBATIM)
