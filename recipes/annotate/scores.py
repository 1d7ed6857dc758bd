"""Scores of marks over time: precision, recall and F1 of each label, within a tolerance in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.results import Mark
from recipes.data.manifest import Item
from recipes.data.mark_layouts import Times
from recipes.scoring.error_rates import Rate

TOLERANCE = 0.15  # seconds, of AAMI EC57 and of the literature on delineation
ANCHORS = ("start", "peak", "end")
RESAMPLES = 2000


def counted(
    true: Sequence[Times], found: Sequence[Mark], names: Sequence[str], tolerance: float = TOLERANCE
) -> np.ndarray:
    """(labels, anchors, 3) marks that are right, added and missed, in one signal.

    A mark is right if its start (its peak, its end) is within the tolerance of that of one of the same label;
    each is matched once, in order of time. What lies before the first true mark or behind the last one is not
    counted as added: the first and the last beat of a recording often have none.
    """
    table = np.zeros((len(names), len(ANCHORS), 3), int)
    if not true:
        return table
    first, last = true[0][0], max(end for _, _, end, _ in true)
    for row, name in enumerate(names):
        for column, anchor in enumerate(ANCHORS):
            wanted = sorted(mark[column] for mark in true if mark[3] == name)
            given = [(getattr(mark, anchor), mark) for mark in found if mark.label == name]
            given.sort(key=lambda each: each[0])
            pairs = matched(wanted, [time for time, _ in given], tolerance)
            others = (mark for place, (_, mark) in enumerate(given) if place not in pairs)
            added = sum(first <= (mark.start + mark.end) / 2 <= last for mark in others)
            table[row, column] = len(pairs), added, len(wanted) - len(pairs)
    return table


def matched(wanted: Sequence[float], given: Sequence[float], tolerance: float) -> set[int]:
    """Which of the times that are given can be paired one to one within the tolerance; both rise."""
    one = other = 0
    pairs: set[int] = set()
    while one < len(wanted) and other < len(given):
        if abs(wanted[one] - given[other]) <= tolerance:
            pairs.add(other)
            one, other = one + 1, other + 1
        elif wanted[one] < given[other]:
            one += 1
        else:
            other += 1
    return pairs


def f1_of(table: np.ndarray) -> np.ndarray:
    """(...) F1 of (..., 3) counts; 0 where there is nothing."""
    right, added, missed = np.moveaxis(table, -1, 0)
    return 2 * right / np.maximum(1, 2 * right + added + missed)


@dataclass(frozen=True)
class LabelScore:
    """One label at one anchor."""

    label: str
    anchor: str
    precision: float
    recall: float
    f1: Rate
    count: int


@dataclass(frozen=True)
class MarkScores:
    """The marks of the signals of a split.

    Attributes:
        split: its name.
        names: of the labels.
        items: its signals.
        true, found: marks of each, in order of time.
        points: whether marks have no extent, so that only their peaks count.
    """

    split: str
    names: tuple[str, ...]
    items: tuple[Item, ...]
    true: tuple[tuple[Times, ...], ...]
    found: tuple[tuple[Mark, ...], ...]
    points: bool

    @cached_property
    def table(self) -> np.ndarray:
        """(groups, labels, anchors, 3) counts of each person or recording."""
        groups: dict[str, np.ndarray] = {}
        for item, true, found in zip(self.items, self.true, self.found, strict=True):
            key = item.group or str(item.path)
            groups[key] = groups.get(key, 0) + counted(true, found, self.names)
        return np.stack(list(groups.values()))

    @property
    def anchors(self) -> tuple[str, ...]:
        """What is compared: peaks alone, or starts, peaks and ends."""
        return ("peak",) if self.points else ANCHORS

    @cached_property
    def _drawn(self) -> np.ndarray:
        """(resamples, groups) how often each group is drawn."""
        count = len(self.table)
        return np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES)

    @cached_property
    def _resampled(self) -> np.ndarray:
        """(resamples, labels, anchors) F1."""
        return f1_of(np.tensordot(self._drawn, self.table, 1))

    @cached_property
    def labels(self) -> list[LabelScore]:
        """Of each label that occurs or was found, at each anchor."""
        total, rows = self.table.sum(0), []
        for place, name in enumerate(self.names):
            for anchor in self.anchors:
                column = ANCHORS.index(anchor)
                right, added, missed = total[place, column]
                if right + added + missed:
                    rows.append(
                        LabelScore(
                            name,
                            anchor,
                            right / max(1, right + added),
                            right / max(1, right + missed),
                            _rate(f1_of(total)[place, column], self._resampled[:, place, column]),
                            int(right + missed),
                        )
                    )
        return rows

    def mean(self, name: str | None = None) -> Rate:
        """Mean F1 over the anchors of a label, or over all labels that occur."""
        total = self.table.sum(0)
        columns = [ANCHORS.index(anchor) for anchor in self.anchors]
        present = total[:, 0, 0] + total[:, 0, 2] > 0 if name is None else np.array(self.names) == name
        value = f1_of(total)[present][:, columns].mean()
        return _rate(value, self._resampled[:, present][:, :, columns].mean((1, 2)))

    @cached_property
    def confusions(self) -> np.ndarray:
        """(1 + labels, 1 + labels) true and found labels of marks at the same time; 0 is none."""
        size = len(self.names) + 1
        table = np.zeros((size, size), int)
        ids = {name: place for place, name in enumerate(self.names, start=1)}
        for true, found in zip(self.true, self.found, strict=True):
            wanted = sorted((peak, ids.get(label, 0)) for _, peak, _, label in true)
            low, high = wanted[0][0] - TOLERANCE, wanted[-1][0] + TOLERANCE
            given = sorted((mark.peak, ids[mark.label]) for mark in found if low <= mark.peak <= high)
            one = other = 0
            while one < len(wanted) or other < len(given):
                gap = (
                    given[other][0] - wanted[one][0]
                    if one < len(wanted) and other < len(given)
                    else np.inf
                    if one < len(wanted)
                    else -np.inf
                )
                if abs(gap) <= TOLERANCE:
                    table[wanted[one][1], given[other][1]] += 1
                    one, other = one + 1, other + 1
                elif gap > 0:
                    table[wanted[one][1], 0] += 1
                    one += 1
                else:
                    table[0, given[other][1]] += 1
                    other += 1
        return table

    def summary(self) -> str:
        """The scores as text for a terminal."""
        marks = sum(map(len, self.true))
        lines = [
            f"{self.split}: {len(self.items):,} signals, {marks:,} marks, within {1000 * TOLERANCE:.0f} ms",
            f"  mean F1 {self.mean()}",
            "",
        ]
        width = max(map(len, self.names))
        for each in self.labels:
            rates = f"precision {100 * each.precision:6.2f} %  recall {100 * each.recall:6.2f} %"
            lines.append(
                f"  {each.label:<{width}}  {each.anchor:<5}  {rates}  F1 {each.f1}  of {each.count:,}"
            )
        return "\n".join(lines)

    def worst(self, count: int) -> list[int]:
        """Places of the signals with the most errors."""
        errors = [
            counted(true, found, self.names)[:, :, 1:].sum()
            for true, found in zip(self.true, self.found, strict=True)
        ]
        order = np.argsort(-np.array(errors), kind="stable")[:count]
        return [int(place) for place in order if errors[place]]


def _rate(value: float, resampled: np.ndarray) -> Rate:
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Rate(float(value), float(low), float(high))
