"""Actions drawn on the frames of their video: a video with labels, and a contact sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from pipelines.results import Actions
from pipelines.writers.lettering import cut, font, line_height, wrap
from pipelines.writers.lines import one_line

if TYPE_CHECKING:
    import numpy as np

CLOCK = 90_000  # ticks a second, in which videos state their times
BAND, PAPER, INK = (20, 20, 22), (250, 250, 247), (29, 29, 27)
GREY, BLUE = (95, 94, 88), (20, 89, 140)
GAP, BAR = 12, 6  # pixels between the frames of a contact sheet, and below them for bars
LINES = 2  # of a label there
NARROWEST, LONGEST = 160, 4096  # pixels of a side of a video; what is narrower has margins


@dataclass(frozen=True)
class AnnotatedVideo:
    """The video without sound, with the current label and its score on a band below each frame."""

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

        video = _video(actions)
        side = min(self.shorter_side, LONGEST * min(video.size) // max(video.size))
        for time, pixels in video.frames(shorter_side=max(1, side), strict=False):
            pixels = pixels[: LONGEST - 20, :LONGEST]
            margin = max(0, NARROWEST - pixels.shape[1])  # so that a label can be read below it
            pixels = np.pad(pixels, ((0, 0), (margin // 2, margin - margin // 2), (0, 0)))
            height, width = max(20, pixels.shape[0] // 10), pixels.shape[1]
            yield time, np.concatenate([pixels, _band(*_at(actions, time), width, height)])


@dataclass(frozen=True)
class ContactSheet:
    """Frames from the whole video with their times, labels and scores.

    Bars below the frames show their shares in the decision, the longest one being the largest share.
    """

    extension: ClassVar[str] = "png"
    mode: ClassVar[str] = "wb"

    frames: int = 12
    """Number of frames."""
    columns: int = 4
    """Frames side by side."""
    width: int = 240
    """Width of each frame in pixels."""

    def __post_init__(self):
        if min(self.frames, self.columns) < 1 or self.width < 40:
            raise ValueError("frames and columns must be at least 1, and width at least 40 pixels")

    def write(self, actions: Actions, file: BinaryIO) -> None:
        from PIL import Image, ImageDraw

        video = _video(actions)
        shown = list(video.frames(self.frames, None, self.width, end=actions.duration or None, strict=False))
        part = actions.duration / len(shown)
        times = [(index + 0.5) * part for index in range(len(shown))]
        shares = _shares(actions, len(shown))

        size = max(11, self.width // 16)
        small, large = font(size), font(round(1.3 * size), bold=True)
        labels = [wrap(_at(actions, time)[0], small, self.width, LINES) for time in times]
        width, height = self._size(video.size)
        text_height = (1 + max(map(len, labels))) * line_height(small)
        across, down = self.width + GAP, height + BAR + text_height + GAP
        columns = min(self.columns, len(shown))
        head = GAP + line_height(large) + line_height(small)
        rows = -(-len(shown) // columns)
        sheet = Image.new("RGB", (columns * across + GAP, head + GAP + rows * down), PAPER)
        draw = ImageDraw.Draw(sheet)
        self._draw_head(draw, actions, bool(shares), sheet.width - 2 * GAP, small, large)
        for index, (frame, time, label) in enumerate(zip(shown, times, labels, strict=True)):
            left, top = GAP + index % columns * across, head + GAP + index // columns * down
            picture = Image.fromarray(frame.pixels).resize((width, height))
            sheet.paste(picture, (left + (self.width - width) // 2, top))
            if shares:
                bar = round((self.width - 1) * shares[index] / max(shares))
                draw.rectangle((left, top + height, left + bar, top + height + BAR - 2), BLUE)
            top += height + BAR
            draw.text((left, top), f"{time:.1f} s", GREY, small)
            score = _at(actions, time)[1]
            if small.getlength(f"{time:.1f} s  {score}") <= self.width:
                draw.text((left + self.width, top), score, GREY, small, anchor="ra")
            for line in label:
                top += line_height(small)
                draw.text((left, top), line, INK, small)
        sheet.save(file, "PNG")

    def _size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) at which frames of a size are shown; narrow ones at most twice as high as wide."""
        share = min(self.width / size[0], 2 * self.width / size[1])
        return max(1, round(share * size[0])), max(1, round(share * size[1]))

    def _draw_head(self, draw, actions: Actions, bars: bool, width: int, small, large) -> None:
        score = f"  {percent(actions.score)}"
        room = width - large.getlength(score)
        title = cut(one_line(actions.label), large, room)
        draw.text((GAP, GAP), title, INK, large)
        if title:
            draw.text((GAP + large.getlength(title), GAP), score, INK, large)
        about = f"{actions.duration:.1f} s · {'bars: share in the decision · ' if bars else ''}"
        about += one_line(Path(actions.source).name)
        draw.text((GAP, GAP + line_height(large)), cut(about, small, width), GREY, small)


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
        stream, step, before = None, CLOCK // 25, -1  # a single frame lasts as long as most do
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


@lru_cache(maxsize=64)
def _band(label: str, score: str, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8: a label and its score on a dark band; a long label in smaller letters."""
    import numpy as np
    from PIL import Image, ImageDraw

    band = Image.new("RGB", (width, height), BAND)
    draw, margin = ImageDraw.Draw(band), height // 3
    for share in (0.6, 0.52, 0.44):
        letters = font(max(10, round(share * height)))
        room = width - 2 * margin - letters.getlength(f"  {score}")
        if letters.getlength(label) <= room:
            break
    draw.text((margin, height // 2), cut(label, letters, room), PAPER, letters, anchor="lm")
    draw.text((width - margin, height // 2), score, PAPER, letters, anchor="rm")
    return np.asarray(band)


def percent(share: float) -> str:
    """A share of 1 as people read it."""
    return f"{100 * share:.0f} %"


def _at(actions: Actions, time: float) -> tuple[str, str]:
    """Label and score of the segment at a time, empty between segments."""
    now = (segment for segment in actions.segments if segment.start <= time < segment.end)
    return next(((one_line(segment.label), percent(segment.score)) for segment in now), ("", ""))


def _shares(actions: Actions, parts: int) -> list[float]:
    """The attention in each of so many equal parts of the time; none if the model gives none."""
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
