"""Graphs are torch's, node by node, but for what is named here."""

import asyncio
import re
import tempfile
import warnings
from contextlib import nullcontext, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.encode.graph.models import TRACEABLE, Dictionary, Net, Outputs, Shared, image, torch
from tests.parity.decoded import graph, without_additions
from tests.readback.events import run_events
from tests.readback.imports import module

TorchWriter = module("torch.utils.tensorboard").SummaryWriter
nn = torch.nn

REFUSED = [("TransformerEncoder", True)]  # by torch, with gradients


def events(writer: Any, *args: Any, method: str = "add_graph", **options: Any) -> list[Any]:
    """What a writer writes; what torch prints, or warns of, is not ours."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        if writer is TorchWriter:
            warnings.simplefilter("ignore")
        with writer(folder) as made, redirect_stdout(StringIO()) if writer is TorchWriter else nullcontext():
            getattr(made, method)(*args, **options)
        return run_events(Path(folder))["."][1:]


def numbered(text: str) -> str:
    """Number anew what the tracer gave numbers to, by where they first come up."""
    numbers: dict[str, int] = {}
    return re.sub(r"(?<=/)\d+(?=\")", lambda number: str(numbers.setdefault(number[0], len(numbers))), text)


def assert_same(ours: list[Any], theirs: list[Any]) -> None:
    assert [event.WhichOneof("what") for event in ours] == ["graph_def", "tagged_run_metadata"]
    assert without_additions(graph(ours[0])) == graph(theirs[0])
    assert ours[1].tagged_run_metadata == theirs[1].tagged_run_metadata
    assert [event.step for event in ours] == [event.step for event in theirs] == [0, 0]


@pytest.mark.parametrize(
    ("name", "gradients"), [(name, on) for name in TRACEABLE for on in (True, False) if (name, on) not in REFUSED]
)
def test_same_graph(name: str, gradients: bool) -> None:
    """Nodes, names, operators, edges, attributes, shapes and their order are torch's, and so is the second event."""
    with torch.set_grad_enabled(gradients):
        model, inputs = TRACEABLE[name]()
        theirs = events(TorchWriter, model, inputs)
        assert graph(theirs[0]).node
        assert_same(events(SummaryWriter, model, inputs), theirs)


def test_same_graph_awaited(tmp_path: Path) -> None:
    """Traced in a thread it is the same, down to the operators that torch takes only without gradients."""
    model, inputs = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), image(2, 3, 8)

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            with torch.no_grad():
                await writer.add_graph(model, inputs)

    asyncio.run(main())
    with torch.no_grad():
        theirs = events(TorchWriter, model, inputs)
    assert "aten::_transformer_encoder_layer_fwd" in [node.op for node in graph(theirs[0]).node]
    assert_same(run_events(tmp_path)["."][1:], theirs)


@pytest.mark.parametrize("name", ["Net", "ResNet", "LSTM", "held tensors"])
def test_same_graph_under_modes(name: str) -> None:
    """Autocast and inference mode of the caller show in the graph as they do with torch."""
    model, inputs = TRACEABLE[name]()
    for mode in (torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False), torch.inference_mode()):
        with mode:
            assert_same(events(SummaryWriter, model, inputs), events(TorchWriter, model, inputs))


def test_same_graph_of_dictionaries() -> None:
    """With `use_strict_trace=False` results may be in dictionaries; inputs may be a dictionary in both."""
    batch = {"x": image(2, 3), "mask": image(2)}
    for given in (batch, (batch,)):
        model = Dictionary()
        theirs = events(TorchWriter, model, given, use_strict_trace=False)
        assert_same(events(SummaryWriter, model, given, use_strict_trace=False), theirs)
        assert_same(events(SummaryWriter, model, given, False, False), theirs)


def scripts() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        branch, _ = TRACEABLE["branch on data"]()
        traced, _ = TRACEABLE["Net"]()
        return {
            "traced": torch.jit.trace(traced.eval(), image(2, 1, 28, 28)),
            "traced in training": torch.jit.trace(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), image(2, 3)),
            "scripted": torch.jit.script(branch),
            "scripted layers": torch.jit.script(nn.Sequential(nn.Linear(3, 3), nn.LSTM(3, 3))),
        }


@pytest.mark.parametrize("given", [[], None, (), image(2, 3)], ids=["list", "None", "tuple", "tensor"])
@pytest.mark.parametrize("name", ["traced", "traced in training", "scripted", "scripted layers"])
def test_same_graph_of_scripts(name: str, given: Any) -> None:
    """What is traced or scripted already is drawn as it is, whatever the inputs; its values' numbers are others."""
    model = scripts()[name]
    (ours, stats), theirs = events(SummaryWriter, model, given), events(TorchWriter, model, given)
    assert numbered(str(without_additions(graph(ours)))) == numbered(str(graph(theirs[0])))
    assert stats.tagged_run_metadata == theirs[1].tagged_run_metadata


def test_scripts_stay_as_they_are() -> None:
    """torch puts all functions of a script into its one; here a script is what it was afterwards."""
    for name, model in scripts().items():
        before = str(model.graph)
        events(SummaryWriter, model, [])
        assert str(model.graph) == before, name


def test_verbose_prints_the_graph(capsys: pytest.CaptureFixture[str]) -> None:
    """`verbose` prints what torch prints; without it nothing is printed."""
    model, inputs = TRACEABLE["Net"]()
    events(SummaryWriter, model, inputs)
    assert capsys.readouterr() == ("", "")
    events(SummaryWriter, model, inputs, True)
    ours = capsys.readouterr().out
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(model.eval(), inputs).graph
    torch._C._jit_pass_inline(traced)
    assert re.sub(r"Net\.___torch_mangle_\d+|___torch_mangle_\d+\.", "", ours) == re.sub(
        r"Net\.___torch_mangle_\d+|___torch_mangle_\d+\.", "", f"{traced}\n"
    )


# What differs, and why


def test_output_by_the_name_of_a_value() -> None:
    """torch loses an output whose number is also the number of a value named `output`; here it is drawn."""
    ours, theirs = events(SummaryWriter, Outputs(), image(3)), events(TorchWriter, Outputs(), image(3))
    mine = without_additions(graph(ours[0]))
    lost = [node for node in mine.node if node.name == "output/output.1"]
    assert len(lost) == 1
    assert "output/output.1" not in [node.name for node in graph(theirs[0]).node]
    mine.node.remove(lost[0])
    assert sorted(map(str, mine.node)) == sorted(map(str, graph(theirs[0]).node))


def test_additions() -> None:
    """Nodes have a device and a type besides torch's attributes; what modules hold has a shape and a count."""
    found = {node.name: node for node in graph(events(SummaryWriter, Net(), image(1, 1, 28, 28))[0]).node}
    (weight,) = (node for name, node in found.items() if name.startswith("Net/Conv2d[conv1]/weight/"))
    assert [side.size for side in weight.attr["_output_shapes"].list.shape[0].dim] == [6, 1, 5, 5]
    assert weight.attr["parameters"].i == 150
    assert {node.attr["dtype"].type for node in found.values() if "_output_shapes" in node.attr} == {1}
    assert {node.device for node in found.values() if "_output_shapes" in node.attr} == {"/device:CPU:0"}


def test_modes_come_back() -> None:
    """torch puts all modules into the mode of the first; here each is as it was, also when the model fails."""
    model = Net()
    for good in (True, False):
        model.train().conv1.eval()
        with pytest.raises(ValueError, match="28") if not good else nullcontext():
            events(SummaryWriter, model, image(2, 1, 28, 28) if good else image(2, 28, 28, 28))
        assert [name for name, each in model.named_modules() if not each.training] == ["conv1"]
    events(TorchWriter, model, image(2, 1, 28, 28))
    assert model.conv1.training


def test_models_that_fail_their_own_check(capfd: pytest.CaptureFixture[str]) -> None:
    """torch runs a model twice more and refuses it when its graphs differ; here one run makes the graph, quietly."""
    for make, inputs in [
        (lambda: nn.TransformerDecoderLayer(8, 2, 16), (image(3, 1, 8), image(3, 1, 8))),
        (lambda: TRACEABLE["TransformerEncoder"]()[0], image(2, 3, 8)),
        (Restless, image(2, 3)),
    ]:
        found = graph(events(SummaryWriter, make(), inputs)[0])
        assert found.node
    assert capfd.readouterr() == ("", "")
    for refused, inputs in [(Restless(), image(2, 3)), TRACEABLE["TransformerEncoder"]()]:
        with pytest.raises(Exception, match=r"Tracing failed sanity checks"):
            events(TorchWriter, refused, inputs)


class Restless(nn.Module):  # type: ignore[misc]
    """No two of its graphs are alike."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def forward(self, x: Any) -> Any:
        self.count += 1
        for _ in range(self.count):
            x = x * 2
        return x


def test_autocast_with_gradients() -> None:
    """torch fails in its second run on the weights that autocast has converted in the first; here there is one run."""
    model, inputs = TRACEABLE["Net"]()
    for _ in range(2):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            with pytest.raises(RuntimeError):
                events(TorchWriter, model, inputs)
            model(inputs)
            found = graph(events(SummaryWriter, model, inputs)[0])
        assert "aten::to" in [node.op for node in found.node]
        assert "Net/Conv2d[conv2]/" in str(found)


def test_script_function() -> None:
    """torch cannot draw a scripted function; here it is drawn."""

    def add(x, y):  # pyright: ignore[reportUnknownParameterType, reportMissingParameterType]  # both are tensors
        return x @ y + 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function = torch.jit.script(add)
    with pytest.raises(AttributeError):
        events(TorchWriter, function, (image(2, 2), image(2, 2)))
    found = graph(events(SummaryWriter, function, None)[0])
    assert [node.name for node in found.node][:3] == ["input/x.1", "input/y.1", "output/output.1"]
    assert "aten::matmul" in [node.op for node in found.node]


def test_compiled_model() -> None:
    """torch cannot draw what `torch.compile` returns; here the model inside is drawn."""
    model = Shared()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = torch.compile(model)
    with pytest.raises(RuntimeError):
        events(TorchWriter, compiled, image(2, 3))
    assert (
        events(SummaryWriter, compiled, image(2, 3))[0].graph_def
        == events(SummaryWriter, model, image(2, 3))[0].graph_def
    )
