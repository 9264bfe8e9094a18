"""Names are unique, and such as TensorBoard's page can take."""

from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.graph.scopes import Names


@given(st.lists(st.text("ab_1/:^", max_size=6)))
def test_names_are_unique(wanted: list[str]) -> None:
    """However alike the names that are wanted, no two are the same, and none has an empty box, or a colon in it."""
    unique = Names().unique
    found = [unique(name) for name in wanted]
    assert len(set(found)) == len(wanted)
    for name in found:
        assert all(name.split("/"))
        assert ":" not in name
        assert not name.startswith("^")


@given(st.lists(st.text("ab/", min_size=1).filter(lambda name: all(name.split("/"))), unique=True))
def test_names_stay(wanted: list[str]) -> None:
    """What is different and harmless stays as it is."""
    unique = Names().unique
    assert [unique(name) for name in wanted] == wanted
