"""What layout formats share: outlines in whole pixels within the page, ids, valid characters, directions."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

from pipelines.results import Glyph, Page, Point, TextLine, TextRegion, WrittenWord
from pipelines.writers.lines import one_line, printable

Outline = tuple[tuple[int, int], ...]

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True)
class Sheet:
    """The page that outlines are clipped to, at least one pixel in size.

    Attributes:
        width, height: in whole pixels.
        left, top: the origin; the least coordinates of ink, whose surface has no corner.
    """

    width: int
    height: int
    left: float = 0.0
    top: float = 0.0

    @classmethod
    def of(cls, page: Page) -> Sheet:
        size = max(round(page.width), 1), max(round(page.height), 1)
        points = [point for region in page.regions for point in (*region.polygon, *_of_lines(region))]
        if not points:
            return cls(*size)
        across, down = zip(*points, strict=True)
        # Ink without words shows by a line that is as large as all of it.
        fills = all(
            0 <= side - (max(along) - min(along)) <= 1
            for side, along in zip(size, (across, down), strict=True)
        )
        if not fills and not any(word.strokes for word in page.words):
            return cls(*size)
        return cls(*size, min(across), min(down))

    @property
    def outline(self) -> Outline:
        return _rectangle(0, 0, self.width, self.height)

    def region(self, region: TextRegion) -> Outline:
        """A region's polygon, or the rectangle around its lines, or the page."""
        return self._closed(region.polygon, _of_lines(region), self.outline)

    def line(self, line: TextLine, within: Outline) -> Outline:
        """A line's polygon, or the rectangle around its words or baseline, or the region's outline."""
        return self._closed(line.polygon, _of_line(line), within)

    def word(self, word: WrittenWord, within: Outline) -> Outline:
        """A word's polygon, or the rectangle around its glyphs, or its line's outline."""
        return self._closed(word.polygon, _of_word(word), within)

    def glyph(self, glyph: Glyph, within: Outline) -> Outline:
        """A glyph's polygon, or its word's outline."""
        return self._closed(glyph.polygon, [], within)

    def path(self, points: Iterable[Point]) -> Outline:
        """The distinct points after clipping and rounding: at least two, or none.

        Raises:
            ValueError: a coordinate is not a number.
        """
        whole = self._clipped(points)
        apart = [point for place, point in enumerate(whole) if place == 0 or point != whole[place - 1]]
        return tuple(apart) if len(apart) > 1 else ()

    def _clipped(self, points: Iterable[Point]) -> list[tuple[int, int]]:
        return [(_within(x - self.left, self.width), _within(y - self.top, self.height)) for x, y in points]

    def _closed(self, polygon: tuple[Point, ...], inside: list[Point], otherwise: Outline) -> Outline:
        """The polygon, or if it has fewer than three points or no extent, the rectangle around `inside`."""
        path = self.path([*polygon, *polygon[:1]])[:-1] if polygon else ()
        if len(set(path)) > 2 and 0 not in _extent(path):
            return path
        points = self._clipped(inside or polygon)
        if not points:
            return otherwise
        left, top, right, bottom = bounds(points)
        left, top = min(left, self.width - 1), min(top, self.height - 1)
        return _rectangle(left, top, max(right, left + 1), max(bottom, top + 1))


class Ids:
    """Unique ids of one file, valid as names in XML; ids of the page are kept if they are valid.

    Args:
        page: whose regions' and lines' ids are reserved for them.
    """

    def __init__(self, page: Page):
        own = [each.id for region in page.regions for each in (region, *region.lines)]
        self._own = {name for name in own if name and _id(name) == name}
        self._used: set[str] = set()

    def take(self, own: str, otherwise: str) -> str:
        """The id `own`, altered as little as possible; if it is "", an id like `otherwise`."""
        stem = _id(own or otherwise)
        name, number = stem, 1
        while name in self._used or (name in self._own and name != own):
            number += 1
            name = f"{stem}_{number}"
        self._used.add(name)
        return name


def bounds(points: Iterable[tuple[int, int]]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom)."""
    across, down = zip(*points, strict=True)
    return min(across), min(down), max(across), max(down)


def flat(points: Iterable[tuple[int, int]]) -> str:
    """`x y x y ...`"""
    return " ".join(f"{x} {y}" for x, y in points)


def software() -> str:
    """Name and version of this program."""
    from pipelines import __version__

    return f"triscribe {__version__}"


def text_for_xml(text: str) -> str:
    """Text on one line, with U+FFFD for each character that XML 1.0 does not allow."""
    return NOT_XML.sub("\ufffd", one_line(text))


def name_of(page: Page) -> str:
    """Name of the image file without its folder; "" for an array."""
    return "" if page.source is None else text_for_xml(printable(re.split(r"[/\\]", str(page.source))[-1]))


def path_of(page: Page, file: TextIO) -> str:
    """Path of the image as seen from the folder of an output; its name if either is in no file."""
    written = getattr(file, "name", None)
    if page.source is None or not isinstance(written, str) or not os.path.isfile(page.source):
        return name_of(page)
    try:
        path = os.path.relpath(os.path.realpath(page.source), os.path.dirname(os.path.realpath(written)))
    except ValueError:  # on another drive
        return name_of(page)
    return text_for_xml(printable(path.replace(os.sep, "/")))


def probability(confidence: float) -> str:
    """A confidence clipped to [0, 1], with four decimals.

    Raises:
        ValueError: it is not a number.
    """
    if math.isnan(confidence):
        raise ValueError("a confidence is not a number")
    return f"{min(max(confidence, 0.0), 1.0):.4f}"


def is_right_to_left(text: str) -> bool:
    """Whether more characters are written from right to left than from left to right."""
    directions = [unicodedata.bidirectional(character) for character in text]
    return sum(way in ("R", "AL") for way in directions) > directions.count("L")


def _of_lines(region: TextRegion) -> list[Point]:
    return [point for line in region.lines for point in _of_line(line)]


def _of_line(line: TextLine) -> list[Point]:
    return [*line.polygon] or [*line.baseline, *(point for word in line.words for point in _of_word(word))]


def _of_word(word: WrittenWord) -> list[Point]:
    return [*word.polygon] or [point for glyph in word.glyphs for point in glyph.polygon]


def _within(coordinate: float, limit: int) -> int:
    return round(float(min(max(coordinate, 0), limit)))


def _extent(points: Iterable[tuple[int, int]]) -> tuple[int, int]:
    left, top, right, bottom = bounds(points)
    return right - left, bottom - top


def _rectangle(left: int, top: int, right: int, bottom: int) -> Outline:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _id(name: str) -> str:
    name = NOT_IN_IDS.sub("_", name)
    return name if name[:1].isalpha() or name.startswith("_") else f"_{name}"
