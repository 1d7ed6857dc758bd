"""Scores of a classifier of signals, beside those of random kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recipes.scoring.class_scores import ClassScores, rate
from recipes.scoring.error_rates import Rate


@dataclass(frozen=True)
class SignalScores(ClassScores):
    """The judgements of signals.

    Attributes:
        names: of the items.
        kernels: (signals, classes) scores of the model's linear model on random kernels alone; None without.
    """

    what: ClassVar[str] = "signals"

    names: tuple[str, ...] = ()
    kernels: np.ndarray | None = None

    @property
    def kernel_accuracy(self) -> Rate:
        return rate((self.kernels.argmax(axis=1) == self.labels)[None])

    @property
    def gain(self) -> Rate:
        """By how much the accuracy is above that of the random kernels alone, signal by signal."""
        return rate(self.right.astype(float) - (self.kernels.argmax(axis=1) == self.labels))

    @property
    def verdict(self) -> str:
        """Whether the network is of use."""
        if self.gain.low > 0:
            return "the network adds to it"
        return "it does better alone" if self.gain.high < 0 else "no difference is shown"

    @property
    def f1(self) -> dict[str, float]:
        """F1 of each class that occurs or was found."""
        table = self.confusion
        found, true, right = table.sum(axis=0), table.sum(axis=1), np.diag(table)
        return {
            name: float(2 * right[place] / (found[place] + true[place]))
            for place, name in enumerate(self.classes)
            if found[place] + true[place]
        }

    @property
    def macro_f1(self) -> float:
        """Mean over these classes."""
        return float(np.mean(list(self.f1.values())))

    def compared(self) -> list[str]:
        """The random kernels alone and what the network gains over them, if there are some."""
        if self.kernels is None:
            return []
        return [
            f"  random kernels    {self.kernel_accuracy}",
            f"  gain              {self.gain}: {self.verdict}",
        ]

    def further(self) -> list[str]:
        """Macro-averaged F1."""
        return [f"  macro-F1          {100 * self.macro_f1:.2f} %"]

    def worst(self, count: int) -> list[tuple[str, str, str, float]]:
        """At most `count` misjudged signals, the surest errors first: (name, label, found, score)."""
        scores = self.runs[0].max(axis=1)
        wrong = [place for place in np.argsort(-scores, kind="stable") if not self.right[0, place]]
        return [
            (
                self.names[place],
                self.items[place].target,
                self.classes[int(self.runs[0, place].argmax())],
                float(scores[place]),
            )
            for place in wrong[:count]
        ]
