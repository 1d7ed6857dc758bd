"""Scores of a classifier: accuracy with its interval over items and runs, recalls, confusions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from recipes.data.manifest import Item
from recipes.scoring.error_rates import Rate

RESAMPLES = 4000
CLASSES = 40  # in the matrix of confusions
LISTED = 20  # confusions in the list


@dataclass(frozen=True)
class Cell:
    """How many items of one class were taken for the class `found`, and their share of that class."""

    found: str
    count: int
    share: float
    right: bool


@dataclass(frozen=True)
class ClassScores:
    """The judgements of several runs on the same items.

    Attributes:
        split: its name.
        classes: names, in the order of the probabilities.
        items: of the split.
        runs: (runs, items, classes) probabilities, each run from another seed.
    """

    what: ClassVar[str] = "items"

    split: str
    classes: tuple[str, ...]
    items: tuple[Item, ...]
    runs: np.ndarray

    @cached_property
    def labels(self) -> np.ndarray:
        """(items,) place of each item's class, -1 for one that was never learnt."""
        places = {name: place for place, name in enumerate(self.classes)}
        return np.array([places.get(item.target, -1) for item in self.items])

    @cached_property
    def right(self) -> np.ndarray:
        """(runs, items) whether the most probable class is the right one."""
        return self.runs.argmax(axis=2) == self.labels

    @property
    def accuracy(self) -> Rate:
        """Mean over runs; the interval is of a bootstrap over items and runs."""
        return rate(self.right)

    @property
    def recalls(self) -> dict[str, tuple[float, int]]:
        """Of each class that occurs, the share that is found, and how many items it has."""
        return {
            name: (float(self.right[:, self.labels == place].mean()), int((self.labels == place).sum()))
            for place, name in enumerate(self.classes)
            if (self.labels == place).any()
        }

    @property
    def mean_recall(self) -> float:
        """Mean over the classes that occur."""
        return float(np.mean([recall for recall, _ in self.recalls.values()]))

    @cached_property
    def confusion(self) -> np.ndarray:
        """(classes, classes) how often an item of the row's class was taken for the column's, in all runs."""
        table = np.zeros((len(self.classes),) * 2, int)
        for found in self.runs.argmax(axis=2):
            known = self.labels >= 0
            np.add.at(table, (self.labels[known], found[known]), 1)
        return table

    def summary(self) -> str:
        """The scores as text for a terminal."""
        runs = self.right.mean(axis=1)
        spread = f", runs from {100 * runs.min():.1f} to {100 * runs.max():.1f} %" if len(runs) > 1 else ""
        lines = [
            f"{self.split}: {len(self.items):,} {self.what}, {len(runs)} run{'s' * (len(runs) > 1)}",
            f"  accuracy          {self.accuracy}{spread}",
            *self.compared(),
            f"  mean recall       {100 * self.mean_recall:.2f} %",
            *self.further(),
            "",
        ]
        width = max(map(len, self.recalls))
        for name, (share, count) in self.recalls.items():
            lines.append(f"  {name:<{width}}  {100 * share:3.0f} % of {count}")
        return "\n".join(lines)

    def compared(self) -> Sequence[str]:
        """Lines of the summary about what the accuracy is compared with."""
        return ()

    def further(self) -> Sequence[str]:
        """Further lines of the summary."""
        return ()

    def matrix(self) -> dict:
        """The confusions for a report: a table of the classes with the most errors, and the most frequent."""
        table, names = self.confusion, self.classes
        errors = table - np.diag(np.diag(table))
        worst = np.argsort(-(errors.sum(axis=0) + errors.sum(axis=1)), kind="stable")
        chosen = sorted(worst[:CLASSES].tolist())

        def cell(row: int, column: int) -> Cell:
            count = int(table[row, column])
            return Cell(names[column], count, count / max(1, int(table[row].sum())), row == column)

        frequent = sorted(zip(*np.nonzero(errors), strict=True), key=lambda place: -errors[place])[:LISTED]
        return {
            "shown_classes": [names[place] for place in chosen],
            "matrix": [(names[row], [cell(row, column) for column in chosen]) for row in chosen],
            "confusions": [(names[row], cell(row, column)) for row, column in frequent],
        }


def rate(table: np.ndarray) -> Rate:
    """Mean of (runs, items), and its interval: items and runs are both drawn with replacement."""
    rng = np.random.default_rng(0)
    by_run, by_item = (
        rng.multinomial(size, np.full(size, 1 / size), RESAMPLES) / size for size in table.shape
    )
    means = ((by_run @ table) * by_item).sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Rate(float(table.mean()), float(low), float(high))
