"""Every module comes back in its own mode, whatever `train` does and however it ends."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.graph.evaluating import evaluating


class Module:
    """A module with torch's `train` and `modules`."""

    def __init__(self, training: bool = True, *children: "Module") -> None:
        self.training = training
        self.children = children

    def modules(self) -> "Iterator[Module]":
        yield self
        for child in self.children:
            yield from child.modules()

    def train(self, mode: bool = True) -> None:
        self.training = mode
        for child in self.children:
            child.train(mode)


class Frozen(Module):
    """Stays in evaluation, as frozen normalisation does."""

    def train(self, mode: bool = True) -> None:
        super().train(False)


class Broken(Module):
    """Cannot go back into training."""

    def train(self, mode: bool = True) -> None:
        if mode:
            raise RuntimeError("no")
        super().train(mode)


class Adapter(Module):
    """Adds its weight to another's for evaluation, and takes it off for training."""

    merged = False

    def train(self, mode: bool = True) -> None:
        super().train(mode)
        self.merged = not mode


KINDS = st.sampled_from([Module, Frozen, Broken])


def module(kind: type[Module], training: bool, children: "list[Module]") -> Module:
    return kind(training, *children)


def branches(inner: st.SearchStrategy[Module]) -> st.SearchStrategy[Module]:
    return st.builds(module, KINDS, st.booleans(), st.lists(inner, max_size=3))


trees = st.recursive(st.builds(module, KINDS, st.booleans(), st.just([])), branches, max_leaves=8)


@given(trees, st.booleans())
def test_modes_come_back(model: Module, fails: bool) -> None:
    """All are in evaluation inside; afterwards each is as before, also when what is inside fails."""
    before = [module.training for module in model.modules()]
    with pytest.raises(KeyError) if fails else nullcontext(), evaluating(model):
        assert not any(module.training for module in model.modules())
        if fails:
            raise KeyError
    assert [module.training for module in model.modules()] == before


def test_train_is_what_puts_them_back() -> None:
    """A module that does more in `train` than to set a flag has done it in both directions."""
    adapter = Adapter()
    with evaluating(Module(True, adapter)):
        assert adapter.merged
    assert not adapter.merged


def test_what_has_no_mode() -> None:
    """What is no module is left alone."""
    value: Any = object()
    with evaluating(value):
        pass
