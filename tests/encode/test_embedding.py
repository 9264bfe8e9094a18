"""What an embedding's files hold, and how they are accepted."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from asynctb import EncodeError
from asynctb.encode.embedding import AT_ONCE, embedding
from asynctb.encode.projector import merge
from asynctb.entry import Draft, Entry, Record, unpack
from asynctb.proto.projector_pb2 import EmbeddingInfo, ProjectorConfig
from tests.inputs import holds

FINITE = {"allow_nan": False, "allow_infinity": False}


def silent(*_: object) -> None:
    raise AssertionError("nothing was to be said")


def entry(mat: Any, metadata: Any = None, images: Any = None, step: Any = None, tag: str = "t", **more: Any) -> Entry:
    return embedding(tag, mat, metadata, images, step, more.get("header"), more.get("format", "tsv"), silent)


def files(made: Entry) -> dict[str, bytes]:
    """The contents of an entry's files, in their order."""
    assert isinstance(made, (Record, Draft))
    payload = made.what if isinstance(made, Record) else made.take()()
    assert not isinstance(made.run, str)
    return {asset.path: bytes(content) for asset, content in zip(made.run, unpack(payload), strict=True)}


def config(made: Entry) -> EmbeddingInfo:
    text = files(made)["projector_config.pbtxt"]
    [info] = text_format.Parse(text.decode(), ProjectorConfig()).embeddings
    return info


def test_files_and_their_order() -> None:
    """Numbers, labels and images come first, and what names them last; it is joined with what is there."""
    made = entry(np.ones((2, 3)), ["a", "b"], np.zeros((2, 1, 4, 5)), 7)
    assert list(files(made)) == [
        "00007/t/tensors.tsv",
        "00007/t/metadata.tsv",
        "00007/t/sprite.png",
        "projector_config.pbtxt",
    ]
    assert [asset.merge for asset in made.run] == [None, None, None, merge]  # type: ignore[union-attr]
    assert made.tags == ()  # type: ignore[union-attr]
    info = config(made)
    assert info.tensor_name == "t:00007"
    assert (info.tensor_path, info.metadata_path, info.sprite.image_path) == tuple(files(made))[:3]
    assert list(info.sprite.single_image_dim) == [5, 4]
    assert list(info.tensor_shape) == []


@pytest.mark.parametrize(
    ("step", "number"),
    [(None, "00000"), (0, "00000"), (7, "00007"), (-5, "-0005"), (123456, "123456"), (-(1 << 63), str(-(1 << 63)))],
)
def test_steps_are_padded(step: int | None, number: str) -> None:
    """A step is five characters or more, its sign among them; none is 0, and numpy's and tensors' are numbers."""
    for each in (step, *([np.int64(step), np.array([step])] if step is not None else [])):
        made = entry(np.ones((1, 1)), step=each)
        assert next(iter(files(made))) == f"{number}/t/tensors.tsv"
        assert config(made).tensor_name == f"t:{number}"


@pytest.mark.parametrize(
    ("tag", "folder"),
    [
        ("a/b", "a%2fb"),
        ("a\\b%", "a%5cb%25"),
        ("/../../x", "%2f..%2f..%2fx"),
        ("...", "..."),
        ("\u00e9 ~$", "\u00e9 ~$"),
        ("x" * 255, "x" * 255),
    ],
)
def test_a_tag_is_one_folder(tag: str, folder: str) -> None:
    """A tag names one folder, in which slashes are written as torch writes them."""
    made = entry(np.ones((1, 1)), tag=tag)
    assert next(iter(files(made))) == f"00000/{folder}/tensors.tsv"
    assert config(made).tensor_name == f"{tag}:00000"


def test_the_empty_tag_has_no_folder() -> None:
    """The empty tag's files are where torch has them."""
    made = entry(np.ones((1, 1)), tag="")
    assert next(iter(files(made))) == config(made).tensor_path == "00000/tensors.tsv"


@holds(200)
@given(st.text(max_size=300), st.integers(-(1 << 63), (1 << 63) - 1))
def test_no_path_leaves_the_log_directory(tag: str, step: int) -> None:
    """Whatever the tag and step, each path is a relative one of plain names that a file system can have, or refused."""
    try:
        paths = list(files(entry(np.ones((1, 1)), tag=tag, step=step)))
    except EncodeError:
        return
    for path in paths:
        assert not path.startswith("/")
        for part in path.split("/"):
            assert part not in ("", ".", "..")
            assert "\0" not in part
            assert "\\" not in part
            assert len(part.encode()) <= 255


# Binary


def as_tensorboard_reads(content: bytes, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Read as `_read_tensor_tsv_file`, line by line, and then as `_read_tensor_binary_file`."""
    try:
        rows = [list(map(float, line.decode().split("\t"))) for line in content.splitlines() if line]
    except UnicodeDecodeError:
        return np.frombuffer(content, np.float32).reshape(shape)
    return np.array(rows, np.float32)


HARD = st.sampled_from([0.0, 2.0, 0.5, -0.0, 3.0, 2.0**-66, float(np.frombuffer(b"\n\n\n\n", np.float32)[0])])


@holds(300)
@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=5),
        elements=HARD | st.floats(width=32, **FINITE),
    )
)
def test_binary_is_read_whatever_its_bytes(matrix: npt.NDArray[np.float32]) -> None:
    """A matrix comes out of its file as it went in, be its bytes such as could be text."""
    made = entry(matrix, format="binary")
    content = files(made)["00000/t/tensors.bytes"]
    assert as_tensorboard_reads(content, matrix.shape).tobytes() == matrix.tobytes()
    assert list(config(made).tensor_shape) == list(matrix.shape)


def test_binary_is_binary_unless_it_could_be_text() -> None:
    """The file is the matrix's float32, but for one whose first line would be UTF-8."""
    matrix = np.linspace(-1, 1, 12).reshape(3, 4)
    assert files(entry(matrix, format="binary"))["00000/t/tensors.bytes"] == matrix.astype("<f4").tobytes()
    assert files(entry(np.asfortranarray(matrix), format="binary")) == files(entry(matrix, format="binary"))
    assert files(entry(np.zeros((1, 2)), format="binary"))["00000/t/tensors.bytes"] == b"0\t0\n"
    # Only behind a line's end is it no UTF-8.
    late = np.frombuffer(b"1\n\xff\x3f", np.float32).reshape(1, 1)
    assert files(entry(late, format="binary"))["00000/t/tensors.bytes"].decode() == f"{late[0, 0]:.9g}\n"


# Acceptance


def test_small_ones_are_made_at_once() -> None:
    """What takes no time is encoded in the add, unless it has images, which are only checked there."""
    small = np.ones((2, 3))
    assert isinstance(entry(small, ["a", "b"]), Record)
    assert isinstance(entry(np.ones((AT_ONCE // 8 + 1, 1))), Draft)
    assert isinstance(entry(small, images=np.zeros((2, 1, 2, 2))), Draft)
    with pytest.raises(EncodeError):
        entry(small, images=np.zeros((3, 1, 2, 2)))
    with pytest.raises(EncodeError):
        entry(small, ["a"], images=np.zeros((2, 1, 2, 2)))


@pytest.mark.parametrize(
    ("mat", "metadata", "images"),
    [
        (np.full((5000, 2), np.nan), None, None),
        (np.ones((5000, 2)), ["a"] * 4999, None),
        (np.ones((2, 2)), ["x\ud800", "b"] + ["c"] * 5000, None),
        (np.ones((2, 2)), None, np.zeros((2, 2, 100, 100))),
        (np.ones((2, 5000)), ["a"], np.zeros((2, 1, 100, 100))),
    ],
)
def test_large_ones_are_checked_when_taken(mat: Any, metadata: Any, images: Any) -> None:
    """What takes time to check is checked when it is taken, all of it, before anything is made."""
    made = entry(mat, metadata, images)
    assert isinstance(made, Draft)
    with pytest.raises(EncodeError):
        made.take()


def test_what_is_taken_is_a_copy() -> None:
    """Once taken, the matrix, the labels and the images may be changed."""
    mat, labels, images = np.ones((5000, 2)), ["a"] * 5000, np.zeros((5000, 1, 2, 2), np.uint8)
    made = entry(mat, labels, images)
    assert isinstance(made, Draft)
    encode = made.take()
    before = entry(mat.copy(), labels.copy(), images.copy()).take()()  # type: ignore[union-attr]
    mat[:], labels[:], images[:] = 0, ["b"] * 5000, 255
    assert encode() == before


@pytest.mark.parametrize("size", [10, 5000])
def test_size_counts_all_that_is_copied(size: int) -> None:
    """The room that an embedding takes is that of its matrix, its labels and its images."""
    mat, labels, images = np.ones((size, 2)), ["a"] * size, np.zeros((size, 1, 4, 4), np.uint8)
    made = entry(mat, labels, images)
    assert isinstance(made, Draft)
    assert mat.nbytes + images.nbytes < made.size <= mat.nbytes + images.nbytes + 100 * size


def test_matrices_of_other_libraries() -> None:
    """Tensors with gradients, of bfloat16, lists, and masked arrays without a mask are matrices like any other."""
    torch = pytest.importorskip("torch")
    want = files(entry(np.array([[1.0, 2.5]], np.float32)))
    for mat in (
        torch.tensor([[1.0, 2.5]], requires_grad=True),
        torch.tensor([[1.0, 2.5]], dtype=torch.bfloat16),
        [torch.tensor([1.0, 2.5])],
        [[1, 2.5]],
        np.ma.masked_array([[1, 2.5]]),
    ):
        assert files(entry(mat)) == want


def test_truth_values_are_numbers() -> None:
    """A matrix of truth values is one of 0 and 1, which TensorBoard can read, and not of words."""
    assert files(entry(np.array([[True, False]])))["00000/t/tensors.tsv"] == b"1\t0\n"
