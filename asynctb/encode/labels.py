"""The Projector's metadata: a line for each point, of one label or of several columns.

TensorBoard knows a header by a tab in the first line, counts lines, and passes over blank ones. So a label is kept from
adding a line, a column or a header, and from leaving its line blank; else all labels behind it would shift.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any

from asynctb.encode.arrays import as_array
from asynctb.errors import EncodeError

__all__ = ["labels"]

LABELS = "a list of labels"
SLICE = 1 << 12  # lines at a time: a thread gives way between bytecodes, not within one
# Space and not a visible mark, since a label is for people; a file read as text takes a bare \r for a line's end too.
_BREAK = re.compile(r"\r\n|[\t\n\r]")
_NOTHING = "\u200b"  # shows as nothing, and JavaScript, whose trim() judges it, does not take it for a space
_SPACES = "\ufeff"  # what trim() takes for spaces and Python does not


def labels(tag: str, metadata: Any, header: Sequence[Any] | None, count: int) -> list[bytes]:
    """Return the text of the metadata of so many points, in pieces.

    With a header of several columns each item is a row of cells. The name of a single column is left out: its line
    would be taken for a label. Raises `EncodeError` for what is no list of as many items, and for rows that are not as
    long as the header.
    """
    items = _items(tag, metadata, LABELS)
    if len(items) != count:
        raise EncodeError(tag, f"{count} labels, one for each row of the matrix", metadata)
    columns = _items(tag, header, "a list of column names") if header is not None else []
    if columns:
        items = [_row(tag, item, len(columns)) for item in items]
    if len(columns) < 2:
        lines = (_label(tag, item[0] if columns else item) for item in items)
    else:
        lines = (_line(tag, row) for row in [columns, *items])
    return list(_encoded(tag, lines))


def _items(tag: str, value: Any, wanted: str) -> Sequence[Any]:
    if callable(getattr(value, "detach", None)):
        value = as_array(tag, value, wanted)
    if isinstance(value, (str, bytes, Mapping, AbstractSet)):
        raise EncodeError(tag, wanted, value)
    try:
        return list(value)
    except Exception as error:  # whatever the value's own library raises
        raise EncodeError(tag, wanted, value) from error


def _row(tag: str, item: Any, length: int) -> Sequence[Any]:
    if length == 1 and (isinstance(item, str) or not hasattr(item, "__len__")):
        return [item]  # a label that stands alone is the row of a single column
    wanted = f"rows of {length} cells, as many as the header"
    row = _items(tag, item, wanted)
    if len(row) != length:
        raise EncodeError(tag, wanted, item)
    return row


def _line(tag: str, row: Sequence[Any]) -> str:
    cells = [_text(tag, cell) for cell in row]
    if not any(map(_shows, cells)):
        cells[0] = _NOTHING
    return "\t".join(cells)


def _label(tag: str, item: Any) -> str:
    text = _text(tag, item)
    return text if _shows(text) else _NOTHING


def _shows(text: str) -> bool:
    return bool(text.strip().strip(_SPACES).strip())


def _text(tag: str, item: Any) -> str:
    try:
        # A tensor's own text has its name about it: tensor(3).
        value = item.item() if callable(getattr(item, "detach", None)) and item.numel() == 1 else item
        text = value if isinstance(value, str) else str(value)
    except Exception as error:
        raise EncodeError(tag, "labels that can be shown as text", item) from error
    return text if text.isprintable() else _BREAK.sub(" ", text)


def _encoded(tag: str, lines: Iterator[str]) -> Iterator[bytes]:
    while part := list(islice(lines, SLICE)):
        text = "\n".join([*part, ""])
        try:
            yield text.encode()
        except UnicodeEncodeError as error:
            raise EncodeError(tag, "labels that UTF-8 can encode", text) from error
