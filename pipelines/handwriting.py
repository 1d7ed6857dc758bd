"""Handwriting: images of text lines and of pages in, text with places and confidences out."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from decoders.alphabet import mirrored
from decoders.contract import Labels
from pipelines.errors import MediaError, TriscribeError
from pipelines.layout.fitting import fitted
from pipelines.layout.given import is_layout, read_layout
from pipelines.layout.lines import LineCut, LineShape, cut_line, line_distance
from pipelines.layout.page_layout import LayoutRegion, PageLayout
from pipelines.layout.turning import turned
from pipelines.media.images import Picture, Source, read_image
from pipelines.model import SequenceModel
from pipelines.reading.batches import Reading, read
from pipelines.reading.settings import HandwritingOptions
from pipelines.reading.words import Symbol, joined, readings_of, split, symbols_of
from pipelines.results import Box, Glyph, Page, Point, Readings, TextLine, TextRegion, WrittenWord
from pipelines.upright import find_turn, turned_region, turned_shape

LOWEST_PAGE = 200  # pixels: an image that is less high is one line
LINE_ASPECT = 4.0  # times as wide as high: from here on an image is one line
LONGEST = 32  # times its height: a longer line is cut between words, which bounds the memory
GAP = 0.5  # line heights over which the emptiest place to cut is looked for
INK = 80  # of 255, as `LineImage.prepare` measures it: from here on a pixel is written on
AROUND = 41  # pixels of a page of `REDUCED` pixels, of which less than half are written on
REDUCED = 1000  # pixels of a page's longer side when dark and light are told apart
NO_PIXELS = np.empty((0, 0), np.uint8)


def read_pages(
    sources: Iterable[Source], model: SequenceModel, options: HandwritingOptions
) -> Iterator[Page | TriscribeError]:
    """A Page or what is wrong with it for each image, in order; lines of several share batches."""
    return read((_PageReading(source, model, options) for source in sources), model, options)


def read_lines(
    model: SequenceModel, lines: Iterable[np.ndarray], options: HandwritingOptions | None = None
) -> Iterator[TextLine | TriscribeError]:
    """What is written on images of single lines, (height, width) uint8 each, in order."""
    cuts = (_LineReading(_whole(pixels), model) for pixels in lines)
    return read(cuts, model, options or HandwritingOptions())


@dataclass(frozen=True)
class _Piece:
    """A stretch of a line, from a column of its prepared image on."""

    line: _LineReading
    inputs: Tensor
    first: int


class _LineReading(Reading):
    """A line, cut out."""

    def __init__(
        self, cut: LineCut, model: SequenceModel, shape: LineShape | None = None, name: str = "<line>"
    ):
        self.cut, self.model, self.name = cut, model, name
        self.shape = shape or LineShape(())
        self.symbols: list[Symbol] = []  # in columns of the prepared image, as they are met there
        self.readings: list[Readings] = []  # of each piece

    def pieces(self) -> Iterator[_Piece]:
        try:
            ink, self.to_cut = self.model.front_end.prepare_placed(self.cut.pixels)
        except ValueError as error:
            raise MediaError(self.name, str(error), "give the image of a text line") from error
        self.size = self.cut.pixels.shape
        self.cut = replace(self.cut, pixels=NO_PIXELS)  # many lines wait for their turn, and need no more
        self.inked = (ink.numpy() > INK).any(axis=1)  # by numpy: torch would wait for threads that are busy
        edges = _edges(ink) if self.inked.any() else []  # nothing is read where nothing is written
        for first, last in zip(edges, edges[1:], strict=False):
            yield _Piece(self, ink[first:last], first)

    def add(self, piece: _Piece, labels: Labels) -> None:
        if piece.first:
            self.symbols.append(Symbol(" ", piece.first, piece.first, 1.0))
        stride, last = self.model.front_end.stride, piece.first + len(piece.inputs)
        symbols = [
            replace(
                symbol,
                start=min(piece.first + stride * symbol.start, last),
                end=min(piece.first + stride * symbol.end, last),
            )
            for symbol in symbols_of(labels, self.model.alphabet)
        ]
        self.symbols += self._spread(symbols, piece.first, last)
        self.readings.append(readings_of(labels, self.model))

    def _spread(self, spikes: list[Symbol], first: int, last: int) -> list[Symbol]:
        """CTC marks a letter by a spike of few frames: let letters share what lies between their spikes.

        Two letters meet midway; words end where the widest gap between them begins.
        """
        letters = [place for place, symbol in enumerate(spikes) if symbol.text != " "]
        starts, ends = {}, {}
        for place, following in zip(letters, letters[1:], strict=False):
            left, right = spikes[place].end, spikes[following].start
            apart = following - place > 1
            ends[place], starts[following] = (
                _widest(~self.inked, left, right) if apart else [(left + right) / 2] * 2
            )
        if letters:
            starts[letters[0]], ends[letters[-1]] = first, last
        return [
            replace(symbol, start=starts.get(place, symbol.start), end=ends.get(place, symbol.end))
            for place, symbol in enumerate(spikes)
        ]

    def result(self) -> TextLine:
        symbols = self.symbols
        if self.model.front_end.right_to_left:
            symbols = [symbols[place] for place in mirrored("".join(each.text for each in symbols))]
        words = self._words([_joined(word) for word in split(symbols)])
        confidence = sum(word.confidence for word in words) / max(len(words), 1)
        height, width = self.size
        polygon = self.shape.polygon or self._on_page([(0, 0), (width, 0), (width, height), (0, height)])
        text = " ".join(word.text for word in words)
        alternatives = joined(self.readings) if any(self.readings) else ()
        return TextLine(text, confidence, polygon, self.shape.baseline, words, self.shape.id, alternatives)

    def _words(self, words: list[list[Symbol]]) -> tuple[WrittenWord, ...]:
        spans = []  # of each word, then of its glyphs
        for word in words:
            start, end = min(symbol.start for symbol in word), max(symbol.end for symbol in word)
            inked = np.flatnonzero(self.inked[int(start) : int(np.ceil(end))])
            if len(inked):  # the paper before and behind is left out
                start, end = max(start, int(start) + inked[0]), min(end, int(start) + inked[-1] + 1)
            spans.append((start, end))
            spans += [(min(max(each.start, start), end), max(min(each.end, end), start)) for each in word]
        outlines = iter(self._outlines(spans))
        return tuple(_written(next(outlines), word, outlines) for word in words)

    def _outlines(self, spans: list[tuple[float, float]]) -> list[tuple[Point, ...]]:
        """Columns of the prepared image, over the full height of the cut -> polygons on the page."""
        height, width = self.size
        (across, lean, left), (_, down, top) = self.to_cut
        # Columns lean where the letters were set upright; the corners are where they meet the cut's edges.
        edges = np.array([0, 0, height, height])
        columns = np.reshape(spans, (-1, 2))[:, [0, 1, 1, 0]]
        corners = np.stack(
            [across * columns + lean * (edges - top) / down + left, 0 * columns + edges], axis=2
        )
        if across < 0:  # read from the right
            corners = corners[:, [1, 0, 3, 2]]
        points = self._on_page(np.clip(corners, 0, (width, height)))
        return [points[first : first + 4] for first in range(0, len(points), 4)]

    def _on_page(self, corners: np.ndarray | list[Point]) -> tuple[Point, ...]:
        return tuple(map(tuple, self.cut.to_page(np.array(corners)).round(1).tolist()))


class _PageReading(Reading):
    """An image and the lines on it."""

    def __init__(self, source: Source, model: SequenceModel, options: HandwritingOptions):
        self.source, self.model, self.options = source, model, options
        self.regions: list[tuple[TextRegion, list[_LineReading]]] = []
        self.notes: list[str] = []

    def pieces(self) -> Iterator[_Piece]:
        picture = read_image(self.source)
        self.is_file = isinstance(self.source, (str, os.PathLike))
        del self.source  # which may be an image, and need not wait
        page, self.name, self.number = picture.pixels, picture.name, picture.number
        self.height, self.width = page.shape
        self.turn = 0 if self.options.rotate == "auto" else int(self.options.rotate)
        layout = self._layout()
        self.looked_for = layout == "page"
        if self.looked_for:
            page = 255 - page if is_negative(page) else page
            if self.options.rotate == "auto":
                self.turn = find_turn(page, self.model, self.options)
                if self.turn:
                    self.notes.append(f"turned by {self.turn} degrees clockwise to be read")
        size = page.shape
        page = turned(page, self.turn) if self.turn else page
        self.size = page.shape
        if layout == "line":
            line = _LineReading(_whole(page), self.model, name=self.name)
            self.regions.append((TextRegion(()), [line]))
            yield from line.pieces()
            return
        if self.looked_for:
            regions = _found(page)
        else:
            given = _given(Path(layout), picture)
            self.notes += [f"{bad.name} left out: {bad.cause}" for bad in given.skipped]
            if not given.lines and not given.skipped:
                name = Path(layout).name
                self.notes.append(f'{name} gives no lines; layout="page" (--layout page) looks for them')
            regions = [
                (
                    turned_region(_empty(region), self.turn, size),
                    [turned_shape(line.shape, self.turn, size) for line in region.lines],
                )
                for region in given.regions
            ]
        shapes = [shape for _, shapes in regions for shape in shapes]
        distance = _distance(shapes)
        fault: Exception | None = None
        for region, shapes in regions:
            lines: list[_LineReading] = []
            self.regions.append((region, lines))
            for shape in shapes:
                try:
                    line = _LineReading(cut_line(page, shape, distance), self.model, shape, self.name)
                    pieces = list(line.pieces())
                except (ValueError, MediaError) as error:
                    if not self.looked_for:  # what was looked for and cannot be a line is none
                        fault = error
                        self.notes.append(f"line {shape.id!r} left out: {getattr(error, 'cause', error)}")
                    continue
                lines.append(line)
                yield from pieces
        if fault and not any(lines for _, lines in self.regions):
            raise MediaError(layout, self.notes[0], 'correct it, or read with layout="page"') from fault

    def add(self, piece: _Piece, labels: Labels) -> None:
        piece.line.add(piece, labels)

    def result(self) -> Page:
        regions = []
        for region, readings in self.regions:
            lines = tuple(reading.result() for reading in readings)
            if self.looked_for:  # what holds no writing is no line
                lines = tuple(line for line in lines if line.text)
                if not lines:
                    continue
            polygon = region.polygon or _around([line.box for line in lines])
            region = replace(region, lines=lines, polygon=polygon)
            regions.append(turned_region(region, -self.turn, self.size) if self.turn else region)
        source = None if self.name.startswith("<") else self.name
        size, notes = (self.width, self.height), tuple(self.notes)
        return Page(tuple(regions), *size, self.model.name, source, self.number, notes=notes)

    def _layout(self) -> str | os.PathLike:
        """line, page, or a layout file."""
        layout, name = self.options.layout, Path(self.name)
        if layout in ("line", "page"):
            return layout
        if layout != "auto":
            return Path(layout, f"{name.stem}.xml") if os.path.isdir(layout) else layout
        beside = name.with_suffix(".xml")
        if self.is_file and beside.is_file() and is_layout(beside):
            return beside
        height, width = (self.width, self.height) if self.turn in (90, 270) else (self.height, self.width)
        is_line = height < LOWEST_PAGE or width >= LINE_ASPECT * height
        return "line" if is_line else "page"


def is_negative(page: np.ndarray) -> bool:
    """Whether the writing on a grey page, (height, width) uint8, is lighter than its paper.

    What differs from the paper around it is writing, and the more it differs the more it counts: against
    the median of its surroundings, which is the paper, whatever lies around that. On the 54 pages of
    hooker-en, peraire-fr and copiste-fr, dark differs 4 times as much as light, or more.
    """
    scale = min(1.0, REDUCED / max(page.shape))
    size = [max(1, round(side * scale)) for side in page.shape[::-1]]
    reduced = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    paper = cv2.medianBlur(reduced, AROUND)
    dark, light = cv2.subtract(paper, reduced), cv2.subtract(reduced, paper)
    return bool(cv2.norm(light) > cv2.norm(dark))


def _found(page: np.ndarray) -> list[tuple[TextRegion, list[LineShape]]]:
    from pipelines.layout.found import find_lines

    return [(TextRegion(()), shapes) for shapes in find_lines(page)]


def _given(path: Path, picture: Picture) -> PageLayout:
    """A layout file, in pixels of the image.

    Raises:
        MediaError: it cannot be read, or is that of another image.
    """
    height, width = picture.pixels.shape
    try:
        return fitted(read_layout(path), (width, height), picture.stored, picture.orientation)
    except ValueError as error:
        raise MediaError(path, str(error), 'give the layout of this image, or layout="page"') from error


def _empty(region: LayoutRegion) -> TextRegion:
    """A region before its lines have been read."""
    return TextRegion((), region.polygon, region.kind, region.id)


def _distance(shapes: list[LineShape]) -> float | None:
    try:
        return line_distance(shapes)
    except ValueError:  # no lines, or one that cannot be cut: then its turn will come
        return None


def _whole(pixels: np.ndarray) -> LineCut:
    """An image that is one line, as if it had been cut out of itself."""
    columns = np.arange(max(2, pixels.shape[1]), dtype=np.float64)
    return LineCut(pixels, np.stack([columns, np.zeros_like(columns)], axis=1), 0)


def _edges(ink: Tensor) -> list[int]:
    """Columns at which a prepared line is cut: its ends, and the emptiest places of one too long."""
    columns, height = ink.shape
    longest = LONGEST * height
    edges = [0]
    if columns > longest:
        written = cv2.blur(ink.numpy().mean(axis=1, dtype=np.float32), (1, round(GAP * height) | 1)).ravel()
    while columns - edges[-1] > longest:
        start, end = edges[-1] + longest // 2, edges[-1] + longest
        edges.append(start + int(written[start:end].argmin()))
    return [*edges, columns]


def _span(symbols: list[Symbol]) -> tuple[float, float]:
    """From the first column to the last; in right-to-left lines, numbers come in the other direction."""
    return min(symbol.start for symbol in symbols), max(symbol.end for symbol in symbols)


def _widest(empty: np.ndarray, start: int, end: int) -> tuple[float, float]:
    """The longest run of empty columns between two; their middle where there is none."""
    runs = np.flatnonzero(np.diff(empty[start:end].astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    if not len(runs):
        return (start + end) / 2, (start + end) / 2
    left, right = runs[np.diff(runs, axis=1).argmax()].tolist()
    return start + left, start + right


def _written(
    outline: tuple[Point, ...], symbols: list[Symbol], outlines: Iterator[tuple[Point, ...]]
) -> WrittenWord:
    glyphs = tuple(Glyph(symbol.text, symbol.confidence, next(outlines)) for symbol in symbols)
    confidence = sum(glyph.confidence for glyph in glyphs) / len(glyphs)
    return WrittenWord("".join(glyph.text for glyph in glyphs), confidence, outline, glyphs)


def _joined(word: list[Symbol]) -> list[Symbol]:
    """With accents that are symbols of their own put on their letters."""
    letters: list[Symbol] = []
    for symbol in word:
        if letters and unicodedata.combining(symbol.text):
            base = letters.pop()
            confidence = min(base.confidence, symbol.confidence)
            symbol = Symbol(base.text + symbol.text, *_span([base, symbol]), confidence)
        letters.append(symbol)
    return letters


def _around(boxes: list[Box]) -> tuple[Point, ...]:
    """The corners of the smallest box around others."""
    if not boxes:
        return ()
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    left, top, right, bottom = min(lefts), min(tops), max(rights), max(bottoms)
    return (left, top), (right, top), (right, bottom), (left, bottom)
