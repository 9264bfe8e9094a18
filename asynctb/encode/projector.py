"""The Projector's configuration: one text file of a log directory, with an entry for each of its embeddings.

It is not ours alone: earlier runs, other writers and people with an editor leave their entries in it. So an entry is
put into the text as it is found, and nothing is written anew from what a parser understood of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from google.protobuf import text_format

from asynctb.proto.projector_pb2 import EmbeddingInfo, ProjectorConfig

__all__ = ["CONFIG", "entry", "merge"]

CONFIG = "projector_config.pbtxt"

# What the text format is made of, as far as it takes to find where a message begins and ends.
_TOKEN = re.compile(rb"""#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\w.+-]+|\S""")
_WORD = b"embeddings"


def entry(info: EmbeddingInfo) -> bytes:
    """Return an embedding's entry, which is a whole configuration by itself."""
    return text_format.MessageToString(ProjectorConfig(embeddings=[info])).encode()


def merge(old: bytes, new: bytes) -> bytes:
    """Return a configuration with an entry put in: in the place of that of the same name, or else at the end.

    All else is kept to the byte: comments, and what is no configuration, which TensorBoard could not read before.
    """
    name = _name(new)
    kept: list[bytes] = []
    end = 0
    for span in _messages(old) if _may_hold(old, name) else ():
        if _name(b"%b %b" % (_WORD, old[span])) == name:
            kept.append(old[end : span.start])
            end = span.stop
    if not kept:
        return old + (b"\n" if old and not old.endswith(b"\n") else b"") + new
    message = new[new.index(b"{") :].rstrip(b"\n")
    return message.join([*kept, old[end:]])


def _may_hold(text: bytes, name: str) -> bool:
    """Tell whether an entry may be there; most are not, and then it takes no time, however many there are."""
    info = EmbeddingInfo(tensor_name=name)
    written = (text_format.MessageToString(info, as_utf8=utf8) for utf8 in (False, True))
    return any(each.split('"', 1)[1][:-2].encode() in text for each in written) and _parsed(text) is not None


def _messages(text: bytes) -> Iterator[slice]:
    """Return where the entries' messages stand in a configuration, from brace to brace."""
    depth = begin = 0
    field = b""
    for token in _TOKEN.finditer(text):
        what = token[0]
        if what in (b"{", b"<"):
            begin = begin if depth else token.start()
            depth += 1
        elif what in (b"}", b">"):
            depth -= 1
            if not depth and field == _WORD:
                yield slice(begin, token.end())
        elif not depth and (what == b"]" or what[:1].isalpha()):  # a list's messages share a field name
            field = what


def _name(text: bytes) -> str:
    config = _parsed(text)
    return config.embeddings[0].tensor_name if config and len(config.embeddings) == 1 else ""


def _parsed(text: bytes) -> ProjectorConfig | None:
    try:
        return text_format.Parse(text.decode(), ProjectorConfig(), allow_unknown_field=True)
    except Exception:  # in whatever way it is none
        return None
