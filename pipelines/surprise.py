"""From values and errors of their forecasts to scores: how far they are from what was usual before them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LONG = 2000  # steps after which what was usual is forgotten
BEGUN = 40  # steps until the first score above 0
LEAST = 1e-6  # standard deviation relative to the mean, below which none is taken to be
FARTHEST = 1e6  # standard deviations
HALF = 5.0  # standard deviations whose score is 0.5, from which events begin by themselves
RISE = 200  # steps whose scores one that begins an event exceeds
FEW = 3  # events that any series may have, however short


class Surprise:
    """Scores of steps as they come, which look back alone.

    A step is as far from what is usual as its value, or the logarithm of its error, is from the mean over the
    last steps, in standard deviations, whichever is farther; errors count where they are larger than usual. A
    distance of d is a score of d / (d + 5), from 0 to 1.

    Attributes:
        alarm: the last score if it is higher than those of the 200 steps before, else 0. What stays unusual
            is told once.
    """

    def __init__(self):
        self.values, self.errors, self.rise = Usual(), Usual(), Rise()
        self.alarm = 0.0

    def __call__(self, value: float, error: float) -> float:
        """The score of a value and of the error of its forecast; NaN is missing, and changes nothing."""
        far = max(abs(self.values(value)), self.errors(math.log1p(error)), 0.0)
        score = far / (far + HALF)
        self.alarm = self.rise(score)
        return score


class Usual:
    """Distances of numbers from the mean of the last ones before them, in standard deviations."""

    def __init__(self):
        self.last: deque[float] = deque()
        self.mean = self.squares = 0.0
        self.added = 0

    def __call__(self, number: float) -> float:
        """The distance of the next number; 0 if it is missing, or one of the first."""
        if not math.isfinite(number):
            return 0.0
        far = 0.0
        if len(self.last) >= BEGUN:
            spread = max(math.sqrt(max(0.0, self.squares) / len(self.last)), LEAST * abs(self.mean), 1e-100)
            far = max(-FARTHEST, min(FARTHEST, (number - self.mean) / spread))
        self._add(number)
        return far

    def _add(self, number: float) -> None:
        before, mean = number, self.mean
        if len(self.last) == LONG:
            before = self.last.popleft()
            self.mean += (number - before) / LONG
            self.squares += (number - before) * (number - self.mean + before - mean)
        else:
            self.mean += (number - mean) / (len(self.last) + 1)
            self.squares += (number - mean) * (number - self.mean)
        self.last.append(number)
        self.added += 1
        if self.added % LONG == 0:  # takes out what rounding has added up to
            self.mean = float(np.mean(self.last))
            self.squares = float(np.var(self.last)) * len(self.last)


class Rise:
    """Scores as they come, those that are not higher than all of the last ones replaced by 0."""

    def __init__(self):
        self.highest: deque[tuple[int, float]] = deque()  # those that no later one exceeds
        self.place = 0

    def __call__(self, score: float) -> float:
        """The next score, or 0."""
        while self.highest and self.highest[0][0] < self.place - RISE:
            self.highest.popleft()
        risen = score if not self.highest or score > self.highest[0][1] else 0.0
        while self.highest and self.highest[-1][1] <= score:
            self.highest.pop()
        self.highest.append((self.place, score))
        self.place += 1
        return risen


def alarms_of(scores: Sequence[float]) -> list[float]:
    """The scores that are higher than those of the steps before them; 0 for all others."""
    rise = Rise()
    return [rise(score) for score in scores]


@dataclass(frozen=True)
class Event:
    """Steps that follow each other whose scores reach the threshold; `last` is included."""

    first: int
    last: int
    score: float


def events_of(scores: Sequence[float], threshold: float, quiet: int) -> list[Event]:
    """Events, in order, each of which begins where scores rise; those with fewer than `quiet` steps between
    them are one.
    """
    found: list[Event] = []
    for place, (score, alarm) in enumerate(zip(scores, alarms_of(scores), strict=True)):
        if score >= threshold:
            if found and place - found[-1].last <= quiet:
                before = found[-1]
                found[-1] = Event(before.first, place, max(score, before.score))
            elif alarm > 0:
                found.append(Event(place, place, score))
    return found


def chosen_threshold(scores: Sequence[float], share: float, quiet: int) -> float:
    """The score of five standard deviations, or the lowest one above it that this share of the steps at most
    begins an event at; three events may always be.
    """
    return limited(scores, 0.5, quiet, max(FEW, round(share * len(scores))))


def limited(scores: Sequence[float], threshold: float, quiet: int, most: int | None) -> float:
    """The threshold, or the lowest one above it with at most `most` events."""
    if most is None:
        return threshold
    while len(found := events_of(scores, threshold, quiet)) > most:
        # A higher threshold may part an event in two, so that this is not done at once.
        threshold = math.nextafter(sorted(event.score for event in found)[-most - 1], 2.0)
    return threshold
