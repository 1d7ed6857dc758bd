"""Scores of an action recogniser: accuracy with its interval over clips and runs, recall, confusions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recipes.action.timeline import TimelineScores
from recipes.data.manifest import Item
from recipes.scoring.error_rates import Rate

RESAMPLES = 4000


@dataclass(frozen=True)
class ActionScores:
    """The judgements of several runs on the same clips.

    Attributes:
        split: its name.
        classes: names, in the order of the probabilities.
        items: the clips.
        runs: (runs, clips, classes) probabilities, each run from another seed.
        unordered: the same for the baseline that sees the frames in no order; None without one.
        attention: (seconds, share) of each frame of each clip in the first run; empty without attention.
        timeline: scores of the segments in joined clips, if the first run's model labels frames.
    """

    split: str
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    runs: np.ndarray
    unordered: np.ndarray | None = None
    attention: tuple[tuple[tuple[float, float], ...], ...] = ()
    timeline: TimelineScores | None = None

    @cached_property
    def labels(self) -> np.ndarray:
        """(clips,) place of each clip's class, -1 for one that was never learnt."""
        places = {name: place for place, name in enumerate(self.classes)}
        return np.array([places.get(item.target, -1) for item in self.items])

    @cached_property
    def right(self) -> np.ndarray:
        """(runs, clips) whether the likeliest class is the right one."""
        return self.runs.argmax(axis=2) == self.labels

    @property
    def accuracy(self) -> Rate:
        """Mean over runs; the interval is of a bootstrap over clips and runs."""
        return _rate(self.right)

    @property
    def unordered_accuracy(self) -> Rate:
        return _rate(self.unordered.argmax(axis=2) == self.labels)

    @property
    def gain(self) -> Rate:
        """By how much the accuracy is above that of frames in no order, clip by clip."""
        return _rate(self.right.astype(float) - (self.unordered.argmax(axis=2) == self.labels))

    @property
    def uses_time(self) -> bool:
        return self.gain.low > 0

    @property
    def recalls(self) -> dict[str, tuple[float, int]]:
        """Of each class that occurs, the share that is found, and how many clips it has."""
        return {
            name: (float(self.right[:, self.labels == place].mean()), int((self.labels == place).sum()))
            for place, name in enumerate(self.classes)
            if (self.labels == place).any()
        }

    @cached_property
    def confusion(self) -> np.ndarray:
        """(classes, classes) how often a clip of the row's class was taken for the column's, in all runs."""
        table = np.zeros((len(self.classes),) * 2, int)
        for found in self.runs.argmax(axis=2):
            known = self.labels >= 0
            np.add.at(table, (self.labels[known], found[known]), 1)
        return table

    def summary(self) -> str:
        """The scores as text for a terminal."""
        runs = self.right.mean(axis=1)
        spread = f", runs from {100 * runs.min():.1f} to {100 * runs.max():.1f} %" if len(runs) > 1 else ""
        baseline = []
        if self.unordered is not None:
            verdict = "time is used" if self.uses_time else "not shown that time is used"
            baseline = [
                f"  frames, unordered {self.unordered_accuracy}",
                f"  gain              {self.gain}: {verdict}",
            ]
        macro = np.mean([recall for recall, _ in self.recalls.values()])
        lines = [
            f"{self.split}: {len(self.items):,} clips, {len(runs)} run{'s' * (len(runs) > 1)}",
            f"  accuracy          {self.accuracy}{spread}",
            *baseline,
            f"  mean recall       {100 * macro:.2f} %",
            *([f"  timeline          {self.timeline}"] if self.timeline else []),
            "",
        ]
        width = max(map(len, self.recalls))
        for name, (share, count) in self.recalls.items():
            lines.append(f"  {name:<{width}}  {100 * share:3.0f} % of {count}")
        return "\n".join(lines)


def _rate(table: np.ndarray) -> Rate:
    """Mean of (runs, clips), and its interval: clips and runs are both drawn with replacement."""
    rng = np.random.default_rng(0)
    by_run, by_clip = (
        rng.multinomial(size, np.full(size, 1 / size), RESAMPLES) / size for size in table.shape
    )
    means = ((by_run @ table) * by_clip).sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Rate(float(table.mean()), float(low), float(high))
