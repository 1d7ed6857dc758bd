"""Scores of an action recogniser, beside a baseline that sees the frames in no order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recipes.action.timeline import TimelineScores
from recipes.scoring.class_scores import ClassScores, rate
from recipes.scoring.error_rates import Rate


@dataclass(frozen=True)
class ActionScores(ClassScores):
    """The judgements of several runs on the same clips.

    Attributes:
        unordered: (runs, clips, classes) the same for the baseline that sees the frames in no order; None
            without one.
        attention: (seconds, share) of each frame of each clip in the first run; empty without attention.
        timeline: scores of the segments in joined clips, if the first run's model labels frames.
    """

    what: ClassVar[str] = "clips"

    unordered: np.ndarray | None = None
    attention: tuple[tuple[tuple[float, float], ...], ...] = ()
    timeline: TimelineScores | None = None

    @property
    def unordered_accuracy(self) -> Rate:
        return rate(self.unordered.argmax(axis=2) == self.labels)

    @property
    def gain(self) -> Rate:
        """By how much the accuracy is above that of frames in no order, clip by clip."""
        return rate(self.right.astype(float) - (self.unordered.argmax(axis=2) == self.labels))

    @property
    def uses_time(self) -> bool:
        return self.gain.low > 0

    def compared(self) -> list[str]:
        """The baseline and what is gained over it, if there is one."""
        if self.unordered is None:
            return []
        verdict = "time is used" if self.uses_time else "not shown that time is used"
        return [
            f"  frames, unordered {self.unordered_accuracy}",
            f"  gain              {self.gain}: {verdict}",
        ]

    def further(self) -> list[str]:
        """The scores of the timeline, if there are any."""
        return [f"  timeline          {self.timeline}"] if self.timeline else []
