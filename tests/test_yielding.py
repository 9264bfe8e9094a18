"""Work that gives way is otherwise what it would be."""

from asynctb.yielding import GivingWay, give_way


def test_there_is_always_a_way_to_give() -> None:
    """Where nobody waits, it returns at once."""
    give_way()


def test_a_file_that_gives_way_is_a_file() -> None:
    """It has what was written to it, in order, large blocks and small."""
    file = GivingWay()
    blocks = [b"a", b"b" * 5000, b"c" * 70000]
    assert [file.write(block) for block in blocks] == [1, 5000, 70000]
    assert file.getvalue() == b"".join(blocks)
