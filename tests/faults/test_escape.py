"""Whatever names a program makes of its data, nothing is written outside the log directory, or through a link in it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb import EncodeError, StorageError, SummaryWriter
from tests.inputs import holds
from tests.readback.events import run_events

IMAGE = np.zeros((3, 2, 2), np.uint8)
ROWS = np.eye(3, dtype=np.float32)

# Where a name of the user's goes, for all that could become a path.
PLACES: dict[str, Callable[[SummaryWriter, Any], object]] = {
    "tag": lambda w, name: w.add_scalar(name, 1.0),
    "tag of a text": lambda w, name: w.add_text(name, "words"),
    "tag of an image": lambda w, name: w.add_image(name, IMAGE),
    "main tag": lambda w, name: w.add_scalars(name, {"a": 1.0}),
    "key": lambda w, name: w.add_scalars("main", {name: 1.0}),
    "key of a log": lambda w, name: w.log({name: {"b": 1.0}, f"x/{name}": 2.0}),
    "run": lambda w, name: w.add_hparams({"lr": 0.1}, {"loss": 1.0}, run_name=name),
    "live run": lambda w, name: w.add_hparams({"lr": 0.1}, {}, run_name=name, live=True),
    "hyperparameter": lambda w, name: w.add_hparams({name: name}, {name: 1.0}),
    "tag of an embedding": lambda w, name: w.add_embedding(ROWS, tag=name),
    "step of an embedding": lambda w, name: w.add_embedding(ROWS, global_step=name),
    "labels": lambda w, name: w.add_embedding(ROWS, metadata=[name] * 3, metadata_header=None),
    "header": lambda w, name: w.add_embedding(ROWS, metadata=[[name, name]] * 3, metadata_header=[name, name]),
    "sprite": lambda w, name: w.add_embedding(ROWS, label_img=np.zeros((3, 3, 4, 4)), tag=name, global_step=1),
    "layout": lambda w, name: w.add_custom_scalars({name: {name: ["Multiline", [name]]}}),
    "mesh": lambda w, name: w.add_mesh(name, np.zeros((1, 3, 3)), config_dict={"path": name}),
    "step": lambda w, name: w.add_scalar("a", 1.0, name),
}
NAMES = [
    *("..", "../..", "../x", "../../x", "a/../../x", "/../x", "/x", "//x", "x/", ".", "", "~", "~/x"),
    *("\0", "a\0/../../x", "a\n../x", "%2e%2e/x", "x" * 300, "\u2025/x", "\uff0e\uff0e/x"),
    *("..\\x", "C:\\x", "C:x", "\\\\server\\share", "CON"),
]


def tree(folder: Path, skip: Path | None = None) -> dict[str, tuple[int, int]]:
    """Return what is below a folder, but for a part of it: modes and times of change."""
    found: dict[str, tuple[int, int]] = {}
    for place, folders, files in os.walk(folder):
        if skip is not None and Path(place) == skip:
            folders.clear()
            continue
        for name in (*folders, *files):
            state = os.lstat(os.path.join(place, name))
            found[os.path.join(place, name)] = state.st_mode, state.st_mtime_ns
    return {path: state for path, state in found.items() if Path(path) != skip}


@contextmanager
def nothing_outside() -> Generator[tuple[Path, Path], None, None]:
    """Give a log directory deep below a folder with files of somebody else's, which must be as they were afterwards."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        log_dir = root / "a" / "b" / "logs"
        log_dir.mkdir(parents=True)
        for place in (root, root / "a", root / "a" / "b"):
            (place / "x").write_bytes(b"not ours")
        before = tree(root, log_dir)
        yield log_dir, root
        assert tree(root, log_dir) == before


def store(log_dir: Path, place: str, name: Any) -> None:
    """Log something under a name; it may be refused, and whatever is not has been stored."""
    with SummaryWriter(log_dir, on_storage_error="raise") as writer:
        with suppress(EncodeError):
            PLACES[place](writer, name)
        writer.add_scalar("after", 1.0)
    assert set(writer.stats.dropped) <= {"path"}  # a name that is too long for the file system


@pytest.mark.parametrize("place", PLACES)
def test_names_that_lead_elsewhere(place: str) -> None:
    """A name that would lead outside is refused, or becomes one that does not; what follows is stored."""
    with nothing_outside() as (log_dir, root):
        for number, name in enumerate([*NAMES, str(root / "x"), str(root / "y"), f"../../../{root.name}/y"]):
            store(log_dir / str(number), place, name)
            tags = [v.tag for e in run_events(log_dir / str(number))["."] for v in e.summary.value]
            assert "after" in tags


@given(
    place=st.sampled_from(sorted(PLACES)),
    name=st.lists(st.sampled_from(["..", ".", "/", "\\", "a", "x", "~", "\0", " ", "%2f", "\n", ":"])).map("".join),
)
@holds(150)
def test_any_name(place: str, name: str) -> None:
    """No name made of what paths are made of leads outside."""
    with nothing_outside() as (log_dir, _):
        store(log_dir, place, name)


@pytest.mark.parametrize("option", ["comment", "filename_suffix", "log_dir"])
def test_names_in_the_constructor(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment or a suffix is part of one name, and leads nowhere; a log directory is the user's own choice."""
    for name in NAMES:
        with nothing_outside() as (log_dir, _), suppress(EncodeError, StorageError):
            monkeypatch.chdir(log_dir)
            given: dict[str, Any] = {option: name}
            if option == "filename_suffix":
                given["log_dir"] = str(log_dir / "run")
            if option != "log_dir":
                SummaryWriter(**given).close()
            elif not Path(name).is_absolute() and ".." not in name and not name.startswith("~"):
                SummaryWriter(name).close()
        monkeypatch.chdir("/")


LINKS: dict[str, tuple[str, Callable[[SummaryWriter], object]]] = {
    "sub-run": ("m_a", lambda w: w.add_scalars("m", {"a": 1.0})),
    "run of hyperparameters": ("trial", lambda w: w.add_hparams({"a": 1}, {"m": 1.0}, run_name="trial")),
    "folder of a step": ("00000", lambda w: w.add_embedding(ROWS)),
    "folder of an embedding": ("00000/default", lambda w: w.add_embedding(ROWS)),
}


@pytest.mark.parametrize("kind", LINKS)
def test_a_planted_link_to_a_folder_is_not_entered(kind: str, tmp_path: Path) -> None:
    """Where somebody has put a link in a folder's place, nothing goes through it; it is counted."""
    at, add = LINKS[kind]
    logs, outside = tmp_path / "logs", tmp_path / "outside"
    outside.mkdir()
    (logs / at).parent.mkdir(parents=True)
    (logs / at).symlink_to(outside)
    with SummaryWriter(logs) as writer:
        add(writer)
        writer.add_scalar("after", 1.0)
    assert list(outside.iterdir()) == []
    assert sum(writer.stats.dropped.values()) >= 1
    assert any(v.tag == "after" for event in run_events(logs)["."] for v in event.summary.value)


@pytest.mark.parametrize("name", ["projector_config.pbtxt", "00000/default/tensors.bytes", "00000/default/tensors.tsv"])
def test_a_planted_link_to_a_file_is_replaced(name: str, tmp_path: Path) -> None:
    """Where somebody has put a link in a file's place, the link goes and what it led to stays as it was."""
    logs, victim = tmp_path / "logs", tmp_path / "victim"
    victim.write_bytes(b"not ours")
    (logs / name).parent.mkdir(parents=True)
    (logs / name).symlink_to(victim)
    with SummaryWriter(logs) as writer:
        writer.add_embedding(ROWS)
    assert victim.read_bytes() == b"not ours"


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022, 0o027, 0o077])
def test_modes_follow_the_umask(mask: int, tmp_path: Path) -> None:
    """Every file and folder of a run has the modes that the user's umask leaves, and none is executable."""
    before = os.umask(mask)
    try:
        with SummaryWriter(tmp_path / "logs" / "deep") as writer:
            writer.add_scalars("m", {"a": 1.0})
            writer.add_hparams({"a": 1}, {"m": 1.0})
            writer.add_embedding(ROWS, metadata=["a", "b", "c"])
    finally:
        os.umask(before)
    found = list((tmp_path / "logs").rglob("*"))
    assert len([path for path in found if path.is_file()]) >= 6
    for path in found:
        wanted = (0o777 if path.is_dir() else 0o666) & ~mask
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
