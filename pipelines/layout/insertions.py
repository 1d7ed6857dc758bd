"""Finds words that were written in between the lines of a page.

They stand above the line that they were put into, where else only ascenders and descenders reach: these
leave gaps, and no row of ink.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from pipelines.layout.baselines import Sheet, Trace, band, courses, edges_of, ridges

SMALL = 0.75  # of the lines' distance: that of words in between
LENGTH = 0.6  # of that distance: as the lines' COURSE_LENGTH
EDGE = 0.2  # share of the lines' usual edge that each column needs
HEIGHT = 0.3  # line distances: of the letters without ascenders and descenders
RISE = 0.5, 0.75  # line distances above the line below
FALL = 0.4  # line distances below the line above, at least
APART = 0.25  # line distances from any line, at every column
GAP = 0.4  # line distances without an edge that end them
LONG = 1.8  # line distances; what is shorter is more often strokes of the lines themselves
SHARP = 0.5  # share of the lines' usual edge
FILLED = 0.7  # share of their columns in which there is ink


def find_insertions(sheet: Sheet, lines: list[Trace]) -> list[Trace]:
    """The baselines of words in between the lines of a sheet, at least one."""
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
    """Rows of edges apart from the lines; how far above one they run, and below one, in line distances."""
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
    """(columns,) float32 of ink between the baseline and the height of small letters."""
    return band(sheet.ink, trace.columns, trace.rows, np.arange(-HEIGHT * sheet.distance, 0)).mean(axis=1)
