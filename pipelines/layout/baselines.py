"""Detection of baselines on pages: where upright strokes end at the bottom.

On the levelled sheet, a baseline is a long ridge of the difference between the ink above and below. All
lengths are relative to the line distance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.layout.gutters import Strip
from pipelines.layout.levelling import Sheet, band
from pipelines.layout.paths import best_paths
from pipelines.layout.strokes import blurred

RIDGE_LENGTH = 2.2  # line distances: standard deviation along the line of the smoothing to find a line
COURSE_LENGTH = 0.8  # the same, to follow it
ABOVE, BELOW = 0.35, 0.3  # height compared above and below a baseline, in line distances
RIDGE = 0.15  # ridges are followed from this share of the height of strong ridges
WANDER = 0.2  # largest distance of a baseline from its ridge, in line distances
STIFFNESS = 0.4  # cost of a step of one row, relative to the strongest edge of the line

WORDS = 0.7  # gap in line distances that separates pieces of a line
GAP = 4.0  # gap in line distances that separates two lines
TAB = 4.6  # pitches: the same on typed pages
ALIGNED = 0.3  # largest vertical offset of pieces of a line, in line distances
MARGIN = 0.3  # share of the lines that must begin at a left margin
BRIEF = 1.5  # line distances; shorter lines have to be stronger
FAINT = 0.28  # least strength of a line relative to the usual one; show-through is weaker
NEAR = 0.6  # line distances within which lines are next to each other
RIVAL = 0.8  # least strength there, relative to the neighbour

END_LENGTH = 0.5  # line distances: as RIDGE_LENGTH, for what follows a line
END_EDGE = 0.25  # least edge relative to that of the line
END_GAP = 1.2  # gap in line distances that ends a line
BEND = 0.45  # largest vertical offset of its end, in line distances


@dataclass(frozen=True, eq=False)
class Trace:
    """A baseline on a sheet.

    Attributes:
        first: its first column.
        rows: (columns,), its row in each column.
        strength: mean difference of the ink above and below.
    """

    first: int
    rows: np.ndarray
    strength: float

    @property
    def end(self) -> int:
        """The column after the last one."""
        return self.first + len(self.rows)

    @property
    def columns(self) -> np.ndarray:
        return np.arange(self.first, self.end)

    @property
    def row(self) -> float:
        """Its mean row on the sheet."""
        return float(self.rows.mean())


def find_traces(sheet: Sheet, strips: Sequence[Strip] = ()) -> list[Trace]:
    """The baselines of a sheet, the strongest first; none crosses a strip between columns."""
    edges, fine = (edges_of(sheet.ink, sheet.distance, length) for length in (RIDGE_LENGTH, COURSE_LENGTH))
    pieces = []
    for columns, rows in courses(fine, ridges(edges, sheet.distance), sheet.distance):
        pieces += _pieces(sheet, fine, columns[0], rows)
    apart = TAB * sheet.pitch if sheet.pitch else GAP * sheet.distance
    lines = _join(pieces, sheet.distance, apart, strips)
    lines = _join(pieces, sheet.distance, apart, strips, _left_margins(lines, sheet.distance))
    return _prolonged(sheet, _choose(lines, sheet.distance), strips)


def edges_of(ink: np.ndarray, distance: float, length: float) -> np.ndarray:
    """Difference of the ink above and below along a stretch of line, (height, width) float32."""
    above, below = (max(2, round(share * distance)) for share in (ABOVE, BELOW))
    kernel = np.concatenate([np.full(above, 1 / above), [0], np.full(below, -1 / below)])
    edges = cv2.filter2D(ink, -1, kernel[:, None], anchor=(0, above), borderType=cv2.BORDER_REPLICATE)
    edges = cv2.GaussianBlur(
        edges, (0, 0), sigmaX=length * distance, sigmaY=0.7, borderType=cv2.BORDER_CONSTANT
    )
    return np.maximum(edges, 0)


def ridges(edges: np.ndarray, distance: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Columns, without gaps, and rows of each ridge."""
    highest = cv2.dilate(edges, np.ones((2 * max(1, int(0.25 * distance)) + 1, 1)))
    peaks = (edges > 0) & (edges == highest)
    if not peaks.any():
        return
    peaks &= edges > RIDGE * np.percentile(edges[peaks], 90)
    linked = cv2.dilate(peaks.astype(np.uint8), np.ones((3, 5)))
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(linked, connectivity=8)
    for label, (left, top, width, height, _) in enumerate(boxes[1:], start=1):
        part = slice(top, top + height), slice(left, left + width)
        heights = np.where((labels[part] == label) & peaks[part], edges[part], 0)
        known = np.flatnonzero(heights.max(axis=0))
        if known[-1] - known[0] >= 0.5 * distance:
            columns = np.arange(known[0], known[-1] + 1)
            yield left + columns, top + np.interp(columns, known, heights.argmax(axis=0)[known])


def courses(
    edges: np.ndarray, ridges: Iterable[tuple[np.ndarray, np.ndarray]], distance: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Columns and rows of the baseline at each ridge: where the ink ends most sharply."""
    every = slice(None, None, 3)
    reach = max(1, round(WANDER * distance))
    offsets = np.arange(-reach, reach + 1)
    smooth = [(columns, blurred(rows, 0.4 * distance)) for columns, rows in ridges]
    gains = [band(edges, columns[every], rows[every], offsets) for columns, rows in smooth]
    paths = best_paths([each / max(each.max(), 1e-6) for each in gains], STIFFNESS)
    return [
        (columns, rows + np.interp(columns, columns[every], offsets[path]))
        for (columns, rows), path in zip(smooth, paths, strict=True)
    ]


def _pieces(sheet: Sheet, edges: np.ndarray, first: int, rows: np.ndarray) -> list[Trace]:
    """The stretches of a ridge that have ink."""
    distance, columns = sheet.distance, first + np.arange(len(rows))
    ink = band(sheet.ink, columns, rows, np.arange(-0.6 * distance, 0.12 * distance)).sum(axis=1)
    height = band(edges, columns, rows, np.zeros(1)).ravel()
    inked = np.flatnonzero(ink > 0.25)
    pieces = []
    for run in np.split(inked, np.flatnonzero(np.diff(inked) > 0.4 * distance) + 1):
        if ink[run].sum() > 0.15 * distance:
            part = slice(run[0], run[-1] + 1)
            pieces.append(Trace(int(columns[run[0]]), rows[part], float(height[part].mean())))
    return pieces


def _join(
    pieces: list[Trace],
    distance: float,
    apart: float,
    strips: Sequence[Strip],
    margins: tuple[int, ...] = (),
) -> list[Trace]:
    """Join the pieces of a line less than so many columns apart, but not across a left margin or a strip."""
    lines: list[Trace] = []
    for piece in sorted(pieces, key=lambda piece: piece.first):
        near = [line for line in lines if _continues(line, piece, distance, apart, margins)]
        near = [line for line in near if not any(_between(strip, line, piece) for strip in strips)]
        if near:
            line = max(near, key=lambda line: line.end)
            lines.remove(line)
            piece = _joined(line, piece)
        lines.append(piece)
    return [line for line in lines if len(line.rows) > 0.6 * distance]


def _between(strip: Strip, line: Trace, piece: Trace) -> bool:
    return strip.divides(min(line.end, piece.first), piece.end, float(piece.rows[0]))


def _left_margins(lines: list[Trace], distance: float) -> tuple[int, ...]:
    """Columns at which many lines begin, so that anything to their left is a note or a number."""
    starts = np.array([line.first for line in lines])
    together = (np.abs(starts[:, None] - starts) < 0.4 * distance).sum(axis=1)
    return tuple(starts[together >= max(4, MARGIN * len(lines))])


def _continues(line: Trace, piece: Trace, distance: float, apart: float, margins: tuple[int, ...]) -> bool:
    gap = piece.first - line.end
    if not -0.3 * distance < gap < apart:
        return False
    ends = int(distance)
    if abs(piece.rows[:ends].mean() - line.rows[-ends:].mean()) > ALIGNED * distance:
        return False
    return gap < WORDS * distance or all(abs(margin - piece.first) > 0.5 * distance for margin in margins)


def _joined(line: Trace, piece: Trace) -> Trace:
    new = piece.columns >= line.end
    columns = np.concatenate([line.columns, piece.columns[new]])
    every = np.arange(line.first, max(line.end, piece.end))
    rows = np.interp(every, columns, np.concatenate([line.rows, piece.rows[new]]))
    strength = np.average([line.strength, piece.strength], weights=[len(line.rows), len(piece.rows)])
    return Trace(line.first, rows, float(strength))


def _choose(traces: list[Trace], distance: float) -> list[Trace]:
    """Drop show-through, and rows of loops above and below a line."""
    if not traces:
        return []
    by_strength = sorted(traces, key=lambda trace: trace.strength)
    lengths = np.cumsum([len(trace.rows) for trace in by_strength])
    usual = by_strength[int(np.searchsorted(lengths, 0.6 * lengths[-1]))].strength
    chosen: list[Trace] = []
    for trace in sorted(traces, key=lambda trace: trace.strength * len(trace.rows), reverse=True):
        brief = min(1.0, len(trace.rows) / (BRIEF * distance)) ** 0.5
        rivals = [(other, _beside(trace, other, NEAR * distance)) for other in chosen]
        strongest = max((other.strength for other, share in rivals if share > 0), default=0.0)
        crowded = sum(share for _, share in rivals) > 0.3 and trace.strength < RIVAL * strongest
        if trace.strength * brief >= FAINT * usual and not crowded:
            chosen.append(trace)
    return chosen


def _prolonged(sheet: Sheet, lines: list[Trace], strips: Sequence[Strip]) -> list[Trace]:
    """Extend lines that continue beyond their ends in fainter ink or at a slant."""
    edges = edges_of(sheet.faint, sheet.distance, END_LENGTH)
    lines = list(lines)
    for place, line in enumerate(lines):
        others = lines[:place] + lines[place + 1 :]
        for step in (1, -1):
            rows = _end(sheet, edges, line, others, strips, step)[::step]
            parts = [line.rows, rows][::step]
            line = Trace(min(line.first, line.first + step * len(rows)), np.concatenate(parts), line.strength)
        lines[place] = line
    return lines


def _end(
    sheet: Sheet, edges: np.ndarray, line: Trace, others: list[Trace], strips: Sequence[Strip], step: int
) -> np.ndarray:
    """Rows of the continuation of a line, outwards from its right end (step 1) or its left one (-1)."""
    distance = sheet.distance
    columns = np.arange(line.end, edges.shape[1]) if step > 0 else np.arange(line.first)[::-1]
    usual = band(edges, line.columns, line.rows, np.zeros(1)).mean()
    if not columns.size or not usual:
        return columns[:0]
    known = int(distance)
    start = (line.rows[-known:] if step > 0 else line.rows[:known]).mean()
    every = slice(None, None, 3)
    reach = max(1, round(BEND * distance))
    offsets = np.arange(-reach, reach + 1)
    gains = band(edges, columns[every], np.full(len(columns[every]), start), offsets) / usual
    gains[0] -= 9 * (np.abs(offsets) > 0.15 * distance)
    (path,) = best_paths([gains], STIFFNESS)
    along = np.arange(len(columns))
    rows = start + np.interp(along, along[every], offsets[path])
    sharp = np.interp(along, along[every], gains[np.arange(len(path)), path]) > END_EDGE
    ink = band(sheet.faint, columns, rows, np.arange(-0.6 * distance, 0.12 * distance)).sum(axis=1)
    taken = np.zeros(len(columns), bool)
    for other in others:
        beside = (columns >= other.first - 0.3 * distance) & (columns < other.end + 0.3 * distance)
        apart = np.abs(rows - np.interp(columns, other.columns, other.rows))
        taken |= beside & (apart < NEAR * distance)
    for strip in strips:
        if strip.top <= start < strip.bottom:
            taken |= np.abs(columns - strip.column(start)) < 1
    inked = np.flatnonzero((ink > 0.25) & sharp & (np.maximum.accumulate(taken) == 0))
    end = 0
    for run in np.split(inked, np.flatnonzero(np.diff(inked) > 0.3 * distance) + 1):
        if not run.size or run[0] - end > END_GAP * distance:
            break
        if ink[run].sum() > 0.3 * distance:
            end = run[-1] + 1
    return rows[: end if end > 0.25 * distance else 0]


def _beside(trace: Trace, other: Trace, near: float) -> float:
    """Share of a trace that has another one next to it."""
    first, end = max(trace.first, other.first), min(trace.end, other.end)
    if first >= end:
        return 0.0
    here, there = (line.rows[first - line.first : end - line.first] for line in (trace, other))
    return float((np.abs(here - there) < near).sum() / len(trace.rows))
