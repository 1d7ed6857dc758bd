"""Turned pages: whether lines run up and down, or upside down, and where turned points are on the image."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipelines.layout.baselines import find_traces
from pipelines.layout.levelling import band, lay_level
from pipelines.layout.strokes import blurred, find_strokes, strokes_across
from pipelines.results import Point

SIZE = 1000  # pixels of the longer side of the reduced page
STRIP = 80  # pixels: width of the strips whose rows are compared
FINE, COARSE = 2.0, 14.0  # pixels: standard deviations between which rows are told from the gaps between them
SIDEWAYS = 0.7  # rows over columns; at least 1.9 on 54 upright pages of hooker-en, peraire-fr and copiste-fr
UPRIGHT = 1.5  # how many times more is written above letters than below, relative to the page upside down
LONG = 4.0  # line distances; shorter lines say little of the writing
TALL = 0.35  # line distances: the height of ascenders and of descenders


def is_sideways(page: np.ndarray) -> bool:
    """Whether lines run up or down a page, (height, width) uint8, dark ink on light paper.

    Compares how clearly strips of the page, and of the page turned, consist of rows.
    """
    share = min(1.0, SIZE / max(page.shape))
    size = [max(1, round(side * share)) for side in page.shape[::-1]]
    reduced = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    if min(reduced.shape) < 16:
        return False
    across, along = strokes_across(reduced), np.rot90(strokes_across(turned(reduced, 270)), -1)
    ink = np.maximum(across, along)  # rulings are in neither
    return _rows(ink) < SIDEWAYS * _rows(turned(ink, 90))


def is_surely_upright(page: np.ndarray) -> bool:
    """Whether a page is as that of Latin letters: more rises above small letters than hangs below them."""
    return _rise(page) > UPRIGHT * _rise(turned(page, 180))


def turned(page: np.ndarray, degrees: int) -> np.ndarray:
    """An image turned clockwise by 0, 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(page, -(degrees // 90)))


def turned_points(points: Sequence[Point], degrees: int, size: tuple[int, int]) -> tuple[Point, ...]:
    """Points of an image, (height, width) in pixels, on the image turned clockwise."""
    if not degrees:
        return tuple(points)
    height, width = size
    place = {
        90: lambda x, y: (height - 1 - y, x),
        180: lambda x, y: (width - 1 - x, height - 1 - y),
        270: lambda x, y: (y, width - 1 - x),
    }[degrees % 360]
    return tuple((round(x, 1), round(y, 1)) for x, y in (place(*point) for point in points))


def _rows(ink: np.ndarray) -> float:
    """How clearly narrow strips consist of rows: mean square of their profiles, without shades."""
    strips = np.array_split(ink, max(1, ink.shape[1] // STRIP), axis=1)
    profiles = [strip.mean(axis=1) for strip in strips]
    fine, coarse = (
        np.stack([blurred(profile, deviation) for profile in profiles]) for deviation in (FINE, COARSE)
    )
    return float(((fine - coarse) ** 2).mean())


def _rise(page: np.ndarray) -> float:
    """What is written above the small letters of a page, relative to what is below them; 0 without lines."""
    strokes = find_strokes(page)
    if strokes is None:
        return 0.0
    sheet = lay_level(strokes)
    lines = [trace for trace in find_traces(sheet) if len(trace.rows) > LONG * sheet.distance]
    if not lines:
        return 0.0
    heights = np.arange(-sheet.distance, 0.6 * sheet.distance)
    profile = sum(band(sheet.ink, line.columns, line.rows, heights).sum(axis=0) for line in lines)
    heights /= sheet.distance
    half = profile > 0.5 * profile[heights < 0].max()  # small letters
    top, bottom = heights[half].min(), heights[half & (heights < 0.25)].max()
    above = profile[(heights > top - TALL) & (heights < top - 0.08)]
    below = profile[(heights > bottom + 0.08) & (heights < bottom + TALL)]
    return float(above.mean() / max(below.mean(), 1e-9)) if above.size and below.size else 0.0
