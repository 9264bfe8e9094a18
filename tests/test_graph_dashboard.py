"""A real TensorBoard lists graphs, and returns them with what their nodes took, with either of its loaders."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asynctb import SummaryWriter
from tests.encode.graph.models import Anything, Choice, Net, Shared, image, torch
from tests.readback.http_server import Dashboards, serve
from tests.readback.imports import module


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run for each way to a graph."""
    path = tmp_path_factory.mktemp("graphs")
    ready = module("tensorboard.compat.proto.graph_pb2").GraphDef()
    ready.node.add(name="ready/node", op="op")
    batch = {"batch": {"x": image(2, 3), "more": [image(2, 3)]}}
    runs: dict[str, tuple[Any, ...]] = {
        "traced": (Net(), image(1, 1, 28, 28)),
        "tensors": (Anything(), batch),
        "exported": (Choice(), image(2, 3)),
        "module": (torch.fx.symbolic_trace(Shared()),),
        "ready": (ready,),
    }
    for run, arguments in runs.items():
        with SummaryWriter(path / run) as writer:
            writer.add_graph(*arguments, profile=len(arguments) > 1)
    return path


@pytest.fixture(scope="module", params=[True, False], ids=["data server", "Python loader"])
def tensorboard(request: pytest.FixtureRequest, logdir: Path) -> Iterator[Dashboards]:
    """A TensorBoard that has loaded all runs."""
    with serve(logdir, fast=request.param) as dashboards:
        dashboards.until(
            lambda runs: len(runs) == 5 and all("run_graph" in run for run in runs.values()), "graphs/info"
        )
        yield dashboards


def test_runs_are_listed(tensorboard: Dashboards) -> None:
    """Each run has a graph; those of models have statistics by torch's tag."""
    runs = tensorboard.ask("graphs/info").json
    assert all(run["run_graph"] for run in runs.values())
    tags = {name: list(run["tags"]) for name, run in runs.items()}
    assert tags == {"traced": ["step1"], "tensors": ["step1"], "exported": ["step1"], "module": ["step1"], "ready": []}
    assert all(tag["profile"] for run in runs.values() for tag in run["tags"].values())


@pytest.mark.parametrize(
    ("run", "wanted"),
    [
        ("traced", {"input/x.1", "output/output.1", "Net/Conv2d[conv1]/", "DT_FLOAT", "size: 28"}),
        ("tensors", {"input/batch_more_0", "Anything/Linear[0]/"}),
        ("exported", {"Choice/cond/true_graph_0/add", "Choice/std_mean:1"}),
        ("module", {"Shared/Linear[a]/weight", 'op: "Linear"'}),
        ("ready", {"ready/node"}),
    ],
)
def test_graphs(tensorboard: Dashboards, run: str, wanted: set[str]) -> None:
    """The page gets the graph as text, with names, edges and shapes."""
    text = tensorboard.ask(
        "graphs/graph", run=run, limit_attr_size=1024, large_attrs_key="_too_large_attrs"
    ).body.decode()
    assert [each for each in wanted if each not in text] == []


@pytest.mark.parametrize("run", ["traced", "tensors", "exported"])
def test_statistics(tensorboard: Dashboards, run: str) -> None:
    """The page joins statistics to nodes by name: all are in the graph, and have a time or memory."""
    graph = tensorboard.ask("graphs/graph", run=run).body.decode()
    text = tensorboard.ask("graphs/run_metadata", run=run, tag="step1").body.decode()
    nodes = re.findall(r'node_name: "(.*)"', text)
    assert nodes
    assert {*nodes} <= {*re.findall(r'  name: "(.*)"', graph)}
    assert len(re.findall(r"all_end_rel_micros: [1-9]", text)) > 0
    assert "total_bytes" in text
