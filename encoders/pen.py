"""Pen strokes -> normalised ink (level, upright, of unit x-height) -> features of equally spaced points.

The features follow NPen++ (Jaeger, Manke, Reichert & Waibel 2001, "Online handwriting recognition: the NPen++
recognizer"), as adapted to LSTMs by Graves et al. (2009, "A novel connectionist system for unconstrained
handwriting recognition"). Pen-up moves are points of their own; nothing depends on time stamps, sampling
rate, units or position. The core height is the x-height, that of letters such as x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

NAMES = (
    "step x", "step y", "direction cos", "direction sin", "curvature cos", "curvature sin",
    "aspect", "curliness", "deviation", "x", "y", "pen up",
    "over earlier", "under earlier", "under later", "over later",
)  # fmt: skip
LONGEST = 5000.0  # longest ink in core heights: more than 1000 characters
MOST_STROKES = 5000

STEEPEST = 1.0  # largest slope of the baseline and of letters; estimates are limited to it
SURE = 2.0  # length of downstrokes, in core heights, at which the slant estimate counts half
NOTCH = 0.3  # a reversal of y counts as a turn from this many standard deviations
CHORD = 0.25  # core heights over which a stroke's slant is measured
FINE = 4  # points averaged to one, against the quantisation of tablets
LIFT = 2.0  # distance of points of a pen-up move, in spacings
LIFTED = 4  # largest number of points of a pen-up move
NEAR = 2  # points on each side that make up the vicinity of a point
COLUMN = 0.25  # width of the column, in core heights, in which other strokes are searched


@dataclass(frozen=True)
class Stance:
    """The position, scale and slant of a line of ink, in the ink's units.

    Attributes:
        origin: x, y of the baseline's left end.
        angle: radians of the baseline, positive where it falls to the right.
        height: core height.
        slant: tangent of the angle by which letters lean to the right.
    """

    origin: tuple[float, float]
    angle: float
    height: float
    slant: float

    def level(self, points: np.ndarray) -> np.ndarray:
        """Normalise points: (n, 2 or more) x, y in the ink's units -> (n, 2) in core heights."""
        x, y = (points[:, :2].astype(np.float64) - self.origin).T / self.height
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        along, down = x * cos + y * sin, y * cos - x * sin
        return np.stack([along + self.slant * down, down], axis=1)

    def ink(self, points: np.ndarray) -> np.ndarray:
        """The inverse of `level`: (n, 2) in core heights -> (n, 2) in the ink's units."""
        x, down = points.T
        along = x - self.slant * down
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turned = np.stack([along * cos - down * sin, along * sin + down * cos], axis=1)
        return turned * self.height + self.origin


@dataclass(frozen=True, eq=False)
class Prepared:
    """Equally spaced points along the path of the pen.

    Attributes:
        features: (points, len(NAMES)) float32.
        stroke: (points,) int number of the stroke each lies on, -1 while the pen is up.
        point: (points,) float place in that stroke, counted in its points; NaN while the pen is up.
        position: (points, 2) x, y in core heights, 0 on the baseline.
    """

    features: np.ndarray
    stroke: np.ndarray
    point: np.ndarray
    position: np.ndarray


def stance(strokes: Sequence[np.ndarray]) -> Stance:
    """Estimate the position, scale and slant of one line of ink.

    The slope of the baseline is fitted robustly to the tops and bottoms of the strokes, the core height is
    the distance of their medians, and the slant is the median of the downstrokes. For short ink, slope and
    slant are shrunk towards 0.

    Args:
        strokes: each (points, 2 or more), x to the right and y downwards, in any units.

    Raises:
        ValueError: there are no points, or more ink than `LONGEST` or `MOST_STROKES`.
    """
    drawn = [stroke[:, :2].astype(np.float64) for stroke in strokes if len(stroke)]
    if not drawn:
        raise ValueError("ink without points")
    origin = drawn[0][0]
    drawn = [stroke - origin for stroke in drawn]
    angle = np.arctan(_slope(drawn))
    cos, sin = np.cos(angle), np.sin(angle)
    level = [stroke @ np.array([[cos, -sin], [sin, cos]]) for stroke in drawn]
    tops, bottoms = _turns(level)
    every = np.concatenate(level)
    extent = np.ptp(every, axis=0).max()
    height = baseline = 0.0
    if len(tops) and len(bottoms):
        baseline = np.median(bottoms[:, 1])
        height = baseline - np.median(tops[:, 1])
    else:
        baseline = np.median(every[:, 1])
    # Dashes and scribbles are no taller than broad: what goes up and down but once is one letter.
    height = max(height, extent / (2 * max(1, min(len(tops), len(bottoms))))) or 1.0
    _check_length(level, height)
    left = every[:, 0].min()
    corner = (left * cos - baseline * sin + origin[0], left * sin + baseline * cos + origin[1])
    upright = Stance((float(corner[0]), float(corner[1])), float(angle), float(height), 0.0)
    slant = _slant([upright.level(stroke + origin) for stroke in drawn])
    return Stance(upright.origin, upright.angle, upright.height, slant)


def level(strokes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Normalise strokes in any units: (points, 2 or more) each -> (points, 2) each, in core heights."""
    how = stance(strokes)
    return [how.level(stroke) for stroke in strokes]


def trace(strokes: Sequence[np.ndarray], spacing: float) -> Prepared:
    """Sample levelled strokes at equal distances and compute the features of each point.

    Args:
        strokes: each (points, 2), in core heights; see `level`.
        spacing: distance of the points, in core heights.

    Raises:
        ValueError: there are no points, or more ink than `LONGEST` or `MOST_STROKES`.
    """
    _check_length(strokes, 1.0)
    positions, numbers, places = [], [], []
    for number, stroke in enumerate(strokes):
        if not len(stroke):
            continue
        points, place = _spaced(stroke, spacing)
        if positions:
            lifted = _lifted(positions[-1][-1], points[0], spacing)
            positions.append(lifted)
            numbers.append(np.full(len(lifted), -1))
            places.append(np.full(len(lifted), np.nan))
        positions.append(points)
        numbers.append(np.full(len(points), number))
        places.append(place)
    if not positions:
        raise ValueError("ink without points")
    position, stroke = np.concatenate(positions), np.concatenate(numbers)
    return Prepared(_features(position, stroke, spacing), stroke, np.concatenate(places), position)


# How ink lies


def _check_length(strokes: Sequence[np.ndarray], height: float) -> None:
    length = sum(float(_lengths(stroke).sum()) for stroke in strokes) / height
    if length > LONGEST or len(strokes) > MOST_STROKES:
        raise ValueError(
            f"{len(strokes)} strokes of {length:.0f} core heights; at most {MOST_STROKES} and {LONGEST:.0f}"
        )


def _lengths(points: np.ndarray) -> np.ndarray:
    """Distances from point to point: (n, 2) -> (n - 1,)."""
    return np.hypot(*np.diff(points, axis=0).T)


def _slope(strokes: list[np.ndarray]) -> float:
    """Slope dy / dx of the baseline: a first fit to all ink, refined by its tops and bottoms."""
    middles = np.concatenate([(stroke[1:] + stroke[:-1]) / 2 for stroke in strokes] + [strokes[0][:1]])
    weights = np.concatenate([*map(_lengths, strokes), [0.0]])
    slope = _fitted(middles, np.zeros(len(middles), int), weights)
    rows = _turns([stroke - np.outer(stroke[:, 0], [0.0, slope]) for stroke in strokes])
    if min(map(len, rows)) > 1:
        kinds = np.repeat([0, 1], [len(row) for row in rows])
        turns = np.concatenate(rows)
        slope += _fitted(turns, kinds, np.ones(len(turns)))
    every = np.concatenate(strokes)
    tall = np.ptp(every[:, 1] - slope * every[:, 0])
    broad = np.ptp(every[:, 0])
    trust = np.clip((broad / tall - 2) / 3, 0.0, 1.0) if tall else 1.0
    return float(np.clip(slope * trust, -STEEPEST, STEEPEST))


def _fitted(points: np.ndarray, kinds: np.ndarray, weights: np.ndarray) -> float:
    """Common slope of parallel lines, one per kind of point, with least absolute deviations."""
    share = weights
    slope = 0.0
    for _ in range(10):
        centred = points.copy()
        for kind in np.unique(kinds):
            own = kinds == kind
            total = share[own].sum()
            if total:
                centred[own] -= (points[own] * share[own, None]).sum(axis=0) / total
        x, y = centred.T
        spread = (share * x * x).sum()
        if not spread:
            return 0.0
        slope = (share * x * y).sum() / spread
        error = np.abs(y - slope * x)
        least = 1e-3 * error.mean()
        if not least:
            break
        share = weights / np.maximum(error, least)
    return float(slope)


def _turns(strokes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Vertical turning points of the strokes: (tops, 2), (bottoms, 2)."""
    heights = np.concatenate([(stroke[1:, 1] + stroke[:-1, 1]) / 2 for stroke in strokes])
    weights = np.concatenate([*map(_lengths, strokes)])
    total = weights.sum()
    least = 0.0
    if total:
        mean = (heights * weights).sum() / total
        least = NOTCH * np.sqrt((weights * (heights - mean) ** 2).sum() / total)
    tops, bottoms = [np.zeros((0, 2))], [np.zeros((0, 2))]
    for stroke in strokes:
        above, below = _extremes(stroke[:, 1].tolist(), least)
        tops.append(stroke[above])
        bottoms.append(stroke[below])
    return np.concatenate(tops), np.concatenate(bottoms)


def _extremes(heights: list[float], least: float) -> tuple[list[int], list[int]]:
    """Indices of the tops and bottoms of a stroke, ends included, that differ by more than `least`."""
    tops, bottoms = [], []
    top = bottom = 0
    falling = None
    for index, height in enumerate(heights):
        if height < heights[top]:
            top = index
        if height > heights[bottom]:
            bottom = index
        if falling is not True and height - heights[top] > least:
            tops.append(top)
            falling, bottom = True, index
        elif falling is not False and heights[bottom] - height > least:
            bottoms.append(bottom)
            falling, top = False, index
    if falling is not None:
        (bottoms if falling else tops).append(bottom if falling else top)
    return tops, bottoms


def _slant(strokes: list[np.ndarray]) -> float:
    """Slant of the letters as a tangent, from level strokes in core heights."""
    chords = np.concatenate([np.diff(_spaced(stroke, CHORD)[0], axis=0) for stroke in strokes])
    slant = 0.0
    for _ in range(3):  # each iteration takes the parts that are steep relative to the last estimate
        steep = chords[:, 1] > np.abs(chords[:, 0] + slant * chords[:, 1])
        if not steep.any():
            return 0.0
        across, down = chords[steep].T
        slant = _weighted_median(-across / down, down)
    sure = down.sum() / (down.sum() + SURE)
    return float(np.clip(slant * sure, -STEEPEST, STEEPEST))


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = values.argsort()
    reached = weights[order].cumsum()
    return float(values[order[np.searchsorted(reached, reached[-1] / 2)]])


# Points


def _spaced(stroke: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Points of a stroke about `spacing` apart, ends included, and their positions in it.

    A stroke shorter than half a spacing becomes its midpoint.
    """
    kept = np.concatenate([[True], (stroke[1:] != stroke[:-1]).any(axis=1)])
    points, place = _even(stroke[kept], np.flatnonzero(kept).astype(np.float64), spacing / FINE)
    if len(points) > 2 * FINE:
        # Reflecting a stroke through its ends keeps the ends in place when smoothing.
        kernel = np.convolve(np.ones(FINE), np.ones(FINE))
        around = np.pad(points, ((FINE - 1, FINE - 1), (0, 0)), "reflect", reflect_type="odd")
        points = sliding_window_view(around, len(kernel), axis=0) @ (kernel / kernel.sum())
    return _even(points, place, spacing)


def _even(points: np.ndarray, place: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    along = np.concatenate([[0.0], _lengths(points).cumsum()])
    count = round(along[-1] / spacing)
    wanted = np.linspace(0.0, along[-1], count + 1) if count else along[-1:] / 2
    columns = [np.interp(wanted, along, column) for column in (*points.T, place)]
    return np.stack(columns[:2], axis=1), columns[2]


def _lifted(start: np.ndarray, end: np.ndarray, spacing: float) -> np.ndarray:
    """Points on the straight line between two strokes, at least one."""
    count = np.clip(round(float(np.hypot(*(end - start))) / (LIFT * spacing)), 1, LIFTED)
    shares = np.arange(1, count + 1)[:, None] / (count + 1)
    return start + shares * (end - start)


def _features(position: np.ndarray, stroke: np.ndarray, spacing: float) -> np.ndarray:
    """Features of points: (points, 2) and the stroke of each -> (points, len(NAMES)) float32."""
    x, y = position.T
    step = np.diff(position, axis=0, prepend=position[:1]) / spacing
    direction = _unit(_shifted(position, 1) - _shifted(position, -1))
    arriving, leaving = _unit(position - _shifted(position, -2)), _unit(_shifted(position, 2) - position)
    turn_cos = (arriving * leaving).sum(axis=1)
    turn_sin = arriving[:, 0] * leaving[:, 1] - arriving[:, 1] * leaving[:, 0]
    return np.column_stack(
        [
            np.arcsinh(step) / 2,  # bounds the jumps of a lifted pen
            direction,
            turn_cos,
            turn_sin,
            _vicinity(position),
            x - _smooth(x, 8),
            np.clip(y + 0.5, -4.0, 4.0),
            stroke < 0,
            _relations(position, stroke),
        ]
    ).astype(np.float32)


def _shifted(values: np.ndarray, by: int) -> np.ndarray:
    """The values `by` positions later, with the values at the ends repeated."""
    return values[np.clip(np.arange(len(values)) + by, 0, len(values) - 1)]


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.hypot(*vectors.T)[:, None]
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-9)


def _smooth(values: np.ndarray, reach: int) -> np.ndarray:
    """Moving average over `reach` neighbours on each side."""
    around = np.pad(values, reach, "edge")
    return sliding_window_view(around, 2 * reach + 1).mean(axis=1)


def _vicinity(position: np.ndarray) -> np.ndarray:
    """Features of the stretch around each point, (points, 3): aspect ratio of its bounding box, -1 flat to 1
    tall; its length relative to the box; and its mean distance from the chord between its ends."""
    around = np.pad(position, ((NEAR, NEAR), (0, 0)), "edge")
    windows = sliding_window_view(around, 2 * NEAR + 1, axis=0)  # (n, 2, window)
    width, height = (windows.max(axis=2) - windows.min(axis=2)).T
    aspect = (height - width) / np.maximum(height + width, 1e-9)
    length = np.hypot(*np.diff(windows, axis=2).transpose(1, 0, 2)).sum(axis=1)
    curliness = length / np.maximum(np.maximum(width, height), length / 4 + 1e-9) - 1
    chord = _unit(windows[:, :, -1] - windows[:, :, 0])
    from_start = windows - windows[:, :, :1]
    distance = np.abs(from_start[:, 0] * chord[:, 1:] - from_start[:, 1] * chord[:, :1]).mean(axis=1)
    return np.stack([aspect, curliness, np.minimum(distance, 2.0)], axis=1)


def _relations(position: np.ndarray, stroke: np.ndarray) -> np.ndarray:
    """Vertical relation of each point to other strokes in its column, (points, 4): how far it lies over and
    under earlier strokes, and under and over later ones (the "hat" feature), in core heights from 0 to 2; 0
    while the pen is up.

    Dots and bars written after the word show as "over earlier", their letters as "under later".
    """
    # Rounded, so that the edges of columns do not depend on the last bit of a coordinate.
    columns = np.floor(np.round((position[:, 0] - position[:, 0].min()) / COLUMN, 6)).astype(int) + 1
    order = np.flatnonzero(stroke >= 0)
    runs = np.split(order, np.flatnonzero(np.diff(stroke[order])) + 1)
    related = np.zeros((len(stroke), 4))
    for sequence, over, under in ((runs, 0, 1), (reversed(runs), 3, 2)):
        highest, lowest = np.full(columns.max() + 2, np.inf), np.full(columns.max() + 2, -np.inf)
        for run in sequence:
            column, y = columns[run], position[run, 1]
            beside = column + np.array([[-1], [0], [1]])
            related[run, over] = lowest[beside].max(axis=0) - y
            related[run, under] = y - highest[beside].min(axis=0)
            np.maximum.at(lowest, column, y)
            np.minimum.at(highest, column, y)
    return related.clip(0.0, 2.0)
