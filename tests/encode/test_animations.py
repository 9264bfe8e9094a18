"""Animations show every frame at its time, and store only what changes."""

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asynctb.encode import animations
from asynctb.encode.animations import CENTISECONDS, MILLISECONDS, Clock, patches
from tests.encode.summaries import opened
from tests.inputs import holds


def gif(frames: Any, rate: float) -> bytes:
    return b"".join(animations.gif(frames, rate))


def apng(frames: Any, rate: float) -> bytes:
    return b"".join(animations.apng(frames, rate))


CLOCKS = st.sampled_from([CENTISECONDS, MILLISECONDS])
RATES = st.one_of(st.integers(1, 200), st.floats(0.5, 500), st.sampled_from([23.976, 29.97, 50, 60, 100, 1000]))


@holds(300)
@given(CLOCKS, st.integers(1, 300), RATES)
def test_no_time_is_lost(clock: Clock, frames: int, rate: float) -> None:
    """A video lasts as long as its frames, to within half a tick; and no frame is shown for too short a time."""
    shown = clock.shown(frames, rate)
    total = sum(duration for _, duration in shown)
    assert total == max(round(clock.per_second * frames / rate), clock.least)
    assert min(duration for _, duration in shown) >= clock.least


@holds(300)
@given(CLOCKS, st.integers(1, 300), RATES)
def test_no_frame_drifts(clock: Clock, frames: int, rate: float) -> None:
    """Each frame begins within half a tick of its time; at a rate that the format can show, none is left out."""
    begin = 0
    shown = clock.shown(frames, rate)
    for number, duration in shown:
        assert abs(begin - Fraction(clock.per_second) * number / Fraction(rate)) <= Fraction(1, 2) + Fraction(1, 10**6)
        begin += duration
    if rate <= clock.per_second / (clock.least + 1):
        assert [number for number, _ in shown] == list(range(frames))


@holds(300)
@given(CLOCKS, st.integers(1, 300), RATES)
def test_as_many_frames_as_can_be(clock: Clock, frames: int, rate: float) -> None:
    """Frames that are left out are those alone for which there is no time: two that follow are never both missing
    where one of them could have been shown.
    """
    shown = clock.shown(frames, rate)
    for (number, duration), (following, _) in itertools.pairwise(shown):
        assert following == number + 1 or duration <= clock.least + max(1, clock.per_second / rate)


def test_usual_rates() -> None:
    """25 frames a second are 4/100 s each, 30 take turns, 60 leave some out, and 4 are torch's default."""
    assert [duration for _, duration in CENTISECONDS.shown(5, 25)] == [4] * 5
    assert [duration for _, duration in CENTISECONDS.shown(6, 30)] == [3, 4, 3, 3, 4, 3]
    assert sum(duration for _, duration in CENTISECONDS.shown(60, 60)) == 100
    assert [number for number, _ in CENTISECONDS.shown(8, 60)] == [0, 1, 3, 4, 6]
    assert [duration for _, duration in CENTISECONDS.shown(2, 4)] == [25, 25]
    assert CENTISECONDS.shown(1, 1000) == [(0, 2)]
    assert [duration for _, duration in MILLISECONDS.shown(3, 60)] == [17, 16, 17]


# The files


def moving(frames: int, height: int, width: int, channels: int, seed: int, colours: int = 5) -> Any:
    """Frames of which each differs from the one before in a few places, or nowhere."""
    rng = np.random.default_rng(seed)
    out = np.empty((frames, height, width, channels), np.uint8)
    out[0] = rng.integers(0, colours, (height, width, channels)) * 50
    for before, frame in itertools.pairwise(out):
        frame[:] = before
        for _ in range(rng.integers(0, 3)):
            frame[rng.integers(height), rng.integers(width)] = rng.integers(0, colours, channels) * 50
    return out


def at_times(durations: list[int], frames: Any, tick: int) -> Any:
    """The frame that is shown at each multiple of a tick."""
    return np.repeat(frames, [duration // tick for duration in durations], axis=0)


SIZES = (st.integers(1, 8), st.integers(1, 9), st.integers(1, 9))


@holds(80)
@given(*SIZES, st.sampled_from([1, 3]), st.integers(0, 99), st.sampled_from([1, 4, 10, 25, 50]))
def test_gif_of_few_colours_is_exact(frames: int, height: int, width: int, channels: int, seed: int, rate: int) -> None:
    """At every moment a GIF of few colours shows exactly the frame of that moment, and begins anew at its end."""
    video = moving(frames, height, width, channels, seed)
    shown = opened(gif(video, rate))
    ticks = [100 // rate * 10] * frames
    want = at_times(ticks, np.broadcast_to(video, (*video.shape[:3], 3)), 10)
    np.testing.assert_array_equal(at_times(shown.durations, shown.frames, 10), want)
    assert shown.format == "GIF"
    assert shown.loop == 0


@holds(80)
@given(*SIZES, st.sampled_from([1, 3, 4]), st.integers(0, 99), st.sampled_from([1, 8, 50]))
def test_apng_is_exact(frames: int, height: int, width: int, channels: int, seed: int, rate: int) -> None:
    """At every moment an animated PNG shows exactly the frame of that moment, its alpha included."""
    video = moving(frames, height, width, channels, seed)
    mode = {1: "RGB", 3: "RGB", 4: "RGBA"}[channels]
    shown = opened(apng(video, rate), mode)
    durations = shown.durations if len(shown.durations) > 1 else [1000 * frames // rate]  # Pillow: one is no animation
    want = at_times([1000 // rate] * frames, np.broadcast_to(video, (*video.shape[:3], len(mode))), 5)
    np.testing.assert_array_equal(at_times(durations, shown.frames, 5), want)
    assert shown.format == "PNG"


def test_apng_of_noise_is_exact() -> None:
    """An animated PNG is exact whatever its colours, and however many blocks a frame takes."""
    video = np.random.default_rng(0).integers(0, 256, (4, 200, 300, 3), dtype=np.uint8)
    np.testing.assert_array_equal(opened(apng(video, 10)).frames, video)


def test_gif_of_many_colours() -> None:
    """Frames of many colours are matched, each in its own 256."""
    y, x = np.mgrid[0:64, 0:64]
    video = np.stack([np.stack([4 * x, 4 * y, 0 * x + 80 * t], 2) for t in range(3)]).astype(np.uint8)
    shown = opened(gif(video, 10)).frames
    assert shown.shape == video.shape
    assert np.abs(shown.astype(int) - video).mean() < 12
    assert len({tuple(colour) for frame in shown for colour in frame.reshape(-1, 3).tolist()}) > 256


@holds(60)
@given(*SIZES, st.integers(0, 99))
def test_patches_are_what_changes(frames: int, height: int, width: int, seed: int) -> None:
    """Laid over each other, patches make the frames; each is as small as it can be, and says for how long."""
    video = moving(frames, height, width, 3, seed)
    canvas = np.zeros_like(video[0])
    got = []
    for patch in patches(video, 10, CENTISECONDS):
        before = canvas.copy()
        rows, columns = patch.pixels.shape[:2]
        canvas[patch.top : patch.top + rows, patch.left : patch.left + columns] = patch.pixels
        got += [canvas.copy()] * (patch.duration // 10)
        if len(got) > patch.duration // 10:
            changed = np.argwhere((before != canvas).any(axis=2))
            assert (np.ptp(changed, axis=0) + 1).tolist() == [rows, columns]
    np.testing.assert_array_equal(np.stack(got), video)


def test_frames_that_are_the_same_are_one() -> None:
    """A video that stands still takes no more than its first frame, and lasts as long."""
    video = np.zeros((100, 20, 20, 3), np.uint8)
    assert len(gif(video, 10)) == len(gif(video[:1], 10))
    assert opened(gif(video, 10)).durations == [10_000]


def test_frames_that_stay_for_longer_than_can_be_said() -> None:
    """A frame that stays for more than the 655 s that a GIF can say is said again, and nothing changes."""
    video = np.full((1500, 4, 4, 3), 7, np.uint8)
    for make, tick in ((gif, 1000), (apng, 1000)):
        shown = opened(make(video, 1))
        assert len(shown.durations) > 1
        assert sum(shown.durations) == 1_500_000
        assert max(shown.durations) <= 655_350 * tick
        assert (shown.frames == 7).all()


@holds(40)
@given(st.integers(2, 60), st.floats(51, 1000))
def test_frames_are_left_out_beyond_fifty_a_second(frames: int, rate: float) -> None:
    """A GIF of more than 50 frames a second lasts as long as it should, without a moment that browsers stretch."""
    assume(round(100 * frames / rate) >= 2)
    video = np.arange(frames, dtype=np.uint8)[:, None, None, None].repeat(2, 2)
    shown = opened(gif(video, rate))
    if len(shown.durations) > 1:
        assert min(shown.durations) >= 20
        assert sum(shown.durations) == 10 * round(100 * frames / rate)
    numbers = shown.frames[:, 0, 0, 0].tolist()
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("make", [gif, apng])
def test_large_offsets(make: Any) -> None:
    """What changes far to the right and far below is put there."""
    video = np.zeros((2, 700, 1, 3), np.uint8)
    video[1, 699] = 200
    np.testing.assert_array_equal(opened(make(video, 5)).frames, video)
    wide = video.transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(opened(make(wide, 5)).frames, wide)
