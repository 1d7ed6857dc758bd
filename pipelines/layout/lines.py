"""Shapes of text lines on a page, and cutting them out.

A cut follows a path, the page position of the baseline under each of its columns, at distances of one pixel.
Its rows follow the normals of the path. For a straight baseline the cut is a rotation; only a clearly curved
baseline is straightened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.results import Point

BAND = (0.72, 0.38)  # extent above and below the baseline, in line distances, if there is no polygon
TALLEST = (1.15, 0.75)  # largest extent of a polygon, in line distances; beyond is the ink of neighbours
STRIP = 0.3  # line distances; a thinner polygon marks the baseline, not the ink, as in Transkribus
ASPECT = 0.1  # line distance as a share of the baseline's length, if nothing else is known
THICK = 12  # pixels; a polygon of this thickness is never a strip
CURVED = 0.3  # line heights by which a baseline must deviate from a straight line to be straightened
MARGIN = 0.05  # margin around the ink, in line heights
PAPER = 70  # percentile of grey levels that is paper even in dense writing
LARGEST = 32_000_000  # largest cut in pixels; a line of 20,000 x 1,500 fits
COLUMNS = 4096  # columns cut at a time: limits memory, and OpenCV cannot sample images beyond 32,767 pixels


@dataclass(frozen=True)
class LineShape:
    """The position of a text line on its page, in pixels.

    Attributes:
        baseline: at least two points, from left to right. Right to left is accepted too; a line closer to
            vertical than to horizontal is read from its first point to its last.
        polygon: the boundary of its ink; empty if unknown.
        id: its id in the layout file, or "".
        upside_down: whether its letters stand on their heads; then a baseline from right to left is read from
            its first point to its last, too.
    """

    baseline: tuple[Point, ...]
    polygon: tuple[Point, ...] = ()
    id: str = ""
    upside_down: bool = False


@dataclass(frozen=True)
class LineCut:
    """A line cut out of its page and levelled, at the resolution of the page.

    Attributes:
        pixels: (height, width) uint8, dark ink on light paper as on the page.
        path: (width, 2), the position of the baseline under each column: x, y in pixels of the page.
        row: row of the baseline in the cut, pixels.
    """

    pixels: np.ndarray
    path: np.ndarray = field(repr=False)
    row: int

    def to_page(self, points: np.ndarray) -> np.ndarray:
        """Map points from pixels of the cut to pixels of the page: (n, 2) x, y -> (n, 2) x, y."""
        points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        places, ways = _along(self.path, points[:, 0])
        return places + (points[:, 1:] - self.row) * _downwards(ways)


def line_distance(shapes: Sequence[LineShape]) -> float:
    """The median gap between neighbouring baselines of a page, in pixels.

    If no line has another below it, the thickness of polygons is used, and without these the length of lines.

    Raises:
        ValueError: there are no shapes, or one has no usable baseline.
    """
    if not shapes:
        raise ValueError("no lines, so no distance between them")
    baselines = [_read_along(shape) for shape in shapes]
    starts = np.array([baseline[0] for baseline in baselines])
    ways = np.array([baseline[-1] for baseline in baselines]) - starts
    lengths = np.maximum(np.hypot(*ways.T), 1.0)
    ways /= lengths[:, None]
    gaps = []
    for start, way, length in zip(starts, ways, lengths, strict=True):
        offsets = start + way * length / 2 - starts  # from the start of every line to the middle of this one
        across, down = (offsets * ways).sum(axis=1), (offsets * _downwards(ways)).sum(axis=1)
        beneath = (across > 0) & (across < lengths) & (down < -1) & (ways @ way > 0.9)
        if beneath.any():
            gaps.append(-down[beneath].max())
    if not gaps:
        gaps = [
            _own_distance(baseline, _points(shape.polygon, "polygon"))
            for baseline, shape in zip(baselines, shapes, strict=True)
        ]
    return float(np.median(gaps))


def cut_line(page: np.ndarray, shape: LineShape, line_distance: float | None = None) -> LineCut:
    """Cut a line out of its page and level it; everything outside its polygon becomes paper.

    If the polygon is missing or a mere strip, a band around the baseline is used instead.

    Args:
        page: (height, width) uint8, grey.
        shape: the line; parts of it outside the page are ignored.
        line_distance: of the page, in pixels, from `line_distance`; with it, a polygon that extends far into
            the neighbouring lines is clipped.

    Raises:
        ValueError: the page is not a grey image; or the shape has no baseline on the page, coordinates that
            are not finite, or an absurd size.
    """
    if page.ndim != 2 or page.dtype != np.uint8 or not page.size:
        raise ValueError(f"a grey page is (height, width) uint8, not {page.shape} {page.dtype}")
    corner = (page.shape[1] - 1, page.shape[0] - 1)
    baseline = _on_page(_read_along(shape), corner)
    polygon = _points(shape.polygon, "polygon").clip(0, corner)
    distance = line_distance or min(_own_distance(baseline, polygon), *page.shape)
    height = _thickness(polygon, baseline)
    if height < STRIP * distance:
        height, polygon = sum(BAND) * distance, polygon[:0]
    path = _path(baseline, CURVED * height)
    if not len(polygon):
        polygon = _band(path, *(share * distance for share in BAND))
    across, down = _projected(path, polygon)
    above, below = -down.min(), down.max()
    if line_distance:
        above, below = min(above, TALLEST[0] * distance), min(below, TALLEST[1] * distance)
    margin = round(MARGIN * height) + 1
    columns = np.arange(np.floor(across.min()) - margin, np.ceil(across.max()) + margin + 1)
    rows = np.arange(np.floor(-above) - margin, np.ceil(below) + margin + 1)
    if len(rows) * len(columns) > LARGEST:
        raise ValueError(f"{len(columns)} x {len(rows)} pixels are too many for a line")
    path, _ = _along(path, columns)
    pixels, inside = _sampled(page, path, rows, polygon)
    inside[(rows < -above) | (rows > below)] = False
    if not inside.any():
        raise ValueError("no part of the line lies on the page")
    kept_rows, kept_columns = (_around(inside.any(axis=axis), margin) for axis in (1, 0))
    pixels = _papered(pixels[kept_rows, kept_columns], inside[kept_rows, kept_columns])
    return LineCut(pixels, path[kept_columns], -int(rows[kept_rows][0]))


def _points(points: Sequence[Point], name: str) -> np.ndarray:
    array = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(array).all():
        raise ValueError(f"the {name} has coordinates that are not finite")
    return array


def _read_along(shape: LineShape) -> np.ndarray:
    """The baseline in the direction in which letters stand on it: one from right to left is reversed, as
    its letters are upright all the same, unless they are upside down.
    """
    baseline = _points(shape.baseline, "baseline")
    if len(baseline) < 2:
        raise ValueError("a baseline needs two points")
    across, down = baseline[-1] - baseline[0]
    return baseline[::-1] if across < -abs(down) and not shape.upside_down else baseline


def _on_page(baseline: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
    """The part of a baseline on the page or next to it, as 256 equidistant points."""
    places = _resampled(baseline, 256)
    slack = 0.02 * max(corner)  # a baseline may be drawn just below the edge of the image
    places = places[((places >= -slack) & (places <= np.add(corner, slack))).all(axis=1)]
    if len(places) < 2 or _lengths(places)[-1] < 2:
        raise ValueError("no baseline of two pixels or more lies on the page")
    return _resampled(places, 256)


def _resampled(points: np.ndarray, count: int) -> np.ndarray:
    """`count` equidistant points along a polyline."""
    way = _lengths(points)
    return _interpolated(points, np.linspace(0, way[-1], count), way)


def _lengths(points: np.ndarray) -> np.ndarray:
    """Arc length at each point of a polyline."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def _interpolated(points: np.ndarray, at: np.ndarray, knots: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(at, knots, values) for values in points.T], axis=1)


def _thickness(polygon: np.ndarray, baseline: np.ndarray) -> float:
    """Mean thickness of a polygon, its area over the length of its baseline."""
    x, y = polygon.T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    return float(area / max(_lengths(baseline)[-1], 1.0))


def _own_distance(baseline: np.ndarray, polygon: np.ndarray) -> float:
    """Estimate of the line distance from a single line."""
    by_length = max(ASPECT * _lengths(baseline)[-1], 1.0)
    thickness = _thickness(polygon, baseline)
    return thickness / sum(BAND) if thickness > min(STRIP * by_length, THICK) else by_length


def _path(baseline: np.ndarray, tolerance: float) -> np.ndarray:
    """The baseline smoothed, with a point per pixel, (n, 2).

    It is straight unless that deviates from the baseline by more than the tolerance. Otherwise it is a
    polynomial: corners set by hand are not corners of the writing, and rows must not cross.
    """
    time = np.linspace(-1, 1, len(baseline))
    line = np.polynomial.polynomial.polyfit(time, baseline, 1)
    way = line[1] / max(np.hypot(*line[1]), 1e-6)
    misses = ((baseline - np.polynomial.polynomial.polyval(time, line).T) * (-way[1], way[0])).sum(axis=1)
    if np.abs(misses).max() > tolerance:
        line = np.polynomial.polynomial.polyfit(time, baseline, 5)
    fine = np.polynomial.polynomial.polyval(np.linspace(-1, 1, 2048), line).T
    way = _lengths(fine)
    path = _interpolated(fine, np.arange(max(way[-1], 2)), way)
    return path if len(line) > 2 else path - path[0] % 1  # a level line is copied unchanged


def _along(path: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position and direction of the baseline at columns; beyond its ends the path continues straight."""
    ways = np.gradient(path, axis=0)
    ways /= np.hypot(*ways.T)[:, None]
    knots = np.arange(len(path))
    known = np.clip(columns, 0, len(path) - 1)
    places, ways = _interpolated(path, known, knots), _interpolated(ways, known, knots)
    return places + (columns - known)[:, None] * ways, ways


def _downwards(ways: np.ndarray) -> np.ndarray:
    """The directions of the columns of a cut, for given directions of its rows."""
    return np.stack([-ways[:, 1], ways[:, 0]], axis=1)


def _band(path: np.ndarray, above: float, below: float) -> np.ndarray:
    places, ways = _along(path, np.linspace(0, len(path) - 1, 256))
    down = _downwards(ways)
    return np.concatenate([places - above * down, (places + below * down)[::-1]])


def _projected(path: np.ndarray, polygon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Column and row, relative to the baseline, of the outline of a polygon, found iteratively."""
    outline = _resampled(np.concatenate([polygon, polygon[:1]]), 1024)
    outline = np.concatenate([outline, polygon[:: len(polygon) // 1024 + 1]])
    last = len(path) - 1
    chord = path[-1] - path[0]
    across = (outline - path[0]) @ chord / max(chord @ chord, 1.0) * last
    for _ in range(8):
        places, ways = _along(path, across)
        step = ((outline - places) * ways).sum(axis=1)
        across = np.clip(across + step, -2 * last, 3 * last)
        if np.abs(step).max() < 0.1:
            break
    places, ways = _along(path, across)
    return across, ((outline - places) * _downwards(ways)).sum(axis=1)


def _sampled(
    page: np.ndarray, path: np.ndarray, rows: np.ndarray, polygon: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sample the page along a path: (rows, columns) uint8, and a mask of the polygon."""
    import cv2  # slow to import

    down = _downwards(_along(path, np.arange(len(path)))[1])
    corners = np.rint(polygon).astype(np.int32)
    corners = corners[(corners != np.roll(corners, 1, axis=0)).any(axis=1)]
    pixels = np.empty((len(rows), len(path)), np.uint8)
    inside = np.empty(pixels.shape, bool)
    for first in range(0, len(path), COLUMNS):
        part = slice(first, first + COLUMNS)
        x, y = (path[part, axis] + rows[:, None] * down[part, axis] for axis in (0, 1))
        left = int(np.clip(x.min(), 0, page.shape[1] - 1))
        top = int(np.clip(y.min(), 0, page.shape[0] - 1))
        window = page[top : max(int(y.max()), top) + 2, left : max(int(x.max()), left) + 2]
        mask = cv2.fillPoly(np.zeros(window.shape, np.uint8), [corners - (left, top)], 1)
        # outlines that cross themselves leave holes
        cv2.drawContours(mask, cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], -1, 1, -1)
        maps = (x - left).astype(np.float32), (y - top).astype(np.float32)
        pixels[:, part] = cv2.remap(window, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside[:, part] = cv2.remap(mask, *maps, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return pixels, inside


def _around(used: np.ndarray, margin: int) -> slice:
    """The range from the first to the last used index, with a margin."""
    places = np.flatnonzero(used)
    return slice(max(places[0] - margin, 0), places[-1] + 1 + margin)


def _papered(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Fade to paper outside the line: the most common grey, piece by piece along the line."""
    import cv2

    height, width = pixels.shape
    edges = np.linspace(0, width, max(round(width / height), 1) + 1).astype(int)
    pieces = [(slice(a, b), inside[:, a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    greys = [
        (np.percentile(pixels[:, piece][mask], PAPER), (piece.start + piece.stop - 1) / 2)
        for piece, mask in pieces
        if mask.any()
    ]
    paper = np.interp(np.arange(width), [middle for _, middle in greys], [grey for grey, _ in greys])
    paper = paper.astype(np.float32)
    wide = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    weight = cv2.GaussianBlur(wide, (5, 5), 0)
    return np.rint(paper + weight * (pixels - paper)).astype(np.uint8)
