"""A sound is a WAV file that plays what was given."""

import io
import math
import wave
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from asynctb.encode.audio import AT_ONCE, CHANNELS, _header, _prepare, audio
from asynctb.encode.wire import summary
from asynctb.entry import Draft, Record
from asynctb.errors import EncodeError
from asynctb.proto import summary_pb2
from tests.encode.values import Told, never, value
from tests.inputs import TEXTS, holds, named

RATE = 44100


def played(entry: object, length: int | None = None) -> Any:
    """The samples of the file, a row a frame; what stands beside them must fit them."""
    sound = value(entry).audio
    with wave.open(io.BytesIO(sound.encoded_audio_string)) as file:
        assert (file.getsampwidth(), file.getcomptype()) == (2, "NONE")
        assert (file.getframerate(), file.getnchannels()) == (sound.sample_rate, sound.num_channels)
        assert file.getnframes() == sound.length_frames == (length or sound.length_frames)
        data = file.readframes(1 << 30)
    assert len(sound.encoded_audio_string) == 44 + len(data)
    return np.frombuffer(data, "<i2").reshape(-1, sound.num_channels)


def floats(kind: str, shape: Any, most: float = 1) -> st.SearchStrategy[Any]:
    width = 8 * np.dtype(kind).itemsize
    return npst.arrays(kind, shape, elements=st.floats(-most, most, width=width))  # type: ignore[arg-type]


LENGTHS = st.integers(1, 50)
MONO = LENGTHS.flatmap(lambda n: st.sampled_from([(n,), (1, n), (n, 1), (1, 1, n, 1)]))


@holds(300)
@given(st.sampled_from(["<f4", ">f4", "<f8"]), st.data())
def test_floats(kind: str, data: st.DataObject) -> None:
    """A float is a sample of 32767 times its value, cut to an integer, in whatever shape of one long side."""
    sound = data.draw(MONO.flatmap(lambda shape: floats(kind, shape)))
    want = [int(sound.dtype.type(x) * sound.dtype.type(32767)) for x in sound.reshape(-1)]
    assert played(audio("t", sound, RATE, never), sound.size)[:, 0].tolist() == want


@holds(100)
@given(LENGTHS.flatmap(lambda n: floats("f2", n)))
def test_half_precision(sound: Any) -> None:
    """Half precision has the samples of the same numbers in single precision."""
    single = played(audio("t", sound.astype(np.float32), RATE, never))
    np.testing.assert_array_equal(played(audio("t", sound, RATE, never)), single)


@holds(300)
@given(st.sampled_from(["i1", "u1", "<i2", ">i2", "u2", "i4", "u4", "i8", "u8"]), st.data())
def test_integers(kind: str, data: st.DataObject) -> None:
    """Integers go by their type's range, of which 16 bits are kept; of unsigned ones the middle is silence."""
    sound = data.draw(npst.arrays(kind, LENGTHS))
    bits = 8 * sound.dtype.itemsize
    middle = 1 << bits - 1 if sound.dtype.kind == "u" else 0
    want = [(x - middle << 16) >> bits for x in sound.tolist()]
    assert played(audio("t", sound, RATE, never))[:, 0].tolist() == want


def test_pcm_as_it_is() -> None:
    """All 65,536 samples of int16 are stored unchanged."""
    sound = np.arange(-(1 << 15), 1 << 15, dtype=np.int16)
    np.testing.assert_array_equal(played(audio("t", sound, RATE, never))[:, 0], sound)


@holds(100)
@given(st.integers(2, 6), st.integers(0, 30), st.sampled_from(["f4", "i2", "u1"]))
def test_channels(channels: int, more: int, kind: str) -> None:
    """The longer side is time, whichever comes first; of equal sides channels come first."""
    length = channels + more
    numbers = np.random.default_rng(more).random((channels, length))
    sound = (numbers if kind == "f4" else numbers * 100).astype(kind)
    got = played(audio("t", sound, 8000, never), length)
    each = [played(audio("t", channel, 8000, never))[:, 0] for channel in sound]
    np.testing.assert_array_equal(got, np.stack(each, 1))
    if more:
        np.testing.assert_array_equal(played(audio("t", sound.T, 8000, never), length), got)
    np.testing.assert_array_equal(played(audio("t", sound[:, None], 8000, never), length), got)


@holds(200)
@given(LENGTHS.flatmap(lambda n: npst.arrays("f4", n)))
def test_what_is_beyond_is_clipped(sound: Any) -> None:
    """Any float makes a sample: what is beyond is clipped, which is told, and NaN is silence, which is not."""
    told = Told()
    want = [0 if x != x else int(np.float32(min(max(x, -1), 1)) * np.float32(32767)) for x in sound.tolist()]
    assert played(audio("tag", sound, RATE, told))[:, 0].tolist() == want
    message = "asynctb: sound of tag 'tag' is clipped where it is beyond [-1, 1]. (Said once for this tag.)"
    assert told == [(("audio", "tag"), message)] * bool(np.any(np.abs(sound) > 1))


@holds()
@given(TEXTS, st.integers(1, 1 << 24))
def test_message(tag: str, rate: int) -> None:
    """The value is, to the byte, protobuf's."""
    entry = audio(tag, [0.5, -0.5, 0.25], rate, never)
    assert isinstance(entry, Record)
    assert (entry.tags, entry.plugin, entry.media) == ((tag,), "audio", True)
    assert entry.what == summary(summary_pb2.Summary(value=[value(entry)]).SerializeToString())
    assert value(entry).tag == tag
    assert (value(entry).audio.sample_rate, value(entry).audio.content_type) == (rate, "audio/wav")


@pytest.mark.parametrize("rate", [8000, 44100.0, np.int16(8000), np.float32(48000), np.array([16000]), "22050"])
def test_rates(rate: Any) -> None:
    """A sample rate is any one whole number."""
    assert value(audio("t", np.zeros(3), rate, never)).audio.sample_rate == float(np.asarray(rate, float).item())
    assert len(played(audio("t", np.zeros(3), rate, never))) == 3


@pytest.mark.parametrize("rate", [0, -1, 0.5, 44100.5, math.nan, math.inf, 1 << 32, None, "fast", [1, 2], 1j])
def test_rates_that_are_none(rate: Any) -> None:
    """A sample rate that is not positive, not whole, no number, or beyond what WAV holds, is refused."""
    with pytest.raises(EncodeError):
        audio("t", np.zeros(3), rate, never)


NO_SOUND = [
    *(np.zeros(0), np.zeros((2, 0)), [], np.float32(0.5), 0.5, np.zeros(()), np.zeros((2, 3, 4))),
    *(np.zeros(3, bool), np.zeros(3, complex), "words", None, [None], ["a"], np.zeros(3, "M8[s]"), object()),
]


@pytest.mark.parametrize("sound", NO_SOUND, ids=named)
def test_no_sound(sound: Any) -> None:
    """What has no samples, or more than two sides, or other than real numbers, is refused."""
    with pytest.raises(EncodeError) as raised:
        audio("t", sound, RATE, never)
    assert raised.value.tag == "t"
    assert raised.value.wanted.startswith("sound")


def test_limits_of_wav() -> None:
    """More channels, or bytes a second, or bytes than the fields of a WAV file can hold are refused."""
    nothing = np.zeros((), np.int16)
    wide = np.broadcast_to(nothing, (CHANNELS + 1, CHANNELS + 2))
    with pytest.raises(EncodeError, match="at most 32767 channels"):
        _prepare("t", RATE, never, wide)
    with pytest.raises(EncodeError, match="a sample rate that a WAV file can hold"):
        _prepare("t", 1 << 30, never, np.broadcast_to(nothing, (2, 3)))
    with pytest.raises(EncodeError, match="less than 2 GiB"):
        _prepare("t", RATE, never, np.broadcast_to(nothing, (1 << 30,)))


def test_header_at_the_limit() -> None:
    """The largest numbers that are let through fit the header."""
    rate = ((1 << 32) - 1) // (2 * CHANNELS)
    with wave.open(io.BytesIO(_header(rate, (1, CHANNELS)) + bytes(2 * CHANNELS))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (CHANNELS, rate, 1)


def test_long_sound_is_taken_first() -> None:
    """A long sound is made of the copy that is taken, whatever its owner does with it afterwards."""
    sound = np.full(AT_ONCE // 4 + 1, 0.5, np.float32)
    draft = audio("t", sound, RATE, never)
    assert isinstance(draft, Draft)
    assert (draft.tags, draft.plugin, draft.size) == (("t",), "audio", sound.nbytes)
    encode = draft.take()
    sound[:] = 7
    for _ in range(2):  # to make it again makes the same
        assert set(played(Record(("t",), encode(), "audio"))[:, 0].tolist()) == {16383}


@pytest.mark.parametrize("count", [3, AT_ONCE])
def test_what_is_given_is_left_alone(count: int) -> None:
    """Clipping touches the copy only."""
    sound = np.full(count, 2, np.float32)
    sound[0] = np.nan
    assert set(played(audio("t", sound, RATE, Told()))[:, 0].tolist()) == {0, 32767}
    assert np.isnan(sound[0])
    assert set(sound[1:].tolist()) == {2.0}
