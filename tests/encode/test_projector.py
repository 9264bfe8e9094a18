"""The configuration keeps all that others have put into it."""

import pytest
from google.protobuf import text_format
from hypothesis import example, given
from hypothesis import strategies as st

from asynctb.encode.projector import entry, merge
from asynctb.proto.projector_pb2 import EmbeddingInfo, ProjectorConfig
from tests.inputs import TEXTS, holds

INFOS = st.builds(
    EmbeddingInfo,
    tensor_name=st.sampled_from(["a", "b:00001", "c\u00e9", 'd"\\\n{', "e'#}", "<f>"]) | TEXTS.filter(bool),
    metadata_path=TEXTS,
    bookmarks_path=TEXTS,
    tensor_shape=st.lists(st.integers(0, (1 << 32) - 1), max_size=2),
    tensor_path=TEXTS,
)
COMMENT = "# by hand: embeddings { tensor_name: 'a' }\n"


def parsed(text: bytes) -> ProjectorConfig:
    return text_format.Parse(text.decode(), ProjectorConfig())


def info(name: str, path: str = "new") -> EmbeddingInfo:
    return EmbeddingInfo(tensor_name=name, tensor_path=path)


@holds(200)
@given(st.lists(INFOS, max_size=6), st.booleans())
def test_entries_add_up(infos: list[EmbeddingInfo], utf8: bool) -> None:
    """What is merged one by one is the configuration of all, the last of each name in the first one's place."""
    text = b""
    want: dict[str, EmbeddingInfo] = {}
    for each in infos:
        if utf8:  # as other writers have it
            text = text_format.MessageToString(parsed(text), as_utf8=True).encode()
        text = merge(text, entry(each))
        want[each.tensor_name] = each
    assert list(parsed(text).embeddings) == list(want.values())


@holds(200)
@given(st.binary() | st.text(st.sampled_from("embeddings{}<>[]\"'#:, \n\\")).map(str.encode), INFOS)
@example(b"embeddings {", info("a"))
@example(b'embeddings { tensor_name: "a"', info("a"))
@example(b'"embeddings { tensor_name: "a" }', info("a"))
@example(b"\xef\xbb\xbfembeddings { tensor_name: 'a' }", info("a"))
@example(b"embeddings { tensor_name: 'a' } }", info("a"))
@example(b"{" * 5000 + b"a", info("a"))
def test_what_is_no_configuration_stays(old: bytes, each: EmbeddingInfo) -> None:
    """Whatever a file holds, nothing of it is lost, and the entry stands behind it on lines of its own."""
    got = merge(old, entry(each))
    assert got.startswith(old)
    assert got.endswith(entry(each))
    assert got[len(old) : -len(entry(each))] == (b"" if not old or old.endswith(b"\n") else b"\n")


@pytest.mark.parametrize(
    ("old", "want"),
    [
        ("", ""),
        (COMMENT, COMMENT),
        ("model_checkpoint_path: 'x'\n", "model_checkpoint_path: 'x'\n"),
        ("# no line's end", "# no line's end\n"),
        ("embeddings { tensor_name: 'b' }\r\n", "embeddings { tensor_name: 'b' }\r\n"),
        (
            "embeddings { tensor_name: 'xa' metadata_path: 'a' }\n",
            "embeddings { tensor_name: 'xa' metadata_path: 'a' }\n",
        ),
    ],
)
def test_a_new_name_comes_last(old: str, want: str) -> None:
    """An entry of a name that is not there comes behind all there is, which stays to the byte."""
    assert merge(old.encode(), entry(info("a"))) == want.encode() + entry(info("a"))


NEW = '{\n  tensor_name: "a"\n  tensor_path: "new"\n}'


@pytest.mark.parametrize(
    ("old", "want"),
    [
        ("embeddings { tensor_name: 'a' }", f"embeddings {NEW}"),
        ("embeddings: { tensor_name: 'a' };", f"embeddings: {NEW};"),
        ("embeddings < tensor_name: 'a' sprite < image_path: '>' > >", f"embeddings {NEW}"),
        ("embeddings{tensor_name:'a'sprite{single_image_dim:[1,2]}}", f"embeddings{NEW}"),
        ("embeddings { # }\n tensor_name: 'a' }", f"embeddings {NEW}"),
        ("embeddings { tensor_name: 'a' 'b' } # stays", None),
        ("embeddings { tensor_name: '' 'a' }", f"embeddings {NEW}"),
        ("embeddings: [{ tensor_name: 'a' }, { tensor_name: 'b' }]", f"embeddings: [{NEW}, {{ tensor_name: 'b' }}]"),
        ("embeddings: [{ tensor_name: 'b' }, < tensor_name: 'a' >]", f"embeddings: [{{ tensor_name: 'b' }}, {NEW}]"),
        ("embeddings { tensor_name: 'a' } embeddings { tensor_name: 'a' }", f"embeddings {NEW} embeddings {NEW}"),
        (
            f"{COMMENT}model_checkpoint_path: 'a'\nembeddings {{ tensor_name: 'a' }}  # a\n\nembeddings {{}}\n",
            f"{COMMENT}model_checkpoint_path: 'a'\nembeddings {NEW}  # a\n\nembeddings {{}}\n",
        ),
        ("embeddings { tensor_name: 'a' later: 3 } newer { a: 'a' }", f"embeddings {NEW} newer {{ a: 'a' }}"),
    ],
)
def test_an_entry_takes_the_place_of_its_name(old: str, want: str | None) -> None:
    """An entry of the same name is replaced where it stands, in whatever syntax; all around it stays to the byte."""
    got = merge(old.encode(), entry(info("a")))
    assert got == (want.encode() if want else old.encode() + b"\n" + entry(info("a")))


def test_a_name_in_escapes_is_found() -> None:
    """A name that is not ASCII is the same in the escapes of torch's protobuf and in UTF-8."""
    for utf8 in (False, True):
        old = text_format.MessageToString(ProjectorConfig(embeddings=[info("\u00e9", "old")]), as_utf8=utf8)
        assert list(parsed(merge(old.encode(), entry(info("\u00e9")))).embeddings) == [info("\u00e9")]


def test_many_entries_take_no_time() -> None:
    """A new name is put behind ten thousand others without looking at each."""
    old = b"".join(entry(info(f"a:{step:05}")) for step in range(10_000))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_format, "Parse", lambda *_, **__: pytest.fail("it was parsed"))
        patch.setattr("asynctb.encode.projector._name", lambda _: "a:10000")
        assert merge(old, entry(info("a:10000"))).startswith(old)
