"""A writer's arguments are checked at its constructor, kept as they were given, and make a pipeline."""

import os
import pickle
import re
import socket
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from asynctb.entry import Record
from asynctb.errors import EncodeError
from asynctb.pipeline import in_thread
from asynctb.pipeline.options import Options
from asynctb.settings import Settings
from tests.readback.events import events, run_events

POINT = Record(("loss",), b"", "scalars")


def settings(
    log_dir: Any = "runs/a", comment: Any = "", purge_step: Any = None, suffix: Any = "", **more: Any
) -> Settings:
    return Settings.of(log_dir, comment, purge_step, suffix, **{"auto_step": True, "enabled": True, **more})


class Folder:
    """A path in somebody's own class."""

    def __init__(self, path: Any) -> None:
        self.path = path

    def __fspath__(self) -> Any:
        return self.path


# The log directory


@pytest.mark.parametrize("nothing", [None, ""])
def test_default_is_torchs(nothing: str | None) -> None:
    """Without a directory it is `runs/`, the moment, the host and the comment, as torch's is."""
    log_dir = settings(nothing, comment="_lr=0.1")
    host = re.escape(socket.gethostname())
    assert re.fullmatch(rf"runs.[A-Z][a-z]{{2}}\d\d_\d\d-\d\d-\d\d_{host}_lr=0\.1", str(log_dir.log_dir))


def test_a_comment_may_make_folders() -> None:
    """A slash in a comment makes folders below `runs/`, as torch's does for models with one in their names."""
    assert str(settings(None, comment="-google/bert").log_dir).endswith("-google/bert")


def test_a_comment_counts_only_by_default() -> None:
    """The comment is left aside where a directory is given, even one that could be no part of a name."""
    assert settings("here", comment="a/b").log_dir == "here"


@pytest.mark.parametrize("comment", ["/../x", "../../x", "a/../../b", "a\0b", "\ud800", None, 5])
def test_a_comment_that_leads_elsewhere_is_refused(comment: object) -> None:
    """A comment that would leave `runs/`, or that no path can hold, is refused by its name."""
    with pytest.raises(EncodeError) as caught:
        settings(None, comment=comment)
    assert (caught.value.tag, caught.value.got) == ("comment", comment)


@pytest.mark.parametrize(
    "log_dir", ["runs/a", Path("runs/a"), "/abs", "~x", "ä ö", "a:b", "C:/logs", Folder("runs"), b"runs"]
)
def test_a_directory_is_kept_as_it_was_given(log_dir: Any) -> None:
    """A local directory is kept in the type and spelling in which it was given."""
    assert settings(log_dir).log_dir is log_dir


@pytest.mark.parametrize("scheme", ["s3", "gs", "hdfs", "file", "abfss", "HTTP", "svn+ssh"])
def test_a_remote_directory_is_refused_by_name(scheme: str) -> None:
    """A directory with a scheme is refused, with the scheme's name, and not made as a local folder of that name."""
    for log_dir in (f"{scheme}://bucket/run", Folder(f"{scheme}://bucket/run")):
        with pytest.raises(EncodeError, match=re.escape(f"{scheme}://")) as caught:
            settings(log_dir)
        assert caught.value.tag == "log_dir"


@pytest.mark.parametrize("log_dir", [5, 1.5, object(), ["runs"], b"a\0b", "a\0b", "a\ud800"])
def test_what_is_no_path_is_refused(log_dir: object) -> None:
    """What is no path in text, or none that a system can have, is refused at the constructor."""
    with pytest.raises(EncodeError) as caught:
        settings(log_dir)
    assert caught.value.tag == "log_dir"


@pytest.mark.skipif(os.name == "nt", reason="paths are UTF-16 there")
def test_a_path_that_is_not_utf8_is_kept(tmp_path: Path) -> None:
    """A directory whose name is not UTF-8, as Python gives it from a listing, is one like any other."""
    log_dir = os.path.join(tmp_path, os.fsdecode(b"caf\xe9"))
    with SummaryWriter(log_dir) as writer:
        writer.add_scalar("loss", 1)
    assert os.listdir(os.fsencode(tmp_path)) == [b"caf\xe9"]


# The rest


@pytest.mark.parametrize(("given", "kept"), [(None, None), (7, 7), (7.9, 7), ("12", 12), (0, 0)])
def test_purge_step_is_a_step(given: Any, kept: int | None) -> None:
    """The purge step is taken like any step."""
    assert settings(purge_step=given).purge_step == kept


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"purge_step": "x"}, "purge_step"),
        ({"purge_step": float("nan")}, "purge_step"),
        ({"purge_step": 1 << 63}, "purge_step"),
        ({"suffix": "/x"}, "filename_suffix"),
        ({"overflow": "block"}, "overflow"),
        ({"max_bytes": -1}, "max_bytes"),
    ],
)
def test_bad_arguments_are_refused_by_name(wrong: Mapping[str, Any], name: str) -> None:
    """Each bad argument is refused at the constructor, with its name."""
    with pytest.raises(EncodeError) as caught:
        settings(**wrong)
    assert caught.value.tag == name


@pytest.mark.parametrize("writer", [SummaryWriter, AsyncSummaryWriter])
def test_a_refused_writer_leaves_nothing(writer: type, tmp_path: Path) -> None:
    """A writer whose arguments will not do makes no directory."""
    with pytest.raises(EncodeError):
        writer(tmp_path / "run", max_queue=-1)
    assert list(tmp_path.iterdir()) == []


def test_options_are_passed_on() -> None:
    """What the pipeline is told is what the constructor was told."""
    given: dict[str, Any] = {"max_queue": 3, "flush_secs": 4.5, "max_bytes": 5, "overflow": "drop", "exit_timeout": 0.5}
    assert settings(**given).options == Options(**given)


def test_settings_are_values() -> None:
    """Settings cannot be changed, are equal when they say the same, and travel in a pickle."""
    mine = settings(Path("runs"), purge_step=3, suffix=".x", max_queue=5, auto_step=False)
    assert pickle.loads(pickle.dumps(mine)) == mine
    assert mine != settings(Path("runs"))
    with pytest.raises(FrozenInstanceError):
        mine.purge_step = 4  # type: ignore[misc]


# The pipeline


def test_a_pipeline_touches_no_disk(tmp_path: Path) -> None:
    """A pipeline that was made and not opened has made no directory."""
    settings(tmp_path / "run").pipeline()
    assert list(tmp_path.iterdir()) == []


def starts(folder: Path) -> list[int]:
    """The steps of a folder's purges."""
    found = run_events(folder)["."]
    return [each.step for each in found if each.HasField("session_log")]


def test_only_the_first_file_purges(tmp_path: Path) -> None:
    """A writer's first file purges; that of a copy, and that of a writer gone on after its close, do not."""
    mine = settings(tmp_path / "run", purge_step=5)
    first = mine.pipeline()
    for pipeline in (first, mine.pipeline(after=first), mine.pipeline(copied=True)):
        in_thread.open_file(pipeline)
        in_thread.close(pipeline, 10)
    begun = [
        sum(each.HasField("session_log") for each in events(path)) for path in sorted((tmp_path / "run").iterdir())
    ]
    assert begun == [2, 0, 0]
    assert starts(tmp_path / "run") == [5, 5]


@pytest.mark.parametrize(
    ("auto_step", "purge_step", "steps"), [(True, None, [0, 1]), (True, 7, [7, 8]), (False, 7, [None] * 2)]
)
def test_steps_are_as_told(auto_step: bool, purge_step: int | None, steps: list[int | None]) -> None:
    """Automatic steps begin at the purge step, or at 0, and are none where they are switched off."""
    pipeline = settings(purge_step=purge_step, auto_step=auto_step).pipeline()
    assert [pipeline.steps.stamp(POINT, None) for _ in steps] == steps


def test_a_later_file_goes_on_counting() -> None:
    """Where a writer goes on after its close, its steps go on too; those of a copy begin anew."""
    mine = settings()
    first = mine.pipeline()
    first.steps.stamp(POINT, 41)
    assert mine.pipeline(after=first).steps.stamp(POINT, None) == 42
    assert mine.pipeline(copied=True).steps.stamp(POINT, None) == 0


@pytest.mark.parametrize("slow", [False, True])
def test_slow_checksums_are_told(slow: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Where checksums are computed by Python, a writer says so in the log, and otherwise says nothing."""
    monkeypatch.setattr("asynctb.settings.SLOW_CRC", slow)
    settings().pipeline()
    assert ["google-crc32c" in record.getMessage() for record in caplog.records] == [True] * slow


def test_the_files_are_named_as_told(tmp_path: Path) -> None:
    """The event file stands in the log directory and ends with the suffix."""
    pipeline = settings(tmp_path / "run", suffix=".v2").pipeline()
    in_thread.open_file(pipeline)
    in_thread.close(pipeline, 10)
    (path,) = (tmp_path / "run").iterdir()
    assert path.name.endswith(".v2")
