"""`add_hparams` and the custom scalars leave the same events as torch's, but for the differences named here."""

import asyncio
import math
import re
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum, IntEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asynctb import AsyncSummaryWriter, EncodeError, SummaryWriter
from tests.readback.events import run_events
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)

torch = module("torch")
TorchWriter = module("torch.utils.tensorboard").SummaryWriter

Call = tuple[str, tuple[Any, ...]]
Stored = dict[str, list[str]]  # of each run, what follows the first event of its files

# Names that are no numbers are the runs' own; the others are the times of the calls.
TIME = re.compile(r"\d+\.\d+")


def stored(logdir: Path) -> Stored:
    """What each run holds, without times, and with maps in order: their order on the wire is nobody's."""
    found: Stored = {}
    for run, events in run_events(logdir).items():
        found[TIME.sub("TIME", run)] = [told(event) for event in events if not event.HasField("file_version")]
    return found


def told(event: Any) -> str:
    event.wall_time = 0
    texts = [str(event.step)]
    for value in event.summary.value:
        content = b""
        if value.metadata.plugin_data.plugin_name == "hparams":
            content = value.metadata.plugin_data.content
            value.metadata.plugin_data.content = b""
        data = module("tensorboard.plugins.hparams.plugin_data_pb2").HParamsPluginData.FromString(content)
        layout = module("tensorboard.plugins.custom_scalar.layout_pb2").Layout()
        if value.tensor.string_val:
            layout.ParseFromString(value.tensor.string_val.pop())
        texts += [str(value), str(data.SerializeToString(deterministic=True)), str(data), str(layout)]
    return "\n".join(texts)


def with_torch(logdir: Path, *calls: Call, **_: Any) -> None:
    with TorchWriter(logdir) as writer:
        for method, args in calls:
            getattr(writer, method)(*args)


def with_ours(logdir: Path, *calls: Call, **arguments: Any) -> None:
    with SummaryWriter(logdir, **arguments) as writer:
        for method, args in calls:
            getattr(writer, method)(*args)


def with_ours_awaited(logdir: Path, *calls: Call, **arguments: Any) -> None:
    async def main() -> None:
        async with AsyncSummaryWriter(logdir, **arguments) as writer:
            for method, args in calls:
                await getattr(writer, method)(*args)

    asyncio.run(main())


Write = Callable[..., None]
both_of_ours = pytest.mark.parametrize("with_us", [with_ours, with_ours_awaited])


def assert_same(with_us: Write, *calls: Call, **arguments: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        theirs, ours = Path(folder, "theirs"), Path(folder, "ours")
        with_torch(theirs, *calls)
        with_us(ours, *calls, **arguments)
        assert stored(ours) == stored(theirs)


# Hyperparameters

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(max_size=6)
PLAIN: list[st.SearchStrategy[Any]] = [st.integers(-(2**1000), 2**1000), FINITE, st.text(max_size=10)]
TENSORS = FINITE.map(lambda value: torch.tensor([value], dtype=torch.float64, requires_grad=True))
VALUES = st.one_of(*PLAIN, st.none(), FINITE.map(np.float64), TENSORS)
METRICS = st.one_of(
    st.floats(),
    st.integers(-(2**60), 2**60),
    st.floats(width=32).map(np.float32),
    st.floats(width=32).map(torch.tensor),
)
STEPS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9).map(np.int64)
RUNS = st.sampled_from([None, "", "hp", "a/b", "hp ö", "."])


@st.composite
def hparams_calls(draw: st.DrawFn) -> Call:
    values = draw(st.dictionaries(NAMES, VALUES, max_size=5))
    # torch takes no domain for a tensor, though it checks one, and drops it for None.
    plain = [name for name, value in values.items() if isinstance(value, (int, float, str))]
    kinds = {int: PLAIN[0], float: PLAIN[1], np.float64: PLAIN[1].map(np.float64), str: PLAIN[2]}
    named = draw(st.lists(st.sampled_from(plain), unique=True)) if plain else []
    domains = {name: draw(st.lists(kinds[type(values[name])], max_size=3)) for name in named}
    metrics = draw(st.dictionaries(NAMES, METRICS, max_size=3))
    return "add_hparams", (values, metrics, draw(st.none() | st.just(domains)), draw(RUNS), draw(STEPS))


@both_of_ours
def test_hparams(with_us: Write) -> None:
    """Event for event the same, in the same run, whatever numbers and texts there are."""

    @settings(max_examples=60)
    @given(hparams_calls())
    def same(call: Call) -> None:
        # In the writer's own run, steps that are left out count on; see below.
        assert_same(with_us, call, auto_step=False)

    same()


@both_of_ours
def test_hparams_in_a_row(with_us: Write) -> None:
    """Calls after each other make a run each; in a sub-run steps that are left out stay so."""
    assert_same(
        with_us,
        ("add_hparams", ({"lr": 0.1, "bsize": 1}, {"hparam/accuracy": 10, "hparam/loss": 10}, None, "one")),
        ("add_hparams", ({"lr": 0.2, "bsize": 2}, {"hparam/accuracy": 20, "hparam/loss": 20}, None, "two")),
        ("add_hparams", ({"lr": 0.2}, {})),
        ("add_hparams", ({}, {}, {}, "three", 5)),
    )


def same_columns(call: Call) -> list[Stored]:
    outcomes = []
    for write in (with_torch, with_ours):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), call)
            outcomes.append(stored(Path(folder)))
    return outcomes


class Mode(str, Enum):  # noqa: UP042 - the older way, whose own text is "Mode.FAST"
    FAST = "fast"


class Size(IntEnum):
    BIG = 7


@pytest.mark.parametrize("value", [Mode.FAST, Size.BIG, np.str_("x"), 2**62 + 1, torch.nn.Parameter(torch.ones(1))])
def test_subclasses(value: Any) -> None:
    """What is a kind of text or number is that, for both."""
    theirs, ours = same_columns(("add_hparams", ({"x": value}, {}, None, "r")))
    assert ours == theirs


class Differs(NamedTuple):
    """A hyperparameter that torch refuses, or has otherwise; and what it is here."""

    why: str
    value: Any
    torch: type[Exception] | str
    ours: type[Exception] | str


class Plain(Enum):
    RED = 3


VALUES_THAT_DIFFER = [
    Differs("a boolean is one", True, "number_value: 1", "bool_value: true"),
    Differs("a boolean tensor is one", torch.tensor([True]), "number_value: 1", "bool_value: true"),
    Differs("no JSON holds it as a number", math.nan, "number_value: nan", 'string_value: "nan"'),
    Differs("no JSON holds it as a number", -math.inf, "number_value: -inf", 'string_value: "-inf"'),
    Differs("a number", np.float32(0.5), ValueError, "number_value: 0.5"),
    Differs("a number", np.int64(3), ValueError, "number_value: 3"),
    Differs("a number", torch.tensor(0.5), IndexError, "number_value: 0.5"),
    Differs("a number", torch.tensor([[0.5]]), TypeError, "number_value: 0.5"),
    Differs("its first element only", torch.tensor([1.0, 2.0]), "number_value: 1", 'string_value: "[1.0, 2.0]"'),
    Differs("a number's size is no reason to stop", 10**309, OverflowError, f'string_value: "{10**309}"'),
    Differs("a list", [64, 64], ValueError, 'string_value: "[64, 64]"'),
    Differs("an enum", Plain.RED, ValueError, 'string_value: "RED"'),
    Differs("a path", Path("a", "b"), ValueError, 'string_value: "a/b"'),
    Differs("a class", torch.nn.ReLU, ValueError, 'string_value: "ReLU"'),
    Differs("a nested mapping", {"y": 1}, ValueError, 'key: "x/y"'),
    Differs("text that UTF-8 cannot encode", "\ud800", UnicodeEncodeError, EncodeError),
    Differs("a tensor of no value", torch.ones(1, device="meta"), "number_value", EncodeError),
]


@pytest.mark.parametrize("differs", VALUES_THAT_DIFFER, ids=lambda differs: ascii(differs.value)[:30])
def test_values_that_differ(differs: Differs, tmp_path: Path) -> None:
    """What torch refuses or mistakes is what the list says."""
    for write, wanted in ((with_torch, differs.torch), (with_ours, differs.ours)):
        logdir = tmp_path / write.__name__
        if isinstance(wanted, str):
            write(logdir, ("add_hparams", ({"x": differs.value}, {}, None, "r")))
            (start,) = [text for text in stored(logdir)["r"] if "session_start_info {" in text]
            assert wanted in start
            continue
        with pytest.raises(wanted):
            write(logdir, ("add_hparams", ({"x": differs.value}, {}, None, "r")))


CALLS_THAT_DIFFER: list[tuple[str, tuple[Any, ...], type[Exception] | None, type[Exception] | None]] = [
    ("another mapping", (OrderedDict(a=1), {}), TypeError, None),
    ("no mapping", ([("a", 1)], {}), TypeError, EncodeError),
    ("a metric of no number", ({"a": 1}, {"m": "x"}), ValueError, EncodeError),
    ("a metric that is only announced", ({"a": 1}, {"m": None}), NotImplementedError, None),
    ("a domain of another type that is a number", ({"a": 1}, {}, {"a": [0.5]}), TypeError, None),
    ("a domain that is no list", ({"a": 1}, {}, {"a": (1, 2)}), TypeError, None),
    ("a domain of another kind", ({"a": 1}, {}, {"a": ["x"]}), TypeError, EncodeError),
    ("a domain of another kind, of which bool is a subclass", ({"a": 1}, {}, {"a": [True]}), None, EncodeError),
    ("a domain that TensorBoard's dashboard fails at", ({"a": 0.1}, {}, {"a": [math.nan]}), None, EncodeError),
    ("a domain of nothing", ({"a": 1}, {}, {"b": [1]}), TypeError, EncodeError),
    ("a run outside the log directory", ({"a": 1}, {}, None, "../r"), None, EncodeError),
    ("a name that is no text", ({1: 1}, {}), TypeError, EncodeError),
]


@pytest.mark.parametrize(
    ("why", "args", "theirs", "ours"), CALLS_THAT_DIFFER, ids=[why for why, *_ in CALLS_THAT_DIFFER]
)
def test_calls_that_differ(
    why: str, args: tuple[Any, ...], theirs: type[Exception] | None, ours: type[Exception] | None, tmp_path: Path
) -> None:
    """Each ends as the list says, and one that raises stores nothing."""
    for write, wanted in ((with_torch, theirs), (with_ours, ours)):
        logdir = tmp_path / write.__name__ / "logdir"
        if wanted is None:
            write(logdir, ("add_hparams", args))
        else:
            with pytest.raises(wanted):
                write(logdir, ("add_hparams", args))
    if ours is EncodeError:
        assert stored(tmp_path / "with_ours") == {"logdir": []}


def test_steps_in_the_own_run_differ(tmp_path: Path) -> None:
    """In the writer's own run, a metric without a step goes behind its curve, which torch's would erase."""
    calls: list[Call] = [("add_scalar", ("acc", 0.5, 7)), ("add_hparams", ({"a": 1}, {"acc": 0.6}, None, "."))]
    steps = {}
    for write in (with_torch, with_ours):
        write(tmp_path / write.__name__, *calls)
        events = run_events(tmp_path / write.__name__)["."]
        steps[write] = [event.step for event in events for value in event.summary.value if value.tag == "acc"]
    assert steps == {with_torch: [7, 0], with_ours: [7, 8]}


# Custom scalars

PATTERNS = st.sampled_from(["loss", "loss/.*", r"a\.b", "", "(x|y)[0-9]+"])
CHARTS = st.one_of(
    st.tuples(st.just("Multiline"), st.lists(PATTERNS)).map(list),
    st.tuples(st.just("Margin"), st.lists(st.text(max_size=5), min_size=3, max_size=3)),
)
LAYOUTS = st.dictionaries(NAMES, st.dictionaries(NAMES, CHARTS, max_size=3), max_size=3)
ONE_CHART = st.one_of(
    st.tuples(st.just("add_custom_scalars"), st.tuples(LAYOUTS)),
    st.tuples(st.just("add_custom_scalars_multilinechart"), st.tuples(st.lists(PATTERNS), NAMES, NAMES)),
    st.tuples(
        st.just("add_custom_scalars_marginchart"), st.tuples(st.lists(NAMES, min_size=3, max_size=3), NAMES, NAMES)
    ),
)


@both_of_ours
def test_custom_scalars(with_us: Write) -> None:
    """A writer's first layout is the same event."""

    @settings(max_examples=40)
    @given(ONE_CHART)
    def same(call: Call) -> None:
        assert_same(with_us, call)

    same()


@both_of_ours
@pytest.mark.parametrize("method", ["add_custom_scalars_multilinechart", "add_custom_scalars_marginchart"])
def test_default_titles(with_us: Write, method: str) -> None:
    """The defaults of the short forms are the same."""
    assert_same(with_us, (method, (["a", "b", "c"],)))


def test_a_second_layout_differs(tmp_path: Path) -> None:
    """torch's second layout replaces the first in TensorBoard, which reads the last; ours holds both."""
    calls: list[Call] = [("add_custom_scalars_multilinechart", (["a"], "c", title)) for title in ("one", "two")]
    last = {}
    for write in (with_torch, with_ours):
        write(tmp_path / write.__name__, *calls)
        last[write] = re.findall(r'title: "(\w+)"', stored(tmp_path / write.__name__)["."][-1])
    assert last == {with_torch: ["c", "two"], with_ours: ["c", "one", "two"]}


LAYOUTS_THAT_DIFFER: list[tuple[str, Any, type[Exception] | None, type[Exception] | None]] = [
    ("not three tags", {"c": {"t": ["Margin", ["a", "b"]]}}, AssertionError, EncodeError),
    ("a kind that is none", {"c": {"t": ["margin", ["a", "b", "c"]]}}, None, EncodeError),
    ("a text, whose letters would be tags", {"c": {"t": ["Multiline", "loss"]}}, None, EncodeError),
    ("what no reader can match with", {"c": {"t": ["Multiline", ["a["]]}}, None, EncodeError),
    ("no mapping", [], AttributeError, EncodeError),
    ("several series", {"c": {"t": ["Margin", [["a", "b", "c"]]]}}, AssertionError, None),
    ("several series", {"c": {"t": ["Margin", [["a", "b", "c"]] * 3]}}, TypeError, None),
]


@pytest.mark.parametrize(("why", "layout", "theirs", "ours"), LAYOUTS_THAT_DIFFER)
def test_layouts_that_differ(
    why: str, layout: Any, theirs: type[Exception] | None, ours: type[Exception] | None, tmp_path: Path
) -> None:
    """Each ends as the list says."""
    for write, wanted in ((with_torch, theirs), (with_ours, ours)):
        if wanted is None:
            write(tmp_path / write.__name__, ("add_custom_scalars", (layout,)))
        else:
            with pytest.raises(wanted):
                write(tmp_path / write.__name__, ("add_custom_scalars", (layout,)))
