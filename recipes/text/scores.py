"""Scores of a classifier of texts, beside those of a linear model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recipes.scoring.class_scores import ClassScores, rate
from recipes.scoring.error_rates import Rate
from recipes.text.rejecting import rejected


@dataclass(frozen=True)
class TextScores(ClassScores):
    """The judgements of texts.

    Attributes:
        texts: of the items.
        linear: (texts, classes) probabilities of a linear model that learnt from the same texts; None
            without one.
        reject: name of the class for what is none of the others; None without one.
        threshold: of the score below which texts are rejected.
    """

    what: ClassVar[str] = "texts"

    texts: tuple[str, ...] = ()
    linear: np.ndarray | None = None
    reject: str | None = None
    threshold: float = 0.0

    @property
    def inside(self) -> Rate | None:
        """Share of the texts of a class that are given it, and not rejected; None without any."""
        if self.reject is None or self._outside.all():
            return None
        right = (self.runs[0].argmax(axis=1) == self.labels) & ~self._rejected
        return rate(right[~self._outside][None])

    @property
    def outside(self) -> Rate | None:
        """Share of the texts of no class that are rejected; None without any."""
        if self.reject is None or not self._outside.any():
            return None
        return rate(self._rejected[self._outside][None])

    @property
    def _outside(self) -> np.ndarray:
        return self.labels == self.classes.index(self.reject)

    @property
    def _rejected(self) -> np.ndarray:
        return rejected(self.runs[0], self.classes.index(self.reject), self.threshold)

    def further(self) -> list[str]:
        """What becomes of texts that are none of the classes, if the data has a label for them."""
        lines = [("in scope", self.inside), ("out of scope", self.outside)]
        told = [f"  {name:<17} {found}" for name, found in lines if found is not None]
        return [*told, f"  (texts with a score below {self.threshold:.2f} are rejected)"] if told else []

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

    def rates(self) -> dict[str, Rate]:
        """The main scores by name."""
        found = {
            "accuracy": self.accuracy,
            "linear model": None if self.linear is None else self.linear_accuracy,
            "in scope": self.inside,
            "out of scope": self.outside,
        }
        return {name: each for name, each in found.items() if each is not None}

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
