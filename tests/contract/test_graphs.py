"""Graphs and the contract: models are traced in a thread, as if by their caller, wholly or not at all."""

import asyncio
import threading
import time
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, EncodeError, SummaryWriter
from asynctb.proto import graph_pb2
from tests.encode.graph.models import Choice, Net, image, nn, torch
from tests.readback.events import run_events

variable: ContextVar[str] = ContextVar("variable", default="")


class Spy(nn.Module):  # type: ignore[misc]
    """Calls a function of its own in each run."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self.call = call
        self.inner = nn.Sequential(nn.Dropout(), nn.Linear(3, 3))

    def forward(self, x: Any) -> Any:
        self.call()
        return self.inner(x)


def kinds(logdir: Path) -> list[str]:
    """What the run's events hold, in order."""
    return [event.WhichOneof("what") for event in run_events(logdir)["."][1:]]


GRAPH = ["graph_def", "tagged_run_metadata"]


def test_it_is_as_if_the_caller_traced(tmp_path: Path) -> None:
    """Context variables, gradient mode and autocast are those of the call, not of the await, and the thread its own."""
    seen: list[Any] = []

    def look() -> None:
        mode = torch.is_grad_enabled(), torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
        seen.append((variable.get(), threading.current_thread().name, *mode))

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            token = variable.set("mine")
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.float16):
                add = writer.add_graph(Spy(look), image(2, 3))
            variable.reset(token)
            await add
            await writer.add_graph(Spy(look), image(2, 3))

    asyncio.run(main())
    assert seen[0] == ("mine", "asynctb-draw", False, True, torch.float16)
    assert seen[-1][:3] == ("", "asynctb-draw", True)
    assert kinds(tmp_path) == GRAPH * 2


def test_plain_writer_traces_here(tmp_path: Path) -> None:
    """`SummaryWriter` traces in its caller's thread, before it returns."""
    seen: list[str] = []
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(Spy(lambda: seen.append(threading.current_thread().name)), image(2, 3))
        assert seen == [threading.current_thread().name]
    assert kinds(tmp_path) == GRAPH


def test_the_loop_goes_on(tmp_path: Path) -> None:
    """While a model is traced, other coroutines run, and entries keep the order in which they were accepted."""

    async def main() -> int:
        turns = 0
        async with AsyncSummaryWriter(tmp_path) as writer:
            add = asyncio.create_task(writer.add_graph(Spy(lambda: time.sleep(0.2)), image(2, 3)))
            await asyncio.sleep(0.05)
            await writer.add_scalar("a", 1.0)
            while not add.done():
                await asyncio.sleep(0.005)
                turns += 1
            await add
        return turns

    assert asyncio.run(main()) > 10
    assert kinds(tmp_path) == [*GRAPH, "summary"]


def no_more() -> None:
    raise ArithmeticError("no more")


def test_errors_come_from_the_await(tmp_path: Path) -> None:
    """A model that fails raises from its await; nothing of it is stored, and its modules are in their modes."""

    async def main() -> None:
        model = Spy(no_more)
        model.inner[0].eval()
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_scalar("a", 1.0)
            with pytest.raises(EncodeError, match="no more"):
                await writer.add_graph(model, image(2, 3))
            await writer.add_scalar("a", 2.0)
            await writer.flush()
            assert writer.stats.accepted == writer.stats.written == 2
            assert not writer.stats.dropped
        assert [module.training for module in model.modules()] == [True, True, False, True]

    asyncio.run(main())
    assert kinds(tmp_path) == ["summary", "summary"]


def test_errors_of_the_plain_writer(tmp_path: Path) -> None:
    """With `SummaryWriter` it raises from the add."""
    with SummaryWriter(tmp_path) as writer:
        with pytest.raises(EncodeError, match="no more"):
            writer.add_graph(Spy(no_more), image(2, 3))
        writer.add_scalar("a", 1.0)
    assert kinds(tmp_path) == ["summary"]


def test_cancelled(tmp_path: Path) -> None:
    """A cancelled add stores nothing and holds up nobody; its thread goes on, and restores the modes at its end."""
    began, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        began.set()
        go_on.wait(30)

    async def main() -> None:
        model = Spy(wait)
        async with AsyncSummaryWriter(tmp_path) as writer:
            add = asyncio.create_task(writer.add_graph(model, image(2, 3)))
            await asyncio.to_thread(began.wait, 30)
            add.cancel()
            with pytest.raises(asyncio.CancelledError):
                await add
            await writer.add_scalar("a", 1.0)
            await writer.flush()
            assert writer.stats.accepted == 1
            assert not model.training
            go_on.set()
            while not model.training:
                await asyncio.sleep(0.01)
            await writer.add_graph(model, image(2, 3))

    asyncio.run(main())
    assert kinds(tmp_path) == ["summary", *GRAPH]


def test_cancelled_before_its_turn(tmp_path: Path) -> None:
    """An add that is cancelled while another's model is traced never touches its own."""
    go_on, calls = threading.Event(), list[int]()

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            first = asyncio.create_task(writer.add_graph(Spy(lambda: (go_on.wait(30), None)[1]), image(2, 3)))
            second = asyncio.create_task(writer.add_graph(Spy(lambda: calls.append(1)), image(2, 3)))
            await asyncio.sleep(0.05)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            go_on.set()
            await first

    asyncio.run(main())
    assert not calls
    assert kinds(tmp_path) == GRAPH


def test_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither a trace that has to be trusted nor an export prints or warns."""

    class Doubtful(nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x if x.sum() > 0 else torch.tensor(x.tolist())

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            for model in (Doubtful(), Choice()):
                await writer.add_graph(model, image(2, 3))

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        asyncio.run(main())
    assert [str(each.message) for each in seen] == []
    assert capfd.readouterr() == ("", "")


def test_many_at_once(tmp_path: Path) -> None:
    """Models are traced one after the other, in the order of the adds."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await asyncio.gather(*(writer.add_graph(nn.Linear(3, n), image(1, 3)) for n in range(1, 6)))

    asyncio.run(main())
    graphs = [event.graph_def for event in run_events(tmp_path)["."][1::2]]
    last = [list(graph_pb2.GraphDef.FromString(each).node)[1] for each in graphs]
    assert [node.attr["_output_shapes"].list.shape[0].dim[1].size for node in last] == [1, 2, 3, 4, 5]


def test_disabled_writer(tmp_path: Path) -> None:
    """A disabled writer runs no model."""
    with SummaryWriter(tmp_path, enabled=False) as writer:
        writer.add_graph(Spy(no_more), image(2, 3))
        writer.add_graph(Net())
    assert not hasattr(AsyncSummaryWriter(tmp_path).nowait, "add_graph")


class Wide(nn.Module):  # type: ignore[misc]
    """Many boxes, so that a trace takes a while."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(*[nn.Linear(2, 2) for _ in range(100)])

    def forward(self, x: Any) -> Any:
        return self.layers(x)


def test_threads_do_not_mix_their_models(tmp_path: Path) -> None:
    """Of two models that two threads add at once, each node is in its own box: torch's tracer has one map of boxes."""

    def add(run: str) -> None:
        with SummaryWriter(tmp_path / run) as writer:
            writer.add_graph(Wide(), image(1, 2))

    threads = [threading.Thread(target=add, args=(run,)) for run in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run in ("a", "b"):
        graph = graph_pb2.GraphDef.FromString(run_events(tmp_path / run)["."][1].graph_def)
        boxed = [node for node in graph.node if node.op == "aten::linear" and "/Linear[" in node.name]
        assert len(boxed) == 100


class Plain:
    """A result of somebody's own kind."""

    def __init__(self, mean: Any) -> None:
        self.mean = mean


class Answers(nn.Module):  # type: ignore[misc]
    """Answers with what the test says."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        super().__init__()
        self.answer, self.inner = answer, nn.Linear(3, 3)

    def forward(self, x: Any) -> Any:
        return self.answer(self.inner(x))


@pytest.mark.parametrize("answer", [Plain, lambda x: torch.distributions.Normal(x, 1.0), lambda x: [Plain([x])]])
def test_results_of_any_kind_have_outputs(answer: Callable[[Any], Any], tmp_path: Path) -> None:
    """The tensors inside of objects are outputs, and what leads to them is drawn."""
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(Answers(answer), image(2, 3))
    graph = graph_pb2.GraphDef.FromString(run_events(tmp_path)["."][1].graph_def)
    assert any(node.name.startswith("output/") for node in graph.node)
    assert any(node.op == "aten::linear" for node in graph.node)


def test_a_model_that_refuses_its_mode_is_drawn(tmp_path: Path) -> None:
    """What `train` refuses, as that of an exported program's module does, is set as a flag and set back."""

    class Refuses(nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x + 1 if self.training else x - 1

        def train(self, mode: bool = True) -> Any:
            raise NotImplementedError("not this one")

    model = Refuses()
    with SummaryWriter(tmp_path) as writer:
        writer.add_graph(model, image(2, 3))
    graph = graph_pb2.GraphDef.FromString(run_events(tmp_path)["."][1].graph_def)
    assert [node.op for node in graph.node if node.op.startswith("aten::")] == ["aten::sub"]
    assert model.training
