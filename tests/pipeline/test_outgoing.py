"""What goes out keeps its order and its counts, whatever strikes."""

from collections.abc import Iterator
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.entry import OVERHEAD, Draft
from asynctb.eventbatch import POINT
from asynctb.pipeline import outgoing
from asynctb.pipeline.batch import Item
from asynctb.pipeline.outgoing import ROW, Outgoing
from asynctb.pipeline.places import Place
from asynctb.pipeline.steps import Curves, Series
from tests.inputs import holds

ITEM: Item = ("", b"x", 1, 1.0, 1 + OVERHEAD, "add_text")


def a_place(kind: type[Place] = Place) -> Item:
    return "", kind(Draft((), 1, lambda: lambda: b"x", ""), lambda place: None), 1, 1.0, 1, "add_image"


@pytest.fixture
def curves() -> Curves:
    """Return a writer's curves, of which the first is "a"."""
    return learnt()


def learnt() -> Curves:
    curves = Curves({"a": Series("a", -1, "scalars")})
    curves.learn("a", str.encode, "scalars")
    return curves


def test_ctrl_c_while_it_is_looked_at(curves: Curves) -> None:
    """Ctrl-C that ends a look at the first entry, and is still being handled, lets more entries come."""

    class Struck(Place):
        @property
        def untaken(self) -> bool:
            raise KeyboardInterrupt

    out = Outgoing(curves)
    out.add_place(a_place(Struck))
    with pytest.raises(KeyboardInterrupt) as struck:
        out.stalled()
    out.add(ITEM)
    assert (len(out), struck.type) == (2, KeyboardInterrupt)


def test_ctrl_c_before_a_place_comes(curves: Curves, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that Ctrl-C has kept from coming makes later entries go out no slower: their rows stay as they are."""

    def struck(self: Outgoing, item: Item) -> None:
        raise KeyboardInterrupt

    out = Outgoing(curves)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Outgoing, "add", struck)
        out.add_place(a_place())
    for rows in (0, 1):  # the first time it may be looked at one by one
        out.add(ITEM)
        assert len(out.take(1).rows) == rows * ROW


def test_a_place_that_was_given_up_is_one_thing_or_the_other(curves: Curves) -> None:
    """An encoder that ends just as its place goes out has filled it or not, in what is stored and in the counts."""
    payloads = iter([b"", b"payload"])

    class Late(Place):
        @property
        def what(self) -> bytes:  # type: ignore[override]
            return next(payloads)

        @what.setter
        def what(self, _: bytes) -> None: ...

    out = Outgoing(curves)
    item = a_place(Late)
    out.add_place(item)
    assert isinstance(item[1], Place)
    item[1].done = True
    taken = out.take(OVERHEAD)
    assert ([each[1] for each in taken.filled], taken.withdrawn) == ([b""], 1)


def test_nothing_stays_of_what_has_gone(curves: Curves, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more has always come before the last has gone, no memory is held for what is long written."""
    monkeypatch.setattr(outgoing, "AT_ONCE", 10)
    out = Outgoing(curves)
    out.add_place(a_place())
    for _ in range(100):
        for _ in range(10):
            out.add(ITEM)
        out.take(len(out) * ITEM[4])
        out.head.clear()  # as if all of it had been written
    assert len(out) == len(out._items.each) == 1


def test_many_numbers_go_out_as_they_are(curves: Curves, monkeypatch: pytest.MonkeyPatch) -> None:
    """More numbers than a batch may hold go out in pieces, in order, without a look at each while the lock is held."""

    def looked_at(*args: Any) -> Iterator[Item]:
        raise AssertionError("each is looked at")

    monkeypatch.setattr(outgoing, "_unpacked", looked_at)
    monkeypatch.setattr(outgoing, "BATCH_BYTES", 1000)
    cost, steps = curves["a"].cost, range(40)
    out = Outgoing(curves)
    out.rows += b"".join(POINT.pack(1.0, step, 1.0, 0) for step in steps)
    found: list[int] = []
    while len(out):
        taken = out.take(len(out) * cost)
        assert 1 <= taken.entries <= 1000 // cost
        found += [step for _, step, _, _ in POINT.iter_unpack(taken.rows)]
    assert found == list(steps)


@holds(150)
@given(st.lists(st.sampled_from(["number", "item", "place", "fill", "take"]), max_size=120))
def test_any_mixture_goes_out_in_order(acts: list[str]) -> None:
    """Numbers, other entries and places come out in the order in which they came, once, and leave nothing behind."""
    known = learnt()
    out, places, steps, size = Outgoing(known), list[Place](), count(), 0
    found: list[int | None] = []

    def take() -> None:
        nonlocal size
        taken = out.take(size)
        items = taken.each()
        assert taken.entries == len(items)
        size -= sum(item[4] for item in items)
        found.extend(item[2] for item in items)

    with patch.object(outgoing, "BATCH_BYTES", 1000):
        for act in [*acts, *["fill"] * len(acts), *["take"] * len(acts)]:
            if act == "number":
                out.rows += POINT.pack(1.0, next(steps), 1.0, 0)
                size += known["a"].cost
            elif act == "item":
                out.add((*ITEM[:2], next(steps), *ITEM[3:]))
                size += ITEM[4]
            elif act == "place":
                item = a_place()
                places.append(item[1])  # type: ignore[arg-type]
                out.add_place((*item[:2], next(steps), *item[3:]))
                size += places[-1].cost
            elif act == "fill" and places:
                place = places.pop()
                place.what = b"x"
                size += out.fill(place)
            elif act == "take":
                take()
    assert found == list(range(next(steps)))
    assert (len(out), size, out._items.each, out._places) == (0, 0, [], 0)
