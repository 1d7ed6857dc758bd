"""Scores of a classifier of texts, beside those of a linear model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recipes.scoring.class_scores import ClassScores, rate
from recipes.scoring.error_rates import Rate


@dataclass(frozen=True)
class TextScores(ClassScores):
    """The judgements of texts.

    Attributes:
        texts: of the items.
        linear: (texts, classes) probabilities of a linear model that learnt from the same texts; None
            without one.
    """

    what: ClassVar[str] = "texts"

    texts: tuple[str, ...] = ()
    linear: np.ndarray | None = None

    @property
    def linear_accuracy(self) -> Rate:
        return rate((self.linear.argmax(axis=1) == self.labels)[None])

    @property
    def gain(self) -> Rate:
        """By how much the accuracy is above that of the linear model, text by text."""
        return rate(self.right.astype(float) - (self.linear.argmax(axis=1) == self.labels))

    @property
    def verdict(self) -> str:
        """Whether the linear model does as well."""
        if self.gain.low > 0:
            return "the model does better than the linear one"
        return "the linear model does better" if self.gain.high < 0 else "no difference is shown"

    def compared(self) -> list[str]:
        """The linear model and what is gained over it, if there is one."""
        if self.linear is None:
            return []
        return [
            f"  linear model      {self.linear_accuracy}",
            f"  gain              {self.gain}: {self.verdict}",
        ]

    def worst(self, count: int) -> list[tuple[str, str, str, float]]:
        """At most `count` misjudged texts, the surest errors first: (text, label, found, score)."""
        scores = self.runs[0].max(axis=1)
        wrong = [place for place in np.argsort(-scores, kind="stable") if not self.right[0, place]]
        return [
            (
                self.texts[place],
                self.items[place].target,
                self.classes[int(self.runs[0, place].argmax())],
                float(scores[place]),
            )
            for place in wrong[:count]
        ]
