"""What happens in a video, drawn on its frames: a video with labels, and a sheet of pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from pipelines.results import Actions

if TYPE_CHECKING:
    import numpy as np

CLOCK = 90_000  # ticks a second, in which videos state their times
BAND, PAPER, INK = (20, 20, 22), (250, 250, 247), (29, 29, 27)  # colours


@dataclass(frozen=True)
class AnnotatedVideo:
    """The video again, without sound, with label and score of the moment on a band below each frame."""

    extension: ClassVar[str] = "mp4"
    mode: ClassVar[str] = "wb"

    shorter_side: int = 480
    """Pixels that larger videos are reduced to."""

    def __post_init__(self):
        if self.shorter_side < 16:
            raise ValueError(f"shorter_side must be at least 16 pixels, not {self.shorter_side}")

    def write(self, actions: Actions, file: BinaryIO) -> None:
        write_video(file, self._frames(actions), actions.model)

    def _frames(self, actions: Actions) -> Iterator[tuple[float, np.ndarray]]:
        import numpy as np

        for time, pixels in _video(actions).frames(shorter_side=self.shorter_side, strict=False):
            height, width = max(20, pixels.shape[0] // 10), pixels.shape[1]
            yield time, np.concatenate([pixels, _band(_said(actions, time), width, height)])


@dataclass(frozen=True)
class ContactSheet:
    """Frames from the whole video with their times and labels; bars show their shares in the decision."""

    extension: ClassVar[str] = "png"
    mode: ClassVar[str] = "wb"

    frames: int = 12
    """How many."""
    columns: int = 4
    """Side by side."""
    width: int = 240
    """Pixels of each frame."""

    def __post_init__(self):
        if min(self.frames, self.columns) < 1 or self.width < 40:
            raise ValueError("frames and columns must be at least 1, and width at least 40 pixels")

    def write(self, actions: Actions, file: BinaryIO) -> None:
        from PIL import Image, ImageDraw

        video = _video(actions)
        shown = list(video.frames(count=self.frames, shorter_side=self.width, strict=False))
        height = round(self.width * video.size[1] / video.size[0])
        line, gap = max(12, self.width // 14), 6
        cell = (self.width + gap, height + line + 2 * gap)
        columns = min(self.columns, len(shown))
        rows = -(-len(shown) // columns)
        head = 2 * line
        sheet = Image.new("RGB", (columns * cell[0] + gap, head + rows * cell[1] + gap), PAPER)
        draw = ImageDraw.Draw(sheet)
        title = f"{Path(actions.source).name}: {actions.label} {actions.score:.0%}"
        draw.text((gap, gap), title, INK, font(round(1.2 * line)))
        shares = _shares(actions, len(shown))
        part = actions.duration / len(shown)
        for index, frame in enumerate(shown):
            left, top = gap + index % columns * cell[0], head + gap + index // columns * cell[1]
            sheet.paste(Image.fromarray(frame.pixels).resize((self.width, height)), (left, top))
            if shares:
                bar = self.width * shares[index] / max(shares)
                draw.rectangle((left, top + height, left + bar, top + height + 3), (20, 89, 140))
            said = f"{(index + 0.5) * part:.1f} s  {_said(actions, (index + 0.5) * part)}"
            draw.text((left, top + height + gap // 2), said, INK, font(line))
        sheet.save(file, "PNG")


def write_video(
    file: BinaryIO, frames: Iterable[tuple[float, np.ndarray]], title: str = "", crf: int = 23
) -> None:
    """Encode frames as H.264 in an MP4 file while they come.

    Args:
        file: opened for writing, in which one can seek.
        frames: (seconds, (height, width, 3) uint8), in order of time, all of one size.
        title: kept in the file.
        crf: of the codec: the lower, the better and the larger.

    Raises:
        ValueError: there are no frames.
    """
    import av

    with av.open(file, "w", format="mp4") as container:
        container.metadata["title"] = title
        stream, step, before = None, 1, -1
        for time, pixels in frames:
            height, width = (size // 2 * 2 for size in pixels.shape[:2])  # the codec takes even sizes only
            if stream is None:
                stream = container.add_stream("libx264", options={"preset": "veryfast", "crf": str(crf)})
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                stream.time_base = stream.codec_context.time_base = Fraction(1, CLOCK)
            frame = av.VideoFrame.from_ndarray(pixels[:height, :width], "rgb24")
            now = max(before + 1, round(time * CLOCK))
            step, before = (now - before if before >= 0 else step), now
            frame.pts, frame.time_base = now, Fraction(1, CLOCK)
            container.mux(stream.encode(frame))
        if stream is None:
            raise ValueError("there are no frames")
        for packet in stream.encode(None):
            if packet.pts == before:
                packet.duration = step  # the last frame stands as long as the one before
            container.mux(packet)


@lru_cache(maxsize=8)
def font(size: int):
    """matplotlib's, which has most alphabets, at so many pixels."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)


@lru_cache(maxsize=64)
def _band(text: str, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: text on a dark band."""
    import numpy as np
    from PIL import Image, ImageDraw

    band = Image.new("RGB", (width, height), BAND)
    ImageDraw.Draw(band).text((height // 3, height // 2), text, PAPER, font(round(0.6 * height)), anchor="lm")
    return np.asarray(band)


def _said(actions: Actions, time: float) -> str:
    """Label and score of what happens at a time, or nothing."""
    now = (segment for segment in actions.segments if segment.start <= time < segment.end)
    return next((f"{segment.label}  {segment.score:.0%}" for segment in now), "")


def _shares(actions: Actions, parts: int) -> list[float]:
    """The attention in each of so many equal parts of the time; none where there is none."""
    shares = [0.0] * parts if actions.attention else []
    for time, share in actions.attention:
        shares[min(parts - 1, int(time / actions.duration * parts))] += share
    return shares


def _video(actions: Actions):
    from pipelines.media.video import open_video

    if actions.source is None:
        raise ValueError("these actions are of an array; only those of a file can be drawn on their frames")
    return open_video(actions.source)


FORMATS = {"mp4": AnnotatedVideo, "png": ContactSheet}
