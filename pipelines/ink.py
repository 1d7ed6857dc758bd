"""Ink: strokes of one line of writing in, text with a map from characters to strokes out."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from decoders.contract import Labels
from encoders.pen import Prepared, stance, trace
from pipelines.errors import MediaError, TriscribeError
from pipelines.layout.ink_lines import count_lines
from pipelines.media.ink import Ink
from pipelines.model import SequenceModel
from pipelines.reading import batches as reading
from pipelines.reading.batches import Reading
from pipelines.reading.settings import SearchOptions
from pipelines.reading.words import readings_of, words_of
from pipelines.results import Glyph, Page, Point, StrokeSpan, TextLine, TextRegion, WrittenWord

BACK = 0.5  # core heights that the middle of a stroke lies behind the writing's front to count as late
LIFTED = 0.5  # core heights of gap that a lifted pen is worth, in looking for where a character ends
MIDDLE = 1.0  # what it costs to end a character at its spike instead of midway to the next
DOTTED = 1.0  # core heights by which late strokes are drawn to characters that have some
WITH_LATE_STROKES = frozenset("ijtfxIJTFXđħŧøłαιξ")  # and all characters with accents


@dataclass(frozen=True)
class Spike:
    """A decoded character and the frames in which CTC names it, as places of prepared points."""

    text: str
    first: float
    last: float


def read_inks(
    inks: Iterable[Ink], model: SequenceModel, options: SearchOptions | None = None
) -> Iterator[Page | TriscribeError]:
    """A Page of one line for each piece of ink, or what is wrong with it, in order.

    Args:
        inks: each one line of writing.
        model: for ink.
    """
    return reading.read((_InkReading(ink, model) for ink in inks), model, options or SearchOptions())


def assign(prepared: Prepared, spikes: Sequence[Spike]) -> np.ndarray:
    """Which character each point belongs to.

    CTC names a character in a frame or two of its letter. Between two spikes the letters part where
    there is the widest gap across, preferably at a pen-up, and else midway. Late strokes, which lie
    behind the writing's front (dots and bars put on after the word), go to the character before them
    whose breadth they cover or which is nearest.

    Args:
        prepared: n points.
        spikes: in the order of the text, without spaces.

    Returns:
        (n,) index of a spike, one for every point where the pen is down, else -1; all -1 without spikes.
    """
    owners = np.full(len(prepared.stroke), -1)
    if not spikes:
        return owners
    x = prepared.position[:, 0] * (-1.0 if _is_right_to_left(spikes) else 1.0)
    runs = _runs(prepared.stroke)
    late = _late(x, runs, spikes)
    kept = np.concatenate([run for run in runs if run[0] not in late])
    at = _distinct([_nearest(kept, (spike.first + spike.last) / 2) for spike in spikes], len(kept))
    edges = [0]
    for index, (spike, following) in enumerate(zip(spikes, spikes[1:], strict=False)):
        middle = np.searchsorted(kept, (spike.last + following.first) / 2)
        edges.append(_edge(x[kept], prepared.stroke[kept], at[index], at[index + 1], middle))
    edges.append(len(kept))
    for index, (start, end) in enumerate(zip(edges, edges[1:], strict=False)):
        owners[kept[start:end]] = index
    on_time = owners.copy()
    for run in runs:
        if run[0] in late:
            owners[run] = _late_owner(x, run, on_time, spikes)
    return owners


def spans(prepared: Prepared, owners: np.ndarray, sizes: Sequence[int]) -> dict[int, list[StrokeSpan]]:
    """The points of the original strokes that each owner of prepared points has, by owner.

    Every original point belongs to the owner of the nearest prepared one on its stroke.

    Args:
        owners: (n,) of the prepared points; see `assign`.
        sizes: points of each original stroke.
    """
    found: dict[int, list[StrokeSpan]] = {}
    for run in _runs(prepared.stroke):
        number = int(prepared.stroke[run[0]])
        place = prepared.point[run]
        nearest = np.searchsorted((place[1:] + place[:-1]) / 2, np.arange(sizes[number]))
        owner = owners[run][nearest]
        starts = np.flatnonzero(np.diff(owner, prepend=owner[0] - 1))
        for start, end in zip(starts, [*starts[1:], len(owner)], strict=True):
            span = StrokeSpan(number, int(start), int(end) - 1)
            found.setdefault(int(owner[start]), []).append(span)
    return found


# Characters to points


def _runs(stroke: np.ndarray) -> list[np.ndarray]:
    """Places of the points of each stroke, in order."""
    down = np.flatnonzero(stroke >= 0)
    return np.split(down, np.flatnonzero(np.diff(stroke[down])) + 1)


def _is_right_to_left(spikes: Sequence[Spike]) -> bool:
    kinds = [unicodedata.bidirectional(spike.text[:1]) for spike in spikes]
    return sum(kind in ("R", "AL") for kind in kinds) > len(spikes) / 2


def _late(x: np.ndarray, runs: list[np.ndarray], spikes: Sequence[Spike]) -> set[int]:
    """First points of the strokes that were put on later. One in which a character is named is none."""
    late: set[int] = set()
    front = -np.inf
    for run in runs:
        named = any(spike.last >= run[0] and spike.first <= run[-1] for spike in spikes)
        if not named and (x[run].min() + x[run].max()) / 2 < front - BACK:
            late.add(int(run[0]))
        else:
            front = max(front, x[run].max())
    return late


def _nearest(places: np.ndarray, wanted: float) -> int:
    return int(np.abs(places - wanted).argmin())


def _distinct(places: list[int], count: int) -> list[int]:
    """The places made to rise, as far as there are enough."""
    for index in range(1, len(places)):
        places[index] = max(places[index], places[index - 1] + 1)
    last = count
    for index in reversed(range(len(places))):
        last = places[index] = min(places[index], last - 1)
    return [max(0, place) for place in places]


def _edge(x: np.ndarray, stroke: np.ndarray, spike: int, following: int, middle: int) -> int:
    """The first point of the next character, behind one spike and up to the following."""
    if following <= spike:
        return following
    between = x[spike : following + 1]
    reached = np.maximum.accumulate(between)[:-1]
    ahead = np.minimum.accumulate(between[::-1])[::-1][1:]
    gap = np.clip(ahead - reached, -1.0, 1.0)
    lifted = np.diff(stroke[spike : following + 1]) != 0
    places = np.arange(spike + 1, following + 1)
    off = np.abs(places - middle) / (following - spike)
    return int(places[(gap + LIFTED * lifted - MIDDLE * off).argmax()])


def _late_owner(x: np.ndarray, run: np.ndarray, owners: np.ndarray, spikes: Sequence[Spike]) -> int:
    left, right = x[run].min(), x[run].max()
    best, owner = -np.inf, 0
    for index, spike in enumerate(spikes):
        own = x[owners == index]
        if not len(own) or np.flatnonzero(owners == index)[0] > run[0]:
            continue
        covered = max(0.0, min(right, own.max()) - max(left, own.min())) / max(np.ptp(own), 1e-6)
        distance = abs(left + right - own.min() - own.max()) / 2
        score = min(covered, 1.0) - distance + DOTTED * _has_late_strokes(spike.text)
        if score > best:
            best, owner = score, index
    return owner


def _has_late_strokes(text: str) -> bool:
    return bool(WITH_LATE_STROKES & set(text)) or unicodedata.normalize("NFD", text) != text


# Pages


@dataclass(frozen=True)
class _Piece:
    inputs: Tensor


class _InkReading(Reading):
    """A piece of ink on its way to a page."""

    def __init__(self, ink: Ink, model: SequenceModel):
        self.ink, self.model = ink, model

    def pieces(self) -> Iterator[_Piece]:
        if self.ink.fault:
            raise self.ink.fault
        strokes = self.ink.strokes
        try:
            self.stance = stance(strokes)
            level = [self.stance.level(stroke) for stroke in strokes]
            self.prepared = trace(level, self.model.front_end.spacing)
        except ValueError as error:
            name = self.ink.name if self.ink.number is None else f"{self.ink.name}:{self.ink.number}"
            raise MediaError(name, f"is no line of writing: {error}", "cut it into lines") from error
        yield _Piece(torch.from_numpy(self.prepared.features))

    def add(self, piece: _Piece, labels: Labels) -> None:
        self.words = words_of(labels, self.model.alphabet)
        self.alternatives = readings_of(labels, self.model)

    def result(self) -> Page:
        ink = self.ink
        points = np.concatenate([stroke[:, :2] for stroke in ink.strokes])
        width, height = (max(1, math.ceil(extent)) for extent in np.ptp(points, axis=0))
        source = None if ink.name.startswith("<") else ink.name
        line = self._line(points)
        region = TextRegion((line,), line.polygon)
        return Page((region,), width, height, self.model.name, source, ink.number, notes=self._notes())

    def _notes(self) -> tuple[str, ...]:
        lines = count_lines(self.ink.strokes)
        if lines == 1:
            return self.ink.notes
        note = (
            f"seems to hold {lines} lines of writing and was read as one; make each line a piece of its own"
        )
        return (*self.ink.notes, note)

    def _line(self, points: np.ndarray) -> TextLine:
        step = self.model.front_end.frame_points
        symbols = [symbol for word in self.words for symbol in word]
        spikes = [Spike(each.text, each.start * step, (each.end - 1) * step) for each in symbols]
        owners = assign(self.prepared, spikes)
        parts = spans(self.prepared, owners, [len(stroke) for stroke in self.ink.strokes])
        words, first = [], 0
        for word in self.words:
            glyphs = tuple(
                self._glyph(symbol.text, symbol.confidence, parts.get(first + index, []))
                for index, symbol in enumerate(word)
            )
            words.append(self._word(glyphs))
            first += len(word)
        text = " ".join(word.text for word in words)
        confidence = sum(word.confidence for word in words) / max(len(words), 1)
        return TextLine(
            text,
            confidence,
            _around(points),
            self._baseline(),
            tuple(words),
            alternatives=self.alternatives,
        )

    def _glyph(self, text: str, confidence: float, parts: list[StrokeSpan]) -> Glyph:
        return Glyph(text, confidence, _around(self._points(parts)), tuple(parts))

    def _word(self, glyphs: tuple[Glyph, ...]) -> WrittenWord:
        points = self._points([span for glyph in glyphs for span in glyph.strokes])
        confidence = sum(glyph.confidence for glyph in glyphs) / len(glyphs)
        return WrittenWord("".join(glyph.text for glyph in glyphs), confidence, _around(points), glyphs)

    def _points(self, parts: list[StrokeSpan]) -> np.ndarray:
        strokes = self.ink.strokes
        return np.concatenate(
            [np.zeros((0, 2)), *(strokes[part.stroke][part.first : part.last + 1, :2] for part in parts)]
        )

    def _baseline(self) -> tuple[Point, ...]:
        across = self.prepared.position[:, 0]
        ends = self.stance.ink(np.array([(across.min(), 0.0), (across.max(), 0.0)]))
        return tuple(map(tuple, ends.tolist()))


def _around(points: np.ndarray) -> tuple[Point, ...]:
    """The corners of the box around (n, 2) points; none around none."""
    if not len(points):
        return ()
    (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return (left, top), (right, top), (right, bottom), (left, bottom)
