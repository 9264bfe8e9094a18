"""The programs that use torch's writer and tensorboardX's run with ours, and leave the same events."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import asynctb
from asynctb import summary
from asynctb.dropin import tensorboardx, tensorboardx_summary, torchs
from tests.dropin.clients import CLIENTS, Client, Names, goes_on, ray_tune
from tests.dropin.left import left
from tests.readback.imports import module

SUMMARIES = module("tensorboard.compat.proto.summary_pb2")
OURS = {
    "asynctb": Names(asynctb.SummaryWriter, summary.hparams, SUMMARIES, torchs.FileWriter),
    "as torch": Names(torchs.SummaryWriter, summary.hparams, SUMMARIES, torchs.FileWriter),
    "as tensorboardX": Names(
        tensorboardx.SummaryWriter, tensorboardx_summary.hparams, SUMMARIES, tensorboardx.FileWriter
    ),
}


def torchs_own() -> Names:
    if find_spec("torch") is None:
        pytest.skip("torch, whose SummaryWriter is compared with, is not installed")
    theirs = module("torch.utils.tensorboard")
    return Names(theirs.SummaryWriter, module("torch.utils.tensorboard.summary").hparams, SUMMARIES, theirs.FileWriter)


def tensorboardxs_own() -> Names:
    theirs: Any = module("tensorboardX")
    return Names(
        theirs.SummaryWriter,
        module("tensorboardX.summary").hparams,
        module("tensorboardX.proto.summary_pb2"),
        theirs.FileWriter,
    )


def each(*but: Client) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("client", [c for c in CLIENTS if c not in but], ids=lambda client: client.__name__)


@pytest.mark.parametrize("ours", OURS)
@each()
def test_survives(client: Client, ours: str, tmp_path: Path) -> None:
    """Each client runs to its end, and leaves a file."""
    client(OURS[ours], str(tmp_path))
    assert left(tmp_path)


@each(ray_tune)
def test_leaves_what_torch_leaves(client: Client, tmp_path: Path) -> None:
    """With our class for torch's importers, every event of every run is torch's."""
    client(torchs_own(), str(tmp_path / "theirs"))
    client(OURS["as torch"], str(tmp_path / "ours"))
    assert left(tmp_path / "ours") == left(tmp_path / "theirs")


@each(goes_on)
def test_leaves_what_tensorboardx_leaves(client: Client, tmp_path: Path) -> None:
    """With our class for tensorboardX's importers, every event of every run is tensorboardX's.

    It cannot go on after a close: within one second, its second file has the first one's name, and empties it.
    """
    client(tensorboardxs_own(), str(tmp_path / "theirs"))
    client(OURS["as tensorboardX"], str(tmp_path / "ours"))
    assert left(tmp_path / "ours") == left(tmp_path / "theirs")


@pytest.mark.parametrize("kind", ["as torch", "as tensorboardX"])
def test_file_writers_of_a_program(kind: str, tmp_path: Path) -> None:
    """What a program puts into `all_writers` is flushed and closed with the writer, each as often as the writer is."""
    said: list[str] = []

    class Other(OURS[kind].file_writer):  # type: ignore[misc, name-defined]
        def flush(self) -> None:
            said.append("flush")
            super().flush()

        def close(self) -> None:
            said.append("close")
            super().close()

    with OURS[kind].writer(str(tmp_path)) as writer:
        assert isinstance(writer.file_writer, OURS[kind].file_writer)
        writer.all_writers[str(tmp_path / "other")] = Other(str(tmp_path / "other"))
        writer.flush()
        assert said == ["flush"]
    assert said == ["flush", "close"]
    writer.close()
    assert said == ["flush", "close"]
