"""Sound for TensorBoard's Audio dashboard: 16-bit WAV files."""

from __future__ import annotations

import io
import wave
from functools import partial
from typing import Any

import numpy as np

from asynctb.encode.arrays import Array, as_number, held
from asynctb.encode.drafts import draft
from asynctb.encode.pieces import field, payload
from asynctb.encode.tags import encode_tag
from asynctb.entry import Encode, Entry, Tell
from asynctb.errors import EncodeError, Shape
from asynctb.proto import summary_pb2

__all__ = ["audio"]

PLUGIN = "audio"
SOUND = "sound: an array of floats in [-1, 1], or of integer samples"
FULL = 32767  # torch's: what 1.0 becomes
BITS = 16  # of a sample
CHANNELS = (1 << 16) // 2 - 1  # WAV keeps the bytes of a frame in 16 bits
BYTES = (1 << 32) - 1  # and those of a second, and of the whole file, in 32
HEADER = 44
AT_ONCE = 128 << 10  # bytes up to which encoding takes less than the 0.1 ms of a thread's turn


def audio(tag: str, snd_tensor: Any, sample_rate: Any, tell: Tell) -> Entry:
    """Return a sound of one channel or many; tells once for a tag that some of it was beyond [-1, 1]."""
    encode_tag(tag)
    rate = _rate(tag, sample_rate)
    source = held(tag, snd_tensor, SOUND, "iuf")
    return draft([tag], PLUGIN, [source], partial(_prepare, tag, rate, tell), at_once=AT_ONCE)


def _rate(tag: str, sample_rate: Any) -> int:
    wanted = "a sample rate: a positive whole number of Hz"
    rate = as_number(tag, sample_rate)
    if not 0 < rate <= BYTES or rate != int(rate):
        raise EncodeError(tag, wanted, sample_rate)
    return int(rate)


def _prepare(tag: str, rate: int, tell: Tell, sound: Array) -> Encode:
    frames = _frames(tag, sound)
    length, channels = frames.shape[0], frames.shape[1]
    if channels > CHANNELS:
        raise EncodeError(tag, f"sound of at most {CHANNELS} channels", channels)
    if channels * rate * BITS // 8 > BYTES:
        raise EncodeError(tag, "a sample rate that a WAV file can hold", rate)
    if HEADER + frames.size * BITS // 8 > BYTES // 2:
        raise EncodeError(tag, "less than 2 GiB of sound", frames.size)
    return lambda: _payload(tag, rate, (length, channels), _samples(tag, frames, tell))


def _frames(tag: str, sound: Array) -> Array:
    """Return sound as rows of one sample for each channel; of two sides, the longer one is time."""
    flat = sound.squeeze() if sound.size != 1 else sound.reshape(-1)
    if sound.ndim == 0 or flat.ndim > 2 or not sound.size:
        raise EncodeError(
            tag, "sound in the shape (L,), (C, L) or (L, C), with at least one sample", Shape(sound.shape)
        )
    if flat.ndim == 1:
        return flat[:, np.newaxis]
    return flat.T if flat.shape[-1] == max(flat.shape) else flat


def _samples(tag: str, frames: Array, tell: Tell) -> Array:
    """Return what the file holds; of `frames`, what no sample can be may be overwritten."""
    if frames.dtype.kind == "f":
        return _from_floats(tag, frames, tell)
    return frames if frames.dtype == np.int16 else _from_integers(frames)


def _from_floats(tag: str, frames: Array, tell: Tell) -> Array:
    floats = frames.astype(np.promote_types(frames.dtype, np.float32), copy=False)
    np.copyto(floats, 0, where=np.isnan(floats))
    if floats.min() < -1 or floats.max() > 1:
        message = "asynctb: sound of tag %r is clipped where it is beyond [-1, 1]. (Said once for this tag.)"
        tell((PLUGIN, tag), message, tag)
        np.clip(floats, -1, 1, out=floats)
    return (floats * FULL).astype(np.int16)


def _from_integers(frames: Array) -> Array:
    """Return integers as 16 bits: the upper ones of what has more. Of unsigned ones the middle is silence."""
    bits = 8 * frames.dtype.itemsize
    upper = (frames >> frames.dtype.type(max(bits - BITS, 0))).astype(np.int32)
    if frames.dtype.kind == "u":
        upper -= 1 << min(bits, BITS) - 1
    samples: Array = (upper << max(BITS - bits, 0)).astype(np.int16)
    return samples


def _payload(tag: str, rate: int, shape: tuple[int, int], samples: Array) -> bytes:
    length, channels = shape
    about = summary_pb2.Summary.Audio(sample_rate=rate, num_channels=channels, length_frames=length)
    kind = summary_pb2.Summary.Audio(content_type="audio/wav")
    name = summary_pb2.Summary.Value(tag=tag)
    wav = field(b"\x22", [_header(rate, shape), samples.astype("<i2", copy=False)])  # Audio.encoded_audio_string
    sound = field(b"\x32", [about.SerializeToString(), *wav, kind.SerializeToString()])  # Value.audio
    return payload(field(b"\x0a", [name.SerializeToString(), *sound]))  # Summary.value


def _header(rate: int, shape: tuple[int, int]) -> bytes:
    """Return what stands before a WAV file's samples."""
    length, channels = shape
    file = io.BytesIO()
    writer = wave.open(file, "wb")  # noqa: SIM115  # to close it would say that there are no samples
    writer.setparams((channels, BITS // 8, rate, length, "NONE", ""))
    writer.writeframesraw(b"")
    return file.getvalue()
