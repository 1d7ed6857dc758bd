"""Captions as pictures: the sentence, and for each of its words where the model looked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from pipelines.errors import MediaError
from pipelines.results import Caption, CaptionWord, Sentence
from pipelines.writers.lettering import cut, font, line_height, wrap
from pipelines.writers.lines import one_line

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

PAPER, INK, GREY, BLUE = (255, 255, 255), (29, 29, 27), (95, 94, 88), (20, 89, 140)
WIDEST = 12.0  # inches of the whole picture
NARROWEST = 2.2
INCHES = 2.0  # sides of a square word picture; others have the same area
SIDES = 1.2, 4.0  # inches that the width of a word picture may have
ATTENDED = 0.6  # opacity of the attention over the picture
LINES = 4  # of a sentence


@dataclass(frozen=True)
class AttentionMap:
    """A PNG picture: the sentence, the image, and for each word the image under the word's attention.

    For a video there is one block a sentence; bars show the share of each frame, in the order of time.
    """

    extension: ClassVar[str] = "png"
    mode: ClassVar[str] = "wb"

    dpi: float = 100.0
    """Pixels an inch; a word's picture is about two inches wide."""

    def __post_init__(self):
        if not 20 <= self.dpi <= 1000:
            raise ValueError(f"dpi is {self.dpi!r}; give pixels an inch, from 20 to 1000")

    def write(self, caption: Caption, file: BinaryIO) -> None:
        from PIL import Image

        blocks = [self._block(caption, sentence) for sentence in caption.sentences]
        blocks = blocks or [Image.new("RGB", (round(NARROWEST * self.dpi), round(self.dpi)), PAPER)]
        sheet = Image.new("RGB", (max(b.width for b in blocks), sum(b.height for b in blocks)), PAPER)
        top = 0
        for block in blocks:
            sheet.paste(block, (0, top))
            top += block.height
        sheet.save(file, "PNG")

    def _block(self, caption: Caption, sentence: Sentence) -> Image.Image:
        """A sentence with its pictures."""
        from PIL import Image, ImageDraw

        pixels = _shown(caption, sentence)
        gap = max(4, round(0.1 * self.dpi))
        size = max(9, round(0.14 * self.dpi))
        small, large = font(size), font(round(1.45 * size), bold=True)
        width, height = self._cell(pixels.shape[1] / pixels.shape[0])
        count = len(sentence.words) + 1
        rows = math.ceil(count / max(1, int(WIDEST * self.dpi) // (width + gap)))
        columns = math.ceil(count / rows)  # as even as it can be
        whole = max(columns * (width + gap) + gap, round(NARROWEST * self.dpi))

        heading = wrap(one_line(sentence.text) or "(nothing)", large, whole - 2 * gap, LINES)
        head = 2 * gap + len(heading) * line_height(large) + line_height(small)
        down = line_height(small) + height + gap
        block = Image.new("RGB", (whole, head + rows * down + gap), PAPER)
        draw = ImageDraw.Draw(block)
        for place, line in enumerate(heading):
            draw.text((gap, gap + place * line_height(large)), line, INK, large)
        about = cut(_about(caption, sentence), small, whole - 2 * gap)
        draw.text((gap, gap + len(heading) * line_height(large)), about, GREY, small)

        picture = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
        for place, word in enumerate([None, *sentence.words]):
            left, top = gap + place % columns * (width + gap), head + place // columns * down
            if word:
                score = f"{100 * word.confidence:.0f} %"
                room = width - small.getlength(f" {score}")
                draw.text((left, top), cut(one_line(word.text), small, room), INK, small)
                draw.text((left + width, top), score, GREY, small, anchor="ra")
            block.paste(_looked(picture, word) if word else picture, (left, top + line_height(small)))
        return block

    def _cell(self, aspect: float) -> tuple[int, int]:
        """Width and height of a word picture: of the image's form and everywhere of about the same area."""
        narrow, wide = (side * self.dpi for side in SIDES)
        width = min(max(INCHES * self.dpi * math.sqrt(aspect), narrow), wide)
        return round(width), max(round(0.2 * self.dpi), round(min(width / aspect, wide)))


def _about(caption: Caption, sentence: Sentence) -> str:
    """Confidence, time and file of a sentence."""
    parts = [f"{100 * sentence.confidence:.0f} %"]
    if caption.duration:
        parts.append(f"{sentence.start:.1f} to {sentence.end:.1f} s, bars: share of each frame")
    return one_line(" · ".join([*parts, Path(caption.source).name]))


def _shown(caption: Caption, sentence: Sentence) -> np.ndarray:
    """The image, or the frame in the middle of the sentence's stretch, (height, width, 3) uint8.

    Raises:
        MediaError: it was not read from a file, or the file is no longer there.
    """
    from pipelines.media.images import read_image
    from pipelines.media.video import open_video

    if caption.source is None:
        raise MediaError("<array>", "is in no file that could be drawn", "describe a file, or write json")
    if not caption.duration:
        return read_image(caption.source, colour=True).pixels
    film = open_video(caption.source)
    (frame,) = film.frames(count=1, start=sentence.start, end=sentence.end or None, strict=False)
    return frame.pixels


def _looked(picture: Image.Image, word: CaptionWord) -> Image.Image:
    """The picture in grey under the attention of a word; of a video, the shares of its frames as bars."""
    import numpy as np
    from matplotlib import colormaps
    from PIL import Image

    shares = np.asarray(word.attention, np.float32)
    if not shares.size:
        return Image.new("RGB", picture.size, PAPER)
    if len(shares) == 1:
        return _bars(shares[0], picture.size)
    wide = Image.fromarray(shares).resize(picture.size, Image.Resampling.BICUBIC)
    warmth = np.asarray(wide).clip(0)
    colours = colormaps["inferno"](warmth / max(float(warmth.max()), 1e-9))[..., :3] * 255
    grey = np.asarray(picture, np.float32).mean(axis=2, keepdims=True)
    mixed = ATTENDED * colours + (1 - ATTENDED) * grey
    return Image.fromarray(mixed.round().clip(0, 255).astype(np.uint8))


def _bars(shares: Sequence[float], size: tuple[int, int]) -> Image.Image:
    from PIL import Image, ImageDraw

    (width, height), highest = size, max(float(max(shares)), 1e-9)
    panel = Image.new("RGB", size, (243, 242, 237))
    draw = ImageDraw.Draw(panel)
    for place, share in enumerate(shares):
        left, right = (round((place + side) * width / len(shares)) for side in (0, 1))
        tall = round((height - 3) * float(share) / highest)
        if tall > 0:
            draw.rectangle((left, height - tall, max(left, right - 2), height), BLUE)
    draw.line((0, height - 1, width, height - 1), GREY)
    return panel


FORMATS = {"png": AttentionMap}
