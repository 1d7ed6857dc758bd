"""Detection of the text lines of a handwritten page, their reading order, and a drawing of them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from pipelines.layout.baselines import Trace, find_traces
from pipelines.layout.gutters import Strip, find_gutter, find_strips
from pipelines.layout.insertions import find_insertions
from pipelines.layout.levelling import Sheet, band, lay_level
from pipelines.layout.lines import LineShape
from pipelines.layout.paths import best_paths
from pipelines.layout.strokes import Strokes, find_strokes
from pipelines.results import Point

REACH = (1.3, 0.5)  # largest extent of a line above and below its baseline, in line distances
SHARE = (0.35, 0.85)  # where, on the way up to the next baseline, two lines are separated
MARGIN = 0.12  # margin around the ink of a line, in line distances
BLOCK = 1.9  # largest distance of baselines within a region, in line distances
WIDE = 3.0  # line distances; shorter lines side by side do not separate regions
ROWS, SAME = 5, 0.7  # rows of a table, and the share of them that two of its columns have in common
LEVEL = 0.3  # line distances between the baselines of cells of a row
CELL = 5.0  # line distances; narrower columns are cells of a table
FULL = 0.75  # share of the width of a column that its lines have, unless they are cells
COLOURS = ((200, 30, 30), (30, 90, 200), (20, 130, 60), (170, 60, 170), (200, 110, 0), (0, 130, 150))


def find_lines(page: np.ndarray) -> list[list[LineShape]]:
    """Detect the text lines of a page.

    Works on a reduced copy, so that time and memory hardly depend on the size of the page. The pages of an
    open book, and columns side by side, are each treated as a page, from left to right.

    Args:
        page: (height, width) uint8, grey, upright, dark ink on light paper.

    Returns:
        Regions in reading order, each with its lines in reading order; empty if nothing is written. Every
        line has its baseline from left to right and the polygon around its ink, in pixels of the page.

    Raises:
        ValueError: the page is not a grey image.
    """
    if page.ndim != 2 or page.dtype != np.uint8 or not page.size:
        raise ValueError(f"a grey page is (height, width) uint8, not {page.shape} {page.dtype}")
    strokes = find_strokes(page)
    if strokes is None:
        return []
    gutter = find_gutter(strokes.ink, strokes.distance)
    if gutter is None:
        return _lines_of(strokes, page.shape)
    return [
        [_moved(shape, first) for shape in region]
        for part, first in gutter.divide(page)
        for region in find_lines(part)
    ]


def _lines_of(strokes: Strokes, size: tuple[int, int]) -> list[list[LineShape]]:
    """The lines of a page, (height, width) in pixels, that has no gutter."""
    sheet = lay_level(strokes)
    strips = find_strips(sheet.ink, sheet.distance)
    traces = find_traces(sheet, strips)
    if not traces:
        return []
    traces += find_insertions(sheet, traces)
    regions = _in_order(traces, sheet.distance, strips)
    traces = [trace for region in regions for trace in region]
    corner = np.array(size[::-1]) - 1
    outlines = iter(_outlines(sheet, traces))
    return [[_shape(sheet, trace, next(outlines), corner) for trace in region] for region in regions]


def draw_lines(page: np.ndarray, regions: Sequence[Sequence[LineShape]]) -> np.ndarray:
    """Draw lines over their page, numbered in reading order, in one colour per region.

    Args:
        page: (height, width) uint8, grey.
        regions: from `find_lines`.

    Returns:
        (height, width, 3) uint8, RGB.
    """
    picture = cv2.cvtColor(page, cv2.COLOR_GRAY2RGB)
    thick = max(1, round(max(page.shape) / 700))
    number = 0
    for place, region in enumerate(regions):
        colour = COLOURS[place % len(COLOURS)]
        for shape in region:
            number += 1
            polygon, baseline = (
                np.rint(points).astype(np.int32) for points in (shape.polygon, shape.baseline)
            )
            if len(polygon):
                cv2.polylines(picture, [polygon], True, colour, max(1, thick // 2), cv2.LINE_AA)
            cv2.polylines(picture, [baseline], False, colour, thick, cv2.LINE_AA)
            corner = (max(0, int(baseline[0, 0]) - 22 * thick), int(baseline[0, 1]))
            cv2.putText(
                picture,
                str(number),
                corner,
                cv2.FONT_HERSHEY_SIMPLEX,
                0.4 * thick,
                colour,
                thick,
                cv2.LINE_AA,
            )
    return picture


def _moved(shape: LineShape, right: int) -> LineShape:
    """A line of a part of a page that begins so many pixels to the right."""
    baseline, polygon = (
        tuple((round(x + right, 1), y) for x, y in points) for points in (shape.baseline, shape.polygon)
    )
    return LineShape(baseline, polygon, shape.id)


def _shape(
    sheet: Sheet, trace: Trace, outline: tuple[np.ndarray, np.ndarray], corner: np.ndarray
) -> LineShape:
    columns = trace.columns.astype(float)
    baseline = sheet.to_page(columns, trace.rows)
    columns[[0, -1]] += np.array([-MARGIN, MARGIN]) * sheet.distance
    top, bottom = (sheet.to_page(columns, rows) for rows in outline)
    around = np.concatenate([top, bottom[::-1]])
    return LineShape(*(_simplified(*line, sheet, corner) for line in ((baseline, False), (around, True))))


def _simplified(points: np.ndarray, closed: bool, sheet: Sheet, corner: np.ndarray) -> tuple[Point, ...]:
    points = points.clip(0, corner).astype(np.float32)[:, None]
    kept = cv2.approxPolyDP(points, 0.5 * max(sheet.scale), closed)[:, 0]
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in kept)


def _outlines(sheet: Sheet, traces: list[Trace]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows above and below each trace that enclose its ink.

    A line is separated from the one above along the path that crosses the least ink between their baselines.
    """
    distance = sheet.distance
    baselines = np.full((len(traces), sheet.ink.shape[1]), np.nan)
    for trace, line in zip(traces, baselines, strict=True):
        line[trace.first : trace.end] = trace.rows
    floors = baselines + REACH[1] * distance
    gaps = []
    for trace in traces:
        above = trace.rows - baselines[:, trace.first : trace.end]
        above[~(above > 0.25 * distance)] = REACH[0] * distance
        gaps.append(above)
    seams = _seams(sheet, traces, [above.min(axis=0).clip(max=REACH[0] * distance) for above in gaps])
    for trace, above, seam in zip(traces, gaps, seams, strict=True):
        met = above < REACH[0] * distance
        below = floors[:, trace.first : trace.end]
        below[met] = np.minimum(below, seam)[met]
    return [
        _around_ink(sheet, trace, seam, floor[trace.first : trace.end])
        for trace, seam, floor in zip(traces, seams, floors, strict=True)
    ]


def _seams(sheet: Sheet, traces: list[Trace], gaps: list[np.ndarray]) -> list[np.ndarray]:
    """Rows of the separating path between each line and the next baseline above, `gaps` rows away."""
    shares = np.linspace(*SHARE, 12, dtype=np.float32)
    inks = [
        band(sheet.ink, trace.columns, trace.rows, -gap[:, None] * shares)
        for trace, gap in zip(traces, gaps, strict=True)
    ]
    paths = best_paths([-ink - 0.02 * np.abs(shares - shares.mean()) for ink in inks], 0.05)
    return [trace.rows - gap * shares[path] for trace, gap, path in zip(traces, gaps, paths, strict=True)]


def _around_ink(
    sheet: Sheet, trace: Trace, ceiling: np.ndarray, floor: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows just above and below the ink between ceiling and floor, smoothed along the line."""
    distance = sheet.distance
    offsets = np.arange(-REACH[0] * distance, REACH[1] * distance)
    rows = trace.rows[:, None] + offsets
    inked = band(sheet.ink, trace.columns, trace.rows, offsets) > 0.1
    inked &= (rows >= ceiling[:, None]) & (rows <= floor[:, None])
    top = np.where(inked, offsets, -0.35 * distance).min(axis=1)
    bottom = np.where(inked, offsets, 0.05 * distance).max(axis=1)
    window = np.ones((2 * round(0.5 * distance) + 1, 1))
    top, bottom = cv2.erode(top, window)[:, 0], cv2.dilate(bottom, window)[:, 0]
    margin = MARGIN * distance
    return (
        np.maximum(trace.rows + top - margin, ceiling),
        np.minimum(trace.rows + bottom + margin, floor),
    )


def _in_order(traces: list[Trace], distance: float, strips: Sequence[Strip]) -> list[list[Trace]]:
    """Traces in regions, both in reading order.

    Of two regions one above the other the upper comes first, of two side by side the left one, unless a
    third one between them spans both (Breuel: "High performance document layout analysis", 2003).
    """
    regions = _not_nested(_tables(_regions(traces, distance, strips), distance, strips))
    boxes = [_box(region) for region in regions]
    ordered, left = [], set(range(len(regions)))
    while left:
        free = [one for one in left if not any(_precedes(boxes[other], boxes[one], boxes) for other in left)]
        first = min(free or left, key=lambda place: boxes[place][2])
        left.remove(first)
        ordered.append(_by_rows(regions[first], distance))
    return ordered


def _tables(regions: list[list[Trace]], distance: float, strips: Sequence[Strip]) -> list[list[Trace]]:
    """Merge regions side by side whose lines are the cells of a table, so that it is read row by row."""
    merged: list[list[Trace]] = []
    for region in regions:
        for table in [other for other in merged if _are_columns(other, region, distance, strips)]:
            merged.remove(table)
            region = table + region
        merged.append(region)
    return merged


def _are_columns(one: list[Trace], other: list[Trace], distance: float, strips: Sequence[Strip]) -> bool:
    """Whether two regions are columns of the same table: about as many cells, in the same rows."""
    if _share_columns(_box(one), _box(other)) or not (
        _are_cells(one, distance) or _are_cells(other, distance)
    ):
        return False
    if any(_place(one[0], strip) != _place(other[0], strip) for strip in strips):
        return False
    few, many = sorted((_levels(region, distance) for region in (one, other)), key=len)
    if len(few) < max(ROWS, SAME * len(many)):
        return False
    level = np.abs(few[:, None] - many).min(axis=1) < LEVEL * distance
    return bool(level.sum() >= SAME * len(few))


def _are_cells(region: list[Trace], distance: float) -> bool:
    """Whether the lines of a region are narrow or much shorter than the region is wide."""
    first, end, _, _ = _box(region)
    usual = np.median([len(trace.rows) for trace in region])
    return end - first < CELL * distance or usual < FULL * (end - first)


def _levels(region: list[Trace], distance: float) -> np.ndarray:
    """The rows in which there are lines, each once."""
    rows = np.sort([trace.row for trace in region])
    return rows[np.diff(rows, prepend=-np.inf) > LEVEL * distance]


def _not_nested(regions: list[list[Trace]]) -> list[list[Trace]]:
    """Merge regions into those that contain them, as they are read neither before nor after."""
    kept: list[list[Trace]] = []
    for region in sorted(regions, key=len, reverse=True):
        first, end, top, bottom = _box(region)
        for larger in kept:
            left, right, highest, lowest = _box(larger)
            if left <= first and end <= right and highest < top and bottom < lowest:
                larger += region
                break
        else:
            kept.append(list(region))
    return kept


def _box(region: list[Trace]) -> tuple[int, int, float, float]:
    """First column, the one after the last, and the rows of the uppermost and the lowest line."""
    rows = [trace.row for trace in region]
    return min(trace.first for trace in region), max(trace.end for trace in region), min(rows), max(rows)


def _precedes(one: tuple, other: tuple, boxes: list[tuple]) -> bool:
    if one is other:
        return False
    if _share_columns(one, other):
        return one[2] < other[2]
    upper, lower = min(one[3], other[3]), max(one[2], other[2])
    spanned = any(
        upper < box[2] and box[3] < lower and _share_columns(box, one) and _share_columns(box, other)
        for box in boxes
    )
    return one[2] < other[2] if spanned else one[1] <= other[0]


def _share_columns(one: tuple, other: tuple) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _regions(traces: list[Trace], distance: float, strips: Sequence[Strip]) -> list[list[Trace]]:
    """Group lines that follow each other closely, separated where one is followed by several side by side."""
    pairs = [(above, below) for above in range(len(traces)) for below in range(len(traces))]
    pairs = [(above, below) for above, below in pairs if _follows(traces[above], traces[below], distance)]
    pairs = [
        (above, below)
        for above, below in pairs
        if all(_place(traces[above], strip) == _place(traces[below], strip) for strip in strips)
    ]
    followers, leaders = ([[] for _ in traces] for _ in range(2))
    for above, below in pairs:
        followers[above].append(traces[below])
        leaders[below].append(traces[above])
    names = list(range(len(traces)))
    for above, below in pairs:
        if not _side_by_side(followers[above], distance) and not _side_by_side(leaders[below], distance):
            old, new = names[below], names[above]
            names = [new if name == old else name for name in names]
    return [
        [trace for trace, own in zip(traces, names, strict=True) if own == name]
        for name in dict.fromkeys(names)
    ]


def _place(trace: Trace, strip: Strip) -> str:
    """Where a line is relative to a strip between columns: on a side of it, or elsewhere."""
    if not strip.top <= trace.row < strip.bottom:
        return "elsewhere"
    return "left" if (trace.first + trace.end) / 2 < strip.column(trace.row) else "right"


def _follows(above: Trace, below: Trace, distance: float) -> bool:
    first, end = max(above.first, below.first), min(above.end, below.end)
    if end - first < 0.3 * min(len(above.rows), len(below.rows)):
        return False
    upper, lower = (line.rows[first - line.first : end - line.first].mean() for line in (above, below))
    return 0 < lower - upper < BLOCK * distance


def _side_by_side(traces: list[Trace], distance: float) -> bool:
    wide = sorted(
        (trace for trace in traces if len(trace.rows) > WIDE * distance), key=lambda trace: trace.first
    )
    return any(one.end <= other.first for one, other in zip(wide, wide[1:], strict=False))


def _by_rows(region: list[Trace], distance: float) -> list[Trace]:
    """Sort from top to bottom, and pieces of one row from left to right."""
    rows: list[list[Trace]] = []
    for trace in sorted(region, key=lambda trace: trace.row):
        if not rows or trace.row - rows[-1][0].row > 0.4 * distance:
            rows.append([])
        rows[-1].append(trace)
    return [trace for row in rows for trace in sorted(row, key=lambda trace: trace.first)]
