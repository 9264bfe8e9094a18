"""Every number's text is the number again, to the bit."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from asynctb.encode import decimals
from asynctb.encode.decimals import tsv
from tests.inputs import holds

FINITE = {"allow_nan": False, "allow_infinity": False}
KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", ">f4", ">i8"]


def parsed(pieces: list[bytes]) -> list[list[float]]:
    """Read the text as TensorBoard does."""
    return [list(map(float, line.split("\t"))) for line in b"".join(pieces).decode().splitlines()]


def assert_same(matrix: npt.NDArray[np.generic]) -> None:
    got = np.array(parsed(tsv(matrix)), np.float64)
    assert got.shape == matrix.shape
    # As float32 for those of a float32: what parses the text rounds twice.
    kind = matrix.dtype.newbyteorder("=") if matrix.dtype.kind == "f" else np.dtype(np.float64)
    assert got.astype(kind).tobytes() == matrix.astype(kind).tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_all_types_come_back(kind: str) -> None:
    """A matrix of any type, its limits and zeros included, is read back as the numbers that float64 has for it."""

    @holds(150)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        elements = FINITE if "f" in kind else {}
        shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=12)
        assert_same(data.draw(arrays.arrays(np.dtype(kind), shapes, elements=elements or None)))

    check()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_all_sizes_come_back(kind: type[np.floating]) -> None:
    """Bits at random are read back as they were: subnormal numbers, the largest, and all between."""
    width = np.dtype(kind).itemsize
    words = np.random.default_rng(0).integers(0, 1 << 8 * width, 400_000, f"u{width}", endpoint=False)
    values = words.view(kind)
    assert_same(values[np.isfinite(values)][:, None])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_powers_of_ten_and_their_neighbours_come_back(kind: type[np.floating]) -> None:
    """Where the number of digits changes, and a logarithm is easily wrong, no digit is lost."""
    limits = np.finfo(kind)
    powers = range(int(np.log10(float(limits.tiny))) - 1, int(np.log10(float(limits.max))) + 1)
    tens = np.array([float(f"1e{power}") for power in powers], kind)
    near = [tens, np.nextafter(tens, kind(0)), np.nextafter(tens, kind(np.inf)), [limits.max, limits.tiny]]
    assert_same(np.concatenate([*near, *(-each for each in map(np.asarray, near))]).astype(kind)[:, None])


def test_a_float32_that_its_shortest_digits_would_miss() -> None:
    """7.038531e-26, read as a float64 and rounded to a float32, is its neighbour; the text has digits enough."""
    value = np.array([[0x15AE43FD]], np.uint32).view(np.float32)
    assert np.float32(float(str(value[0, 0]))) != value[0, 0]
    assert_same(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (0.5, "5e-1"),
        (100.0, "1e2"),
        (123456.0, "1.23456e5"),
        (1e-3, "1e-3"),
        (5e-324, "5e-324"),
        (-1.5e300, "-1.5e+300"),
        (0.1, "1.0000000000000001e-1"),
    ],
)
def test_text_has_no_more_than_it_needs(value: float, text: str) -> None:
    """Trailing zeros, an empty exponent and a point without digits stay out."""
    assert b"".join(tsv(np.array([[value, value], [value, value]]))).decode() == f"{text}\t{text}\n{text}\t{text}\n"


@holds(50)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 100))
def test_pieces_make_one_text(rows: int, columns: int, size: int) -> None:
    """Wherever it is cut into pieces, the text is the same."""
    matrix = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns) / 3
    whole = b"".join(tsv(matrix))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decimals, "SLICE", size)
        assert b"".join(tsv(matrix)) == whole


def test_any_layout_is_read_row_by_row() -> None:
    """A matrix in Fortran's order, or with strides, gives its rows."""
    matrix = np.arange(24, dtype=np.float32).reshape(4, 6)
    for view in (np.asfortranarray(matrix), matrix[::2, ::-1], matrix.T):
        assert parsed(tsv(view)) == view.tolist()
