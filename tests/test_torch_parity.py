"""The same calls to torch's SummaryWriter and to ours leave the same events, but for the differences named here."""

import asyncio
import inspect
import math
import os
import re
import socket
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asynctb import AsyncSummaryWriter, EncodeError, SummaryWriter
from tests.readback.events import events, run_files
from tests.readback.imports import module
from tests.readback.points import float32

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)
if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

torch = module("torch")
TorchWriter = module("torch.utils.tensorboard").SummaryWriter

T = 1.7e9
Stored = dict[str, list[list["Told"]]]  # of each run, of each of its files, what follows the first event


class Told(NamedTuple):
    """An event: to be read by people, and to the last bit."""

    text: str
    wire: bytes


def stored(logdir: Path) -> Stored:
    """What the files hold; the wall time of an event is left out where no caller could give it."""
    return {
        run: sorted([told(e) for e in events(path)[1:]] for path in paths) for run, paths in run_files(logdir).items()
    }


def told(event: "Event") -> Told:
    if not event.HasField("summary"):
        event.wall_time = 0
    return Told(str(event), event.SerializeToString(deterministic=True))


# The same calls


@dataclass(frozen=True)
class Call:
    """One call of an `add_*`."""

    method: str
    args: tuple[Any, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def on(self, writer: object) -> Any:
        return getattr(writer, self.method)(*self.args, **self.options)


def with_torch(logdir: Path, *calls: Call, **arguments: Any) -> None:
    with TorchWriter(logdir, **arguments) as writer:
        for call in calls:
            call.on(writer)


def with_ours(logdir: Path, *calls: Call, **arguments: Any) -> None:
    with SummaryWriter(logdir, **arguments) as writer:
        for call in calls:
            call.on(writer)


def with_ours_awaited(logdir: Path, *calls: Call, **arguments: Any) -> None:
    async def main() -> None:
        async with AsyncSummaryWriter(logdir, **arguments) as writer:
            for call in calls:
                await call.on(writer)

    asyncio.run(main())


def numbers() -> st.SearchStrategy[Any]:
    finite = st.floats(allow_nan=False)
    return st.one_of(
        finite,
        st.sampled_from([math.nan, -math.nan, -0.0, 3.4028235677973366e38, 3.4028235677973362e38, 1e-46]),
        st.integers(-(2**80), 2**80),
        st.booleans(),
        finite.map(str),
        st.floats(width=32).filter(lambda number: number == number).map(np.float32),
        st.floats(width=16).filter(lambda number: number == number).map(np.float16),
        st.integers(0, 2**64 - 1).map(np.uint64),
        finite.map(lambda number: np.array([[number]])),
        finite.map(lambda number: torch.tensor(number, dtype=torch.float64, requires_grad=True)),
        st.integers(-(2**63), 2**63 - 1).map(lambda number: torch.tensor([number])),
    )


def given_steps() -> st.SearchStrategy[Any]:
    within = st.integers(-(2**63), 2**63 - 1)
    return st.one_of(within, st.floats(-1e18, 1e18), within.map(np.int64), within.map(torch.tensor), within.map(str))


def wall_times() -> st.SearchStrategy[float]:
    return st.floats(1e9, 4e9) | st.floats(allow_nan=False, allow_infinity=False)


def run_names() -> st.SearchStrategy[str]:
    # Lower case, and each name written in one way only: torch opens two files where two names lead to one folder.
    part = st.text("aäz.- ", min_size=1, max_size=5).filter(lambda part: part not in (".", ".."))
    return st.lists(part, min_size=1, max_size=3).map("/".join)


def calls(steps: st.SearchStrategy[Any]) -> st.SearchStrategy[Call]:
    tags = st.text(max_size=8) | st.sampled_from(["loss", "loss/train"])
    styles = st.fixed_dictionaries({}, optional={"new_style": st.booleans(), "double_precision": st.booleans()})
    groups = st.dictionaries(run_names(), numbers(), max_size=3)
    return st.one_of(
        st.builds(Call, st.just("add_scalar"), st.tuples(tags, numbers(), steps, wall_times()), styles),
        st.builds(Call, st.just("add_text"), st.tuples(tags, st.text(max_size=40), steps, wall_times())),
        st.builds(Call, st.just("add_scalars"), st.tuples(st.text("mn/._ ", max_size=5), groups, steps, wall_times())),
    )


@pytest.mark.parametrize("with_us", [with_ours, with_ours_awaited])
@pytest.mark.parametrize("auto_step", [False, True])
def test_same_calls_make_the_same_events(with_us: Callable[..., None], auto_step: bool) -> None:
    """Any sequence of calls leaves the same runs with the same bytes in them; without steps it does under
    `auto_step=False`.
    """
    steps = given_steps() if auto_step else given_steps() | st.none()

    @settings(max_examples=40)
    @given(st.lists(calls(steps), max_size=8))
    def same(sequence: list[Call]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            theirs, ours = Path(folder, "theirs"), Path(folder, "ours")
            with_torch(theirs, *sequence)
            with_us(ours, *sequence, auto_step=auto_step)
            assert stored(ours) == stored(theirs)

    same()


SAME: dict[str, Any] = {
    "beyond float64, on most machines": np.finfo(np.longdouble).max,
    "beyond float32": -1e300,
    "not a double": 2**62 + 1,
    "not a single": 2**24 + 1,
    "numpy bool": np.bool_(True),
    "no dimension": np.array(0.1),
    "array of objects": np.array([Decimal("1.5")]),
    "array of text": np.array(["1.5"]),
    "fraction": Fraction(1, 3),
    "decimal": Decimal("0.1"),
    "text": " 1_0.5 ",
    "text of no number": "nan",
    "text of infinity": "-inf",
    "bytes": b"1.5",
    "numpy text": np.str_("2.5"),
    "parameter": torch.nn.Parameter(torch.ones(1)),
    "bool tensor": torch.tensor(True),
    "half": torch.tensor(0.1, dtype=torch.float16),
    "bfloat16": torch.tensor(1 / 3, dtype=torch.bfloat16),
    "unsigned tensor": torch.tensor(2**63, dtype=torch.uint64),
    "masked": np.ma.masked,
    "masked in an array": np.ma.array([3], mask=[True]),
    "not masked": np.ma.array([3], mask=[False]),
}


def outcome(write: Callable[..., None], logdir: Path, call: Call) -> tuple[type[Exception] | None, Stored]:
    """How a call ends with a writer, and what it stores. What torch warns of is not ours."""
    error = None
    with warnings.catch_warnings():
        if write is with_torch:
            warnings.simplefilter("ignore")
        try:
            write(logdir, call, **({} if write is with_torch else {"auto_step": False}))
        except Exception as caught:
            error = type(caught)
    return error, stored(logdir)


@pytest.mark.parametrize("value", SAME.values(), ids=SAME.keys())
@pytest.mark.parametrize(
    "style", [{}, {"new_style": True}, {"new_style": True, "double_precision": True}], ids=["old", "new", "double"]
)
def test_special_values(tmp_path: Path, value: Any, style: dict[str, bool]) -> None:
    """What torch takes for one number is the same number here, in every style."""
    call = Call("add_scalar", ("x", value, 1, T), style)
    theirs, ours = outcome(with_torch, tmp_path / "theirs", call), outcome(with_ours, tmp_path / "ours", call)
    assert ours == theirs
    assert ours[0] is None


STEPS = [None, 0, -1, 2**63 - 1, -(2**63), 1.9, -1.9, True, np.int8(7), np.float32(2.5), np.array(3), " 1_2 ", b"12"]
STEPS += [torch.tensor(3.7), torch.tensor([3]), Fraction(7, 2), Decimal("3.9"), np.bool_(True)]
WALL_TIMES = [0, 0.0, -0.0, -5, 1e30, True, np.float32(1.5), torch.tensor(1.5), Decimal("1.5"), Fraction(3, 2)]


@pytest.mark.parametrize(("step", "wall_time"), [*((s, T) for s in STEPS), *((1, w) for w in WALL_TIMES)], ids=repr)
def test_special_steps_and_wall_times(tmp_path: Path, step: Any, wall_time: Any) -> None:
    """What torch takes for a step or a wall time is the same here, in every method."""
    sequence = [
        Call("add_scalar", ("x", 1, step, wall_time)),
        Call("add_scalars", ("m", {"a": 1, "b": 2}, step, wall_time)),
        Call("add_text", ("t", "text", step, wall_time)),
    ]
    with_torch(tmp_path / "theirs", *sequence)
    with_ours(tmp_path / "ours", *sequence, auto_step=False)
    assert stored(tmp_path / "ours") == stored(tmp_path / "theirs")


@pytest.mark.parametrize("main_tag", ["m", "", "/m/n", "..", "a/../b", "häß\n"])
@pytest.mark.parametrize(
    "keys", [[], ["a"], ["a/b", "c"], [""], ["."], [".."], ["/abs"], ["a/"], ["a\nb", " "]], ids=repr
)
def test_special_names_of_runs(tmp_path: Path, main_tag: str, keys: list[str]) -> None:
    """The directories that `add_scalars` makes are torch's."""
    call = Call("add_scalars", (main_tag, dict.fromkeys(keys, 0.5), 1, T))
    with_torch(tmp_path / "theirs", call)
    with_ours(tmp_path / "ours", call)
    assert stored(tmp_path / "ours") == stored(tmp_path / "theirs")
    assert len(stored(tmp_path / "ours")) == 1 + len(keys)


def test_wall_time_of_now(tmp_path: Path) -> None:
    """Without a wall time both take that of the call, and one for all points of an `add_scalars`."""
    sequence = [
        Call("add_scalar", ("x", 1, 1)),
        Call("add_scalars", ("m", {"a": 1, "b": 2}, 1)),
        Call("add_text", ("t", "a")),
    ]
    for write in (with_torch, with_ours, with_ours_awaited):
        logdir = tmp_path / write.__name__
        before = datetime.now().timestamp()
        write(logdir, *sequence)
        after = datetime.now().timestamp()
        walls = {run: [e.wall_time for e in events(path)[1:]] for run, (path,) in run_files(logdir).items()}
        assert before <= walls["."][0] <= walls["m_a"][0] == walls["m_b"][0] <= walls["."][1] <= after


# What differs, and why


class Differs(NamedTuple):
    """A call that ends otherwise: by which error, or with which numbers stored; None stands for "whatever it is"."""

    why: str
    call: Call
    torch: type[Exception] | list[float] | None
    ours: type[Exception] | list[float]


class Array:
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.array(2.5)


class Number:
    def __float__(self) -> float:
        return 2.5


def scalar(value: Any, step: Any = 1, wall_time: Any = T, tag: Any = "x") -> Call:
    return Call("add_scalar", (tag, value, step, wall_time))


def group(numbers: Any, main_tag: Any = "m") -> Call:
    return Call("add_scalars", (main_tag, numbers, 1, T))


def text(value: Any, tag: Any = "x") -> Call:
    return Call("add_text", (tag, value, 1, T))


BFLOAT16_BIG = torch.tensor(1e30, dtype=torch.bfloat16)
BFLOAT16_TINY = torch.tensor(1e-30, dtype=torch.bfloat16)

# Refused by both. Ours is one class, which is a ValueError and names the tag; torch's is whatever came up.
REFUSED_BY_BOTH = [
    Differs("an integer beyond float64", scalar(10**400), OverflowError, EncodeError),
    Differs("complex", scalar(1j), TypeError, EncodeError),
    Differs("a complex tensor", scalar(torch.tensor(1 + 0j)), TypeError, EncodeError),
    Differs("a date", scalar(np.datetime64("2020-01-01")), TypeError, EncodeError),
    Differs("a duration", scalar(np.timedelta64(3, "s")), TypeError, EncodeError),
    Differs("several elements", scalar(np.ones(2)), AssertionError, EncodeError),
    Differs("several elements of a tensor", scalar(torch.ones(2)), AssertionError, EncodeError),
    Differs("several elements, all masked", scalar(np.ma.masked_all(2)), AssertionError, EncodeError),
    Differs("no element", scalar(np.array([])), AssertionError, EncodeError),
    Differs("text that is no number", scalar("abc"), ValueError, EncodeError),
    Differs("bytes that are no number", scalar(b""), ValueError, EncodeError),
    Differs("a bytearray", scalar(bytearray(b"1")), NotImplementedError, EncodeError),
    Differs("None", scalar(None), NotImplementedError, EncodeError),
    Differs("a list of several", scalar([1.0, 2.0]), NotImplementedError, EncodeError),
    Differs("a mapping", scalar({}), NotImplementedError, EncodeError),
    Differs("a step that is NaN", scalar(1, math.nan), ValueError, EncodeError),
    Differs("a step that is infinite", scalar(1, math.inf), OverflowError, EncodeError),
    Differs("a step above int64", scalar(1, 2**63), ValueError, EncodeError),
    Differs("a step below int64", scalar(1, -(2**63) - 1), ValueError, EncodeError),
    Differs("a step that is no integer's text", scalar(1, "1.9"), ValueError, EncodeError),
    Differs("a step that is a list", scalar(1, [1]), TypeError, EncodeError),
    Differs("a step of several elements", scalar(1, torch.ones(2)), ValueError, EncodeError),
    Differs("a wall time beyond float64", scalar(1, 1, 10**400), OverflowError, EncodeError),
    Differs("a wall time that is text", scalar(1, 1, "1.5"), TypeError, EncodeError),
    Differs("a wall time that is a datetime", scalar(1, 1, datetime(2020, 1, 1)), TypeError, EncodeError),
    Differs("a tag that UTF-8 cannot encode", scalar(1, tag="\ud800"), UnicodeEncodeError, EncodeError),
    Differs("a tag that is a number", scalar(1, tag=5), TypeError, EncodeError),
    Differs("a tag that is a list", text("a", tag=["x"]), TypeError, EncodeError),
    Differs("text that UTF-8 cannot encode", text("\ud800"), UnicodeEncodeError, EncodeError),
    Differs("text that is bytes", text(b"a"), AttributeError, EncodeError),
    Differs("text that is None", text(None), AttributeError, EncodeError),
    Differs("text that is a list of texts", text(["a"]), AttributeError, EncodeError),
    Differs("a key that is no text", group({1: 1}), TypeError, EncodeError),
    Differs("a key with a NUL", group({"a\0": 1}), ValueError, EncodeError),
    Differs("a key that UTF-8 cannot encode", group({"\ud800": 1}), UnicodeEncodeError, EncodeError),
    Differs("a group that is no mapping", group([("a", 1)]), AttributeError, EncodeError),
]

OTHERWISE = [
    # Taken here, for there is one number in it.
    Differs("a list of one", scalar([2.5]), NotImplementedError, [2.5]),
    Differs("a tuple of one", scalar((2.5,)), NotImplementedError, [2.5]),
    Differs("what has __array__", scalar(Array()), NotImplementedError, [2.5]),
    Differs("what has __float__", scalar(Number()), NotImplementedError, [2.5]),
    Differs("float8", scalar(torch.tensor(0.5).to(torch.float8_e4m3fn)), TypeError, [0.5]),
    Differs("sparse", scalar(torch.tensor([2.5]).to_sparse()), TypeError, [2.5]),
    Differs("a view that negates", scalar(torch.tensor(2.5)._neg_view()), RuntimeError, [-2.5]),
    Differs("a step of one element", scalar(2.5, np.array([1])), TypeError, [2.5]),
    Differs("a wall time of one element", scalar(2.5, 1, np.array([T])), TypeError, [2.5]),
    # Torch takes bfloat16 through float16.
    Differs("bfloat16 above float16", scalar(BFLOAT16_BIG), [math.inf], [float(BFLOAT16_BIG)]),
    Differs("bfloat16 below float16", scalar(BFLOAT16_TINY), [0.0], [float(BFLOAT16_TINY)]),
    # Torch logs noise.
    Differs("a tensor without data", scalar(torch.empty(1, device="meta")), None, EncodeError),
    # TensorBoard's default reader gives up the file, or leaves out the event.
    Differs("a wall time that is NaN", scalar(2.5, 1, math.nan), [2.5], EncodeError),
    Differs("a wall time that is infinite", scalar(2.5, 1, math.inf), [2.5], EncodeError),
    # No tag, and a tag that only protobuf takes for text.
    Differs("a tag that is None", scalar(2.5, tag=None), [2.5], EncodeError),
    Differs("a tag that is bytes", scalar(2.5, tag=b"x"), [2.5], EncodeError),
    # Out of the run's directory, or of the log directory.
    Differs("a key that leads out of its run", group({"x/..": 2.5}), [2.5], EncodeError),
    Differs("a key that leads out of the log directory", group({"x/../../other": 2.5}), None, EncodeError),
    # Nothing of a call is stored if something in it is wrong; torch stops half way.
    Differs("a group with a bad number", group({"a": 2.5, "b": "bad"}), ValueError, EncodeError),
    # An add never raises for the disk: it is dropped and counted.
    Differs("a key too long for a file name", group({"k" * 300: 2.5}), OSError, []),
    # A table.
    Differs("a list of rows", text([["a"]]), AttributeError, []),
]


def assert_ends(ending: tuple[type[Exception] | None, Stored], wanted: type[Exception] | list[float] | None) -> None:
    error, files = ending
    if wanted is not None:
        assert error is (wanted if isinstance(wanted, type) else None)
    if isinstance(wanted, list):
        values = [
            re.search(r"simple_value: (.*)", each.text) for file in files.values() for (each,) in filter(None, file)
        ]
        assert [float32(float(value[1])) for value in values if value] == list(map(float32, wanted))


@pytest.mark.parametrize("case", [*REFUSED_BY_BOTH, *OTHERWISE], ids=lambda case: case.why)
def test_differences(tmp_path: Path, case: Differs) -> None:
    """Where a call ends otherwise than with torch, it does as the table says, and what is refused leaves no trace."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    assert_ends(outcome(with_torch, theirs, case.call), case.torch)
    ending = outcome(with_ours, ours, case.call)
    assert_ends(ending, case.ours)
    if ending[0]:
        assert ending[1] == {".": [[]]}
    assert outcome(with_ours_awaited, tmp_path / "awaited", case.call) == ending


def test_group_with_a_bad_number(tmp_path: Path) -> None:
    """Torch stores the half of an `add_scalars` that stands before a bad number; here it is all or nothing."""
    call = group({"a": 1, "b": "bad", "c": 1})
    assert sorted(outcome(with_torch, tmp_path / "theirs", call)[1]) == [".", "m_a", "m_b"]
    assert outcome(with_ours, tmp_path / "ours", call) == (EncodeError, {".": [[]]})


def test_two_names_of_one_run(tmp_path: Path) -> None:
    """Keys that lead to one directory share a file here; torch opens one for each of them there."""
    call = group({"a/b": 1, "a//b": 2})
    assert len(outcome(with_torch, tmp_path / "theirs", call)[1]["m_a/b"]) == 2
    assert len(outcome(with_ours, tmp_path / "ours", call)[1]["m_a/b"]) == 1


# Constructors


@pytest.mark.parametrize("writer", [SummaryWriter, AsyncSummaryWriter])
def test_constructor_takes_the_same(writer: type) -> None:
    """The constructor's positional parameters are torch's: names, order and defaults; all others are keyword-only."""
    theirs = list(inspect.signature(TorchWriter).parameters.values())
    ours = list(inspect.signature(writer).parameters.values())
    assert [(p.name, p.default) for p in ours[:6]] == [(p.name, p.default) for p in theirs]
    assert {p.kind for p in ours[6:]} == {inspect.Parameter.KEYWORD_ONLY}


SHARED = sorted(name for name in dir(TorchWriter) if not name.startswith("_") and hasattr(SummaryWriter, name))


def test_methods_are_shared() -> None:
    """Each public method of torch's writer is one of ours."""
    assert {name for name, _ in inspect.getmembers(TorchWriter, inspect.isfunction) if name[0] != "_"} == set(SHARED)


@pytest.mark.parametrize("writer", [SummaryWriter, AsyncSummaryWriter])
@pytest.mark.parametrize("name", SHARED)
def test_methods_take_the_same(writer: type, name: str) -> None:
    """A method's parameters begin with torch's: names, order and defaults; each further one has a default."""
    theirs = list(inspect.signature(getattr(TorchWriter, name)).parameters.values())
    ours = list(inspect.signature(getattr(writer, name)).parameters.values())
    assert [(p.name, p.default) for p in ours[: len(theirs)]] == [(p.name, p.default) for p in theirs]
    assert inspect.Parameter.empty not in [p.default for p in ours[len(theirs) :]]


def made(writer: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> list[str]:
    """The paths of what a writer makes in a folder of its own, with `#` for all that depends on the moment."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    begin = datetime.now()
    with writer(**arguments) as made:
        made.add_scalar("x", 1, 1)
    seconds = range(int((datetime.now() - begin).total_seconds()) + 2)
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*tfevents*")]
    for moment in {(begin + timedelta(seconds=second)).strftime("%b%d_%H-%M-%S") for second in seconds}:
        paths = [path.replace(moment, "#") for path in paths]
    return [re.sub(rf"\.\d{{10}}\.(.*)\.{os.getpid()}\.\d+", r".#.\1.#.#", path) for path in paths]


@pytest.mark.parametrize(
    "arguments",
    [{}, {"comment": "-LR_0.1"}, {"log_dir": ""}, {"log_dir": "a/b", "comment": "c"}, {"filename_suffix": ".v2"}],
    ids=str,
)
def test_names_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, str]) -> None:
    """Directory and file are named as torch names them, from the default directory to the suffix."""
    theirs = made(TorchWriter, tmp_path / "theirs", monkeypatch, **arguments)
    ours = made(SummaryWriter, tmp_path / "ours", monkeypatch, **arguments)
    assert ours == theirs
    assert "#" in ours[0]
    assert socket.gethostname() in ours[0]


@pytest.mark.parametrize("log_dir", ["run", Path("run"), b"run"], ids=repr)
def test_log_dir_is_kept_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_dir: Any) -> None:
    """`log_dir` and `get_logdir()` give back the very object that came in; bytes name the directory that they spell,
    where torch makes one that is called "b'run'".
    """
    monkeypatch.chdir(tmp_path)
    for writer in (TorchWriter, SummaryWriter):
        with writer(log_dir) as made:
            assert made.log_dir is log_dir
            assert made.get_logdir() is log_dir
    names = {path.name for path in tmp_path.iterdir()}
    assert names == ({"run", "b'run'"} if isinstance(log_dir, bytes) else {"run"})


CONSTRUCTORS = [
    # A path of several folders is torch's way with model names; out of `runs` it does not lead.
    ({"comment": "-google/bert"}, None, None),
    ({"comment": "/../../../elsewhere"}, None, EncodeError),
    ({"comment": 5}, TypeError, EncodeError),
    ({"log_dir": "r", "max_queue": -1}, None, EncodeError),
    ({"log_dir": "r", "flush_secs": -1}, None, EncodeError),
    ({"log_dir": "r", "purge_step": "abc"}, TypeError, EncodeError),
    ({"log_dir": "r", "purge_step": 2.0}, TypeError, None),
    ({"log_dir": "r", "filename_suffix": None}, TypeError, EncodeError),
    ({"log_dir": "r\0"}, ValueError, EncodeError),
]


@pytest.mark.parametrize(("arguments", "theirs", "ours"), CONSTRUCTORS, ids=lambda value: str(value))
def test_constructors_differ(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, Any],
    theirs: type[Exception] | None,
    ours: type[Exception] | None,
) -> None:
    """What one constructor takes and the other does not is what the table says."""
    monkeypatch.chdir(tmp_path)
    for writer, error in ((TorchWriter, theirs), (SummaryWriter, ours)):
        with pytest.raises(error) if error else nullcontext():
            writer(**arguments).close()


# What else is in the files


def all_events(logdir: Path) -> Iterator["Event"]:
    for paths in run_files(logdir).values():
        for path in paths:
            yield from events(path)


def test_first_event(tmp_path: Path) -> None:
    """A file begins with the same event as torch's, but for the name of the writer."""
    firsts = []
    for write in (with_torch, with_ours):
        write(tmp_path / write.__name__)
        (first,) = all_events(tmp_path / write.__name__)
        assert first.wall_time == pytest.approx(datetime.now().timestamp(), abs=60)
        first.wall_time = 0
        firsts.append(first)
    theirs, ours = firsts
    assert (theirs.source_metadata.writer, ours.source_metadata.writer) == (
        "tensorboard.summary.writer.event_file_writer",
        "asynctb",
    )
    ours.source_metadata.writer = theirs.source_metadata.writer
    assert told(ours) == told(theirs)


@pytest.mark.parametrize("purge_step", [0, 5, 2**40])
def test_events_that_purge(tmp_path: Path, purge_step: int) -> None:
    """With a `purge_step` the same events follow, and the START once more: the reader purges at the second only."""
    with_torch(tmp_path / "theirs", purge_step=purge_step)
    with_ours(tmp_path / "ours", purge_step=purge_step)
    ((theirs,),) = stored(tmp_path / "theirs").values()
    ((ours,),) = stored(tmp_path / "ours").values()
    assert len(theirs) == 2
    assert ours == [*theirs, theirs[1]]


def test_only_the_first_file_purges(tmp_path: Path) -> None:
    """A writer that is taken up again after `close()` does not purge what it has written itself."""
    for writer in (TorchWriter, SummaryWriter):
        with writer(tmp_path / writer.__module__, purge_step=5) as made:
            made.add_scalar("x", 1, 6, T)
            made.close()
            made.add_scalar("x", 2, 7, T)
    theirs, ours = (stored(tmp_path / writer.__module__)["."] for writer in (TorchWriter, SummaryWriter))
    assert sorted(map(len, theirs)) == [1, 3]
    assert sorted(map(len, ours)) == [1, 4]


def test_sub_runs_purge_too(tmp_path: Path) -> None:
    """A sub-run's file begins with the same events here; torch purges the main run only."""
    call = group({"a": 1})
    with_torch(tmp_path / "theirs", call, purge_step=5)
    with_ours(tmp_path / "ours", call, purge_step=5)
    theirs, ours = stored(tmp_path / "theirs"), stored(tmp_path / "ours")
    assert ours["m_a"] == [ours["."][0] + theirs["m_a"][0]]


LIVES: dict[str, Callable[[Any], object]] = {
    "closed twice": lambda w: (w.close(), w.close()),
    "flushed after close": lambda w: (w.close(), w.flush()),
    "flushed often": lambda w: (w.flush(), w.add_scalar("x", 1, 1, T), w.flush(), w.flush()),
    "added to after close": lambda w: (w.add_scalar("x", 1, 1, T), w.close(), w.add_scalar("x", 2, 2, T), w.flush()),
    "added to after close, in a sub-run": lambda w: (
        w.add_scalars("m", {"a": 1}, 1, T),
        w.close(),
        w.add_scalars("m", {"a": 2}, 2, T),
    ),
    "left by an error": lambda w: (w.add_scalar("x", 1, 1, T), w.add_scalar("x", 1 / 0)),
}


@pytest.mark.parametrize("live", LIVES.values(), ids=LIVES.keys())
def test_lives(tmp_path: Path, live: Callable[[Any], object]) -> None:
    """However a writer is closed, flushed and taken up again, the same files come of it."""
    for writer in (TorchWriter, SummaryWriter):
        with suppress(ZeroDivisionError), writer(tmp_path / writer.__module__) as made:
            live(made)
    assert stored(tmp_path / SummaryWriter.__module__) == stored(tmp_path / TorchWriter.__module__)
