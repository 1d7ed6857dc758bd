"""From errors of forecasts to scores: how improbable the latest errors are, given all before them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

SHORT = 8  # steps over which errors are averaged
LONG = 4000  # steps after which what was usual is forgotten
BEGUN = 30  # steps until the first score above 0
MOST = 10.0  # decimal logarithm of the smallest probability that counts
CLIPPED = 4.0  # standard deviations above which an error does not change what is usual any further


class Surprise:
    """Scores of errors as they come (anomaly likelihood, Ahmad et al. 2017).

    A score from 0 to 1 is the decimal logarithm of the probability of the mean over the last errors, if it
    were normally distributed about its own long-run mean, divided by -10. So it looks back alone.
    """

    def __init__(self):
        self.recent: deque[float] = deque(maxlen=SHORT)
        self.count, self.mean, self.variance = 0, 0.0, 0.0

    def __call__(self, error: float) -> float:
        """The score of an error, at least 0; NaN, a value that is missing, scores 0 and changes nothing."""
        if math.isnan(error):
            return 0.0
        self.recent.append(math.log1p(error))
        latest = sum(self.recent) / len(self.recent)
        spread = math.sqrt(self.variance) + 1e-6 + 0.02 * self.mean
        score = 0.0
        if self.count >= BEGUN:
            chance = 0.5 * math.erfc((latest - self.mean) / spread / math.sqrt(2))
            score = min(MOST, -math.log10(max(chance, 1e-300))) / MOST if chance < 0.5 else 0.0
            latest = min(latest, self.mean + CLIPPED * spread)
        self.count += 1
        share = max(1 / self.count, 1 / LONG)
        apart = latest - self.mean
        self.mean += share * apart
        self.variance = (1 - share) * (self.variance + share * apart * apart)
        return score


@dataclass(frozen=True)
class Event:
    """Steps that follow each other whose scores reach the threshold; `last` is included."""

    first: int
    last: int
    score: float


def events_of(scores: Sequence[float], threshold: float, quiet: int) -> list[Event]:
    """Events, in order; those with fewer than `quiet` steps between them are one."""
    found: list[Event] = []
    for place, score in enumerate(scores):
        if score >= threshold:
            if found and place - found[-1].last <= quiet:
                before = found[-1]
                found[-1] = Event(before.first, place, max(score, before.score))
            else:
                found.append(Event(place, place, score))
    return found


def chosen_threshold(scores: Sequence[float], share: float, quiet: int) -> float:
    """The score that this share of the steps would begin an event at, by the tail of the peaks.

    The peaks over a high quantile are taken as exponentially distributed (Siffer et al. 2017, "Anomaly
    detection in streams with extreme value theory"), so that a series without anomalies has hardly an alarm,
    and one with some keeps them.
    """
    ordered = sorted(scores)
    if not ordered:
        return 1.0
    high = max(ordered[int(0.98 * (len(ordered) - 1))], 0.05)
    peaks = [event.score for event in events_of(scores, high, quiet)]
    if not peaks:
        return min(1.0, high + 0.1)
    # The median, unlike the mean, is not moved by the anomalies themselves.
    excess = sorted(peak - high for peak in peaks)[len(peaks) // 2] / math.log(2)
    wanted = high + excess * math.log(max(1.0, len(peaks) / (share * len(scores))))
    return min(0.95, max(high + 0.02, wanted))


def limited(scores: Sequence[float], threshold: float, quiet: int, most: int | None) -> float:
    """The threshold, or the lowest one above it with at most `most` events."""
    if most is None:
        return threshold
    for _ in range(60):
        found = events_of(scores, threshold, quiet)
        if len(found) <= most:
            return threshold
        threshold = math.nextafter(min(event.score for event in found), 2.0)
    return threshold
