"""Tags are any text that UTF-8 can encode; sub-runs are paths that stay below the log directory."""

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.tags import encode_tag, sub_run
from asynctb.errors import EncodeError
from tests.inputs import TEXTS, holds

PATHS = st.lists(st.sampled_from(["a", "b c", ".", "..", "", "...", "ü", "~", "-", "\0", "a..", "C:"]), max_size=6).map(
    "/".join
)
SURROGATES = ["\ud800", "a\udfff", "\ud83d\ude00", "x" * 1000 + "\udc80"]


@holds()
@given(TEXTS)
def test_any_text_is_a_tag(tag: str) -> None:
    """Any text is stored as its UTF-8, the empty one and control characters included."""
    assert encode_tag(tag).decode() == tag


@pytest.mark.parametrize("tag", [None, 5, b"loss", ["loss"], Path("loss"), *SURROGATES])
def test_what_is_no_text_is_no_tag(tag: object) -> None:
    """What is no text, or cannot be UTF-8, is refused, for it would end the file in TensorBoard's reader."""
    with pytest.raises(EncodeError) as caught:
        encode_tag(tag)
    assert caught.value.tag is tag
    assert caught.value.got is tag


def leads_elsewhere(run: str) -> bool:
    """Tell what a sub-run must not be: absolute, upwards, nowhere, or no name at all."""
    parts = run.split("/")
    return run.startswith("/") or ".." in parts or "\0" in run or set(parts) <= {"", "."}


@holds(300)
@given(PATHS | TEXTS)
def test_a_sub_run_stays_below_the_log_directory(run: str) -> None:
    """A path is refused, or is made one of real names below the log directory that leads nowhere else."""
    if leads_elsewhere(run):
        with pytest.raises(EncodeError) as caught:
            sub_run("tag", run)
        assert (caught.value.tag, caught.value.got) == ("tag", run)
        return
    path = sub_run("tag", run)
    parts = path.split("/")
    assert parts == [part for part in run.split("/") if part not in ("", ".")]
    assert (PurePosixPath("/logs") / path).parts == ("/", "logs", *parts)
    assert not {"", ".", ".."} & set(parts)
    assert sub_run("tag", path) == path


@pytest.mark.parametrize(
    ("run", "path"),
    [("a", "a"), ("a/b", "a/b"), ("a//b/", "a/b"), ("./a/.", "a"), ("a..b", "a..b"), ("...", "..."), (" ", " ")],
)
def test_empty_parts_are_left_out(run: str, path: str) -> None:
    """Empty parts and dots alone are left out, and all others are kept as they are."""
    assert sub_run("tag", run) == path


@pytest.mark.parametrize("run", ["", "/", ".", "./", "/a", "//a", "..", "../a", "a/..", "a/../b", "a/b/../..", "a\0b"])
def test_paths_that_lead_elsewhere_are_refused(run: str) -> None:
    """Absolute paths, steps upwards, NULs and paths to nowhere are refused, naming the tag and the path."""
    with pytest.raises(EncodeError, match="below the log directory") as caught:
        sub_run("loss", run)
    assert (caught.value.tag, caught.value.got) == ("loss", run)


@pytest.mark.parametrize("run", SURROGATES)
def test_a_sub_run_is_encodable(run: str) -> None:
    """A path that UTF-8 cannot encode is refused: no folder could have its name."""
    with pytest.raises(EncodeError):
        sub_run("loss", run)


@pytest.mark.skipif(PureWindowsPath is type(Path()), reason="a backslash is a separator there")
def test_a_backslash_is_a_letter() -> None:
    """A backslash, which is a letter in POSIX names, is kept."""
    assert sub_run("loss", "a\\..\\b") == "a\\..\\b"
