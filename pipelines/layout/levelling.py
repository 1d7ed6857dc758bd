"""A page laid so that its lines run along the rows: by the slope at which its rows are most distinct."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipelines.layout.strokes import Strokes

STEEPEST = 10  # largest slope of a line, degrees
UNEVEN = 5  # largest deviation of a slope from that of the page, degrees


@dataclass(frozen=True, eq=False)
class Sheet:
    """A reduced and levelled page: its lines run along the rows.

    Attributes:
        ink: (height, width) float32 in [0, 1].
        faint: the same, including fainter strokes.
        sources: (height, width) float32, the row of the reduced page at each position.
        distance: line distance in rows.
        scale: pixels of the page per column and row of the reduced page.
        pitch: columns from one letter to the next on a typed page, otherwise None.
    """

    ink: np.ndarray
    faint: np.ndarray
    sources: np.ndarray
    distance: float
    scale: tuple[float, float]
    pitch: float | None = None

    def to_page(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Map to (n, 2) x, y in pixels of the page."""
        last = len(self.sources) - 1
        beyond = rows - np.clip(rows, 0, last)
        y = beyond + _sample(self.sources, np.clip(columns, 0, self.sources.shape[1] - 1), rows - beyond)
        return (np.stack([columns, y], axis=1) + 0.5) * self.scale - 0.5


def lay_level(strokes: Strokes) -> Sheet:
    """Level the lines of a page."""
    height, width = strokes.ink.shape
    sources = _level(_slopes(strokes.ink, strokes.distance))
    across = np.tile(np.arange(width, dtype=np.float32), (height, 1))
    ink, faint = (
        cv2.remap(each, across, sources, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        for each in (strokes.ink, strokes.faint)
    )
    return Sheet(ink, faint, sources, strokes.distance, strokes.scale, strokes.pitch)


def band(image: np.ndarray, columns: np.ndarray, rows: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Sample an image along a path: (columns, offsets) float32, at offsets in rows, fixed or per column."""
    rows = rows[:, None] + offsets
    return _sample(image, np.broadcast_to(columns[:, None], rows.shape), rows)


def _sample(image: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Interpolated values, 0 outside the image, in the shape of `rows`."""
    places = [np.array(axis, np.float32, ndmin=2) for axis in (columns, rows)]
    values = cv2.remap(image, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return values.reshape(rows.shape)


def _slopes(ink: np.ndarray, distance: float) -> np.ndarray:
    """Local slope of the writing in rows per column, (height, width) float32.

    The slope at which the response of a long narrow filter varies most, near the slope of the whole page.
    """
    small = cv2.resize(ink, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    distance = distance / 2
    reach = int(min(5 * distance, max(small.shape)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    degrees = np.arange(-STEEPEST, STEEPEST + 1)
    window = max(1, int(8 * distance)), max(1, int(3 * distance))
    powers = []
    for slope in np.tan(np.radians(degrees)):
        kernel = np.exp(-((x / (2 * distance)) ** 2 + ((y - slope * x) / max(0.7, 0.1 * distance)) ** 2) / 2)
        kernel = kernel[np.abs(y[:, 0]) <= abs(slope) * reach + 0.3 * distance + 2]
        answer = cv2.filter2D(small, -1, kernel / kernel.sum(), borderType=cv2.BORDER_CONSTANT)
        powers.append(cv2.blur(answer**2, window, borderType=cv2.BORDER_CONSTANT))
    powers = np.stack(powers)
    page = int(powers.sum(axis=(1, 2)).argmax())
    near = slice(max(0, page - UNEVEN), page + UNEVEN + 1)
    slopes = np.tan(np.radians(degrees[near][powers[near].argmax(axis=0)])).astype(np.float32)
    certain = powers[near].max(axis=0) - powers[near].mean(axis=0) + 1e-12
    spread = {"sigmaX": 4 * distance, "sigmaY": 1.5 * distance}
    slopes = cv2.GaussianBlur(slopes * certain, (0, 0), **spread) / cv2.GaussianBlur(
        certain, (0, 0), **spread
    )
    return cv2.resize(slopes, ink.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _level(slopes: np.ndarray) -> np.ndarray:
    """Rows of the middle column, followed along the slopes: (height, width) float32."""
    height, width = slopes.shape
    columns = np.ascontiguousarray(slopes.T)
    sources = np.empty((width, height), np.float32)
    middle = width // 2
    sources[middle] = np.arange(height)
    for start, stop, step in ((middle, width - 1, 1), (middle, 0, -1)):
        for column in range(start, stop, step):
            rows = sources[column]
            here = columns[column][np.clip(rows, 0, height - 1).astype(np.intp)]
            sources[column + step] = rows + step * here
    return np.ascontiguousarray(sources.T)
