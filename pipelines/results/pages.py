"""Text of pages, line images and ink."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.results.foundation import Check, Readings, Result
from pipelines.results.outlines import Box, Point, box


@dataclass(frozen=True, slots=True)
class StrokeSpan:
    """Points `first` to `last` (inclusive) of the stroke with index `stroke`, all counted from 0."""

    stroke: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Glyph:
    """One written character.

    Attributes:
        polygon: outline of the character.
        strokes: in ink, the points that the character was written with.
    """

    text: str
    confidence: float
    polygon: tuple[Point, ...] = ()
    strokes: tuple[StrokeSpan, ...] = ()

    @property
    def box(self) -> Box:
        return box(self.polygon)


@dataclass(frozen=True, slots=True)
class WrittenWord:
    """One written word; its confidence is the mean over its glyphs."""

    text: str
    confidence: float
    polygon: tuple[Point, ...] = ()
    glyphs: tuple[Glyph, ...] = ()

    @property
    def box(self) -> Box:
        return box(self.polygon)

    @property
    def strokes(self) -> tuple[StrokeSpan, ...]:
        """In ink, the points that the word was written with."""
        return tuple(span for glyph in self.glyphs for span in glyph.strokes)


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of writing.

    Attributes:
        confidence: mean over the words.
        polygon: outline of the line.
        baseline: points from left to right.
        words: in logical order.
        id: of the line in the layout file, or "".
        alternatives: other readings, if requested.
        checked: by whom and when the text was checked; None if nobody has.
    """

    text: str
    confidence: float
    polygon: tuple[Point, ...] = ()
    baseline: tuple[Point, ...] = ()
    words: tuple[WrittenWord, ...] = ()
    id: str = ""
    alternatives: Readings = ()
    checked: Check | None = None

    @property
    def box(self) -> Box:
        return box(self.polygon)


@dataclass(frozen=True, slots=True)
class TextRegion:
    """A block of lines.

    Attributes:
        lines: in reading order.
        polygon: outline of the region.
        kind: region type of PAGE XML: "paragraph", "marginalia", "page-number", ...
        id: of the region in the layout file, or "".
    """

    lines: tuple[TextLine, ...]
    polygon: tuple[Point, ...] = ()
    kind: str = "paragraph"
    id: str = ""

    @property
    def box(self) -> Box:
        return box(self.polygon)


@dataclass(frozen=True, slots=True)
class Page(Result):
    """Text of one page, one line image or one piece of ink.

    Attributes:
        regions: in reading order.
        width, height: size of the image in pixels, or of the ink in its own units.
        model: name of the model.
        source: path of the image, PDF or ink file; None if it was no file.
        number: of the page in the PDF or TIFF, or of the piece of ink in the file, from 1.
    """

    regions: tuple[TextRegion, ...]
    width: int
    height: int
    model: str
    source: str | None = None
    number: int | None = None

    @property
    def lines(self) -> tuple[TextLine, ...]:
        """The lines of all regions, in reading order."""
        return tuple(line for region in self.regions for line in region.lines)

    @property
    def words(self) -> tuple[WrittenWord, ...]:
        """The words of all lines."""
        return tuple(word for line in self.lines for word in line.words)

    @property
    def text(self) -> str:
        """The lines' texts, separated by line breaks."""
        return "\n".join(line.text for line in self.lines)

    @property
    def extent(self) -> float:
        """Number of lines."""
        return len(self.lines)
