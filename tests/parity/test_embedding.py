"""The same `add_embedding` to torch's SummaryWriter and to ours leaves the same files, but for the differences here."""

import tempfile
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from asynctb import EncodeError, SummaryWriter
from asynctb.proto.projector_pb2 import ProjectorConfig
from tests.inputs import holds
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)

torch = module("torch")
TorchWriter = module("torch.utils.tensorboard").SummaryWriter

Calls = Callable[[Any], object]
CONFIG = "projector_config.pbtxt"
MAT = np.array([[0.1, -2.5, 1e-9], [3.0, 1e30, 0.0]], np.float32)
FINITE = {"allow_nan": False, "allow_infinity": False}


def stored(log_dir: Path) -> dict[str, Any]:
    """What the files say, each read as TensorBoard reads it."""
    read: dict[str, Callable[[Path], Any]] = {
        ".tsv": lines,
        ".png": pixels,
        ".pbtxt": lambda path: text_format.Parse(path.read_text(), ProjectorConfig()),
    }
    paths = (path for path in log_dir.rglob("*") if path.is_file() and "tfevents" not in path.name)
    return {path.relative_to(log_dir).as_posix(): read[path.suffix](path) for path in paths}


def lines(path: Path) -> list[list[Any]]:
    convert = float if path.name == "tensors.tsv" else str
    return [[convert(cell) for cell in line.split("\t")] for line in path.read_text("utf-8").splitlines()]


def pixels(path: Path) -> list[Any]:
    with Image.open(path) as image:
        colours: list[Any] = np.asarray(image.convert("RGB")).tolist()
    return colours


def of(writer: Any, calls: Calls) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of numpy
        with writer(folder) as made:
            calls(made)
        return stored(Path(folder))


def both(calls: Calls) -> dict[str, Any]:
    """Assert that torch and we leave the same files, and return them."""
    theirs, ours = of(TorchWriter, calls), of(SummaryWriter, calls)
    assert sorted(ours) == sorted(theirs)
    for path, content in theirs.items():
        mine = ours[path]
        if path.endswith("tensors.tsv"):  # TensorBoard has no use for more
            mine, content = (np.array(each, np.float32).tolist() for each in (mine, content))
        assert mine == content, path
    return ours


# The same


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "i4", "i8", "u1"])
def test_matrices(kind: str) -> None:
    """Numbers of any type are read back as the same float64, and as the same float32."""
    single = np.dtype(kind).kind == "f" and np.dtype(kind).itemsize < 8

    @holds(30)
    @given(st.data())
    def check(data: st.DataObject) -> None:
        limits: dict[str, Any] = {"allow_nan": False, "min_value": -(2.0**15), "max_value": 2.0**15}
        elements = st.floats(width=8 * np.dtype(kind).itemsize, **limits) if kind[0] == "f" else None  # type: ignore[arg-type]
        shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=6)
        mat = data.draw(arrays.arrays(np.dtype(kind), shapes, elements=elements))
        for value in (mat, torch.from_numpy(mat.copy())):
            path = "00000/default/tensors.tsv"
            theirs, ours = (of(each, lambda w: w.add_embedding(value)) for each in (TorchWriter, SummaryWriter))  # noqa: B023
            assert theirs[CONFIG] == ours[CONFIG]
            rounded = np.float32 if single else np.float64
            assert np.array(theirs[path]).astype(rounded).tobytes() == np.array(ours[path]).astype(rounded).tobytes()

    check()


PLAIN = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)


@holds(30)
@given(st.lists(PLAIN | st.integers() | st.floats() | st.none() | st.booleans(), min_size=1, max_size=6))
def test_labels(labels: list[Any]) -> None:
    """Labels of a line each are the same text."""
    both(lambda w: w.add_embedding(np.ones((len(labels), 2)), labels))


@holds(30)
@given(st.data(), st.integers(2, 4))
def test_columns(data: st.DataObject, columns: int) -> None:
    """Rows of cells are the same text, and the same header is above them."""
    row = st.lists(PLAIN | st.integers(), min_size=columns, max_size=columns)
    header, rows = data.draw(row), data.draw(st.lists(row, min_size=1, max_size=5))
    both(lambda w: w.add_embedding(np.ones((len(rows), 2)), rows, metadata_header=header))


@holds(30)
@given(st.integers(1, 12), st.sampled_from([1, 3]), st.integers(1, 6), st.sampled_from(["f2", "f4", "f8"]), st.data())
def test_images(count: int, channels: int, side: int, kind: str, data: st.DataObject) -> None:
    """Square images make the same sprite, to the pixel, black padding included."""
    width = 8 * np.dtype(kind).itemsize
    elements = st.floats(-0.5, 1.5, width=width) | st.integers(0, 255).map(lambda n: np.dtype(kind).type(n / 255))  # type: ignore[arg-type]
    images = data.draw(arrays.arrays(np.dtype(kind), (count, channels, side, side), elements=elements))
    both(lambda w: w.add_embedding(np.ones((count, 2)), label_img=torch.from_numpy(images)))


def test_images_that_are_not_numbers() -> None:
    """NaN and infinities in images are the same pixels."""
    images = torch.tensor([0.0, np.nan, np.inf, -np.inf]).reshape(1, 1, 2, 2)
    both(lambda w: w.add_embedding(np.ones((1, 2)), label_img=images))


@pytest.mark.parametrize("step", [None, 0, 7, 99999, 123456, -5, -123456, 1 << 70 >> 8])
@pytest.mark.parametrize("tag", ["default", "", "a/b", "a\\b%2f", "\u00e9 \u6f22", "..."])
def test_names(tag: str, step: int | None) -> None:
    """Steps and tags give the same paths and names."""
    both(lambda w: w.add_embedding(MAT, ["a", "b"], torch.ones(2, 1, 2, 2), step, tag))


def test_several() -> None:
    """Several embeddings of one writer are the same configuration, to the byte."""

    def calls(writer: Any) -> None:
        writer.add_embedding(MAT)
        writer.add_embedding(MAT, ["a", "b"], tag="labels")
        writer.add_embedding(MAT, label_img=torch.ones(2, 3, 4, 4), tag="im\u00e0ges", global_step=3)
        texts.append((Path(writer.log_dir) / CONFIG).read_bytes() if writer.flush() is None else b"")

    texts: list[bytes] = []
    both(calls)
    assert texts[0] == texts[1] != b""


# The differences


def ours(calls: Calls) -> dict[str, Any]:
    return of(SummaryWriter, calls)


def theirs(calls: Calls) -> dict[str, Any]:
    return of(TorchWriter, calls)


def test_a_resumed_run_keeps_its_embeddings(tmp_path: Path) -> None:
    """torch's second writer overwrites the configuration; ours adds to it, and to torch's."""
    found = {}
    for writer in (TorchWriter, SummaryWriter):
        for tag in ("first", "second"):
            with writer(tmp_path / writer.__module__) as made:
                made.add_embedding(MAT, tag=tag)
        config = stored(tmp_path / writer.__module__)[CONFIG]
        found[writer] = [info.tensor_name for info in config.embeddings]
    assert found == {TorchWriter: ["second:00000"], SummaryWriter: ["first:00000", "second:00000"]}


def test_the_same_name_again() -> None:
    """torch lists an embedding of the same tag and step twice; ours takes the first one's place."""

    def calls(writer: Any) -> None:
        for tag in ("a", "b", "a"):
            writer.add_embedding(MAT, tag=tag)

    assert [info.tensor_name for info in theirs(calls)[CONFIG].embeddings] == ["a:00000", "b:00000", "a:00000"]
    assert [info.tensor_name for info in ours(calls)[CONFIG].embeddings] == ["a:00000", "b:00000"]


def refused(calls: Calls) -> EncodeError:
    with pytest.raises(EncodeError) as raised:
        ours(calls)
    return raised.value


def test_images_in_numpy() -> None:
    """torch takes no images in numpy."""
    images = np.ones((2, 3, 4, 4), np.float32)
    with pytest.raises(TypeError):
        theirs(lambda w: w.add_embedding(MAT, label_img=images))
    assert ours(lambda w: w.add_embedding(MAT, label_img=images)) == ours(
        lambda w: w.add_embedding(MAT, label_img=torch.from_numpy(images))
    )


def test_images_in_bytes() -> None:
    """torch multiplies bytes by 255, so that all but black becomes white."""
    images = torch.tensor([0, 1, 128, 255], dtype=torch.uint8).reshape(1, 1, 2, 2)

    def calls(writer: Any) -> None:
        writer.add_embedding(MAT[:1], label_img=images)

    path = "00000/default/sprite.png"
    assert np.array(theirs(calls)[path])[:, :, 0].ravel().tolist() == [0, 255, 255, 255]
    assert np.array(ours(calls)[path])[:, :, 0].ravel().tolist() == [0, 1, 128, 255]


def test_images_that_are_not_square() -> None:
    """torch pads a sprite of wide images to a square of pixels, where TensorBoard finds others; tall ones fail."""
    path = "00000/default/sprite.png"
    wide, tall = torch.ones(4, 3, 4, 8), torch.ones(4, 3, 8, 4)
    mat = np.ones((4, 2))
    assert np.shape(theirs(lambda w: w.add_embedding(mat, label_img=wide))[path]) == (16, 16, 3)
    assert np.shape(ours(lambda w: w.add_embedding(mat, label_img=wide))[path]) == (8, 16, 3)
    with pytest.raises(ValueError, match="broadcast"):
        theirs(lambda w: w.add_embedding(mat, label_img=tall))
    assert np.shape(ours(lambda w: w.add_embedding(mat, label_img=tall))[path]) == (16, 8, 3)


def metadata(*args: Any) -> tuple[list[list[str]], list[list[str]]]:
    path = "00000/default/metadata.tsv"

    def calls(writer: Any) -> None:
        writer.add_embedding(np.ones((2, 2)), args[0], metadata_header=args[1] if args[1:] else None)

    return theirs(calls)[path], ours(calls)[path]


@pytest.mark.parametrize(
    ("args", "torchs", "mended"),
    [
        ((["a\tb", "c"],), [["a", "b"], ["c"]], [["a b"], ["c"]]),
        ((["a\nb", "c"],), [["a"], ["b"], ["c"]], [["a b"], ["c"]]),
        ((["", "c"],), [[""], ["c"]], [["\u200b"], ["c"]]),
        ((torch.tensor([3, 4]),), [["tensor(3)"], ["tensor(4)"]], [["3"], ["4"]]),
        (([["a"], ["b"]], ["name"]), [["name"], ["a"], ["b"]], [["a"], ["b"]]),
    ],
)
def test_labels_that_torch_breaks(args: Any, torchs: object, mended: object) -> None:
    """What would be another number of lines, or a blank one, for TensorBoard is mended; tensors show their number."""
    assert metadata(*args) == (torchs, mended)


def test_rows_of_other_kinds() -> None:
    """torch takes rows in lists only, and looks at the first one's length only."""
    mat = np.ones((2, 2))
    rows = [["a", "b"], ["c", "d"]]
    want = ours(lambda w: w.add_embedding(mat, rows, metadata_header=["x", "y"]))
    for others in (tuple(map(tuple, rows)), np.array(rows)):
        assert ours(lambda w: w.add_embedding(mat, others, metadata_header=("x", "y"))) == want  # noqa: B023
    with pytest.raises(TypeError):
        theirs(lambda w: w.add_embedding(mat, tuple(rows), metadata_header=["x", "y"]))
    uneven = [["a", "b"], ["c"]]
    assert theirs(lambda w: w.add_embedding(mat, uneven, metadata_header=["x", "y"]))
    assert refused(lambda w: w.add_embedding(mat, uneven, metadata_header=["x", "y"])).got == ["c"]


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e39])
def test_numbers_that_are_not_shown(number: float) -> None:
    """torch stores what the Projector cannot show."""
    assert theirs(lambda w: w.add_embedding(np.array([[1.0, number]])))
    assert refused(lambda w: w.add_embedding(np.array([[1.0, number]]))).wanted.startswith("finite numbers")


def test_truth_values() -> None:
    """torch writes words, over which TensorBoard stumbles."""
    mat = np.array([[True, False]])
    with pytest.raises(ValueError, match="True"):
        theirs(lambda w: w.add_embedding(mat))
    assert ours(lambda w: w.add_embedding(mat))["00000/default/tensors.tsv"] == [[1.0, 0.0]]


def nothing(mat: npt.NDArray[Any]) -> Calls:
    return lambda w: w.add_embedding(mat)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_no_points(shape: tuple[int, ...]) -> None:
    """torch names a file that is missing or has no numbers in it, over which TensorBoard stumbles."""
    with tempfile.TemporaryDirectory() as folder:
        with TorchWriter(folder) as writer:
            nothing(np.zeros(shape))(writer)
        assert "00000/default/tensors.tsv" in (Path(folder) / CONFIG).read_text()
        path = Path(folder) / "00000/default/tensors.tsv"
        assert not path.exists() or not path.read_text().strip()
    assert refused(nothing(np.zeros(shape)))


def test_paths_elsewhere(tmp_path: Path) -> None:
    """torch writes where a step leads, and the tags `.` and `..`; ours are refused."""
    with TorchWriter(tmp_path / "logs") as writer:
        writer.add_embedding(MAT, global_step="../../elsewhere")
        writer.add_embedding(MAT, tag="..")
    assert (tmp_path.parent / "elsewhere").exists() or (tmp_path / "elsewhere").exists()
    assert (tmp_path / "logs/tensors.tsv").exists()
    refused(lambda w: w.add_embedding(MAT, global_step="../../elsewhere"))
    refused(lambda w: w.add_embedding(MAT, tag=".."))


def test_a_step_that_is_no_integer() -> None:
    """torch takes the step's text; ours its integer."""
    assert "001.5/default/tensors.tsv" in theirs(lambda w: w.add_embedding(MAT, global_step=1.5))
    assert "00001/default/tensors.tsv" in ours(lambda w: w.add_embedding(MAT, global_step=1.5))
