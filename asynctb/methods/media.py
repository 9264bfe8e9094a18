"""Images, videos and sound: the Images and Audio dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from asynctb.encode.audio import audio
from asynctb.encode.boxes import image_with_boxes
from asynctb.encode.image import image, images
from asynctb.encode.video import video
from asynctb.methods.base import ArrayLike, Family, Number, R_co, Step, WallTime

__all__ = ["MediaMethods"]

ImageFormat: TypeAlias = Literal["png", "jpeg"]
VideoFormat: TypeAlias = Literal["gif", "apng"]


class MediaMethods(Family[R_co]):
    """What is seen and heard, by step."""

    def add_image(
        self,
        tag: str,
        img_tensor: ArrayLike,
        global_step: Step = None,
        walltime: WallTime = None,
        dataformats: str = "CHW",
        *,
        format: ImageFormat = "png",
        quality: int = 90,
        compress_level: int = 4,
    ) -> R_co:
        """Add an image to the Images dashboard.

        Floats and booleans count from 0 (black) to 1, integers from 0 to 255; what lies outside is clipped, and NaN is
        black. One channel is grey, two are grey and alpha, three RGB, four RGBA.

        Args:
            tag: the image's name; `/` groups images under a heading.
            img_tensor: an array or tensor, on any device; or a Pillow image of any mode, whose own layout counts.
            global_step: the image's step; None for one more than this tag's last step, from 0.
            walltime: seconds since the epoch; None for now.
            dataformats: what the array's dimensions are, of height, width, channel and number: the letters of "HW",
                "CHW" or "NCHW" in any order. With N it is a batch, shown as a grid of at most 8 columns.
            format: of the file that is stored: "png", without loss, or "jpeg", smaller, without alpha: what is
                transparent is laid on white.
            quality: of JPEG, from 1 to 95.
            compress_level: of PNG, from 0 (none) to 9 (a little smaller than 4, and up to twenty times as long).

        Raises:
            EncodeError: for what is no image: other dimensions than `dataformats` says, a side of 0, more than four
                channels, complex numbers; and for options that do not exist.
        """
        return self._emit(
            "add_image",
            tag,
            global_step,
            walltime,
            image,
            tag,
            img_tensor,
            dataformats,
            format,
            quality,
            compress_level,
        )

    def add_images(
        self,
        tag: str,
        img_tensor: ArrayLike,
        global_step: Step = None,
        walltime: WallTime = None,
        dataformats: str = "NCHW",
        *,
        grid: bool = True,
        format: ImageFormat = "png",
        quality: int = 90,
        compress_level: int = 4,
    ) -> R_co:
        """Add a batch of images to the Images dashboard, as one grid or each on its own.

        Args:
            tag: the images' name.
            img_tensor: an array or tensor of the values that `add_image` takes; or a list of images of one size, be
                they arrays or Pillow's.
            global_step: the images' step; None for one more than this tag's last step, from 0.
            walltime: seconds since the epoch; None for now.
            dataformats: what the dimensions are, as for `add_image`; a list is the first of them.
            grid: show them as one image, in rows of 8, with zeros (black, or transparent) where the last row has none;
                False to show each as an image of its own, "sample 1 of N" and so on.
            format: as for `add_image`.
            quality: as for `add_image`.
            compress_level: as for `add_image`.

        Raises:
            EncodeError: as `add_image`, and for a list of images that are not all of one shape.
        """
        return self._emit(
            "add_images",
            tag,
            global_step,
            walltime,
            images,
            tag,
            img_tensor,
            dataformats,
            grid,
            format,
            quality,
            compress_level,
        )

    def add_image_with_boxes(
        self,
        tag: str,
        img_tensor: ArrayLike,
        box_tensor: ArrayLike,
        global_step: Step = None,
        walltime: WallTime = None,
        rescale: Number = 1,
        dataformats: str = "CHW",
        labels: str | Sequence[str] | None = None,
        *,
        format: ImageFormat = "png",
        quality: int = 90,
        compress_level: int = 4,
    ) -> R_co:
        """Add an image with boxes drawn on it to the Images dashboard: red, two pixels wide.

        Args:
            tag: the image's name.
            img_tensor: as for `add_image`.
            box_tensor: an array (N, 4) of finite numbers: left, top, right and bottom of each box, in pixels of the
                image before it is rescaled.
            global_step: the image's step; None for one more than this tag's last step, from 0.
            walltime: seconds since the epoch; None for now.
            rescale: by what the image's height and width are multiplied once the boxes are drawn.
            dataformats: as for `add_image`.
            labels: a text for each box, shown in its lower left corner; one text for a single box.
            format: as for `add_image`.
            quality: as for `add_image`.
            compress_level: as for `add_image`.

        Raises:
            EncodeError: as `add_image`; for boxes that are none, another number of labels than of boxes, and a
                `rescale` that leaves nothing of the image.
        """
        return self._emit(
            "add_image_with_boxes",
            tag,
            global_step,
            walltime,
            image_with_boxes,
            tag,
            img_tensor,
            box_tensor,
            rescale,
            dataformats,
            labels,
            format,
            quality,
            compress_level,
        )

    def add_video(
        self,
        tag: str,
        vid_tensor: ArrayLike,
        global_step: Step = None,
        fps: Number = 4,
        walltime: WallTime = None,
        *,
        format: VideoFormat = "gif",
    ) -> R_co:
        """Add a video to the Images dashboard, which plays it over and over.

        A batch of videos is shown side by side: N are put into a grid for the next power of two, which is as wide as
        it is high, or twice that; what is left over is black. Frames that are the same are stored once.

        Args:
            tag: the video's name.
            vid_tensor: an array or tensor (N, T, C, H, W) of N videos with T frames and 1 (grey), 3 (RGB) or 4 (RGBA)
                channels. Floats and booleans count from 0 to 1, integers from 0 to 255.
            global_step: the video's step; None for one more than this tag's last step, from 0.
            fps: frames a second, above 1/655 and finite. A frame's beginning is rounded to what the format counts in,
                so that none drifts. Browsers slow down what is shown for a moment only: a GIF shows 50 frames a second
                at most, an animated PNG 90; beyond that some are left out, and the video lasts as long as it should.
            walltime: seconds since the epoch; None for now.
            format: "gif", whose frames have 256 colours at most (a frame with more is dithered, one with fewer is
                exact; RGBA is laid on white), or "apng", an animated PNG, which is exact and larger.

        Raises:
            EncodeError: for other dimensions, a side of 0, sides beyond 65,535 pixels in a GIF, complex numbers, and
                an `fps` that is not positive.
        """
        return self._emit("add_video", tag, global_step, walltime, video, tag, vid_tensor, fps, format)

    def add_audio(
        self,
        tag: str,
        snd_tensor: ArrayLike,
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
