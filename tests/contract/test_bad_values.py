"""Rule 1: a bad value raises at the guilty line, in both writers and in `nowait`, and nothing of it is queued."""

import asyncio
import logging
import math
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import ANY

import numpy as np
import pytest

from asynctb import AsyncSummaryWriter, EncodeError, SummaryWriter
from asynctb.errors import describe
from asynctb.methods import AddMethods, names
from asynctb.proto import graph_pb2
from tests.contract.seen import points, steps
from tests.inputs import named

SURROGATE = "loss/\ud800"  # no UTF-8 can encode it
LONG = "\u00e9" * 300_000  # so long that it is encoded in a thread


class Figure:
    """What is looked at of a figure at the call."""

    canvas = set_canvas = None
    dpi = 100

    def get_size_inches(self) -> tuple[float, float]:
        return 1.0, 1.0


ONE = np.zeros((3, 2, 2))
GOOD_IMAGES: dict[str, tuple[Any, ...]] = {
    "add_figure": ("t", Figure()),
    "add_image": ("t", ONE),
    "add_image_with_boxes": ("t", ONE, np.zeros((1, 4))),
    "add_images": ("t", ONE[None]),
    "add_video": ("t", ONE[None, None]),
}
NODE = b"\x0a\x03\x0a\x01a"  # a GraphDef with one node
SUMMARY = b"\x0a\x08\x0a\x01t\x15\x00\x00\x80\x3f"  # a Summary with one number
SUMMARY_EVENT = b"\x2a\x0a" + SUMMARY
GOOD: dict[str, tuple[Any, ...]] = {  # a call of each method that is right; a new method needs a row
    "add_audio": ("t", [0.5, -0.5]),
    "add_mesh": ("t", [[0.0, 0.0, 0.0]]),
    "add_pr_curve": ("t", [0, 1], [0.25, 0.75]),
    "add_pr_curve_raw": ("t", *([1.0, 0.5],) * 6),
    "add_histogram": ("t", [1.0, 2.0]),
    "add_histogram_raw": ("t", 0.0, 1.0, 2, 1.0, 1.0, [0.0, 1.0], [0, 2]),
    "add_embedding": (np.ones((2, 3)),),
    "add_scalar": ("t", 1.0),
    "add_scalars": ("t", {"k": 1.0}),
    "add_tensor": ("t", [1.0, 2.0]),
    "add_text": ("t", "words"),
    "log": ({"t": 1.0},),
    "add_hparams": ({"lr": 1.0}, {"m": 1.0}),
    "add_custom_scalars": ({"c": {"t": ["Multiline", ["x"]]}},),
    "add_custom_scalars_multilinechart": (["x"],),
    "add_custom_scalars_marginchart": (["v", "l", "u"],),
    **GOOD_IMAGES,
    "add_event": (SUMMARY_EVENT,),
    "add_graph": (NODE,),
    "add_onnx_graph": ("model.onnx",),
    "add_summary": (SUMMARY,),
}
METHODS = sorted(GOOD)
ARGUMENTS = {method: list(signature(getattr(AddMethods, method)).parameters) for method in METHODS}
TAGGED = [method for method in METHODS if ARGUMENTS[method][1] in ("tag", "main_tag")]
# An embedding's tag is not its first argument: its rows are EMBEDDING.
STEPPED = [method for method in METHODS if {"step", "global_step"} & {*ARGUMENTS[method]} and method != "add_embedding"]
TIMED = [method for method in METHODS if "walltime" in ARGUMENTS[method]]
COLOURS = ["await", "nowait", "sync"]


class Bad(NamedTuple):
    """A wrong call, and what its error says."""

    method: str
    args: tuple[Any, ...]
    tag: object
    wanted: str
    got: object
    kwargs: dict[str, Any] = {}  # noqa: RUF012  # nobody changes it


class Raises:
    """A number of a library that fails when asked for it."""

    def __float__(self) -> float:
        raise ArithmeticError("not today")


def a_scalar(value: object) -> Bad:
    return Bad("add_scalar", ("t", value), "t", "one real number", value)


def one_of_scalars(value: object) -> Bad:
    return Bad("add_scalars", ("t", {"fine": 1.0, "k": value}), "t", "one real number", value)


def a_step(method: str, step: object, wanted: str = "a global step: an integer or None") -> Bad:
    name = "step" if "step" in ARGUMENTS[method] else "global_step"
    return Bad(method, GOOD[method], "t" if method in TAGGED else method, wanted, step, {name: step})


def a_wall_time(method: str, walltime: object, wanted: str) -> Bad:
    return Bad(method, GOOD[method], "t" if method in TAGGED else method, wanted, walltime, {"walltime": walltime})


NO_NUMBERS = [
    "words",
    "",
    b"bytes",
    None,
    object(),
    Raises(),
    {"a": 1.0},
    date(2024, 1, 1),
    1j,
    np.complex64(1),
    np.array([1j]),
    [],
    [1.0, 2.0],
    ["words"],
    np.zeros(0),
    np.zeros(2),
    np.array("words"),
    10**400,  # beyond float64
]
NO_MESSAGES = [None, 5, "words", object(), {"a": 1}, graph_pb2.GraphDef()]
NO_TAGS = [None, 3, 1.5, b"bytes", ["a"], {"a": 1}]
NO_STEPS = [math.nan, math.inf, -math.inf, "words", 1j, object(), [1], np.array([1, 2]), np.float32("nan")]
NO_INT64 = [1 << 63, -(1 << 63) - 1, 10**30, np.uint64((1 << 64) - 1)]
NO_WALL_TIMES = ["now", "1.5", b"1.5", object(), 1j, [1.0, 2.0], np.zeros(2)]
NO_FINITE_TIMES = [math.nan, math.inf, -math.inf, np.float64("nan")]
TAG, UTF8, STEP64 = "a tag: text", "a tag that UTF-8 can encode", "a global step within int64"
SECONDS, FINITE = "a wall time in seconds", "a finite wall time in seconds"
BELOW = "a sub-run below the log directory"
TRIPLE = "three tags: value, lower bound, upper bound; or a list of such triples"

IMAGES = ["add_image", "add_image_with_boxes", "add_images"]
LETTERS = "dataformats: the letters of HW, CHW or NCHW in any order"
TWO = np.zeros((2, 4))
LEVELS = "a PNG compress_level from 0 to 9"


def an_image(method: str, option: str, value: object, wanted: str) -> Bad:
    return Bad(method, GOOD[method], "t", wanted, value, {option: value})


BAD = [
    *map(a_scalar, NO_NUMBERS),
    *map(one_of_scalars, NO_NUMBERS),
    *(Bad(method, (tag, *GOOD[method][1:]), tag, TAG, tag) for method in TAGGED for tag in NO_TAGS),
    *(Bad(method, (SURROGATE, *GOOD[method][1:]), SURROGATE, UTF8, SURROGATE) for method in TAGGED),
    *(a_step(method, step) for method in STEPPED for step in NO_STEPS),
    *(a_step(method, step, STEP64) for method in STEPPED for step in NO_INT64),
    *(a_wall_time(method, wall_time, ANY) for method in TIMED for wall_time in NO_WALL_TIMES),
    *(a_wall_time(method, wall_time, FINITE) for method in TIMED for wall_time in NO_FINITE_TIMES),
    # Mappings, and their keys
    Bad("add_scalars", ("t", [("k", 1.0)]), "t", "a mapping from names to numbers", [("k", 1.0)]),
    Bad("add_scalars", ("t", 1.0), "t", "a mapping from names to numbers", 1.0),
    Bad("add_scalars", ("t", {3: 1.0}), "t", "names that are text", 3),
    Bad("add_scalars", ("t", {SURROGATE: 1.0}), f"t_{SURROGATE}", UTF8, f"t_{SURROGATE}"),
    Bad("log", (1.0,), "log", "a mapping from tags to numbers", 1.0),
    Bad("log", ([("t", 1.0)],), "log", "a mapping from tags to numbers", [("t", 1.0)]),
    Bad("log", ({"fine": 1.0, 3: 1.0},), "log", "names that are text", 3),
    Bad("log", ({"fine": 1.0, "a": {3: 1.0}},), "a/", "names that are text", 3),
    Bad("log", ({"fine": 1.0, SURROGATE: 1.0},), SURROGATE, UTF8, SURROGATE),
    Bad("log", ({"fine": 1.0, "a": {SURROGATE: 1.0}},), f"a/{SURROGATE}", UTF8, f"a/{SURROGATE}"),
    # Runs that lead out of the log directory, or that no file name can hold
    Bad("add_scalars", ("t", {"fine": 1.0, "/../../up": 1.0}), "t", BELOW, "t_/../../up"),
    Bad("add_scalars", ("t", {"fine": 1.0, "a/..": 1.0}), "t", BELOW, "t_a/.."),
    Bad("add_scalars", ("t", {"fine": 1.0, "a/../../../tmp/x": 1.0}), "t", BELOW, "t_a/../../../tmp/x"),
    Bad("add_scalars", ("t", {"fine": 1.0, "nul\0": 1.0}), "t", BELOW, "t_nul\0"),
    Bad("add_scalars", ("nul\0", {"k": 1.0}), "nul\0", BELOW, "nul\0_k"),
    # Texts and tables
    *(Bad("add_text", ("t", value), "t", "text, or a list of rows", value) for value in (None, 5, b"bytes", {"a": 1})),
    Bad("add_text", ("t", "words \ud800"), "t", "text that UTF-8 can encode", "words \ud800"),
    Bad("add_text", ("t", [["cell \ud800"]]), "t", "text that UTF-8 can encode", ANY),
    Bad("add_text", ("t", []), "t", "text, or at least one row", []),
    Bad("add_text", ("t", [[]]), "t", "rows of one or more cells", []),
    Bad("add_text", ("t", ["row", "row"]), "t", "rows that are lists of cells", "row"),
    Bad("add_text", ("t", [[1, 2], [3]]), "t", "rows of 2 cells", ["3"]),
    Bad("add_text", ("t", [[1, 2]]), "t", "rows of 1 cells", ["1", "2"], {"header": ["a"]}),
    Bad("add_text", ("t", [[1, 2]]), "t", "rows that are lists of cells", "ab", {"header": "ab"}),
    Bad("add_text", ("t", "words"), "t", "a list of rows to go with the header", "words", {"header": ["a"]}),
    # Hyperparameters and layouts; more of them in tests/encode
    Bad("add_hparams", ([("lr", 1)], {}), "hparam_dict", "a mapping from names to values", [("lr", 1)]),
    Bad("add_hparams", ({}, None), "metric_dict", "a mapping from names to values", None),
    Bad("add_hparams", ({3: 1}, {}), "hparam_dict", "names that are text", 3),
    Bad("add_hparams", ({SURROGATE: 1}, {}), SURROGATE, UTF8, SURROGATE),
    Bad("add_hparams", ({"lr": "\ud800"}, {}), "lr", "text that UTF-8 can encode", "\ud800"),
    *(Bad("add_hparams", ({}, {"m": value}), "m", "one real number", value) for value in ("words", [], 1j, object())),
    Bad("add_hparams", ({"lr": 1}, {}, {"wd": [1]}), "hparam_domain_discrete", "names of hyperparameters", "wd"),
    Bad("add_hparams", ({}, {}, None, "../up"), "run_name", BELOW, "../up"),
    Bad("add_hparams", ({}, {}, None, "/up"), "run_name", BELOW, "/up"),
    Bad("add_hparams", ({}, {}, None, 3), "run_name", "the name of a sub-run: text", 3),
    Bad("add_hparams", ({}, {}), "group_name", "text", None, {"group_name": None}),
    Bad("add_hparams", ({"lr": 1}, {}), "descriptions", "names that are there", "wd", {"descriptions": {"wd": ""}}),
    Bad("add_hparams", ({}, {}, None, "../up"), "run_name", BELOW, "../up", {"live": True}),
    # Messages that are none, or of another kind
    *(
        Bad("add_summary", (value,), "summary", "a Summary message, or one in wire form", value)
        for value in NO_MESSAGES
    ),
    *(Bad("add_event", (value,), "event", "an Event message, or one in wire form", value) for value in NO_MESSAGES),
    Bad("add_summary", (b"hello",), "summary", "a Summary in wire form", b"hello"),
    Bad("add_event", (b"hello",), "event", "an Event in wire form", b"hello"),
    Bad("add_summary", (b"\x0a\x03\x0a\x01\xff",), "summary", "a Summary in wire form", ANY),
    Bad("add_event", (b"",), "event", "an Event that holds something", b""),
    Bad("add_custom_scalars", ([],), "layout", "a mapping from titles of categories", []),
    Bad("add_custom_scalars", ({"c": {"t": 3}},), "c/t", "['Multiline', tags] or ['Margin', tags]", 3),
    Bad("add_custom_scalars", ({},), "closed", "categories of this layout", "c", {"closed": ["c"]}),
    Bad("add_custom_scalars_multilinechart", ("loss",), "default/untitled", "a list of tags", "loss"),
    Bad("add_custom_scalars_multilinechart", (["x"], ["c"]), "category", "text", ["c"]),
    Bad("add_custom_scalars_multilinechart", (["a["],), "default/untitled", ANY, "a["),
    Bad("add_custom_scalars_marginchart", (["v", "l"], "c", "t"), "c/t", TRIPLE, ["v", "l"]),
    # Images, videos, figures: what is known of them without reading them
    *(an_image(method, "dataformats", value, LETTERS) for method in IMAGES for value in ("CH", "CHX", "", None, 3)),
    *(an_image(method, "format", value, 'the format "png" or "jpeg"') for method in IMAGES for value in ("gif", None)),
    *(an_image(method, "quality", value, "a JPEG quality from 1 to 95") for method in IMAGES for value in (0, 96, "9")),
    *(an_image(method, "compress_level", value, LEVELS) for method in IMAGES for value in (-1, 10, 1.5, None)),
    Bad("add_image", ("t", np.zeros((2, 2))), "t", "an array of the 3 dimensions CHW", (2, 2)),
    Bad("add_image", ("t", np.zeros((3, 0, 2))), "t", "at least one element in each of the dimensions CHW", (3, 0, 2)),
    Bad("add_image", ("t", np.zeros((5, 2, 2))), "t", "1, 2, 3, 4 channels in dimension C of CHW", (5, 2, 2)),
    Bad("add_images", ("t", ONE), "t", "an array of the 4 dimensions NCHW", (3, 2, 2)),
    Bad("add_images", ("t", ONE[None]), "t", "grid: True or False", 1, {"grid": 1}),
    Bad("add_image_with_boxes", ("t", ONE, np.zeros((1, 5))), "t", ANY, (1, 5)),
    Bad(
        "add_image_with_boxes", ("t", ONE, np.zeros((2, 4))), "t", "as many labels as boxes, 2", ["a"], {"labels": "a"}
    ),
    Bad("add_image_with_boxes", ("t", ONE, np.zeros((2, 4))), "t", "labels: a text for each box", 5, {"labels": 5}),
    *(
        Bad("add_image_with_boxes", ("t", ONE, []), "t", "rescale: a finite number above 0", scale, {"rescale": scale})
        for scale in (0, -1, math.nan, math.inf)
    ),
    Bad("add_video", ("t", ONE), "t", "an array of the 5 dimensions NTCHW", (3, 2, 2)),
    Bad("add_video", ("t", np.zeros((1, 0, 3, 2, 2))), "t", ANY, (1, 0, 3, 2, 2)),
    Bad(
        "add_video", ("t", np.zeros((1, 1, 2, 2, 2))), "t", "1, 3, 4 channels in dimension C of NTCHW", (1, 1, 2, 2, 2)
    ),
    Bad("add_video", ("t", np.broadcast_to(ONE[0, 0], (1, 1, 3, 65536, 2))), "t", ANY, (65536, 2)),
    *(Bad("add_video", ("t", ONE[None, None]), "t", ANY, fps, {"fps": fps}) for fps in (0, -1, math.nan, "fast", None)),
    *(
        Bad("add_video", ("t", ONE[None, None]), "t", 'the format "gif" or "apng"', name, {"format": name})
        for name in ("mp4", None)
    ),
    *(
        Bad("add_figure", ("t", value), "t", "a matplotlib figure, or a list of them", value)
        for value in (None, [], "x")
    ),
]

NO_ARRAYS = [None, "words", {"a": 1.0}, object(), ["words"], [[1.0], [1.0, 2.0]], np.zeros(2, "M8[s]")]
RATE = "a sample rate: a positive whole number of Hz"
THRESHOLDS = "a number of thresholds: an integer from 1 to 1048576"
POINTS = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]

BAD.extend(
    [
        # Histograms
        *(Bad("add_histogram", ("t", value), "t", "an array of real numbers", value) for value in NO_ARRAYS),
        Bad("add_histogram", ("t", []), "t", "at least one value", ANY),
        Bad("add_histogram", ("t", [math.nan, math.inf]), "t", "at least one finite value", ANY),
        Bad("add_histogram", ("t", [1.0], 0, "fine"), "t", ANY, "fine"),
        Bad("add_histogram", ("t", [1.0], 0, 0), "t", "a number of bins between 1 and 10000", 0),
        Bad("add_histogram", ("t", [1.0], 0, [1.0]), "t", ANY, [1.0]),
        Bad("add_histogram", ("t", [1.0]), "t", "max_bins: an integer of at least 1, or None", 0, {"max_bins": 0}),
        *(
            Bad("add_histogram_raw", ("t", value, 1.0, 2, 1.0, 1.0, [1.0], [2]), "t", "one real number", value)
            for value in (None, "words", [1.0, 2.0])
        ),
        Bad("add_histogram_raw", ("t", 0, 1, 2, 1, 1, "ab", [2]), "t", "bucket_limits: a list of numbers", "ab"),
        Bad("add_histogram_raw", ("t", 0, 1, 2, 1, 1, [0, 1], [2]), "t", ANY, 1),
        # Sound, tensors, precision-recall curves, meshes
        *(
            Bad("add_audio", ("t", value), "t", "sound: an array of floats in [-1, 1], or of integer samples", value)
            for value in NO_ARRAYS
        ),
        *(
            Bad("add_audio", ("t", value), "t", ANY, ANY)
            for value in ([True, False], [1j, 0], np.zeros((2, 3, 4)), [], 0.5)
        ),
        *(
            Bad("add_audio", (*GOOD["add_audio"], 0, rate), "t", RATE, rate)
            for rate in (0, -1, 0.5, math.nan, math.inf)
        ),
        *(
            Bad("add_audio", (*GOOD["add_audio"], 0, rate), "t", "one real number", rate)
            for rate in (None, "fast", [1, 2])
        ),
        *(Bad("add_tensor", ("t", value), "t", "a tensor of numbers", value) for value in NO_ARRAYS),
        *(Bad("add_pr_curve", ("t", value, [0.5]), "t", "labels: an array of numbers", value) for value in NO_ARRAYS),
        *(Bad("add_pr_curve", ("t", [1], value), "t", "an array of probabilities", value) for value in NO_ARRAYS),
        *(Bad("add_pr_curve", ("t", [1, 1], [0.5, p]), "t", "predictions in [0, 1]", p) for p in (-0.5, 1.5, math.inf)),
        Bad("add_pr_curve", ("t", [1, 2], [0.5, 0.5]), "t", "labels in [0, 1]", 2),
        Bad("add_pr_curve", ("t", [1, 1], [0.5]), "t", "predictions of the labels' shape (2,)", (1,)),
        *(
            Bad("add_pr_curve", ("t", [1], [0.5], 0, n), "t", THRESHOLDS, n)
            for n in (0, -1, 1.5, "many", None, 1 << 30)
        ),
        Bad("add_pr_curve", ("t", [1], [0.5]), "t", "weights that are finite and not negative", -1, {"weights": [-1]}),
        *(
            Bad("add_pr_curve_raw", ("t", *([1.0],) * 5, value), "t", "recall: an array of numbers", value)
            for value in NO_ARRAYS
        ),
        Bad("add_pr_curve_raw", ("t", *([1.0],) * 5, [1.0, 2.0]), "t", ANY, (2,)),
        Bad("add_pr_curve_raw", ("t", *([math.inf],) * 6), "t", "finite true positives", math.inf),
        Bad("add_pr_curve_raw", GOOD["add_pr_curve_raw"], "t", THRESHOLDS, 0, {"num_thresholds": 0}),
        *(
            Bad("add_mesh", ("t", value), "t", "vertices: an array of the shape (B, N, 3) or (N, 3)", value)
            for value in NO_ARRAYS
        ),
        Bad("add_mesh", ("t", [1.0, 2.0, 3.0]), "t", "vertices: an array of the shape (B, N, 3) or (N, 3)", (3,)),
        Bad("add_mesh", ("t", [[math.inf, 0, 0]]), "t", ANY, math.inf),
        Bad("add_mesh", ("t", POINTS, POINTS[:1]), "t", "colors of the vertices' shape (1, 2, 3)", (1, 1, 3)),
        *(Bad("add_mesh", ("t", POINTS, None, [[0, 1, n]]), "t", "faces of vertices from 0 to 1", n) for n in (2, -1)),
        Bad("add_mesh", ("t", POINTS, None, [[0, 1, 0.5]]), "t", "faces that are whole numbers", 0.5),
        Bad(
            "add_mesh",
            ("t", POINTS, None, None, {"a": object()}),
            "t",
            "config_dict: a dictionary that JSON can hold",
            ANY,
        ),
    ]
)


def an_embedding(wanted: str, got: object, mat: object = GOOD["add_embedding"][0], **kwargs: object) -> Bad:
    return Bad("add_embedding", (mat,), kwargs.get("tag", "default"), wanted, got, kwargs)


MATRIX = "a matrix of real numbers: a row for each point, a column for each dimension"
NO_MATRICES = [None, "words", [[1.0], [2.0, 3.0]], np.array([[1j]]), np.array([["a"]]), 3.0, [1.0, 2.0]]
NO_MATRICES += [np.zeros(3), np.zeros((0, 3)), np.zeros((3, 0)), np.zeros((1, 1, 1))]
NO_FINITE = [math.nan, math.inf, -math.inf, 1e39, -1e300]
NO_FORMATS: list[object] = ["csv", "", None, 3, []]
NO_FOLDERS = [".", "..", "nul\0", "x" * 256, "/" * 86, "\u00e9" * 128]
FOLDER = "a tag that can name a folder: not '.' or '..', 255 bytes at most, no NUL"
IMAGES = "images as an (N, C, H, W) array of real numbers, with 1, 3 or 4 channels"
EMBEDDING = [
    *(an_embedding(TAG, tag, tag=tag) for tag in NO_TAGS),
    an_embedding(UTF8, SURROGATE, tag=SURROGATE),
    *(an_embedding(FOLDER, tag, tag=tag) for tag in NO_FOLDERS),
    *(an_embedding("a global step: an integer or None", step, global_step=step) for step in NO_STEPS),
    *(an_embedding(STEP64, step, global_step=step) for step in NO_INT64),
    *(an_embedding("'tsv' or 'binary'", name, format=name) for name in NO_FORMATS),
    *(an_embedding(MATRIX, ANY, mat) for mat in NO_MATRICES),
    *(an_embedding(ANY, ANY, [[1.0, number]]) for number in NO_FINITE),
    an_embedding("2 labels, one for each row of the matrix", ["a"], metadata=["a"]),
    an_embedding("a list of labels", "ab", metadata="ab"),
    an_embedding("labels that UTF-8 can encode", ANY, metadata=["a", "b \ud800"]),
    an_embedding(
        "rows of 2 cells, as many as the header", ["a"], metadata=[["a", "b"], ["a"]], metadata_header=["x", "y"]
    ),
    *(an_embedding(IMAGES, ANY, label_img=images) for images in ("words", np.zeros((2, 3)), np.zeros((2, 2, 4, 4)))),
    an_embedding("2 images, one for each row of the matrix", ANY, label_img=np.zeros((3, 3, 4, 4))),
]
BAD += EMBEDDING

NO_MODELS = [None, 5, "model", [], object(), {"a": 1}]

BAD.extend(
    [
        # Graphs; those of torch's models are in tests/encode/graph
        *(Bad("add_graph", (value, [1.0]), "add_graph", ANY, value) for value in NO_MODELS),
        *(Bad("add_graph", (value,), "add_graph", "a GraphDef in wire form", value) for value in (b"abc", b"\xff")),
        *(Bad("add_graph", (value,), "add_graph", "a GraphDef with nodes", value) for value in (b"", bytearray())),
        Bad("add_graph", (NODE,), "add_graph", "a model that can be run, for profile=True", NODE, {"profile": True}),
        *(Bad("add_onnx_graph", (value,), "add_onnx_graph", ANY, value) for value in (None, 5, [], object(), {})),
    ]
)


def made(colour: str, log_dir: Path) -> tuple[Any, Any]:
    """Return a writer, and what has its `add_*`."""
    if colour == "sync":
        writer = SummaryWriter(log_dir)
        return writer, writer
    asynchronous = AsyncSummaryWriter(log_dir)
    return asynchronous, asynchronous if colour == "await" else asynchronous.nowait


def case(bad: Bad) -> str:
    return ascii(f"{bad.method}{named(bad.args)}{named(bad.kwargs) if bad.kwargs else ''}")[1:-1][:80]


def assert_names(error: EncodeError, bad: Bad) -> None:
    assert error.tag is bad.tag or bad.tag == error.tag
    assert bad.wanted == error.wanted
    assert bad.got is error.got or bad.got == error.got
    assert str(error) == f"{error.tag!r}: wanted {error.wanted}, got {describe(error.got)}"


def assert_untouched(writer: Any, log_dir: Path) -> None:
    """Nothing was accepted, counted as dropped or stored; an asynchronous writer has not even made its directory."""
    assert (writer.stats.accepted, writer.stats.pending, dict(writer.stats.dropped)) == (0, 0, {})
    if isinstance(writer, SummaryWriter):
        writer.close()
        assert points(log_dir) == []
        assert [path.is_file() for path in log_dir.iterdir()] == [True]  # its event file, and no sub-run
    else:
        assert not log_dir.exists()


def test_every_method_is_tried() -> None:
    """All methods of the writers have their rows above."""
    public = set(names(AddMethods))
    assert set(GOOD) == public
    assert {bad.method for bad in BAD} == public


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("bad", BAD, ids=case)
def test_raises_at_the_call(bad: Bad, colour: str, tmp_path: Path) -> None:
    """A bad value raises from the call itself, where no loop runs even, and leaves nothing behind."""
    writer, adds = made(colour, tmp_path / "run")
    if not hasattr(adds, bad.method):
        pytest.skip("nowait cannot take what runs other people's code")
    with pytest.raises(EncodeError) as raised:
        getattr(adds, bad.method)(*bad.args, **bad.kwargs)
    assert_names(raised.value, bad)
    assert isinstance(raised.value, ValueError)
    assert_untouched(writer, tmp_path / "run")


def torch_values(name: str) -> Any:
    torch = pytest.importorskip("torch")
    make: dict[str, Callable[[], Any]] = {
        "several": lambda: torch.zeros(2),
        "none": lambda: torch.zeros(0),
        "complex": lambda: torch.tensor(1j),
        "meta": lambda: torch.zeros(1, device="meta"),
        "meta with gradient": lambda: torch.zeros((), device="meta", requires_grad=True),
    }
    return make[name]()


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("name", ["several", "none", "complex", "meta", "meta with gradient"])
def test_tensors_that_are_no_number(name: str, colour: str, tmp_path: Path) -> None:
    """A tensor that holds no number, or not one, raises as any other value."""
    value = torch_values(name)
    writer, adds = made(colour, tmp_path / "run")
    for bad in (a_scalar(value), one_of_scalars(value)):
        with pytest.raises(EncodeError) as raised:
            getattr(adds, bad.method)(*bad.args)
        assert raised.value.tag == "t"
        assert raised.value.got is value
        assert raised.value.wanted.startswith("one real number")
    assert_untouched(writer, tmp_path / "run")


def bads_amid_goods(adds: Any) -> None:
    for bad in BAD:
        if not hasattr(adds, bad.method):
            continue
        with pytest.raises(EncodeError):
            getattr(adds, bad.method)(*bad.args, **bad.kwargs)


def test_what_is_good_goes_on_in_await(tmp_path: Path) -> None:
    """Between good adds, bad ones leave no trace in the file, the counts or the steps."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_scalar("t", 1.0)
            bads_amid_goods(writer)
            await writer.add_scalar("t", 2.0)
            assert writer.stats.accepted == 2

    asyncio.run(main())
    assert points(tmp_path) == [("t", 0, 1.0), ("t", 1, 2.0)]


@pytest.mark.parametrize("colour", ["nowait", "sync"])
def test_what_is_good_goes_on(colour: str, tmp_path: Path) -> None:
    """Between good adds, bad ones leave no trace in the file, the counts or the steps."""
    writer, adds = made(colour, tmp_path)
    adds.add_scalar("t", 1.0)
    bads_amid_goods(adds)
    adds.add_scalar("t", 2.0)
    assert writer.stats.accepted == 2
    if colour == "sync":
        writer.close()
    else:
        asyncio.run(writer.close())
    assert points(tmp_path) == [("t", 0, 1.0), ("t", 1, 2.0)]


def test_long_text_raises_from_the_await(tmp_path: Path) -> None:
    """Text so long that a thread encodes it raises from its own await, and nothing of it is stored."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.add_text("t", LONG, 0)
            with pytest.raises(EncodeError) as raised:
                await writer.add_text("t", LONG + "\ud800", 1)
            assert (raised.value.tag, raised.value.wanted) == ("t", "text that UTF-8 can encode")
            await writer.add_text("t", LONG, 2)
            await writer.flush()
            assert (writer.stats.accepted, writer.stats.written, dict(writer.stats.dropped)) == (2, 2, {})

    asyncio.run(main())
    assert steps(tmp_path, "t/text_summary") == [0, 2]


@pytest.mark.parametrize("colour", ["nowait", "sync"])
def test_long_text_raises_at_the_call(colour: str, tmp_path: Path) -> None:
    """Text so long that a thread encodes it is checked before the call returns where nothing is awaited."""
    writer, adds = made(colour, tmp_path)
    adds.add_text("t", LONG, 0)
    with pytest.raises(EncodeError):
        adds.add_text("t", LONG + "\ud800", 1)
    adds.add_text("t", LONG, 2)
    if colour == "sync":
        writer.close()
    else:
        asyncio.run(writer.close())
    assert writer.stats.accepted == writer.stats.written == 2
    assert steps(tmp_path, "t/text_summary") == [0, 2]


@pytest.mark.parametrize("bad", [bad for bad in BAD if bad.method == "add_scalars"], ids=case)
def test_partly_bad_scalars_store_nothing(bad: Bad, tmp_path: Path) -> None:
    """An `add_scalars` with one bad number, name or run stores none of its good ones, and makes no folder for them."""
    with SummaryWriter(tmp_path / "run") as writer:
        writer.add_scalar("before", 1.0)
        with pytest.raises(EncodeError):
            writer.add_scalars(*bad.args, **bad.kwargs)
    assert [path.is_file() for path in (tmp_path / "run").iterdir()] == [True]
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]


@pytest.mark.parametrize("name", ["/etc/passwd", "..", "../..", "...", "~/x", "a//b", ".", "C:\\x"])
def test_runs_stay_below_the_log_directory(name: str, tmp_path: Path) -> None:
    """A curve's name that looks like a path elsewhere becomes a run below the log directory, or is refused."""
    with SummaryWriter(tmp_path / "run") as writer:
        try:
            writer.add_scalars("t", {name: 1.0})
        except EncodeError:
            assert writer.stats.accepted == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]
    assert sum(path.is_file() for path in (tmp_path / "run").rglob("*")) == 1 + writer.stats.accepted


ODD = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("colour", ["nowait", "sync"])
def test_nan_and_infinities_are_numbers(colour: str, tmp_path: Path) -> None:
    """NaN and infinities are stored as they are, and so is every other kind of one real number."""
    writer, adds = made(colour, tmp_path)
    values = [*ODD, np.float32("nan"), np.array([np.inf]), True, "1.5", b"2.5", Decimal(3), [4], np.int64(5)]
    for step, value in enumerate(values):
        adds.add_scalar("a", value, step)
        adds.add_scalars("b", {"k": value}, step)
    adds.log(dict(zip("xyz", ODD, strict=True)), 0)
    if colour == "sync":
        writer.close()
    else:
        asyncio.run(writer.close())
    want = [math.nan, math.inf, -math.inf, math.nan, math.inf, 1.0, 1.5, 2.5, 3.0, 4.0, 5.0]
    got = points(tmp_path)
    np.testing.assert_array_equal([point.value for point in got if point.tag == "a"], want)
    np.testing.assert_array_equal([point.value for point in points(tmp_path, "b_k")], want)
    np.testing.assert_array_equal([point.value for point in got if point.tag in "xyz"], ODD)


def test_nan_and_infinities_are_numbers_to_await(tmp_path: Path) -> None:
    """NaN and infinities are stored as they are by awaited adds too."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            for value in ODD:
                await writer.add_scalar("a", value)

    asyncio.run(main())
    np.testing.assert_array_equal([point.value for point in points(tmp_path)], ODD)


NO_LOG_NUMBERS = {"text": "words", "digits": "1.5", "none": None, "list": [1.0], "array": np.zeros(2), "complex": 1j}


@pytest.mark.parametrize("colour", ["nowait", "sync"])
def test_log_skips_what_is_no_number(colour: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """`log` stores the numbers of a mapping, skips the rest, and says so once per tag whatever comes later."""
    writer, adds = made(colour, tmp_path)
    with caplog.at_level(logging.WARNING, "asynctb"):
        for step in range(3):
            adds.log({"loss": step, "deep": {"reward": -step, **NO_LOG_NUMBERS}, **NO_LOG_NUMBERS}, step)
        adds.log(NO_LOG_NUMBERS)
    assert writer.stats.accepted == 3  # an event without a number is none
    if colour == "sync":
        writer.close()
    else:
        asyncio.run(writer.close())
    assert points(tmp_path) == [p for n in range(3) for p in (("loss", n, n), ("deep/reward", n, -n))]
    said = [record.args[0] for record in caplog.records if "log skips tag" in record.message]
    assert sorted(said) == sorted([*NO_LOG_NUMBERS, *(f"deep/{name}" for name in NO_LOG_NUMBERS)])


def test_awaited_log_of_no_number(tmp_path: Path) -> None:
    """An awaited `log` without any number stores nothing, and does not raise."""

    async def main() -> None:
        async with AsyncSummaryWriter(tmp_path) as writer:
            await writer.log(NO_LOG_NUMBERS)
            await writer.log({})
            assert writer.stats.accepted == 0

    asyncio.run(main())
    assert points(tmp_path) == []
