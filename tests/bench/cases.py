"""All that is measured, in groups; in three sizes: a smoke test, the usual one, and the long one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from tests.bench.case import Case
from tests.bench.entrants import OURS
from tests.bench.making import WRITERS, Form, calls, sized
from tests.bench.scaling import scaling

__all__ = ["GROUPS", "NEEDED", "cases"]

# Calls of each method in a run, by asynctb and by the others: some milliseconds at least, some tenths of a second at
# most. What has its own way of being counted says so.
METHODS: dict[str, tuple[int, int]] = {
    "add_scalar": (20_000, 1000),
    "add_scalars": (500, 50),
    "add_text": (5000, 500),
    "add_image": (24, 4),
    "add_images": (32, 8),
    "add_image_with_boxes": (32, 8),
    "add_figure": (4, 4),
    "add_video": (16, 3),
    "add_audio": (64, 8),
    "add_histogram": (64, 16),
    "add_histogram_raw": (1000, 200),
    "add_pr_curve": (100, 50),
    "add_pr_curve_raw": (500, 200),
    "add_mesh": (32, 4),
    "add_hparams": (50, 20),
    "add_custom_scalars": (500, 200),
    "add_custom_scalars_multilinechart": (500, 200),
    "add_custom_scalars_marginchart": (500, 200),
    "add_tensor": (2000, 200),
    "add_embedding": (8, 2),
    "add_graph": (4, 4),  # the last: it brings torch into asynctb's process
}

SMALL: dict[str, dict[str, Any]] = {  # of a smoke test: what is large costs the others seconds
    "add_image": {"side": 32},
    "add_images": {"number": 4, "side": 32},
    "add_image_with_boxes": {"side": 32},
    "add_video": {"frames": 3, "side": 32},
    "add_audio": {"seconds": 0.05},
    "add_histogram": {"size": 1000},
    "add_mesh": {"vertices": 100},
    "add_embedding": {"points": 20},
}


def budgets(form: Form) -> Iterator[Case]:
    """What the budgets are about, and no other group has."""
    count = sized(form, 50_000, 5000)
    every = ("await", "nowait", "sync", "torch", "torch-10000", "tensorboardX", "EventFileWriter")
    yield Case(
        "scalars",
        "scalars in a loop, each",
        "adding:scalars",
        every,
        {"count": count},
        own={name: {"count": count // 10} for name in every[3:]},
        limit="limits:scalars",
        counts="records",
    )
    yield Case(
        "log",
        "100 numbers at once, each",
        "adding:scalars",
        ("log", "torch", "torch-10000", "tensorboardX"),
        {"count": 4 * count, "tags": 100},
        own={n: {"count": count // 10} for n in (*WRITERS, "torch-10000")},
        limit="limits:scalars",
        counts="values",
    )
    yield Case(
        "nowait-calls",
        "single calls of `nowait`",
        "adding:nowait_calls",
        ("nowait",),
        {"count": sized(form, 20_000, 1000)},
        counts="values",
    )
    yield calls("image-512", "add_image 512x512 noise", "add_image", sized(form, 24, 2), 4, side=sized(form, 512, 32))
    size = sized(form, 1_000_000, 10_000)
    yield calls("histogram-1M", "add_histogram 1M floats", "add_histogram", sized(form, 12, 2), 4, size=size)
    side = sized(form, 256, 32)
    video = calls(
        "video-30", "add_video 30x256x256", "add_video", sized(form, 4, 1), 1, frames=sized(form, 30, 3), side=side
    )
    yield replace(video, entrants=WRITERS[:3], rounds=2)  # the others take seconds
    keys = sized(form, 1000, 100)
    yield Case(
        "keys-1000",
        "add_scalars with 1000 keys, each",
        "adding:keys",
        WRITERS,
        {"count": 10, "keys": keys},
        own={name: {"count": 1} for name in WRITERS[2:]},
        limit="limits:keys",
        counts="values",
        rounds=3,
    )
    yield Case(
        "kill",
        "SIGKILL at 1000 events/s",
        "alone:kills",
        sized(form, ("await", "sync"), ("await",)),
        {"kills": sized(form, 20, 1), "rate": 1000},
        rounds=1,
        fresh=True,
    )


def methods(form: Form) -> Iterator[Case]:
    """Each `add_*` of all who have it."""
    for method, (many, few) in METHODS.items():
        options = SMALL.get(method, {}) if form == "quick" else {}
        yield calls(f"methods/{method}", method, method, sized(form, many, 2), sized(form, few, 1), **options)


def lag(form: Form) -> Iterator[Case]:
    """What the event loop feels."""
    entrants = ("await", "nowait", "torch", "torch-thread", "tensorboardX")
    for load in ("mixed", "scalars"):
        options: dict[str, Any] = {
            "mixed": load == "mixed",
            "seconds": sized(form, 3.0, 0.2),
            "small": form == "quick",
        }
        title = "media and 1000 scalars/s" if load == "mixed" else "1000 scalars/s"
        yield Case(f"lag/{load}", title, "lag:beside", entrants, options, counts="values", rounds=3, warm=False)


def footprint(form: Form) -> Iterator[Case]:
    """Imports, memory, threads and descriptors."""
    rivals = sized(form, ("sync", "torch", "tensorboardX", "EventFileWriter"), ("sync", "EventFileWriter"))
    yield Case("footprint/import", "import, on top of numpy and asyncio", "alone:imports", rivals)
    if form != "quick":
        yield Case(
            "footprint/import-torch",
            "import, on top of torch too",
            "alone:imports",
            ("sync", "torch"),
            {"before": "import torch"},
            rounds=2,
        )
    writers = sized(form, (*WRITERS, "EventFileWriter"), ("await", "sync"))
    count = sized(form, 1_000_000, 20_000)
    yield Case(
        "footprint/memory",
        "growth over 1M scalars (others: 50,000)",
        "alone:memory",
        writers,
        {"count": count},
        own={name: {"count": count // 20} for name in writers if name not in OURS},
        counts="records",
        rounds=1,
        fresh=True,
    )


GROUPS: dict[str, Callable[[Form], Iterator[Case]]] = {
    "budgets": budgets,
    "methods": methods,
    "lag": lag,
    "footprint": footprint,
    "scaling": scaling,
}
NEEDED = {"budgets": ("lag/mixed", "footprint/import", "footprint/memory")}
"""What a group needs of the others."""


def cases(form: Form, only: list[str]) -> list[list[Case]]:
    """Return the cases of each group that is asked for, with what it needs of the others; or single ones, or a series.

    A single one is asked for by its key, or by its title as a page shows it, and a series by what its keys begin with.
    What is in one list has the same processes. In a smoke test everything has, for starting them would take longest.
    """
    needed = {*only, *(key for group in only for key in NEEDED.get(group, ()))}
    groups = [
        [case for case in group(form) if name in only or needed & {case.key, case.title, case.key.partition("/")[0]}]
        for name, group in GROUPS.items()
    ]
    return [list(chain.from_iterable(groups))] if form == "quick" else [group for group in groups if group]
