"""What programs reach for in torch's writer is there in ours, and does as they expect."""

import asyncio
import functools
import gc
import logging
import pickle
import weakref
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, EncodeError, SummaryWriter
from asynctb.proto import event_pb2, graph_pb2, run_metadata_pb2, summary_pb2
from tests.readback.events import events, run_events
from tests.readback.imports import module


def a_summary(value: float = 1.0, tag: str = "t") -> summary_pb2.Summary:
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])


def an_event(**fields: Any) -> event_pb2.Event:
    return event_pb2.Event(summary=a_summary(), **fields)


def points(folder: Path, run: str = ".") -> list[tuple[int, float]]:
    return [
        (e.step, e.summary.value[0].simple_value) for e in run_events(folder)[run] if e.WhichOneof("what") == "summary"
    ]


# Settings


@pytest.mark.parametrize("kind", [SummaryWriter, AsyncSummaryWriter])
def test_settings_are_attributes(kind: Any, tmp_path: Path) -> None:
    """A writer has its settings under torch's names, in every copy, and a subclass may set them."""
    writer = kind(tmp_path, purge_step=5, max_queue=20, flush_secs=30, filename_suffix=".x")
    for each in (writer, pickle.loads(pickle.dumps(writer))):
        assert (each.log_dir, each.purge_step, each.max_queue) == (tmp_path, 5, 20)
        assert (each.flush_secs, each.filename_suffix) == (30, ".x")
        assert each.get_logdir() == tmp_path
        assert each
    writer.max_queue = writer.log_dir = "mine"
    assert (writer.max_queue, writer.get_logdir()) == ("mine", "mine")


@pytest.mark.skipif(find_spec("torch") is None, reason="torch, whose bins are compared with, is not installed")
def test_default_bins(tmp_path: Path) -> None:
    """The edges of the default buckets are torch's, to the last bit."""
    theirs = module("torch.utils.tensorboard").SummaryWriter(str(tmp_path))
    theirs.close()
    with SummaryWriter(tmp_path) as writer:
        assert writer.default_bins == theirs.default_bins
        assert writer.default_bins is writer.default_bins


@pytest.mark.parametrize("raw", ["a/b", "a%b\\c", "", "%2f"])
def test_encode(raw: str) -> None:
    """Tags become names of folders as torch makes them."""
    assert SummaryWriter._encode(raw) == module("tensorboardX").SummaryWriter._encode(raw)


def test_methods_can_be_replaced(tmp_path: Path) -> None:
    """A method that is set on a writer is the one that is called, at every point of a curve."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar = functools.partial(writer.add_scalar, walltime=5.0)  # type: ignore[method-assign]
        for step in range(3):
            writer.add_scalar("t", 1.0, step)
    assert [event.wall_time for event in run_events(tmp_path)["."][1:]] == [5.0] * 3


# Messages


def test_add_summary_and_add_event(tmp_path: Path) -> None:
    """The writer itself takes messages; without a step a summary has none, and an event its own."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_summary(a_summary(1), 4, 5.0)
        writer.add_summary(a_summary(2))
        writer.add_event(an_event(step=8, wall_time=9.0), walltime=6.0)
        writer.add_event(an_event(step=8).SerializeToString(), 11)
    assert points(tmp_path) == [(4, 1.0), (0, 2.0), (8, 1.0), (11, 1.0)]
    found = run_events(tmp_path)["."]
    assert [event.wall_time for event in found[1::2]] == [5.0, 6.0]


def test_every_colour_takes_messages(tmp_path: Path) -> None:
    """Awaited or not, messages are stored."""

    async def program() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_summary(a_summary(1), 1)
            await writer.add_event(an_event(), 2)
            assert writer.nowait.add_summary(a_summary(3), 3)
            assert writer.nowait.add_event(an_event(), 4)

    asyncio.run(program())
    assert [step for step, _ in points(tmp_path)] == [1, 2, 3, 4]


def test_steps_that_do_not_rise_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The tags of summaries with steps are known: one that does not rise is told, once."""
    with caplog.at_level(logging.WARNING, "asynctb"), SummaryWriter(tmp_path) as writer:
        for step in (5, 3, 2):
            writer.add_summary(a_summary(), step)
        writer.add_scalar("t", 1.0)
    (told,) = caplog.records
    assert told.getMessage().startswith("asynctb: step 3 of tag 't' does not come after its last step 5.")
    assert points(tmp_path)[-1] == (3, 1.0)


# The parts


def test_file_writer(tmp_path: Path) -> None:
    """The writer's own run takes messages, graphs among them, and has torch's names."""
    graph = graph_pb2.GraphDef(node=[graph_pb2.NodeDef(name="a", op="b")])
    with SummaryWriter(tmp_path) as writer:
        main = writer.file_writer
        assert main is not None
        assert main is writer._get_file_writer()
        assert main is writer.file_writer
        main.add_summary(a_summary(), 1, 5.0)
        main.add_event(an_event(step=2))
        main.add_graph((graph, run_metadata_pb2.RunMetadata()), 7.0)
        main.add_onnx_graph(graph)
        main.event_writer.add_event(an_event(step=3, wall_time=4.0))
        main.flush()
        assert len(run_events(tmp_path)["."]) == 7
    found = run_events(tmp_path)["."][1:]
    kinds = ["summary", "summary", "graph_def", "tagged_run_metadata", "graph_def", "summary"]
    assert [event.WhichOneof("what") for event in found] == kinds
    assert [event.step for event in found] == [1, 2, 0, 0, 0, 3]
    assert [found[index].wall_time for index in (0, 2, 3, 5)] == [5.0, 7.0, 7.0, 4.0]
    assert found[3].tagged_run_metadata.tag == "step1"


def test_add_graph_takes_a_pair(tmp_path: Path) -> None:
    """So does the writer's `add_graph`; what is no graph is refused."""
    graph = graph_pb2.GraphDef(node=[graph_pb2.NodeDef(name="a", op="b")])
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph((graph, run_metadata_pb2.RunMetadata()))
        for bad in ((graph, b"hello"), (graph, graph), (graph, None)):
            with pytest.raises(EncodeError, match="RunMetadata"):
                writer.add_graph(bad)
        with pytest.raises(EncodeError, match="a GraphDef, or a pair"):
            writer._get_file_writer().add_graph("words")
    assert [event.WhichOneof("what") for event in run_events(tmp_path)["."]][1:] == ["graph_def", "tagged_run_metadata"]


def test_file_name(tmp_path: Path) -> None:
    """The name of the file is that of the one now being written: the first, the one after a close, a sub-run's."""
    writer = SummaryWriter(tmp_path)
    writer.add_scalars("curves", {"a/b": 1.0}, 1)
    assert writer.all_writers is not None
    assert list(writer.all_writers) == [str(tmp_path), str(tmp_path / "curves_a" / "b")]
    for folder, view in writer.all_writers.items():
        path = Path(view.event_writer._file_name)
        assert path == Path(view.event_writer._ev_writer._file_name)
        assert path.is_file()
        assert str(path.parent) == folder == view.get_logdir()
    first = writer._get_file_writer().event_writer._file_name
    writer.close()
    second = writer._get_file_writer().event_writer._file_name
    assert first != second
    writer.add_summary(a_summary(2.0))
    writer.close()
    assert [event.summary.value[0].simple_value for event in events(second)[1:]] == [2.0]


def test_file_name_of_a_copy(tmp_path: Path) -> None:
    """A copy that was pickled opens a file when asked for its name."""
    with SummaryWriter(tmp_path) as writer:
        copy: SummaryWriter = pickle.loads(pickle.dumps(writer))
        name = copy._get_file_writer().event_writer._file_name
        assert name != writer._get_file_writer().event_writer._file_name
        assert Path(name).is_file()
        copy.close()


def test_sub_runs_take_messages(tmp_path: Path) -> None:
    """What a sub-run's view is given goes to its run."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalars("curves", {"a": 1.0}, 1)
        assert writer.all_writers is not None
        view = writer.all_writers[str(tmp_path / "curves_a")]
        view.add_summary(a_summary(2.0), 2)
        view.add_event(an_event(step=3))
        view.event_writer.add_event(an_event(step=4))
        view.add_graph(graph_pb2.GraphDef(node=[graph_pb2.NodeDef(name="a", op="b")]))
        view.close()  # it is the writer that is closed by its own run
        assert writer.file_writer is not None
    assert [step for step, _ in points(tmp_path, "curves_a")] == [1, 2, 3, 4]
    assert len(run_events(tmp_path)["."]) == 1


def test_close_of_the_own_run(tmp_path: Path) -> None:
    """Closed through its own run, all is written; `reopen()` and the next add open a new file."""
    writer = SummaryWriter(tmp_path)
    main = writer._get_file_writer()
    for step in range(3):
        main.add_summary(a_summary(), step)
        main.close()
        assert writer.all_writers is None
        assert len(points(tmp_path)) == step + 1
    main.reopen()
    main.reopen()
    assert len(list(tmp_path.iterdir())) == 4
    writer.close()


def test_moved_directory(tmp_path: Path) -> None:
    """A program that appends to `_logdir` has its sub-runs and embeddings below, and its own run where it was."""
    with SummaryWriter(tmp_path) as writer:
        writer._get_file_writer().event_writer._logdir += "/x"
        writer.add_scalar("own", 1.0, 1)
        writer.add_scalars("curves", {"a": 1.0}, 1)
        writer.add_hparams({"lr": 1.0}, {"m": 1.0}, run_name="row")
        writer.add_hparams({"lr": 1.0}, {}, run_name="live", live=True)
        writer.add_embedding([[1.0, 2.0]], metadata=["a"])
    assert set(run_events(tmp_path)) == {".", "x/curves_a", "x/row", "x/live"}
    assert len(run_events(tmp_path)["x/live"]) == 3
    assert (tmp_path / "x" / "projector_config.pbtxt").is_file()
    assert (tmp_path / "x" / "00000" / "default" / "tensors.tsv").is_file()
    assert not (tmp_path / "projector_config.pbtxt").exists()


def test_directory_moved_away(tmp_path: Path) -> None:
    """Nothing is written outside of the log directory, wherever a program moves it to."""
    with SummaryWriter(tmp_path / "run") as writer:
        writer._get_file_writer().event_writer._logdir = str(tmp_path)
        with pytest.raises(EncodeError, match="a sub-run below the log directory"):
            writer.add_scalars("curves", {"a": 1.0}, 1)
        writer.add_scalar("own", 1.0, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_program_sets_the_directory(tmp_path: Path) -> None:
    """An attribute that a program sets moves nothing: the parts tell where the files are, and adds go there."""
    with SummaryWriter(tmp_path / "run") as writer:
        before = writer._get_file_writer()
        writer.log_dir = tmp_path / "set"
        writer.add_scalars("curves", {"a": 1.0}, 1)
        assert before.get_logdir() == str(tmp_path / "run")
        assert list(writer.all_writers or ()) == [str(tmp_path / "run"), str(tmp_path / "run" / "curves_a")]
    assert set(run_events(tmp_path / "run")) == {".", "curves_a"}


class Mine:
    """A program's own writer, which fails."""

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def flush(self) -> None:
        self.calls.append("flush")
        raise RuntimeError("mine")

    def close(self) -> None:
        self.calls.append("close")
        raise RuntimeError("mine")


def test_a_programs_own_writer_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The writer itself is flushed and closed before a program's own, each of which is, whatever they raise."""
    calls: list[str] = []
    writer = SummaryWriter(tmp_path)
    others: Any = writer.all_writers
    others.update(one=Mine(calls), other=Mine(calls))
    writer.add_scalar("t", 1.0, 1)
    with pytest.raises(RuntimeError, match="mine"):
        writer.flush()
    assert points(tmp_path) == [(1, 1.0)]
    writer.add_scalar("t", 2.0, 2)
    with pytest.raises(RuntimeError, match="mine"):
        writer.close()
    assert writer.all_writers is None
    assert points(tmp_path) == [(1, 1.0), (2, 2.0)]
    assert calls == ["flush", "close", "close"]
    writer.close()

    def program() -> None:
        with SummaryWriter(tmp_path / "block") as writer:
            others: Any = writer.all_writers
            others["one"] = Mine(calls)
            raise KeyError("of the block")

    with pytest.raises(KeyError, match="of the block"):
        program()
    assert "mine" in caplog.text


def test_all_writers_emptied(tmp_path: Path) -> None:
    """A program that empties `all_writers` loses nothing but the views in it."""
    with SummaryWriter(tmp_path) as writer:
        main = writer._get_file_writer()
        others: Any = writer.all_writers
        others.clear()
        writer.add_scalars("curves", {"a": 1.0}, 1)
        assert writer.file_writer is main
    assert set(run_events(tmp_path)) == {".", "curves_a"}


def test_disabled_writer(tmp_path: Path) -> None:
    """A writer that stores nothing has the parts, and they store nothing."""
    with SummaryWriter(tmp_path / "run", enabled=False) as writer:
        main = writer._get_file_writer()
        main.add_summary(a_summary())
        main.add_event(an_event())
        main.event_writer.add_event(an_event())
        assert main.event_writer._file_name == ""
        assert writer.all_writers == {str(tmp_path / "run"): main}
        main.flush()
    assert not (tmp_path / "run").exists()


def test_views_do_not_keep_a_writer(tmp_path: Path) -> None:
    """A writer whose parts nobody asked for is gone with its last name, without a collection."""
    gc.disable()
    try:
        writer = SummaryWriter(tmp_path)
        writer.add_scalars("curves", {"a": 1.0}, 1)
        gone = weakref.ref(writer)
        writer.close()
        del writer
        assert gone() is None
    finally:
        gc.enable()


def test_within_a_running_loop(tmp_path: Path) -> None:
    """All of it works where an event loop is running, which it leaves alone."""

    async def program() -> None:
        writer = SummaryWriter(tmp_path)
        writer._get_file_writer().add_summary(a_summary(), 1)
        assert writer._get_file_writer().event_writer._file_name.startswith(str(tmp_path))
        writer.flush()
        writer.close()
        writer._get_file_writer().flush()
        writer.close()

    asyncio.run(program())
    assert points(tmp_path) == [(1, 1.0)]
