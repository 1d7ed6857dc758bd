"""Pictures of pages and ink for a web page, with the outlines of their lines, words and characters."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipelines.errors import MediaError
from pipelines.results import Page, Point, TextLine, WrittenWord
from pipelines.writers.markup import data_uri

WIDEST, HIGHEST = 1400, 4200  # pixels of an image at most
QUALITY = 80  # of its JPEG, in percent
PDF_DPI = 150  # a page of A4 is then 1240 pixels wide
COLOURS = 6  # of characters of ink, in turn


@dataclass(frozen=True)
class Mark:
    """A word with its outline, and in ink the paths of its characters.

    Attributes:
        text, confidence: of the word.
        outline: `x,y x,y ...`, or "" if it is not known.
        characters: (text, colour from 0, paths as `x,y x,y ...`), only in ink.
    """

    text: str
    confidence: float
    outline: str
    characters: tuple[tuple[str, int, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Line:
    """A line's outline and baseline as `x,y x,y ...`, "" if not known, and its words."""

    outline: str
    baseline: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Picture:
    """A page to draw.

    Attributes:
        view: left, top, width and height of the visible part, in the page's pixels or the ink's units.
        regions: the lines of each region, in reading order.
        address: of the image, or "".
        strokes: all paths of the ink as `x,y x,y ...`.
        note: why there is no image, or "".
    """

    view: tuple[float, float, float, float]
    regions: tuple[tuple[Line, ...], ...]
    address: str = ""
    strokes: tuple[str, ...] = ()
    note: str = ""

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for region in self.regions for line in region)

    @property
    def is_wide(self) -> bool:
        """Whether the text is better placed below the picture than beside it."""
        return self.view[2] > 2.5 * self.view[3]

    @property
    def is_seen(self) -> bool:
        return bool(self.address or self.strokes)


class Album:
    """Makes the pictures of one web page, which have a size limit together.

    Args:
        room: bytes for the addresses of all images; an image that would exceed it is left out.
    """

    def __init__(self, room: int):
        from pipelines.media.ink import read_ink

        self.room = room
        # The pieces of a file come one after the other.
        self._read_ink = lru_cache(maxsize=1)(read_ink)

    def picture(self, page: Page, source: Path) -> Picture:
        """The picture of a page that was read from an image, a PDF or a file of ink."""
        from pipelines.media.kind import INK, kind_of

        try:
            if kind_of(source).name == INK:
                return self._ink(page, source)
            address, note = data_uri("image/jpeg", _image(page, source)), ""
        except (MediaError, IndexError) as error:
            address, note = "", str(error)
        if len(address) > self.room:
            address, note = "", "left out to keep this page small"
        self.room -= len(address)
        view = (0.0, 0.0, max(page.width, 1), max(page.height, 1))
        return Picture(view, _regions(page, _words), address, note=note)

    def _ink(self, page: Page, source: Path) -> Picture:
        ink = self._read_ink(source)[(page.number or 1) - 1]
        strokes = [stroke[:, :2] for stroke in ink.strokes]
        regions = _regions(page, lambda line: _ink_words(line, strokes))
        return Picture(_around(strokes), regions, strokes=tuple(map(_path, strokes)))


def _regions(page: Page, words: Callable[[TextLine], tuple[Mark, ...]]) -> tuple[tuple[Line, ...], ...]:
    return tuple(
        tuple(Line(_path(line.polygon), _path(line.baseline), words(line)) for line in region.lines)
        for region in page.regions
    )


def _words(line: TextLine) -> tuple[Mark, ...]:
    """The line's words; a line without words is taken as one."""
    words = line.words or (WrittenWord(line.text, line.confidence, line.polygon),)
    return tuple(Mark(word.text, word.confidence, _path(_outline(word))) for word in words if word.text)


def _outline(word: WrittenWord) -> tuple[Point, ...]:
    points = word.polygon or [point for glyph in word.glyphs for point in glyph.polygon]
    if word.polygon or not points:
        return word.polygon
    across, down = zip(*points, strict=True)
    left, top, right, bottom = min(across), min(down), max(across), max(down)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _ink_words(line: TextLine, strokes: Sequence[np.ndarray]) -> tuple[Mark, ...]:
    """Words with the paths of their characters, each in the next colour."""
    marks, number = [], 0
    for word in line.words:
        characters = []
        for glyph in word.glyphs:
            # One point more: otherwise the path from one character to the next would belong to neither.
            paths = [_path(strokes[span.stroke][span.first : span.last + 2]) for span in glyph.strokes]
            characters.append((glyph.text, number % COLOURS, tuple(paths)))
            number += 1
        marks.append(Mark(word.text, word.confidence, _path(_outline(word)), tuple(characters)))
    return tuple(marks)


def _image(page: Page, source: Path) -> bytes:
    from PIL import Image

    from pipelines.media.documents import page_of
    from pipelines.media.images import read_image

    image = Image.fromarray(read_image(page_of(source, page.number, PDF_DPI), colour=True).pixels)
    image.thumbnail((WIDEST, HIGHEST))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=QUALITY)
    return content.getvalue()


def _around(strokes: Sequence[np.ndarray]) -> tuple[float, float, float, float]:
    points = np.concatenate(strokes)
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    margin = 0.03 * max(right - left, bottom - top, 1)
    sides = (left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin)
    return tuple(round(float(side), 1) for side in sides)


def _path(points: Sequence[Point] | np.ndarray) -> str:
    return " ".join(f"{x:.6g},{y:.6g}" for x, y in points)
