"""How each cost grows with the work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.bench.case import Case
from tests.bench.making import WRITERS, Form, calls, sized

__all__ = ["scaling"]

TENS = (1, 10, 100, 1000, 10_000)
SIDES = (64, 128, 256, 512, 1024, 2048)
SIZES = (1000, 10_000, 100_000, 1_000_000, 10_000_000)
EVENTS = {"quick": (100, 1000), "full": (1000, 10_000, 100_000, 1_000_000)}
OTHERS = WRITERS[2:]
ROUNDS = 3


def scaling(form: Form) -> Iterator[Case]:
    """Yield the cases of all series."""
    for series in (_tags, _runs, _images, _histograms, _tasks, _events):
        for case in series(form):
            yield replace(case, rounds=case.rounds or ROUNDS)


def _tags(form: Form) -> Iterator[Case]:
    count = sized(form, 20_000, 1000)
    for tags in sized(form, TENS, TENS[:2]):
        slow = {name: {"count": max(tags, count // 10)} for name in OTHERS}
        options = {"count": count, "tags": tags}
        yield Case(f"tags/{tags}", "number of tags", "adding:scalars", WRITERS, options, slow, counts="records")


def _runs(form: Form) -> Iterator[Case]:
    """Beyond a thousand keys, the others would need tens of thousands of threads."""
    for keys in sized(form, TENS, TENS[:2]):
        entrants = WRITERS if keys <= 1000 else WRITERS[:2]
        options = {"count": max(1, 1000 // keys), "keys": keys}
        slow = {name: {"count": max(1, 100 // keys)} for name in OTHERS}
        yield Case(f"runs/{keys}", "number of keys", "adding:keys", entrants, options, slow, counts="values")


def _images(form: Form) -> Iterator[Case]:
    for side in sized(form, SIDES, (16, 32)):
        many = max(2, min(64, (1 << 22) // side**2))
        yield calls(f"image/{side}", "side of an image", "add_image", many, min(many, 4), side=side)


def _histograms(form: Form) -> Iterator[Case]:
    for size in sized(form, SIZES, (100, 1000)):
        many = max(2, min(200, 10_000_000 // size))
        key = f"histogram/{size}"
        yield calls(key, "values of a histogram", "add_histogram", many, min(many, 20), size=size)


def _tasks(form: Form) -> Iterator[Case]:
    count = sized(form, 20_000, 1000)
    for tasks in sized(form, TENS, TENS[:2]):
        options = {"tasks": tasks, "count": max(count, 4 * tasks)}
        slow = {"torch": {"count": max(count // 10, 2 * tasks)}}
        yield Case(
            f"tasks/{tasks}", "number of tasks", "crowd:tasks", ("await", "torch"), options, slow, counts="records"
        )


def _events(form: Form) -> Iterator[Case]:
    for count in (*EVENTS["quick" if form == "quick" else "full"], *((10_000_000,) if form == "long" else ())):
        entrants = WRITERS if count <= 10_000 else WRITERS[:2]
        rounds = ROUNDS if count <= 100_000 else 1
        options = {"count": count}
        yield Case(
            f"events/{count}", "scalars in all", "adding:scalars", entrants, options, counts="records", rounds=rounds
        )
