"""The text of a searchable PDF, which is not seen: each word at its place, lines in reading order."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, replace
from statistics import fmean, median, mode

from decoders.alphabet import mirrored
from pipelines.results import Page, Point, TextLine, TextRegion
from pipelines.writers.lines import one_line
from pipelines.writers.outlines import Sheet, is_right_to_left
from pipelines.writers.pdf_objects import UNITS, WIDTH, InvisibleFont, text_string
from pipelines.writers.text_order import agreeing

SIZE = 0.7  # of the font, to the height of lines
SMALLEST = 0.3  # likewise, where lines are so close that readers would take two for one block
ASCENT, DESCENT = 0.54, 0.18  # of what readers mark, above and below the baseline, to the height of lines
BASE = 0.75  # of the height of a line without a baseline, where its letters stand
GAP = 0.25  # of the font size at least between two words, for readers that go by gaps
FARTHEST = 0.6  # font sizes between two words of a line, of which readers would make two
LINE_SPACE = 1.6  # font sizes between the baselines of lines that readers take for one block
APART = 1.5  # font sizes beside a line in which readers look for more of it
HANDLE = 0.2  # font sizes: the width of a space that stands for lines
LEVEL = 0.6  # font sizes by which baselines of lines beside each other differ at least


@dataclass(frozen=True)
class _Span:
    """Characters as they are seen, and where: along the line and across it, in pixels."""

    clusters: list[str]
    start: float
    end: float
    base: float


@dataclass(frozen=True)
class _Laid:
    """A line as it is laid over the page.

    Attributes:
        turn: quarter turns clockwise by which it runs.
        spans: its words, along it.
        size: of the font, pixels.
        height: of lines on the page, pixels.
    """

    line: TextLine
    turn: int
    spans: list[_Span]
    size: float
    height: float

    @property
    def text(self) -> str:
        return " ".join("".join(span.clusters) for span in self.spans)

    @property
    def base(self) -> float:
        return self.spans[0].base

    @property
    def box(self) -> tuple[float, float, float, float]:
        top, bottom = self.base - ASCENT * self.height, self.base + DESCENT * self.height
        return self.spans[0].start, top, self.spans[-1].end, bottom

    def touches(self, other: _Laid) -> bool:
        """Whether readers may take words of both for one line, or both for one block."""
        near, far = self.spans[0].start - APART * self.size, self.spans[-1].end + APART * self.size
        beside = other.spans[-1].end > near and other.spans[0].start < far
        return beside and abs(self.base - other.base) < LINE_SPACE * self.size


class TextLayer:
    """The operators that show the lines, so that others' readers give them in their order.

    pdftotext goes by where lines stand. Lines that it would give elsewhere, such as a note in the margin, are
    handed to the line before them: a space behind it has them as its ActualText, and they have an empty one,
    for readers that heed it; for others they stand in their places.

    Attributes:
        turn: quarter turns clockwise by which most lines run; the page is shown turned back.
        font: of all words.
    """

    def __init__(self, page: Page, sheet: Sheet, scale: float):
        self.sheet, self.scale = sheet, scale
        laid = _laid(page, sheet)
        shape = (part * laid[0].height / laid[0].size for part in (ASCENT, -DESCENT)) if laid else ()
        self.turn = mode(line.turn for line in laid) if laid else 0
        self.font = InvisibleFont(*(round(UNITS * part) for part in shape))
        handed = self._handed(laid)
        rows = []
        for place, line in enumerate(laid):
            if place not in handed:
                rows.append(self._hidden(line))
            else:
                rows.append(self._shown(line, *handed[place]))
        self.text = "\n".join(rows)

    def _handed(self, laid: list[_Laid]) -> dict[int, tuple[list[str], list[str]]]:
        """For each line that readers give in its turn, the texts of lines to be put before it and behind."""
        level = [place for place, line in enumerate(laid) if line.turn == self.turn]
        alone: list[int] = []
        for place in level:
            if not any(laid[place].touches(laid[each]) for each in alone):
                alone.append(place)
        width, height = self.sheet.width, self.sheet.height
        right, down = ((0, 0), (0, width), (width, height), (height, 0))[self.turn]
        boxes, bases = [], []
        for place in alone:
            moved = (side + by for side, by in zip(laid[place].box, (right, down) * 2, strict=True))
            boxes.append(tuple(side * self.scale for side in moved))
            bases.append((laid[place].base + down) * self.scale)
        right_to_left = sum(1 if is_right_to_left(line.text) else -1 for line in laid) > 0
        chosen = [alone[each] for each in agreeing(boxes, bases, right_to_left)]
        handed: dict[int, tuple[list[str], list[str]]] = {place: ([], []) for place in chosen}
        last = chosen[0] if chosen else 0
        for place, line in enumerate(laid):
            if place in handed:
                last = place
            else:
                handed[last][place > last].append(line.text)
        return handed

    def _shown(self, line: _Laid, before: list[str], behind: list[str]) -> str:
        rows = [self._word(line, span, [*span.clusters, " "]) for span in line.spans]
        last = line.spans[-1]
        if last.clusters[-1] == "-":  # readers join lines after a hyphen, and drop it
            rows[-1] = self._word(line, last, [*last.clusters[:-1], "- "])
        if before:
            rows.insert(0, self._handle(line, line.spans[0].start - HANDLE * line.size, [*before, ""]))
        if behind:
            rows.append(self._handle(line, last.end, ["", *behind]))
        return "\n".join(rows)

    def _handle(self, line: _Laid, start: float, texts: list[str]) -> str:
        """A space that stands for lines."""
        span = _Span([" "], start, start + HANDLE * line.size, line.base)
        return _actual("\n".join(texts), self._word(line, span, [" "]))

    def _hidden(self, line: _Laid) -> str:
        return "\n".join(_actual("", self._word(line, span, [*span.clusters, " "])) for span in line.spans)

    def _word(self, line: _Laid, span: _Span, clusters: list[str]) -> str:
        across, down = ((1, 0), (0, -1), (-1, 0), (0, 1))[line.turn]
        x, y = _unturned((span.start, span.base), line.turn)
        x, y = x * self.scale, (self.sheet.height - y) * self.scale
        stretch = 100 * (span.end - span.start) / (len(span.clusters) * line.size * WIDTH / UNITS)
        matrix = f"{across} {down} {-down} {across} {x:.3f} {y:.3f}"
        size = f"/Invisible {line.size * self.scale:.3f} Tf {stretch:.3f} Tz"
        return f"{matrix} Tm {size} {self.font.encode(clusters)} Tj"


def _actual(text: str, shown: str) -> str:
    """Operators that show something, and the text that it stands for."""
    return f"/Span << /ActualText {text_string(text)} >> BDC\n{shown}\nEMC"


def _laid(page: Page, sheet: Sheet) -> list[_Laid]:
    """Lines in order, none of them at the height of another one beside it: readers see tables in such."""
    placed = [
        (line, *_place(line, region, sheet))
        for region in page.regions
        for line in region.lines
        if line.text.strip()
    ]
    height = max(1.0, median(bottom - top for *_, (_, top, _, bottom) in placed)) if placed else 1.0
    words = [_spans(*each) for each in placed]
    size = max(1.0, _size(words, height))
    laid: list[_Laid] = []
    for (line, turn, _), spans in zip(placed, words, strict=True):
        spans = _spread(spans, size)
        for other in sorted(laid, key=lambda each: each.base):
            beside = other.spans[-1].end < spans[0].start or spans[-1].end < other.spans[0].start
            if turn == other.turn and beside and abs(other.base - spans[0].base) < LEVEL * size:
                spans = [replace(span, base=other.base + LEVEL * size) for span in spans]
        laid.append(_Laid(line, turn, spans, size, height))
    return laid


def _size(lines: list[list[_Span]], height: float) -> float:
    """The size of a font at which readers take no two lines above each other for one block, if possible."""
    closest = SIZE * LINE_SPACE * height
    for place, line in enumerate(lines):
        for other in lines[:place]:
            apart = abs(line[0].base - other[0].base)
            overlap = line[0].start < other[-1].end and other[0].start < line[-1].end
            if overlap and apart >= SMALLEST * LINE_SPACE * height:
                closest = min(closest, apart)
    return closest / LINE_SPACE


def _place(line: TextLine, region: TextRegion, sheet: Sheet) -> tuple[int, tuple[float, ...]]:
    """How many quarter turns clockwise a line runs, and its box when it is turned to run level."""
    path = sheet.path(line.baseline)
    turn = 0
    if path:
        (x0, y0), (x1, y1) = path[0], path[-1]
        turn = round(math.atan2(y1 - y0, x1 - x0) / (math.pi / 2)) % 4
    points = [_turned(point, turn) for point in sheet.line(line, sheet.region(region))]
    across, down = zip(*points, strict=True)
    return turn, (min(across), min(down), max(across), max(down))


def _turned(point: Point, turn: int) -> Point:
    """A point after quarter turns that bring a line of this direction level."""
    x, y = point
    return ((x, y), (y, -x), (-x, -y), (-y, x))[turn]


def _unturned(point: Point, turn: int) -> Point:
    return _turned(point, -turn % 4)


def _spans(line: TextLine, turn: int, box: tuple[float, ...]) -> list[_Span]:
    """Words from left to right, as they are seen."""
    left, top, right, bottom = box
    path = [_turned(point, turn) for point in line.baseline]
    level = fmean(y for _, y in path) if path else top + BASE * (bottom - top)
    texts = one_line(line.text).split()
    if [word.text for word in line.words] == texts and all(word.polygon for word in line.words):
        spans = []
        for word in line.words:
            across = [_turned(point, turn)[0] for point in word.polygon]
            start, end = min(across), max(across)
            spans.append(_Span(_seen(word.text), start, end, level))
        return sorted(spans, key=lambda span: span.start)
    return _shared_out(line.text, left, right, level)


def _shared_out(text: str, left: float, right: float, base: float) -> list[_Span]:
    """A line's words over its whole length, all letters of one width."""
    seen = _seen(" ".join(text.split()))
    pitch = (right - left) / max(len(seen), 1)
    spans, start = [], 0
    for place, cluster in enumerate([*seen, " "]):
        if cluster == " ":
            if place > start:
                spans.append(_Span(seen[start:place], left + start * pitch, left + place * pitch, base))
            start = place + 1
    return spans


def _seen(text: str) -> list[str]:
    """Characters with their accents, from left to right as they are seen."""
    clusters: list[str] = []
    for character in text:
        if clusters and (unicodedata.combining(character) or character in "\u200c\u200d"):
            clusters[-1] += character
        else:
            clusters.append(character)
    if is_right_to_left(text):
        clusters = [clusters[place] for place in mirrored([each[0] for each in clusters])][::-1]
    return clusters


def _spread(spans: list[_Span], size: float) -> list[_Span]:
    """With a gap between any two words and room for each, even where their boxes overlap.

    A word before a wide gap is drawn out.
    """
    placed: list[_Span] = []
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        start = max(span.start, placed[-1].end + GAP * size) if placed else span.start
        end = span.end if following is None else min(span.end, following.start - GAP * size)
        end = max(end, start + 0.05 * size * len(span.clusters))
        if following is not None:
            end = max(end, following.start - FARTHEST * size)
        placed.append(_Span(span.clusters, start, end, span.base))
    return placed
