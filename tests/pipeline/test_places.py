"""A heavy entry's place is filled once, whatever happens to its value meanwhile."""

import gc
import weakref
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.entry import Draft, wire_size
from asynctb.errors import EncodeError
from asynctb.pipeline.places import Claims, Place
from tests.inputs import holds

PAYLOAD = b"payload"
BAD = EncodeError("tag", "an image", None)


class Made:
    """A place, and what it has done."""

    def __init__(self, encode: Callable[[], bytes] | Exception = lambda: PAYLOAD) -> None:
        self.calls: list[str] = []
        self.finished: list[Place] = []
        self._encode = encode
        self.draft = Draft(("tag",), 1000, self.take, "images")
        self.place = Place(self.draft, self.finish)

    def finish(self, place: Place) -> None:
        """Do what the backlog does: mark the place, and count it."""
        place.done = True
        self.finished.append(place)

    def take(self) -> Callable[[], bytes]:
        self.calls.append("take")
        if isinstance(self._encode, Exception):
            raise self._encode
        encode = self._encode

        def call() -> bytes:
            self.calls.append("encode")
            return encode()

        return call


def fail() -> bytes:
    raise RuntimeError("out of memory")


def test_a_place_is_taken_then_encoded() -> None:
    """A place's value is taken first and encoded later, and then the place is filled and told so."""
    made = Made()
    place = made.place
    assert (place.done, place.what, made.finished) == (False, b"", [])
    place.take()
    assert (place.done, made.calls) == (False, ["take"])
    place.encode()
    assert (place.done, place.what, place.error) == (True, PAYLOAD, None)
    assert (made.calls, made.finished) == (["take", "encode"], [place])


def test_a_place_weighs_what_its_draft_does() -> None:
    """While it waits a place holds as many bytes of the bound as its draft declared, and has as many to copy."""
    made = Made()
    assert (made.place.cost, made.place.size) == (wire_size(made.draft), made.draft.size)
    made.place.take()
    assert made.place.size == 0


def test_a_bad_value_is_the_callers_error_and_an_empty_place() -> None:
    """A value that cannot be taken raises to its caller, and leaves its place empty, so that nothing waits for it."""
    made = Made(BAD)
    with pytest.raises(EncodeError) as caught:
        made.place.take()
    assert caught.value is BAD
    assert (made.place.done, made.place.what, made.place.error) == (True, b"", None)
    assert made.finished == [made.place]


def test_an_encoder_that_fails_fills_its_place_with_the_error() -> None:
    """An encoder that fails after the add has returned leaves its error in the place, and raises to nobody."""
    made = Made(fail)
    made.place.take()
    made.place.encode()
    assert (made.place.done, made.place.what) == (True, b"")
    assert isinstance(made.place.error, RuntimeError)
    assert made.finished == [made.place]


def test_an_encoder_that_ends_its_thread_leaves_its_place_empty() -> None:
    """What is no failure but an end, such as SystemExit, holds up nothing behind the place for ever."""

    def leave() -> bytes:
        raise SystemExit

    made = Made(leave)
    made.place.take()
    with pytest.raises(SystemExit):
        made.place.encode()
    assert (made.place.done, made.place.what, made.place.error) == (True, b"", None)
    assert made.finished == [made.place]


def test_what_is_given_up_is_not_encoded() -> None:
    """A place that was given up is empty, before its value is taken or after, and its encoder does not run."""
    for steps in ([], [Place.take]):
        made = Made()
        for step in steps:
            step(made.place)
        made.place.give_up()
        made.place.encode()
        assert (made.place.done, made.place.what, made.place.error) == (True, b"", None)
        assert made.finished == [made.place]
        assert "encode" not in made.calls


def test_what_is_given_up_is_not_taken() -> None:
    """A place that was given up does not touch the value any more."""
    made = Made()
    made.place.give_up()
    made.place.take()
    assert made.calls == []


def test_a_filled_place_stays_filled() -> None:
    """An add cancelled after its value was encoded takes nothing back."""
    made = Made()
    made.place.take()
    made.place.encode()
    made.place.give_up()
    assert (made.place.what, made.finished) == (PAYLOAD, [made.place])


def test_given_up_while_it_is_encoded() -> None:
    """A place that is given up while its encoder runs is finished once, not once by each."""
    made = Made()
    holder: list[Made] = []

    def encode() -> bytes:
        holder[0].place.give_up()
        return PAYLOAD

    made = Made(encode)
    holder.append(made)
    made.place.take()
    made.place.encode()
    assert made.place.done
    assert made.finished == [made.place]


@holds(200)
@given(
    st.lists(st.sampled_from([Place.take, Place.encode, Place.give_up]), max_size=8),
    st.sampled_from([lambda: PAYLOAD, fail, BAD]),
)
def test_any_order_finishes_once(steps: list[Callable[[Place], None]], encode: Callable[[], bytes] | Exception) -> None:
    """In whatever order it is handled, a place takes once, encodes once, and is finished at most once, for good."""
    made = Made(encode)
    for step in steps:
        done, what = made.place.done, made.place.what
        try:
            step(made.place)
        except EncodeError:
            assert encode is BAD
        assert made.place.done >= done
        assert not done or made.place.what == what
    assert made.calls.count("take") <= 1
    assert made.calls.count("encode") <= 1
    assert made.finished == [made.place] * made.place.done
    assert made.place.done or Place.give_up not in steps


def test_claims_tell_orphans() -> None:
    """When an add ends between accepting and taking, its places are orphaned, and those already taken are not."""
    claims = Claims()
    taken, untaken = (Place(Made().draft, lambda place: None, claims) for _ in range(2))
    claims += [taken, untaken]
    taken.take()
    assert (taken.orphaned, untaken.orphaned) == (False, False)
    del claims
    gc.collect()
    assert (taken.orphaned, untaken.orphaned) == (False, True)


def test_a_filled_place_keeps_no_value_alive() -> None:
    """Once it is filled, or given up, a place holds its payload only: a batch of places must not hold all images."""

    class Image:
        """A large value."""

    for end in (Place.encode, Place.give_up):
        image = Image()
        gone = weakref.ref(image)

        def take(image: Image = image) -> Callable[[], bytes]:
            return lambda: PAYLOAD if image else b""

        place = Place(Draft(("tag",), 1, take, "images"), lambda place: setattr(place, "done", True))
        place.take()
        end(place)
        del image, take
        gc.collect()
        assert gone() is None
