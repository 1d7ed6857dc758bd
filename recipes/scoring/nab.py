"""The score of the Numenta Anomaly Benchmark, and F1 of overlapping events.

Lavin & Ahmad 2015, "Evaluating real-time anomaly detection algorithms": each window of an anomaly counts for
its earliest detection, by a sigmoid that falls towards its end; a detection outside costs by how far it is
behind the last window. 0 is a detector that says nothing, 100 a perfect one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PROBATION, LONGEST_PROBATION = 0.15, 750  # share of a series, and steps, that are not scored
FAR = 3.0  # widths behind a window, from which a detection costs all


@dataclass(frozen=True)
class Profile:
    """Weights of a right detection, a wrong one, and a missed window."""

    name: str
    right: float
    wrong: float
    missed: float


PROFILES = (
    Profile("standard", 1.0, 0.11, 1.0),
    Profile("low FP", 1.0, 0.22, 1.0),
    Profile("low FN", 1.0, 0.11, 2.0),
)


@dataclass(frozen=True)
class Judged:
    """A series with the scores of its steps, and the windows (first, last) of its anomalies."""

    scores: np.ndarray
    windows: tuple[tuple[int, int], ...]

    @property
    def probation(self) -> int:
        """Steps at the beginning that are not scored."""
        return min(int(PROBATION * len(self.scores)), LONGEST_PROBATION)


def nab_score(judged: Sequence[Judged], profile: Profile) -> tuple[float, float]:
    """The score with the best threshold for all series together, as the benchmark has it; and that one."""
    total = sum(len(each.windows) for each in judged)
    found_rows = (row for each in judged for row in _rows(each, profile))
    rows = sorted(found_rows, key=lambda row: -row[0])
    best, threshold, sums = -profile.missed * total, 1.1, -profile.missed * total
    found: dict[tuple[int, int], float] = {}
    for place, (score, window, value) in enumerate(rows):
        if window is None:
            sums += value
        elif window not in found:
            sums += profile.missed + value
            found[window] = value
        elif value > found[window]:
            sums += value - found[window]
            found[window] = value
        if (place + 1 == len(rows) or rows[place + 1][0] < score) and sums > best:
            best, threshold = sums, score
    lowest, highest = -profile.missed * total, profile.right * total
    return 100 * (best - lowest) / max(highest - lowest, 1e-12), threshold


def _rows(judged: Judged, profile: Profile) -> list[tuple[float, tuple[int, int] | None, float]]:
    """(score, window, value) of each scored step whose score is above 0."""
    found = []
    largest = sigmoid(-1.0)
    for place in range(judged.probation, len(judged.scores)):
        score = float(judged.scores[place])
        if score <= 0:
            continue
        inside = next((window for window in judged.windows if window[0] <= place <= window[1]), None)
        if inside:
            width = inside[1] - inside[0] + 1
            value = sigmoid(-(inside[1] - place + 1) / width) * profile.right / largest
            found.append((score, (id(judged), inside[0]), value))
            continue
        before = [window for window in judged.windows if window[1] < place]
        cost = -1.0
        if before:
            first, last = before[-1]
            cost = sigmoid((place - last) / max(1, last - first))
        found.append((score, None, cost * profile.wrong))
    return found


def sigmoid(position: float) -> float:
    """From 1 at the beginning of a window, -1, over 0 at its end, 0, to -1 behind it."""
    return -1.0 if position > FAR else 2 / (1 + math.exp(5 * position)) - 1


def overlap_f1(pairs: Sequence[tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]]]) -> float:
    """F1 of events: a window is found if any event overlaps it, an event is wrong if it overlaps none.

    Args:
        pairs: of each series its events and its windows, (first, last) each.
    """
    found = missed = wrong = 0
    for events, windows in pairs:
        for window in windows:
            hit = any(event[0] <= window[1] and event[1] >= window[0] for event in events)
            found, missed = found + hit, missed + (not hit)
        for event in events:
            wrong += not any(event[0] <= window[1] and event[1] >= window[0] for window in windows)
    return 2 * found / max(1, 2 * found + missed + wrong)
