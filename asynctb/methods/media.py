"""Images, videos and sound: the Images and Audio dashboards."""

from __future__ import annotations

from typing import Any

from asynctb.encode.audio import audio
from asynctb.methods.base import Family, Number, R_co, Step, WallTime

__all__ = ["MediaMethods"]


class MediaMethods(Family[R_co]):
    """What is seen and heard, by step."""

    def add_audio(
        self,
        tag: str,
        snd_tensor: Any,
        global_step: Step = None,
        sample_rate: Number = 44100,
        walltime: WallTime = None,
    ) -> R_co:
        """Add a sound to the Audio dashboard, as a WAV file of 16 bits.

        Args:
            tag: the sound's name; `/` groups sounds under a heading.
            snd_tensor: an array or tensor of samples. Mono in any shape with one side longer than 1, such as `(L,)` or
                `(1, L)`. More channels as `(C, L)`, which is torchaudio's way, or `(L, C)`, which is soundfile's: the
                longer side is time, and of equal sides the last. Floats go from -1 to 1; what is beyond is clipped,
                which is said once per tag in the log, and NaN is silence. Integers go by the range of their type, of
                which 16 bits are kept: int16 is stored as it is, and of unsigned types the middle is silence.
            global_step: the sound's step; None for one more than this tag's last step, from 0.
            sample_rate: samples per second, a whole number of Hz.
            walltime: seconds since the epoch; None for now.

        Raises:
            EncodeError: for what is no sound: bools, complex numbers, text, no sample at all, more than two sides; for
                more than 32,767 channels, which WAV cannot hold; for a sample rate that is not positive or not whole.
        """
        return self._emit(
            "add_audio", tag, global_step, walltime, audio, tag, snd_tensor, sample_rate, self._notices.once
        )
