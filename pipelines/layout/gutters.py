"""Gutters: the empty strips between the two pages of an open book, or between columns of writing.

Gutters from the top of the writing to its bottom divide a page in two; others, below a heading or above a
footer, keep apart the lines beside them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

TILTS = np.arange(-3, 3.1, 0.5)  # degrees from the vertical
WRITTEN = 0.04  # mean ink of a cell, half a line distance high and a column wide, from which it is written on
CROSSED = 0.12  # ink in a gutter, relative to columns of writing; at the emptiest place of single pages, 0.44
NARROWEST = 0.6  # line distances: width of a gutter between MANY lines
NARROW = 1.5  # line distances: its width between fewer, where the gaps of words may happen to coincide
MANY, FEW = 8, 3  # lines beside each other
SIDE = 8.0  # line distances: narrower columns are notes, numbers or dates, which belong to their lines
LINE = 3.0  # line distances that are written on, from which a row of a side is a line
FILLED = 0.5  # median share of its side that a line of text fills, unlike the cells of a table
WORDS = 2.0  # line distances; narrower gaps within a line are filled, too
BESIDE = 6  # lines beside each other on both sides of a gutter that is not as high as the writing
FOLD = 0.85  # share of its height that is dark, from which a narrow column is a fold or a ruling
FOLD_WIDTH = 0.3  # line distances


@dataclass(frozen=True)
class Gutter:
    """A straight line down the middle of a gutter.

    Attributes:
        top, bottom: its columns in the first row of the page and in the last one, as shares of the width.
    """

    top: float
    bottom: float

    def divide(self, page: np.ndarray) -> tuple[tuple[np.ndarray, int], tuple[np.ndarray, int]]:
        """The page left and right of the gutter, (height, width) uint8, each with its first column.

        Where the gutter leans, what lies beyond it is filled with the shade of the gutter in the same row.
        """
        height, width = page.shape
        cut = np.linspace(self.top, self.bottom, height) * (width - 1)
        cut = np.rint(cut).astype(int).clip(1, width - 2)
        shade = page[np.arange(height), cut][:, None]
        first, end = int(cut.min()), int(cut.max()) + 1
        beyond = np.arange(width) - cut[:, None]
        left = np.where(beyond[:, :end] > 0, shade, page[:, :end])
        right = np.where(beyond[:, first:] < 0, shade, page[:, first:])
        return (left, 0), (right, first)


@dataclass(frozen=True)
class Strip:
    """A gutter in a part of a levelled page.

    Attributes:
        middle: its middle column in the first row of the page.
        lean: columns by which it moves to the left with each row.
        top, bottom: its first row, and the one after the last.
    """

    middle: float
    lean: float
    top: float
    bottom: float

    def column(self, row: float) -> float:
        return self.middle - self.lean * row

    def divides(self, left: float, right: float, row: float) -> bool:
        """Whether it runs between two columns of a row."""
        return self.top <= row < self.bottom and left <= self.column(row) <= right


def find_strips(ink: np.ndarray, distance: float) -> list[Strip]:
    """Gutters between columns of writing, however high, the largest first.

    Args:
        ink: (height, width) float32 in [0, 1], level.
        distance: line distance in rows.
    """
    height, width = ink.shape
    if width < 2 * SIDE * distance:
        return []
    found: list[tuple[float, float, Strip]] = []
    for tilt in sorted(TILTS, key=abs):
        lean = float(np.tan(np.radians(tilt)))
        cells = _cells(_sheared(ink, lean), distance)
        step = height / len(cells)
        for (first, end), (top, bottom) in _rectangles(~cells, distance):
            if _divides(cells[top:bottom], first, end, distance, BESIDE):
                middle = (first + end - 1) / 2 + lean * height / 2
                strip = Strip(middle, lean, top * step, bottom * step)
                found.append(((end - first) * (bottom - top), -abs(tilt), strip))
    strips: list[Strip] = []
    for _, _, strip in sorted(found, key=lambda each: each[:2], reverse=True):
        if all(_apart(strip, other, distance) for other in strips):
            strips.append(strip)
    return strips


def _apart(one: Strip, other: Strip, distance: float) -> bool:
    """Whether two strips share no rows, or have text between them."""
    top, bottom = max(one.top, other.top), min(one.bottom, other.bottom)
    middle = (top + bottom) / 2
    return top >= bottom or abs(one.column(middle) - other.column(middle)) > SIDE * distance / 2


def _rectangles(free: np.ndarray, distance: float) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Columns and rows of high empty rectangles, each as its first and the one after its last."""
    narrow = round(NARROWEST * distance) | 1
    windows = cv2.erode(free.astype(np.uint8), np.ones((1, narrow)), borderValue=0)
    least = 2 * BESIDE + 1  # odd, or else the opening would be moved
    high = cv2.morphologyEx(windows, cv2.MORPH_OPEN, np.ones((least, 1)), borderValue=0)
    seen = set()
    written = np.flatnonzero(~free.all(axis=0))
    if not written.size:
        return
    side = round(SIDE * distance)
    high[:, : written[0] + side] = high[:, max(0, written[-1] - side) :] = 0  # no room for a column
    for column in np.flatnonzero(high.any(axis=0)):
        for top, bottom in _runs(high[:, column] > 0):
            inside = free[top:bottom].all(axis=0)
            first, end = next(run for run in _runs(inside) if run[0] <= column < run[1])
            if (first, end, top, bottom) not in seen:
                seen.add((first, end, top, bottom))
                yield (int(first), int(end)), (int(top), int(bottom))


def _sheared(ink: np.ndarray, lean: float) -> np.ndarray:
    """A page whose columns are moved to the right by so many columns a row, not in its middle row."""
    height, width = ink.shape
    shear = np.array([[1, lean, -lean * height / 2], [0, 1, 0]], np.float32)
    return cv2.warpAffine(ink, shear, (width, height))


def _cells(ink: np.ndarray, distance: float) -> np.ndarray:
    """Which cells are written on, half a line distance high and a column wide: (rows, columns) bool."""
    rows = max(2, round(2 * len(ink) / distance))
    return cv2.resize(ink, (ink.shape[1], rows), interpolation=cv2.INTER_AREA) > WRITTEN


def find_gutter(ink: np.ndarray, distance: float) -> Gutter | None:
    """The widest gutter that runs from the top of the writing to its bottom, if there is one.

    Args:
        ink: (height, width) float32 in [0, 1].
        distance: line distance in rows.
    """
    height, width = ink.shape
    if width < 2 * SIDE * distance:
        return None
    found: list[tuple[float, float, Gutter]] = []
    for tilt in sorted(TILTS, key=abs):
        lean = float(np.tan(np.radians(tilt)))
        for first, end in _empty(_sheared(ink, lean), distance):
            middle, half = (first + end - 1) / 2, lean * height / 2
            ends = ((middle + half) / (width - 1), (middle - half) / (width - 1))
            if min(ends) > 0 and max(ends) < 1:
                found.append((end - first, -abs(tilt), Gutter(*ends)))
    return max(found, key=lambda each: each[:2])[2] if found else None


def _empty(ink: np.ndarray, distance: float) -> list[tuple[int, int]]:
    """First column, and the one after the last, of each vertical gutter."""
    cells = _cells(ink, distance)
    share = cells.mean(axis=0)
    for first, end in _runs(share > FOLD * cells.any(axis=1).mean()):
        if end - first <= max(2, FOLD_WIDTH * distance):
            cells[:, first:end], share[first:end] = False, 0
    written = share[share > 0]
    if not written.size:
        return []
    free = share <= CROSSED * np.median(written)
    return [
        (first, end)
        for first, end in _runs(free)
        if end - first >= NARROWEST * distance and _divides(cells, first, end, distance)
    ]


def _divides(cells: np.ndarray, first: int, end: int, distance: float, least: int = FEW) -> bool:
    """Whether there are lines of text on both sides, at least so many."""
    sides = cells[:, :first], cells[:, end:]
    for side in sides:
        columns = np.flatnonzero(side.any(axis=0))
        if not columns.size or columns[-1] - columns[0] < SIDE * distance:
            return False
    lines = [_lines(side, distance) for side in sides]
    beside = (lines[0] & lines[1]).sum()
    if beside < (MANY if end - first < NARROW * distance else least):
        return False
    return all(_filled(side, distance) >= FILLED for side in sides)


def _filled(side: np.ndarray, distance: float) -> float:
    """Median share of the width of a side, without its margins, that its lines fill."""
    rows = side[: len(side) // 2 * 2].reshape(-1, 2, side.shape[1]).any(axis=1)
    rows = rows[rows.sum(axis=1) >= LINE * distance / 2]
    columns = np.flatnonzero(rows.any(axis=0))
    gap = round(WORDS * distance) | 1
    rows = cv2.morphologyEx(rows.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, gap)), borderValue=0)
    return float(np.median(rows.sum(axis=1)) / (columns[-1] + 1 - columns[0])) if columns.size else 0.0


def _lines(side: np.ndarray, distance: float) -> np.ndarray:
    """Whether each stretch of one line distance holds a line, (stretches,) bool."""
    wide = side.sum(axis=1) >= LINE * distance / 2  # about half the cells of a line are written on
    return wide[: len(wide) // 2 * 2].reshape(-1, 2).any(axis=1)


def _runs(of: np.ndarray) -> np.ndarray:
    """First place, and the one after the last, of each run of true values, (runs, 2)."""
    return np.flatnonzero(np.diff(of.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
