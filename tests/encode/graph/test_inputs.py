"""What a model is called with, taken apart and put together again. What detaches counts as a tensor here."""

from collections import OrderedDict, UserDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb import EncodeError
from asynctb.encode.graph.inputs import Inputs, call_of, inputs_of, tensors_in


class Tensor:
    def detach(self) -> None: ...


class Model:
    def forward(self, x: Any, y: Any = None, *, flag: Any = None) -> None: ...


class AnyKeywords:
    def forward(self, **keywords: Any) -> None: ...


class Pair(NamedTuple):
    left: Any
    right: Any


T = Tensor()
parts = st.recursive(
    st.builds(Tensor) | st.none() | st.integers() | st.text(max_size=2),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.builds(Pair, inner, inner),
        st.dictionaries(st.text(max_size=2), inner, max_size=3),
        st.dictionaries(st.text(max_size=2), inner, max_size=2).map(OrderedDict),
        st.dictionaries(st.text(max_size=2), inner, max_size=2).map(UserDict),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (T, Inputs((T,))),
        ((T, 1), Inputs((T, 1))),
        ([T, None], Inputs((T, None))),
        ([], Inputs()),
        (iter([T]), Inputs((T,))),
        ({"x": T}, Inputs(kwargs={"x": T})),
        ({"x": T, "flag": 1}, Inputs(kwargs={"x": T, "flag": 1})),
        ({"x": T, "other": T}, Inputs(({"x": T, "other": T},))),
        ({"y": T}, Inputs(({"y": T},))),  # x is wanted
        ({0: T}, Inputs(({0: T},))),
    ],
)
def test_inputs(given: Any, wanted: Inputs) -> None:
    """A tensor is one argument, a tuple or list are several; a mapping is keywords where `forward` takes them."""
    assert inputs_of("t", Model(), given) == wanted


def test_any_keywords() -> None:
    """A `forward` that takes all keywords gets them."""
    assert inputs_of("t", AnyKeywords(), {"a": T}) == Inputs(kwargs={"a": T})


@pytest.mark.parametrize("bad", [5, "words", b"bytes", object()])
def test_no_inputs(bad: Any) -> None:
    """What is no tensor and no collection is refused."""
    with pytest.raises(EncodeError) as raised:
        inputs_of("t", Model(), bad)
    assert (raised.value.tag, raised.value.got) == ("t", bad)


def count(value: Any) -> int:
    if isinstance(value, (Mapping, UserDict)):
        return sum(map(count, value.values()))
    return sum(map(count, value)) if isinstance(value, (list, tuple)) else isinstance(value, Tensor)


@given(st.lists(parts, max_size=4).map(tuple), parts)
def test_tensors_are_exchanged(args: tuple[Any, ...], keyword: Any) -> None:
    """Each tensor has a label; with the same ones in their places the call is the same, with others it has those."""
    inputs = Inputs(args, {"flag": keyword})
    call = call_of(Model(), inputs)
    assert len(call.labels) == len(call.tensors) == count(args) + count(keyword)
    assert call.with_tensors(call.tensors) == inputs
    others = [Tensor() for _ in call.tensors]
    exchanged = call.with_tensors(others)
    assert call_of(Model(), exchanged).tensors == tuple(others)
    assert call_of(Model(), exchanged).labels == call.labels
    assert call.with_tensors(call.tensors) == inputs  # nothing of the user's was changed


def test_labels() -> None:
    """A label says where its tensor stands: argument, key, number."""
    call = call_of(Model(), Inputs(({"a": [T, 1, T]}, T, T), {"flag": Pair(1, T)}))
    assert call.labels == ["x_a_0", "x_a_2", "y", "2", "flag_1"]


@dataclass
class Result:
    loss: Any
    more: Any


@given(parts, parts)
def test_tensors_of_results(one: Any, two: Any) -> None:
    """All tensors of a result are found, in data classes too; a class itself is none."""
    assert len(list(tensors_in(Result(one, {"a": two, "b": Result})))) == count(one) + count(two)
