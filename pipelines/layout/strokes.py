"""What is written on a page: its upright strokes, and the distance of its lines.

Rulings, underlines and squared paper hardly change along their own direction, so ink is measured as the
horizontal change of darkness, without tall straight columns of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.layout.pitch import find_pitch

AREA = 1_500_000  # size in pixels of the reduced page on which strokes are found; sheets have half its sides
LARGER = 1.8  # by which a smaller page is enlarged at most: its letters may be as low as dotted rulings
SMALLEST = 16  # smallest side of a page, pixels
SHADE = 44  # pixels; wider dark areas belong to the paper
STEP, EDGE = 7, 0.3  # quarter pixels within which the paper ends, share of its lightness that it loses
CONTRAST = 0.2  # change of darkness, summed by the filter, below which there is no ink: a shade of 1/15
PALE = (
    0.07,
    0.6,
)  # change of darkness of the palest ink, and the share of ink below CONTRAST that makes it pale
TYPED = 2.2  # pitches: largest line distance of typed pages
LOW = 13  # pixels: height of rows of strokes above which they are writing, however long
BLOT = 1.0  # pitches: diameter of the smallest blot
SOLID = 0.15  # its darkness
BLACK = 0.5  # share of the lightness of the page, below which there is no paper
LOWER = 0.6  # the same on typed pages, in pitches
STRONGEST, GRAIN = 0.9999, 10.0  # quantile of the change of darkness, and how often it is the median of grain
VISIBLE = 0.2  # of ink, where specks are told from strokes
SPECK, SPECKS = 5, 0.3  # pixels: height of strokes above that of specks; the share of ink in them
FAINTER = 0.5  # share of the usual darkness that suffices for the continuation of a line


@dataclass(frozen=True, eq=False)
class Strokes:
    """What is written on a reduced page.

    Attributes:
        ink: (height, width) float32 in [0, 1].
        faint: the same, including fainter strokes.
        distance: line distance in rows.
        scale: pixels of the page per column and row.
        pitch: columns from one letter to the next on a typed page, otherwise None.
    """

    ink: np.ndarray
    faint: np.ndarray
    distance: float
    scale: tuple[float, float]
    pitch: float | None = None


def find_strokes(page: np.ndarray) -> Strokes | None:
    """Reduce a page and find its ink.

    Args:
        page: (height, width) uint8, grey, dark ink on light paper.

    Returns:
        None where there is no ink.
    """
    if min(page.shape) < SMALLEST:
        return None
    share = min(LARGER, (AREA / page.size) ** 0.5)
    size = tuple(max(SMALLEST, round(side * share)) for side in page.shape[::-1])
    reduced = cv2.resize(page, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR)
    paper = _paper(reduced)
    dark = _darkness(reduced, paper)
    change = np.where(_edges(paper, size), 0, _change(dark))
    half = size[0] // 2, size[1] // 2

    def halved(share: float, low: int = LOW) -> np.ndarray:
        return cv2.resize(_strokes(change, share, low), half, interpolation=cv2.INTER_AREA)

    if _is_grain(change):
        return None
    ink = halved(1.0)
    if not ink.any():
        return None
    scale = page.shape[1] / ink.shape[1], page.shape[0] / ink.shape[0]
    distance = _line_distance(ink)
    pitch = find_pitch(ink, distance)
    if not pitch:
        return Strokes(ink, halved(FAINTER), distance, scale)
    low = round(2 * LOWER * pitch)
    change = np.where(_blots(reduced, dark, 2 * pitch), 0, change)
    ink, faint = halved(FAINTER, low), halved(FAINTER**2, low)
    return Strokes(ink, faint, min(_line_distance(ink), TYPED * pitch), scale, pitch)


def _paper(page: np.ndarray) -> np.ndarray:
    """Lightness of the paper, without what is narrower than `SHADE`: a quarter of the size, uint8."""
    size = page.shape[1] // 4, page.shape[0] // 4
    paper = cv2.medianBlur(cv2.resize(page, size, interpolation=cv2.INTER_AREA), 3)
    return cv2.morphologyEx(paper, cv2.MORPH_CLOSE, np.ones((SHADE // 4, SHADE // 4), np.uint8))


def _darkness(page: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Darkness relative to the surrounding paper, (height, width) float32 in [0, 1]."""
    paper = cv2.resize(cv2.blur(paper, (5, 5)), page.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(1 - page.astype(np.float32) / np.maximum(paper, 1), 0, 1)


def _edges(paper: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where the paper itself ends: at a table, a cover or a picture, whose edge is no stroke."""
    around = np.ones((STEP, STEP), np.uint8)
    light, dark = cv2.dilate(paper, around), cv2.erode(paper, around)
    ends = cv2.subtract(light, dark) > EDGE * light
    return cv2.resize(ends.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0


def _change(dark: np.ndarray) -> np.ndarray:
    """Horizontal change of darkness, (height, width) float32."""
    return np.abs(cv2.Sobel(cv2.GaussianBlur(dark, (0, 0), 1.0), cv2.CV_32F, 1, 0, ksize=3))


def _is_grain(change: np.ndarray) -> bool:
    """Whether all ink is the noise of a camera or scanner, the grain of paper, or specks.

    On 60 pages of three hands, the strongest change of darkness is 46 times the median or more, and 70 % of
    the ink, on small print 40 %, is in strokes as high as `SPECK`; Gaussian noise has 8 times and 5 % at any
    scale, dense specks have 27 %.
    """
    if float(np.quantile(change, STRONGEST)) < GRAIN * float(np.median(change)):
        return True
    ink = (_strokes(change, 1.0) > VISIBLE).astype(np.uint8)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(ink)
    areas, heights = boxes[1:, cv2.CC_STAT_AREA], boxes[1:, cv2.CC_STAT_HEIGHT]
    return bool(areas[heights >= SPECK].sum() < SPECKS * areas.sum())


def _strokes(change: np.ndarray, share: float, low: int = LOW) -> np.ndarray:
    """Strokes that cross the rows, without ruled lines: (height, width) float32 in [0, 1].

    Low rows of strokes longer than words are removed too: dotted rulings and the small print of forms.

    Args:
        change: horizontal change of darkness.
        share: strength relative to the usual strokes of the page, for fainter ones.
        low: pixels; rows of this height are never removed.
    """
    noise = 3 * float(np.median(change))
    visible = change[change > max(noise, PALE[0])]
    if not visible.size:
        return np.zeros_like(change)
    contrast = min(CONTRAST, float(np.quantile(visible, PALE[1])))
    above = change[change > max(noise, contrast)]
    if not above.size:
        return np.zeros_like(change)
    typical = share * float(np.median(above))
    floor = max(noise, share * contrast, 0.5 * typical)
    strokes = np.clip((change - floor) * (255 / max(2.5 * typical - floor, 1e-6)), 0, 255).astype(np.uint8)
    upright = _opened(_closed(strokes, 9, 1), 61, 1)
    strokes = _without(strokes, cv2.dilate(upright, np.ones((9, 3))))
    dotted = _opened(_closed(strokes, 3, 11), 1, 201)
    dotted = cv2.subtract(dotted, _opened(dotted, low, 1))
    return _without(strokes, cv2.dilate(dotted, np.ones((3, 9)))) / np.float32(255)


def _blots(page: np.ndarray, dark: np.ndarray, pitch: float) -> np.ndarray:
    """Where there are dark areas wider and higher than letters: blots, holes and what lies around the paper.

    Args:
        page: (height, width) uint8.
        dark: its darkness relative to the surrounding paper.
        pitch: width of letters, pixels.
    """
    side = round(BLOT * pitch) | 1
    shape = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    areas = (dark > SOLID) | (page < BLACK * np.median(page))
    solid = cv2.morphologyEx(areas.astype(np.uint8), cv2.MORPH_OPEN, shape)
    return cv2.dilate(solid, np.ones((round(pitch), round(pitch)))) > 0


def strokes_across(page: np.ndarray) -> np.ndarray:
    """Strokes that cross the rows of a page, at its own size: (height, width) float32 in [0, 1]."""
    return _strokes(_change(_darkness(page, _paper(page))), 1.0)


def _without(strokes: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    return cv2.subtract(strokes, cv2.convertScaleAbs(drawn, alpha=1.5))


def _opened(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.morphologyEx(image, cv2.MORPH_OPEN, np.ones((height, width)))


def _closed(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.morphologyEx(image, cv2.MORPH_CLOSE, np.ones((height, width)))


def _line_distance(ink: np.ndarray) -> float:
    """Line distance in rows: the first clear peak of the autocorrelation of narrow strips of the page."""
    height, width = ink.shape
    likeness = np.zeros(height)
    for strip in np.array_split(ink, max(1, width // 64), axis=1):
        profile = np.sqrt(strip.sum(axis=1))
        profile -= blurred(profile, height / 24 + 1)
        spectrum = np.abs(np.fft.rfft(profile, 2 * height)) ** 2
        likeness += np.fft.irfft(spectrum, 2 * height)[:height]
    likeness = blurred(likeness / max(likeness[0], 1e-9), 1.5)[: max(height // 3, 4)]
    inner = likeness[1:-1]
    peaks = np.flatnonzero((inner >= likeness[:-2]) & (inner > likeness[2:])) + 1
    rises = likeness[peaks] - np.minimum.accumulate(likeness)[peaks]
    clear = peaks[rises > max(0.02, 0.07 * rises.max(initial=0))]
    if clear.size:
        return float(max(clear[0], 4))
    apart = np.flatnonzero(likeness <= 0)  # one line alone
    return float(np.clip(3 * (apart[0] if apart.size else height), 4, 0.6 * height))


def blurred(values: np.ndarray, deviation: float) -> np.ndarray:
    column = values.astype(np.float64).reshape(-1, 1)
    return cv2.GaussianBlur(column, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE).ravel()
