"""Sounds are torch's, to the sample, but for the differences named here."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tests.inputs import holds
from tests.parity.both import ours, theirs
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)

torch = module("torch")
SHAPES = st.integers(2, 300).flatmap(lambda n: st.sampled_from([(n,), (1, n), (n, 1), (1, n, 1)]))
SOUNDS = st.sampled_from([32, 64]).flatmap(
    lambda width: npst.arrays(f"f{width // 8}", SHAPES, elements=st.floats(-1, 1, width=width))  # type: ignore[arg-type]
)


@holds(60)
@given(SOUNDS, st.sampled_from([{}, {"sample_rate": 8000}, {"sample_rate": 16000.0}]), st.booleans())
def test_same_sound(sound: Any, options: dict[str, Any], as_tensor: bool) -> None:
    """Floats in range make the same event, byte for byte, in every shape that torch takes."""
    sound = torch.from_numpy(sound) if as_tensor else sound
    assert ours("add_audio", "t", sound, **options) == theirs("add_audio", "t", sound, **options)


@holds(40)
@given(npst.arrays("f4", st.integers(2, 100), elements=st.floats(-3, 3, width=32)))
def test_same_clipping(sound: Any) -> None:
    """What is beyond [-1, 1] is clipped as torch clips it."""
    assert ours("add_audio", "t", sound) == theirs("add_audio", "t", sound)


def samples(event: Any) -> list[int]:
    found: list[int] = np.frombuffer(event.summary.value[0].audio.encoded_audio_string[44:], "<i2").tolist()
    return found


DIFFERENT: dict[str, tuple[Any, list[int], list[int]]] = {
    "16-bit samples": (np.array([1, -300, 20000], np.int16), [32767, -32767, 32767], [1, -300, 20000]),
    "32-bit samples": (np.array([1, -70_000, 1 << 30], np.int32), [32767, -32767, 32767], [0, -2, 16384]),
    "half precision": (np.array([0.5, -0.5, 0.1], np.float16), [16384, -16384, 3276], [16383, -16383, 3275]),
}


@pytest.mark.parametrize(("sound", "torchs", "asynctbs"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_other_samples(sound: Any, torchs: list[int], asynctbs: list[int]) -> None:
    """Integers are samples, where torch makes a square wave; half precision is not rounded again on the way."""
    assert samples(theirs("add_audio", "t", sound)) == torchs
    assert samples(ours("add_audio", "t", sound)) == asynctbs


def test_bfloat16() -> None:
    """Numbers that numpy has no type for are those of single precision."""
    sound = torch.linspace(-1, 1, 50).bfloat16()
    assert ours("add_audio", "t", sound) == theirs("add_audio", "t", sound.float())


@pytest.mark.parametrize(
    "sound", [np.zeros((2, 5)), np.zeros((5, 2)), np.zeros(1), [0.5, 0.25]], ids=lambda s: str(np.shape(s))
)
def test_more_sounds(sound: Any) -> None:
    """More than one channel, a single sample and lists are sounds too."""
    with pytest.raises((AssertionError, NotImplementedError)):
        theirs("add_audio", "t", sound)
    assert ours("add_audio", "t", sound).summary.value[0].audio.length_frames == max(np.shape(sound))
