"""Models of all sorts come to a whole graph, or to an error that says why not."""

import subprocess
import sys
import warnings
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from asynctb import EncodeError
from asynctb.encode.graph.model import graph
from tests.encode.graph.models import (
    Anything,
    Branch,
    Choice,
    Dictionary,
    Held,
    Net,
    Outputs,
    Recurrent,
    ResNet,
    Several,
    Shared,
    image,
    nn,
    torch,
)
from tests.encode.graph.seen import assert_whole, nodes, stats


def exported(model: Any, *inputs: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.export(model.eval(), inputs, strict=False)


def shape(node: Any, number: int = 0) -> list[int]:
    return [side.size for side in node.attr["_output_shapes"].list.shape[number].dim]


# What the tracer takes when it sees the tensors alone


ANYTHING: dict[str, Any] = {
    "batch": {"x": image(2, 3), "more": [image(2, 3)], "note": "text"},
    "mode": "scaled",
    "scale": image(3),
    "mask": None,
}


def test_any_inputs_and_results() -> None:
    """Text, None, keywords and data classes are no obstacle: the tensors among them are inputs and outputs."""
    found = nodes(Anything(), ANYTHING)
    names = [name for name in found if name.partition("/")[0] in ("input", "output")]
    assert names == ["input/batch_x", "input/batch_more_0", "input/scale", "output/output.1", "output/output.2"]
    assert shape(found["output/output.1"]) == []
    assert shape(found["output/output.2"]) == [2, 3]
    assert {name.partition("/")[0] for name in found} == {"input", "output", "Anything"}
    kinds = [node.op for node in found.values()]
    assert kinds.count("aten::linear") == 2
    assert not {"prim::TupleConstruct", "prim::TupleUnpack", "prim::DictConstruct"} & {*kinds}


@pytest.mark.parametrize("strict", [True, False])
def test_keywords(strict: bool) -> None:
    """A mapping's keys are keywords where `forward` takes them, and else it is one argument, as for torch."""
    by_keywords = nodes(
        Several(), {"a": image(2, 3), "pair": (image(2, 3), image(2)), "unused": image(1)}, strict=strict
    )
    in_order = nodes(Several(), (image(2, 3), (image(2, 3), image(2)), image(1)), strict=strict)
    assert [node.op for node in by_keywords.values()] == [node.op for node in in_order.values()]
    as_one = nodes(Dictionary(), {"x": image(2, 3), "mask": image(2)}, strict=strict)
    assert "aten::linear" in [node.op for node in as_one.values()]


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        (nn.Transformer(8, 2, 1, 1, 16, batch_first=True), (image(2, 3, 8), image(2, 4, 8))),
        (nn.MultiheadAttention(8, 2), {"query": image(3, 1, 8), "key": image(3, 1, 8), "value": image(3, 1, 8)}),
        (Branch(), (image(2, 3), *[])),
        (Outputs(), image(3)),
    ],
    ids=["Transformer", "MultiheadAttention by keywords", "branch", "outputs"],
)
def test_models_are_drawn(model: Any, inputs: Any) -> None:
    """Each has inputs, outputs and operators, by names of their own."""
    assert {name.partition("/")[0] for name in nodes(model, inputs)} == {"input", "output", type(model).__name__}


def test_nothing_else_changes() -> None:
    """Weights, buffers, gradients and random numbers are what they were: dropout and batch statistics are off."""
    model = nn.Sequential(ResNet(), nn.Dropout(0.5))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    numbers = torch.get_rng_state()
    assert stats(model, image(2, 3, 16, 16))
    assert torch.equal(torch.get_rng_state(), numbers)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())


# torch.export


def test_both_branches() -> None:
    """A choice that is in the graph shows both branches, in boxes of their own, with edges in and out of them."""
    found = nodes(Choice(), image(2, 3))
    assert_whole(found)
    edges = {name: list(node.input) for name, node in found.items()}
    assert edges["Choice/cond"] == ["Choice/gt", "Choice/cond/true_graph_0/add", "Choice/cond/false_graph_0/sub"]
    linear = edges["Choice/cond/true_graph_0/linear"]
    assert linear == ["Choice/std_mean", "Choice/Linear[yes]/weight", "Choice/Linear[yes]/bias"]
    assert edges["Choice/cond/true_graph_0/add"] == ["Choice/cond/true_graph_0/linear", "Choice/std_mean:1"]
    assert found["Choice/Linear[no]/weight"].op == "Parameter"
    assert found["Choice/Linear[no]/weight"].attr["parameters"].i == 3


@pytest.mark.parametrize(
    ("make", "inputs", "unused"),
    [
        (Net, (image(2, 1, 28, 28),), ()),
        (ResNet, (image(2, 3, 16, 16),), ()),
        (Recurrent, (torch.tensor([[1, 2, 3]]),), ()),
        (Shared, (image(2, 3),), ()),
        (Held, (image(2, 3).double(),), ()),
        (Several, (image(2, 3), (image(2, 3), image(2)), image(1)), ()),
        (partial(nn.TransformerEncoderLayer, 8, 2, 16), (image(3, 2, 8),), ()),
    ],
    ids=["Net", "ResNet", "Recurrent", "Shared", "Held", "Several", "TransformerEncoderLayer"],
)
def test_exported_programs(make: Any, inputs: Any, unused: Any) -> None:
    """An exported program is drawn without inputs: every node leads to an output, in its module's box."""
    program = exported(make(), *inputs)
    found = nodes(program)
    assert_whole(found, unused)
    held = [node for node in found.values() if node.op in ("Parameter", "Buffer")]
    kinds = [node.op for node in found.values() if node.name.startswith("input/")]
    assert all("_output_shapes" in node.attr for node in held)
    assert set(kinds) <= {"IO Node"}
    assert sum(node.attr["parameters"].i for node in held) <= sum(each.numel() for each in program.state_dict.values())


def test_boxes_of_exported_modules() -> None:
    """Boxes have class and name, those in lists the list's too; shapes and types are what torch found."""
    found = nodes(exported(Shared(), image(2, 3)))
    assert "Shared/Sequential[many.2]/Sequential[1]/ReLU[0]/relu" in found
    assert found["Shared/Linear[many.1]/weight"].op == "Parameter"
    assert shape(found["Shared/Linear[many.1]/weight"]) == [3, 3]
    assert found["Shared/Linear[many.1]/linear_1"].op == "aten::linear"
    assert found["Shared/Linear[many.1]/linear_1"].device == "/device:CPU:0"


def test_sides_of_any_length() -> None:
    """A side that is a symbol is -1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sides = {"input": {0: torch.export.Dim("batch")}}
        program = torch.export.export(nn.Linear(3, 2).eval(), (image(4, 3),), dynamic_shapes=sides, strict=False)
    assert shape(nodes(program)["input/input"]) == [-1, 3]


# torch.fx


def test_graph_modules() -> None:
    """A GraphModule is drawn without inputs; a module that it calls as a whole has its parameters beside it, once."""
    found = nodes(torch.fx.symbolic_trace(Shared()))
    assert_whole(found)
    calls = [node for node in found.values() if node.op == "Linear"]
    assert len(calls) == 5
    assert len([node for node in found.values() if node.op == "Parameter"]) == 6
    weights = {edge for node in calls for edge in node.input if edge.endswith("/weight")}
    assert weights <= set(found)
    assert len(weights) == 3


def test_graph_module_with_shapes() -> None:
    """Shapes are drawn where torch.fx has noted them."""
    module = torch.fx.symbolic_trace(nn.Sequential(nn.Linear(3, 4), nn.Softmax(1)))
    torch.fx.passes.shape_prop.ShapeProp(module).propagate(image(2, 3))
    found = nodes(module)
    assert shape(found["output/output.1"]) == [2, 4]
    assert found["Sequential/Softmax[1]/_1"].op == "Softmax"


# Profiles


@pytest.mark.parametrize(
    ("make", "inputs"),
    [
        (Net, image(2, 1, 28, 28)),
        (ResNet, image(2, 3, 16, 16)),
        (Recurrent, torch.tensor([[1, 2, 3]])),
        (Held, image(2, 3).double()),
        (Several, (image(2, 3), (image(2, 3), image(2)), image(1))),
        (Dictionary, ({"x": image(2, 3), "mask": image(2)},)),
        (Anything, ANYTHING),
        (partial(nn.Transformer, 8, 2, 1, 1, 16, batch_first=True), (image(2, 3, 8), image(2, 3, 8))),
        (lambda: exported(ResNet(), image(2, 3, 16, 16)), None),
        (Choice, image(2, 3)),
    ],
    ids=[
        "Net", "ResNet", "Recurrent", "Held", "Several", "Dictionary", "Anything", "Transformer", "program", "Choice",
    ],
)  # fmt: skip
def test_profiles(make: Any, inputs: Any) -> None:
    """Every operator has a time, end to end; the results of some have memory, and so has what a model holds."""
    model = make()
    found = stats(model, inputs)
    drawn = nodes(model, inputs)
    operators = {name for name, node in drawn.items() if node.op in ("aten::linear", "aten::convolution", "aten::add")}
    assert operators - {name for name in drawn if "/cond/" in name} <= found.keys()
    timed = [each for each in found.values() if each.all_end_rel_nanos]
    assert timed
    assert all(each.all_end_rel_micros > 0 for each in timed)
    for one, two in pairwise(timed):
        assert one.all_start_nanos + one.all_end_rel_nanos <= two.all_start_nanos
    held = [name for name in found if "weight" in name]
    assert all(found[name].memory[0].total_bytes > 0 for name in held)


def test_profile_tells_memory() -> None:
    """A result's own memory counts, a view's does not."""
    found = stats(Net(), image(2, 1, 28, 28))
    by_kind = {node.op: found[name] for name, node in nodes(Net(), image(2, 1, 28, 28)).items() if name in found}
    assert sum(each.total_bytes for each in by_kind["aten::view"].memory) == 0
    assert sum(each.total_bytes for each in by_kind["aten::linear"].memory) == 4 * 2 * 10
    assert found["input/x.1"].memory[0].total_bytes == 4 * 2 * 28 * 28


def test_profile_of_scripts_wants_inputs() -> None:
    """A script can be drawn without inputs, but not run; one with branches cannot be run node by node."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced, scripted = torch.jit.trace(Net().eval(), image(1, 1, 28, 28)), torch.jit.script(Branch())
    with pytest.raises(EncodeError, match="input_to_model"):
        stats(traced)
    assert stats(traced, image(1, 1, 28, 28))
    with pytest.raises(EncodeError, match="node by node"):
        stats(scripted, image(2, 3))


# Errors


class Stubborn(nn.Module):  # type: ignore[misc]
    """Only runs when nobody looks."""

    def forward(self, x: Any) -> Any:
        if torch.jit.is_tracing() or torch.compiler.is_exporting():
            raise ArithmeticError("tracing" if torch.jit.is_tracing() else "exporting")
        return x


def refused(model: Any, given: Any, **options: Any) -> EncodeError:
    with pytest.raises(EncodeError) as raised:
        nodes(model, given, **options)
    assert raised.value.tag == "add_graph"
    return raised.value


def test_neither_way() -> None:
    """Where no way leads to a graph the error has the words of both, and both errors for its cause."""
    error = refused(Stubborn(), image(1))
    assert "torch.jit: ArithmeticError: tracing; torch.export: ArithmeticError: exporting" in str(error)
    assert isinstance(error.__cause__, ExceptionGroup)
    assert [str(each) for each in error.__cause__.exceptions] == ["tracing", "exporting"]


def test_inputs_that_do_not_fit(capfd: pytest.CaptureFixture[str]) -> None:
    """Where the model itself fails the error says that, soon and quietly: no other way is tried."""
    error = refused(Net(), image(2, 3, 28, 28))
    assert "inputs that the model can be called with (RuntimeError: " in error.wanted
    assert "[2, 3, 28, 28]" in error.wanted
    assert isinstance(error.__cause__, RuntimeError)
    assert capfd.readouterr() == ("", "")


def test_no_inputs() -> None:
    """A module without inputs, and inputs that are none, are refused at the call."""
    for given in (None, 5, "words"):
        with pytest.raises(EncodeError, match="input_to_model") as raised:
            graph(Net(), given, False, True, False, lambda: 0)
        assert raised.value.got == given


@pytest.mark.parametrize("bad", [None, 5, "model", [], Net, print, image(2)], ids=str)
def test_no_model(bad: Any) -> None:
    """What is no model is refused at the call."""
    with pytest.raises(EncodeError) as raised:
        graph(bad, image(1), False, True, False, lambda: 0)
    assert raised.value.got is bad


def test_graph_that_is_broken() -> None:
    """What looks like a program and cannot be drawn is refused, with the reason."""

    class Program:
        graph_signature = graph_module = None

    assert "AttributeError" in refused(Program(), None).wanted
    module = torch.fx.symbolic_trace(nn.Linear(3, 3))
    module.graph.create_node("call_module", "missing", ())
    assert "a graph that can be drawn" in refused(module, None).wanted


def test_long_words_are_cut() -> None:
    """An error that goes on for pages is quoted in part."""

    class Talkative(nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            raise ValueError("words " * 10_000)

    assert len(str(refused(Talkative(), image(1)))) < 1000


def test_without_torch() -> None:
    """Without torch a ready graph is stored; what would be a model is refused, with a hint; torch is not imported."""
    script = """
import sys
sys.modules["torch"] = None
import importlib.util, asynctb
from asynctb import EncodeError
from asynctb.encode.graph import model
model.find_spec = lambda name: None
from asynctb.proto.graph_pb2 import GraphDef
g = GraphDef(); g.node.add(name="a")
assert len(model.graph(g, None, False, True, False, int)) == 1
try:
    model.graph(object(), None, False, True, False, int)
except EncodeError as error:
    assert "pip install 'asynctb[graph]'" in str(error), error
else:
    raise AssertionError
"""
    subprocess.run([sys.executable, "-c", script], check=True)
