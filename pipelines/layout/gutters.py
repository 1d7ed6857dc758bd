"""Gutters: the empty strips between the two pages of an open book, or between columns of writing."""

from __future__ import annotations

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
        shear = np.array([[1, lean, -lean * height / 2], [0, 1, 0]], np.float32)
        upright = cv2.warpAffine(ink, shear, (width, height))
        for first, end in _empty(upright, distance):
            middle, half = (first + end - 1) / 2, lean * height / 2
            ends = ((middle + half) / (width - 1), (middle - half) / (width - 1))
            if min(ends) > 0 and max(ends) < 1:
                found.append((end - first, -abs(tilt), Gutter(*ends)))
    return max(found, key=lambda each: each[:2])[2] if found else None


def _empty(ink: np.ndarray, distance: float) -> list[tuple[int, int]]:
    """First column, and the one after the last, of each vertical gutter."""
    rows = max(2, round(2 * len(ink) / distance))
    cells = cv2.resize(ink, (ink.shape[1], rows), interpolation=cv2.INTER_AREA) > WRITTEN
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


def _divides(cells: np.ndarray, first: int, end: int, distance: float) -> bool:
    """Whether there are lines on both sides."""
    sides = cells[:, :first], cells[:, end:]
    for side in sides:
        columns = np.flatnonzero(side.any(axis=0))
        if not columns.size or columns[-1] - columns[0] < SIDE * distance:
            return False
    lines = [_lines(side, distance) for side in sides]
    beside = (lines[0] & lines[1]).sum()
    return beside >= (MANY if end - first < NARROW * distance else FEW)


def _lines(side: np.ndarray, distance: float) -> np.ndarray:
    """Whether each stretch of one line distance holds a line, (stretches,) bool."""
    wide = side.sum(axis=1) >= LINE * distance / 2  # about half the cells of a line are written on
    return wide[: len(wide) // 2 * 2].reshape(-1, 2).any(axis=1)


def _runs(of: np.ndarray) -> np.ndarray:
    """First place, and the one after the last, of each run of true values, (runs, 2)."""
    return np.flatnonzero(np.diff(of.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
