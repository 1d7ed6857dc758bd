"""Texts with several labels: thresholds of the labels, and F1 over labels and texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recipes.data.manifest import Item
from recipes.scoring.class_scores import rate
from recipes.scoring.error_rates import Rate

CANDIDATES = np.arange(0.05, 0.951, 0.05)  # thresholds
FEWEST = 5  # texts with a label by which its own threshold is chosen; of fewer it is that of all labels
RESAMPLES = 1000


@dataclass(frozen=True)
class LabelScore:
    """Precision, recall and F1 of one label, its threshold, and how many texts have it."""

    name: str
    precision: float
    recall: float
    f1: float
    threshold: float
    count: int


@dataclass(frozen=True)
class SeveralScores:
    """The judgements of texts that may have several labels, or none.

    Attributes:
        split: its name.
        classes: names of the labels, in the order of the probabilities.
        items: of the split; their targets are sequences of labels.
        texts: of the items.
        found: (texts, classes) probabilities.
        thresholds: (classes,) from which a label is given.
        linear: (texts, classes) whether a linear model that learnt from the same texts gives each label; None
            without one.
    """

    split: str
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    texts: tuple[str, ...]
    found: np.ndarray
    thresholds: np.ndarray
    linear: np.ndarray | None = None

    @cached_property
    def true(self) -> np.ndarray:
        """(texts, classes) which labels each text has."""
        return indicators([item.target for item in self.items], self.classes)

    @cached_property
    def given(self) -> np.ndarray:
        """(texts, classes) which labels the model gives each text."""
        return self.found >= self.thresholds

    @cached_property
    def micro(self) -> Rate:
        """F1 over all labels of all texts; texts are drawn for the interval."""
        return _drawn(self.given, self.true, _micro)

    @cached_property
    def macro(self) -> Rate:
        """Mean F1 of the labels that occur; texts are drawn for the interval."""
        return _drawn(self.given, self.true, _macro)

    @cached_property
    def exact(self) -> Rate:
        """Share of the texts with just the right labels."""
        return rate((self.given == self.true).all(axis=1)[None])

    @cached_property
    def linear_micro(self) -> Rate | None:
        """F1 of the linear model over all labels of all texts."""
        return None if self.linear is None else _drawn(self.linear, self.true, _micro)

    @cached_property
    def labels(self) -> list[LabelScore]:
        """Of each label that occurs, the most frequent first."""
        both, given, true = (each.sum(axis=0) for each in (self.given & self.true, self.given, self.true))
        order = [place for place in np.argsort(-true, kind="stable") if true[place]]
        return [
            LabelScore(
                self.classes[place],
                both[place] / max(1, given[place]),
                both[place] / true[place],
                2 * both[place] / (given[place] + true[place]),
                float(self.thresholds[place]),
                int(true[place]),
            )
            for place in order
        ]

    def rates(self) -> dict[str, Rate]:
        """The main scores by name."""
        found = {"micro-F1": self.micro, "macro-F1": self.macro, "exact": self.exact}
        return found | ({} if self.linear_micro is None else {"linear model, micro-F1": self.linear_micro})

    def worst(self, count: int) -> list[tuple[str, list[str], list[str]]]:
        """The texts with the most wrong labels: (text, labels that are missing, labels that are too many)."""
        errors = (self.given != self.true).sum(axis=1)
        order = [place for place in np.argsort(-errors, kind="stable") if errors[place]][:count]
        return [
            (
                self.texts[place],
                self._named(self.true[place] & ~self.given[place]),
                self._named(self.given[place] & ~self.true[place]),
            )
            for place in order
        ]

    def _named(self, chosen: np.ndarray) -> list[str]:
        return [self.classes[place] for place in np.flatnonzero(chosen)]

    def summary(self) -> str:
        """The scores as text for a terminal."""
        lines = [
            f"{self.split}: {len(self.items):,} texts, {self.true.sum():,} labels",
            f"  micro-F1      {self.micro}",
            f"  macro-F1      {self.macro}",
            f"  exact         {self.exact}",
            *([] if self.linear_micro is None else [f"  linear model  {self.linear_micro} micro-F1"]),
            "",
        ]
        width = max((len(each.name) for each in self.labels), default=0)
        lines.append(f"  {'':<{width}}  precision  recall     F1  threshold")
        for each in self.labels[:40]:
            cells = "".join(f"{100 * value:>9.1f}" for value in (each.precision, each.recall, each.f1))
            lines.append(f"  {each.name:<{width}}{cells}  {each.threshold:>9.2f}  of {each.count}")
        return "\n".join(lines)


def indicators(targets: Sequence[Sequence[str]], classes: Sequence[str]) -> np.ndarray:
    """(texts, classes) which labels each text has."""
    places = {name: place for place, name in enumerate(classes)}
    table = np.zeros((len(targets), len(classes)), bool)
    for row, labels in enumerate(targets):
        table[row, [places[label] for label in labels if label in places]] = True
    return table


def tuned(probabilities: np.ndarray, true: np.ndarray) -> np.ndarray:
    """The thresholds with the highest F1 of each label, and of rare labels that of all labels together.

    Args:
        probabilities: (texts, classes) of validation texts.
        true: (texts, classes) which labels they have.

    Returns:
        (classes,) thresholds; the one nearest to 0.5 of several that do as well.
    """
    order = sorted(CANDIDATES, key=lambda value: abs(value - 0.5))
    given = np.stack([probabilities >= value for value in order])  # (candidates, texts, classes)
    both, sums = (given & true).sum(axis=1), given.sum(axis=1) + true.sum(axis=0)
    own = (2 * both / np.maximum(1, sums)).argmax(axis=0)
    whole = (2 * both.sum(axis=1) / np.maximum(1, sums.sum(axis=1))).argmax()
    return np.array(order)[np.where(true.sum(axis=0) >= FEWEST, own, whole)]


def _micro(counts: np.ndarray) -> float:
    """F1 of (3, classes) counts of labels that are given and true, given, true."""
    both, given, true = counts.sum(axis=1)
    return 2 * both / max(1.0, given + true)


def _macro(counts: np.ndarray) -> float:
    """Mean F1 of the labels that occur, of the same counts."""
    both, given, true = counts[:, counts[2] > 0]
    return (2 * both / (given + true)).mean() if true.size else 0.0


def _drawn(given: np.ndarray, true: np.ndarray, score: Callable[[np.ndarray], float]) -> Rate:
    """A score of the counts of each label; texts are drawn with replacement for the interval."""
    rng, size = np.random.default_rng(0), len(true)
    parts = np.concatenate([given & true, given, true], axis=1).astype(np.float32)  # (texts, 3 * classes)
    draws = rng.multinomial(size, np.full(size, 1 / size), RESAMPLES).astype(np.float32)
    found = [float(score(each.reshape(3, -1))) for each in draws @ parts]
    whole = float(score(parts.sum(axis=0).reshape(3, -1)))
    return Rate(whole, *map(float, np.quantile(found, [0.025, 0.975])))
