"""Scores of found baselines against given ones, as in the cBAD competitions.

Grüning, Labahn, Diem, Kleber, Fiel: "READ-BAD: A New Dataset and Evaluation Scheme for Baseline
Detection in Archival Documents", DAS 2018 (arXiv:1705.03311). A point of a line counts as covered in
full up to a tolerance from the other line, and not at all from three times the tolerance on; the
tolerance of a given line is a quarter of its distance to the next given line. Recall asks how much of
the given lines is covered by anything that was found; precision pairs each found line with at most one
given line, so that lines which are torn apart or run together cost it. Distances are city-block, between
points every 5 pixels, as in the authors' program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STEP = 5.0  # pixels between the points that are compared
FARTHEST = 250.0  # pixels; a line with no other line this close takes the mean distance of the page
SHARE = 0.25  # of the distance between lines: the tolerance

Baseline = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Score:
    """Precision, recall and their harmonic mean, each in [0, 1]."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def score_page(found: Sequence[Baseline], given: Sequence[Baseline]) -> Score:
    """Score the baselines of one page, in pixels of the same image.

    Nothing found counts as a precision of 1, nothing given as a recall of 1.
    """
    found, given = ([_resample(line) for line in lines] for lines in (found, given))
    tolerances = _tolerances(given)
    pairs = np.zeros((len(found), len(given)))
    recalls = []
    for column, (truth, tolerance) in enumerate(zip(given, tolerances, strict=True)):
        nearest = np.full(len(truth), np.inf)
        for row, line in enumerate(found):
            if _apart(line, truth) > 3 * tolerance:
                continue
            distances = np.abs(line[:, None] - truth).sum(axis=2)
            pairs[row, column] = _coverage(distances.min(axis=1), tolerance)
            nearest = np.minimum(nearest, distances.min(axis=0))
        recalls.append(_coverage(nearest, tolerance))
    precision = _pair_greedily(pairs).sum() / len(found) if found else 1.0
    return Score(float(precision), float(np.mean(recalls)) if given else 1.0)


def mean_score(scores: Sequence[Score]) -> Score:
    """Of a collection: precision and recall are means over its pages, F1 is theirs."""
    return Score(
        float(np.mean([score.precision for score in scores])),
        float(np.mean([score.recall for score in scores])),
    )


def _resample(line: Baseline) -> np.ndarray:
    """(n, 2) points along the line, at most `STEP` apart."""
    points = np.asarray(line, dtype=float)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    places = np.linspace(0, along[-1], int(np.ceil(along[-1] / STEP)) + 1)
    return np.stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)], axis=1)


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """Pixels between the boxes around two lines: no two of their points are closer."""
    gaps = np.maximum(one.min(axis=0) - other.max(axis=0), other.min(axis=0) - one.max(axis=0))
    return float(gaps.max())


def _coverage(distances: np.ndarray, tolerance: float) -> float:
    return float(np.clip((3 * tolerance - distances) / (2 * tolerance), 0, 1).mean())


def _pair_greedily(pairs: np.ndarray) -> np.ndarray:
    """Each row's value in the pairing that always takes the largest value left."""
    values = np.zeros(len(pairs))
    left = pairs.copy()
    while left.size and left.max() > 0:
        row, column = np.unravel_index(left.argmax(), left.shape)
        values[row] = left[row, column]
        left[row, :] = left[:, column] = 0
    return values


def _tolerances(lines: list[np.ndarray]) -> np.ndarray:
    """Of each given line: from the smallest distance, across the line, to another line beside it."""
    distances = np.full(len(lines), FARTHEST)
    for number, line in enumerate(lines):
        direction = _direction(line)
        across = np.array([-direction[1], direction[0]])
        span = line[[0, -1]] @ direction
        for other in lines[:number] + lines[number + 1 :]:
            if _apart(line, other) > distances[number]:
                continue
            reach = other[[0, -1]] @ direction
            if reach.max() < span.min() or reach.min() > span.max():
                continue
            beside = np.abs((line @ direction)[:, None] - other @ direction) <= 2 * STEP
            apart = np.abs((line @ across)[:, None] - other @ across)
            distances[number] = min(distances[number], apart[beside].min(initial=FARTHEST))
    near = (distances > 0) & (distances < FARTHEST)
    mean = distances[near].mean() if near.any() else FARTHEST
    return SHARE * np.minimum(np.where(near, distances, mean), mean)


def _direction(line: np.ndarray) -> np.ndarray:
    """Unit vector of the line's main axis."""
    _, _, axes = np.linalg.svd(line - line.mean(axis=0), full_matrices=False)
    return axes[0]
