"""Translations as pictures: which word of the source each word of a translation comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from pipelines.results import Translated, TranslatedSentence
from pipelines.writers.lettering import cut, font, line_height, wrap
from pipelines.writers.lines import one_line

if TYPE_CHECKING:
    from PIL import Image

PAPER, INK, RULE, BLUE = (255, 255, 255), (29, 29, 27), (217, 215, 207), (20, 89, 140)
NARROWEST = 5.0  # inches
LONGEST = 1.6  # inches of a word
MOST = 20  # sentences in a picture
LINES = 4  # of a sentence


@dataclass(frozen=True)
class AlignmentMap:
    """A PNG picture: for each of the first 20 sentences a field for each pair of words, the darker the larger
    the share of the attention. Words of the source are above, those of the translation at the left.
    """

    extension: ClassVar[str] = "png"
    mode: ClassVar[str] = "wb"

    dpi: float = 100.0
    """Pixels an inch; a field is a quarter of an inch wide."""

    def __post_init__(self):
        if not 20 <= self.dpi <= 1000:
            raise ValueError(f"dpi is {self.dpi!r}; give pixels an inch, from 20 to 1000")

    def write(self, translated: Translated, file: BinaryIO) -> None:
        from PIL import Image

        blocks = [self._block(sentence) for sentence in translated.sentences[:MOST]]
        blocks = blocks or [Image.new("RGB", (round(NARROWEST * self.dpi), round(self.dpi)), PAPER)]
        sheet = Image.new("RGB", (max(b.width for b in blocks), sum(b.height for b in blocks)), PAPER)
        top = 0
        for block in blocks:
            sheet.paste(block, (0, top))
            top += block.height
        sheet.save(file, "PNG")

    def _block(self, sentence: TranslatedSentence) -> Image.Image:
        """A sentence with the attention of its words."""
        from PIL import Image, ImageDraw

        size, side, gap = (
            max(9, round(0.14 * self.dpi)),
            round(0.25 * self.dpi),
            max(4, round(0.1 * self.dpi)),
        )
        letters, bold = font(size), font(round(1.2 * size), bold=True)
        room = LONGEST * self.dpi
        above = [cut(one_line(word), letters, room) for word in sentence.source_tokens]
        beside = [cut(one_line(token.text), letters, room) for token in sentence.tokens]
        left = 2 * gap + round(max(map(letters.getlength, beside), default=0))
        high = gap + round(max(map(letters.getlength, above), default=0))
        width = max(left + side * len(above) + gap, round(NARROWEST * self.dpi))
        head = wrap(one_line(sentence.text) or "(nothing)", bold, width - 2 * gap, LINES)
        top = gap + len(head) * line_height(bold) + high
        block = Image.new("RGB", (width, top + side * len(beside) + 2 * gap), PAPER)
        draw = ImageDraw.Draw(block)
        for place, line in enumerate(head):
            draw.text((gap, gap + place * line_height(bold)), line, INK, bold)
        for place, word in enumerate(above):
            turned = Image.new("RGB", (max(1, high - gap), line_height(letters)), PAPER)
            ImageDraw.Draw(turned).text((0, 0), word, INK, letters)
            turned = turned.rotate(90, expand=True)
            block.paste(turned, (left + place * side + (side - turned.width) // 2, top - turned.height - 2))
        for row, token in enumerate(sentence.tokens):
            y = top + row * side
            draw.text((left - gap, y + side // 2), beside[row], INK, letters, anchor="rm")
            for column, share in enumerate(token.attention):
                x = left + column * side
                shade = tuple(round(a + (b - a) * min(1.0, share)) for a, b in zip(PAPER, BLUE, strict=True))
                draw.rectangle((x, y, x + side, y + side), shade, RULE)
        return block


FORMATS = {"png": AlignmentMap}
