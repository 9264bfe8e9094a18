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
