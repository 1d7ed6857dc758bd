"""Text lines on a page: their shapes, and cutting them out.

A cut follows a path: the page position of its baseline under every column, one page pixel apart. Its rows lie
along the path's normals. A straight baseline has a straight path, so that its cut is a rotation; only a
clearly curved one is bent level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.results import Point

BAND = (0.72, 0.38)  # reach above and below the baseline, in line distances, where no polygon is known
TALLEST = (1.15, 0.75)  # what a polygon may reach, in line distances: beyond is its neighbours' ink
STRIP = 0.3  # line distances; a thinner polygon marks the baseline and not the ink, as Transkribus writes it
ASPECT = 0.1  # line distance as a share of the baseline's length, where nothing else tells it
THICK = 12  # pixels; no polygon from here on is a strip, however long its line
CURVED = 0.3  # line heights by which a baseline must leave its straight fit to be bent level
MARGIN = 0.05  # line heights of paper around the ink
PAPER = 70  # percentile of a line's greys that is its paper, even where the writing is dense
LARGEST = 32_000_000  # pixels of a cut; a line 20,000 wide and 1,500 high fits
COLUMNS = 4096  # cut at a time: bounds the memory, and OpenCV samples no image beyond 32,767 pixels


@dataclass(frozen=True)
class LineShape:
    """Where a text line lies on its page, in pixels.

    Attributes:
        baseline: at least two points, from the left end to the right end. Right to left is understood too;
            a line that is nearer to upright than to level is read from its first point to its last.
        polygon: the boundary around its ink; empty where it is not known.
        id: in the layout file that it came from, or "".
    """

    baseline: tuple[Point, ...]
    polygon: tuple[Point, ...] = ()
    id: str = ""


@dataclass(frozen=True)
class LineCut:
    """A line cut out of its page and laid level, one pixel of the cut to a pixel of the page.

    Attributes:
        pixels: (height, width) uint8, dark ink on light paper as on the page.
        path: (width, 2) x, y in pixels of the page: where the baseline lies under each column.
        row: of the baseline, in pixels from the top of the cut.
    """

    pixels: np.ndarray
    path: np.ndarray = field(repr=False)
    row: int

    def to_page(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) x, y in pixels of the cut -> (n, 2) x, y in pixels of the page."""
        points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        places, ways = _along(self.path, points[:, 0])
        return places + (points[:, 1:] - self.row) * _downwards(ways)


def line_distance(shapes: Sequence[LineShape]) -> float:
    """The median gap between neighbouring baselines of a page, in pixels.

    Where no line has another below it, their polygons' thickness tells, and failing these their length.

    Raises:
        ValueError: there are no shapes, or one has no usable baseline.
    """
    if not shapes:
        raise ValueError("no lines, so no distance between them")
    baselines = [_rightwards(_points(shape.baseline, "baseline")) for shape in shapes]
    starts = np.array([baseline[0] for baseline in baselines])
    ways = np.array([baseline[-1] for baseline in baselines]) - starts
    lengths = np.maximum(np.hypot(*ways.T), 1.0)
    ways /= lengths[:, None]
    gaps = []
    for start, way, length in zip(starts, ways, lengths, strict=True):
        offsets = start + way * length / 2 - starts  # from every line's start to the middle of this one
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
    """Cut a line out of its page and lay it level; what lies outside its polygon becomes paper.

    Where the polygon is missing or a mere strip, a band around the baseline is taken instead.

    Args:
        page: (height, width) uint8, grey.
        shape: what of it lies outside the page is left out.
        line_distance: of the page, in pixels, as `line_distance` finds it; with it, a polygon that reaches
            far into the neighbouring lines is cut back.

    Raises:
        ValueError: the page is no grey image; or the shape has no baseline on the page, coordinates that
            are not finite, or an absurd size.
    """
    if page.ndim != 2 or page.dtype != np.uint8 or not page.size:
        raise ValueError(f"a grey page is (height, width) uint8, not {page.shape} {page.dtype}")
    corner = (page.shape[1] - 1, page.shape[0] - 1)
    baseline = _on_page(_rightwards(_points(shape.baseline, "baseline")), corner)
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


def _rightwards(baseline: np.ndarray) -> np.ndarray:
    """Right-to-left lines from their other end: their letters stand upright all the same."""
    if len(baseline) < 2:
        raise ValueError("a baseline needs two points")
    across, down = baseline[-1] - baseline[0]
    return baseline[::-1] if across < -abs(down) else baseline


def _on_page(baseline: np.ndarray, corner: tuple[int, int]) -> np.ndarray:
    """The part of a baseline that lies on the page or next to it, as 256 points at equal distances."""
    places = _resampled(baseline, 256)
    slack = 0.02 * max(corner)  # a baseline drawn just below the picture's edge
    places = places[((places >= -slack) & (places <= np.add(corner, slack))).all(axis=1)]
    if len(places) < 2 or _lengths(places)[-1] < 2:
        raise ValueError("no baseline of two pixels or more lies on the page")
    return _resampled(places, 256)


def _resampled(points: np.ndarray, count: int) -> np.ndarray:
    """`count` points at equal distances along a polyline."""
    way = _lengths(points)
    return _interpolated(points, np.linspace(0, way[-1], count), way)


def _lengths(points: np.ndarray) -> np.ndarray:
    """How far along a polyline each of its points lies."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])


def _interpolated(points: np.ndarray, at: np.ndarray, knots: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(at, knots, values) for values in points.T], axis=1)


def _thickness(polygon: np.ndarray, baseline: np.ndarray) -> float:
    """Mean height of a polygon over its baseline, by its area: a sloping strip is as thin as a level one."""
    x, y = polygon.T
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2
    return float(area / max(_lengths(baseline)[-1], 1.0))


def _own_distance(baseline: np.ndarray, polygon: np.ndarray) -> float:
    """The line distance that a line of unknown neighbours suggests."""
    by_length = max(ASPECT * _lengths(baseline)[-1], 1.0)
    thickness = _thickness(polygon, baseline)
    return thickness / sum(BAND) if thickness > min(STRIP * by_length, THICK) else by_length


def _path(baseline: np.ndarray, tolerance: float) -> np.ndarray:
    """(n, 2): the baseline made smooth, with a point every pixel.

    Straight, unless that misses the baseline by more than the tolerance. Then a polynomial through its
    course: hand-set corners are no corners in the writing, and rows must not cross.
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
    return path if len(line) > 2 else path - path[0] % 1  # a level line keeps its very pixels


def _along(path: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where columns meet the baseline, and its direction there; beyond its ends the path goes on straight."""
    ways = np.gradient(path, axis=0)
    ways /= np.hypot(*ways.T)[:, None]
    knots = np.arange(len(path))
    known = np.clip(columns, 0, len(path) - 1)
    places, ways = _interpolated(path, known, knots), _interpolated(ways, known, knots)
    return places + (columns - known)[:, None] * ways, ways


def _downwards(ways: np.ndarray) -> np.ndarray:
    """The direction of a cut's columns, where its rows have these."""
    return np.stack([-ways[:, 1], ways[:, 0]], axis=1)


def _band(path: np.ndarray, above: float, below: float) -> np.ndarray:
    places, ways = _along(path, np.linspace(0, len(path) - 1, 256))
    down = _downwards(ways)
    return np.concatenate([places - above * down, (places + below * down)[::-1]])


def _projected(path: np.ndarray, polygon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Column and row, against the baseline's, of a polygon's outline: each step comes nearer to it."""
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
    """The page along a path: (rows, columns) uint8, and which of it lies in the polygon and on the page."""
    import cv2  # here, because it is slow to load

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
        # an outline that crosses itself leaves holes
        cv2.drawContours(mask, cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], -1, 1, -1)
        maps = (x - left).astype(np.float32), (y - top).astype(np.float32)
        pixels[:, part] = cv2.remap(window, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        inside[:, part] = cv2.remap(mask, *maps, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return pixels, inside


def _around(used: np.ndarray, margin: int) -> slice:
    """From the first to the last that is used, with a margin."""
    places = np.flatnonzero(used)
    return slice(max(places[0] - margin, 0), places[-1] + 1 + margin)


def _papered(pixels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Fade into paper outside the line: the grey that most of it is, piece by piece along the line."""
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
