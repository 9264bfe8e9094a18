"""Hyperparameters become booleans, numbers and texts that are the same in every run."""

import enum
import math
import types
from argparse import Namespace
from collections import OrderedDict, UserDict, deque
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.plain import MANY, flat, plain
from asynctb.errors import EncodeError
from tests.inputs import TEXTS, holds


class Colour(enum.Enum):
    RED = 3


class Mode(str, enum.Enum):  # noqa: UP042 - the older way, whose own text is "Mode.FAST"
    FAST = "fast"


class Size(enum.IntEnum):
    BIG = 7


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Shouting(str):
    def __str__(self) -> str:
        return self.upper()


class Bare:
    """Has no text but its address."""


class Written:
    def __repr__(self) -> str:
        return "Written(1)"


class Float:
    def __float__(self) -> float:
        return 2.5


class Fails:
    def __repr__(self) -> str:
        raise ArithmeticError("not today")


def schedule(*args: object, **options: object) -> None: ...


PLAIN: dict[str, tuple[Any, Any]] = {
    "none": (None, None),
    "bool": (True, True),
    "numpy bool": (np.bool_(False), False),
    "bool array": (np.array([True]), True),
    "int": (3, 3.0),
    "rounded": (2**62 + 1, float(2**62)),
    "beyond float64": (10**400, "1" + "0" * 400),
    "numpy int": (np.int64(-5), -5.0),
    "numpy float": (np.float32(0.5), 0.5),
    "no dimension": (np.array(0.25), 0.25),
    "one element": (np.array([[7]]), 7.0),
    "masked": (np.ma.masked, "nan"),
    "nan": (math.nan, "nan"),
    "infinity": (math.inf, "inf"),
    "numpy infinity": (np.float32("-inf"), "-inf"),
    "decimal": (Decimal("0.5"), 0.5),
    "fraction": (Fraction(1, 4), 0.25),
    "own float": (Float(), 2.5),
    "text": ("adam", "adam"),
    "number's text": ("0.1", "0.1"),
    "own text": (Shouting("adam"), "adam"),
    "numpy text": (np.str_("adam"), "adam"),
    "text array": (np.array(["adam"]), "adam"),
    "enum": (Colour.RED, "RED"),
    "text enum": (Mode.FAST, "fast"),
    "int enum": (Size.BIG, 7.0),
    "flags": (Access.READ | Access.WRITE, "READ|WRITE"),
    "bytes": (b"a\xff", "a\\xff"),
    "path": (PurePosixPath("data/x"), "data/x"),
    "date": (date(2024, 1, 2), "2024-01-02"),
    "numpy time": (np.datetime64("2024-01-02"), "2024-01-02"),
    "numpy duration": (np.timedelta64(3, "s"), "3 seconds"),
    "complex": (1j, "1j"),
    "numpy complex": (np.complex64(1j), "1j"),
    "class": (Bare, "Bare"),
    "numpy class": (np.float32, "float32"),
    "function": (schedule, "schedule"),
    "builtin": (len, "len"),
    "method": ([].append, "append"),
    "module": (math, "math"),
    "partial": (partial(schedule, 1, lr=0.1), "partial(schedule, 1, lr=0.1)"),
    "list": ([64, 64.0, None, True], "[64, 64.0, None, True]"),
    "one in a list": ([64], "[64]"),
    "empty": ([], "[]"),
    "texts": (["a", "it's"], """['a', "it's"]"""),
    "tuple": ((0.9, 0.999), "(0.9, 0.999)"),
    "nested": ([(1, [2]), {"a": Colour.RED}], "[(1, [2]), {'a': RED}]"),
    "inner things": ([schedule, Size.BIG, np.int64(3), np.float64(0.1), Bare()], "[schedule, 7.0, 3, 0.1, Bare]"),
    "set": ({"b", "a", "c"}, "{'a', 'b', 'c'}"),
    "range": (range(3), "range(0, 3)"),
    "deque": (deque([1, 2]), "[1, 2]"),
    "array": (np.array([1, 2]), "[1, 2]"),
    "empty array": (np.zeros((0, 2)), "[]"),
    "much": (np.zeros((10, 11), np.float32), "float32[10, 11]"),
    "long list": (list(range(MANY + 5)), f"[{', '.join(map(str, range(MANY)))}, ...]"),
    "address": (Bare(), "Bare"),
    "own repr": (Written(), "Written(1)"),
}


@pytest.mark.parametrize(("value", "want"), PLAIN.values(), ids=PLAIN.keys())
def test_each_value(value: Any, want: Any) -> None:
    """Each value is the boolean, number or text that the dashboard shows for it, of just that type."""
    got = plain("x", value)
    assert (got, type(got)) == (want, type(want))


def test_tensors() -> None:
    """A tensor with one element is a number or a boolean, with others a text."""
    torch = pytest.importorskip("torch")
    assert plain("x", torch.tensor(0.5, requires_grad=True)) == 0.5
    assert plain("x", torch.nn.Parameter(torch.ones(1, 1))) == 1.0
    assert plain("x", torch.tensor([1.5], dtype=torch.bfloat16)) == 1.5
    assert plain("x", torch.tensor(True)) is True
    assert plain("x", torch.tensor([1, 2])) == "[1, 2]"
    assert plain("x", torch.zeros(200)) == "torch.float32[200]"
    assert plain("x", torch.float16) == "torch.float16"
    assert plain("x", torch.device("cpu")) == "cpu"
    assert plain("x", torch.Size([2, 3])) == "(2, 3)"
    with pytest.raises(EncodeError):
        plain("x", torch.zeros(1, device="meta"))


@holds()
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**1023), 2**1023) | st.booleans() | TEXTS)
def test_what_is_plain_stays(value: bool | float | str) -> None:
    """Booleans, finite numbers and texts are themselves."""
    got = plain("x", value)
    assert got == (float(value) if type(value) is int else value)
    assert type(got) is (float if type(value) is int else type(value))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(TEXTS, inner),
)


@holds()
@given(ANYTHING)
def test_every_value_has_a_text_or_number(value: Any) -> None:
    """Whatever Python's own types can hold is a boolean, a finite number or a text, and the same each time."""
    got = plain("x", value)
    assert got is None or isinstance(got, (bool, str)) or math.isfinite(got)
    assert got == plain("x", value)
    assert (got is None) == (value is None)


def test_sets_are_in_order() -> None:
    """Equal sets have equal texts, whatever order they hold their items in."""
    assert plain("x", {0, 8, 16}) == plain("x", {16, 8, 0})
    assert plain("x", frozenset([8, 0])) == plain("x", {0, 8})


ITSELF: list[Any] = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize("value", [Fails(), [Fails()], ITSELF, 10**5000], ids=["it", "inside", "itself", "digits"])
def test_no_text(value: Any) -> None:
    """What raises when it is asked for its text is refused by its name."""
    with pytest.raises(EncodeError) as raised:
        plain("lr", value)
    assert (raised.value.tag, raised.value.got) == ("lr", value)
    assert raised.value.wanted.startswith("a hyperparameter")


@pytest.mark.parametrize("value", ["\ud800", [b"ok", PurePosixPath("\udc80")]])
def test_no_unicode(value: Any) -> None:
    """Text that UTF-8 cannot encode is refused."""
    with pytest.raises(EncodeError) as raised:
        plain("lr", value)
    assert (raised.value.tag, raised.value.wanted) == ("lr", "text that UTF-8 can encode")


# Nested names


@dataclass
class Optimiser:
    name: str = "adam"
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass
class Config:
    lr: float = 0.1
    optimiser: Optimiser = field(default_factory=Optimiser)


NESTED: dict[str, tuple[Any, dict[str, Any]]] = {
    "flat": ({"a": 1, "b": None}, {"a": 1, "b": None}),
    "deep": ({"a": {"b": {"c": 1}, "d": 2}}, {"a/b/c": 1, "a/d": 2}),
    "empty": ({}, {}),
    "nothing inside": ({"a": {}}, {}),
    "odd names": ({"": {"": 1}, "a/": 2}, {"/": 1, "a/": 2}),
    "ordered": (OrderedDict(z=1, a=2), {"z": 1, "a": 2}),
    "another mapping": (UserDict({"a": UserDict({"b": 1})}), {"a/b": 1}),
    "read only": (types.MappingProxyType({"a": 1}), {"a": 1}),
    "namespace": (Namespace(a=1, b=Namespace(c=2)), {"a": 1, "b/c": 2}),
    "simple namespace": ({"a": types.SimpleNamespace(b=1)}, {"a/b": 1}),
    "dataclass": (Config(), {"lr": 0.1, "optimiser/name": "adam", "optimiser/betas": (0.9, 0.999)}),
    "a dataclass itself": ({"a": Config}, {"a": Config}),
}


@pytest.mark.parametrize(("values", "want"), NESTED.values(), ids=NESTED.keys())
def test_names_are_joined(values: Any, want: dict[str, Any]) -> None:
    """What is nested gets its names joined by `/`, in order."""
    assert list(flat("hparams", values).items()) == list(want.items())


LOOP: dict[str, Any] = {}
LOOP["a"] = LOOP
MAPPING = "a mapping from names to values"


class Missing(UserDict[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)


@pytest.mark.parametrize(
    ("values", "tag", "wanted"),
    [
        (None, "hparams", MAPPING),
        ([("a", 1)], "hparams", MAPPING),
        (Config, "hparams", MAPPING),
        (LOOP, "hparams", MAPPING),
        (Missing({"a": 1}), "hparams", MAPPING),
        ({3: 1}, "hparams", "names that are text"),
        ({"a": {None: 1}}, "hparams", "names that are text"),
        ({"a/b": 1, "a": {"b": 2}}, "hparams", "one value of the name 'a/b'"),
        ({"\ud800": 1}, "\ud800", "a tag that UTF-8 can encode"),
    ],
    ids=["none", "pairs", "class", "loop", "missing", "number", "inner", "twice", "surrogate"],
)
def test_no_names(values: Any, tag: str, wanted: str) -> None:
    """What has no names, none of text, or one of them twice, is refused."""
    with pytest.raises(EncodeError) as raised:
        flat("hparams", values)
    assert (raised.value.tag, raised.value.wanted) == (tag, wanted)
