"""Detection of words inserted between the lines of a page.

They are above the line into which they were inserted, where otherwise only ascenders and descenders reach,
which leave gaps and form no row of ink.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from pipelines.layout.baselines import Trace, courses, edges_of, ridges
from pipelines.layout.levelling import Sheet, band

SMALL = 0.75  # height of inserted words, in line distances
LENGTH = 0.6  # of that distance: as the lines' COURSE_LENGTH
EDGE = 0.2  # share of the lines' usual edge that each column needs
HEIGHT = 0.3  # x-height in line distances
RISE = 0.5, 0.75  # distance above the line below, in line distances
FALL = 0.4  # least distance below the line above, in line distances
APART = 0.25  # least distance from any line in every column, in line distances
GAP = 0.4  # gap in line distances that ends an insertion
LONG = 1.8  # line distances; shorter ones are mostly strokes of the lines themselves
SHARP = 0.5  # share of the lines' usual edge
FILLED = 0.7  # least share of columns with ink


def find_insertions(sheet: Sheet, lines: list[Trace]) -> list[Trace]:
    """Baselines of inserted words between the lines of a sheet, of which there must be at least one."""
    edges = edges_of(sheet.ink, SMALL * sheet.distance, LENGTH)
    usual = np.mean([band(edges, line.columns, line.rows, np.zeros(1)).mean() for line in lines])
    dense = np.mean([_darkness(sheet, line).mean() for line in lines])
    found = []
    for trace, rise, fall in _candidates(sheet, edges, EDGE * usual, lines):
        if len(trace.rows) < LONG * sheet.distance or trace.strength < SHARP * usual:
            continue
        dark = _darkness(sheet, trace)
        window = 1, 2 * int(0.15 * sheet.distance) + 1
        filled = (cv2.blur(dark[:, None], window) > 0.3 * dense).mean()
        if RISE[0] < rise < RISE[1] and fall > FALL and filled > FILLED:
            found.append(trace)
    return found


def _candidates(
    sheet: Sheet, edges: np.ndarray, least: float, lines: list[Trace]
) -> Iterator[tuple[Trace, float, float]]:
    """Rows of edges apart from the lines, and their distances above and below lines, in line distances."""
    beside = 0.3 * sheet.distance
    for columns, rows in courses(edges, ridges(edges, sheet.distance), 0.5 * sheet.distance):
        height = band(edges, columns, rows, np.zeros(1)).ravel()
        rise, fall = (np.full(len(columns), np.inf) for _ in range(2))
        for line in lines:
            near = (columns >= line.first - beside) & (columns < line.end + beside)
            above = (np.interp(columns, line.columns, line.rows) - rows) / sheet.distance
            rise = np.where(near & (above > 0), np.minimum(rise, above), rise)
            fall = np.where(near & (above <= 0), np.minimum(fall, -above), fall)
        free = np.flatnonzero((np.minimum(rise, fall) > APART) & (height > least))
        for run in np.split(free, np.flatnonzero(np.diff(free) > GAP * sheet.distance) + 1):
            if run.size:
                part = slice(run[0], run[-1] + 1)
                trace = Trace(int(columns[run[0]]), rows[part], float(height[part].mean()))
                yield trace, float(np.median(rise[part])), float(np.median(fall[part]))


def _darkness(sheet: Sheet, trace: Trace) -> np.ndarray:
    """Ink between the baseline and the x-height, (columns,) float32."""
    return band(sheet.ink, trace.columns, trace.rows, np.arange(-HEIGHT * sheet.distance, 0)).mean(axis=1)
