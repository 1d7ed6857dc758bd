"""Scores of a tagger: accuracy over tokens, and precision, recall and F1 of spans where labels mark some."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.spans import has_spans, spans_of
from recipes.data.manifest import Item
from recipes.scoring.error_rates import Rate

RESAMPLES = 2000
ROWS = 200  # resamples at a time


@dataclass(frozen=True)
class LabelScore:
    """Precision, recall and F1 of one label or kind of span, and how often it is there."""

    name: str
    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True)
class TaggingScores:
    """The labels of the sentences of a split.

    Attributes:
        split: its name.
        items: its sentences; their targets are the true labels.
        words: the tokens of each.
        found: the labels that the model gives.
    """

    split: str
    items: tuple[Item, ...]
    words: tuple[tuple[str, ...], ...]
    found: tuple[tuple[str, ...], ...]

    @cached_property
    def _pairs(self) -> list[tuple[Sequence[str], Sequence[str]]]:
        return [(item.target, labels) for item, labels in zip(self.items, self.found, strict=True)]

    @cached_property
    def marks_spans(self) -> bool:
        """Whether the labels are of a scheme such as BIO."""
        return has_spans([label for item in self.items for label in item.target])

    @property
    def accuracy(self) -> Rate:
        """Share of the tokens with the right label; sentences are drawn for the interval."""
        counts = [(sum(map(str.__eq__, true, found)), len(true)) for true, found in self._pairs]
        return _ratio(np.array(counts, float))

    @property
    def f1(self) -> Rate:
        """Of the spans: both ends and the kind must be right. Sentences are drawn for the interval."""
        counts = []
        for true, found in self._pairs:
            one, other = set(spans_of(true)), set(spans_of(found))
            counts.append((2 * len(one & other), len(one) + len(other)))
        return _ratio(np.array(counts, float))

    @cached_property
    def labels(self) -> list[LabelScore]:
        """Of each kind of span, or of each label; the most frequent first."""
        right, true_of, found_of = Counter(), Counter(), Counter()
        for true, found in self._pairs:
            one, other = map(self._named, (true, found))
            for group, counter in ((one & other, right), (one, true_of), (other, found_of)):
                counter.update(name for name, *_ in group)
        scores = []
        for name in sorted(true_of | found_of, key=lambda each: (-true_of[each], each)):
            precision, recall = right[name] / max(1, found_of[name]), right[name] / max(1, true_of[name])
            f1 = 2 * right[name] / (found_of[name] + true_of[name])
            scores.append(LabelScore(name, precision, recall, f1, true_of[name]))
        return scores

    def _named(self, labels: Sequence[str]) -> set[tuple]:
        """The spans of a sentence, or its tokens, each with its name first."""
        if self.marks_spans:
            return set(map(tuple, spans_of(labels)))
        return {(label, place) for place, label in enumerate(labels)}

    @cached_property
    def confusions(self) -> list[tuple[tuple[str, str], int]]:
        """(true, found) labels of tokens that are most often confused, with their number."""
        wrong = Counter(
            pair
            for true, found in self._pairs
            for pair in zip(true, found, strict=True)
            if pair[0] != pair[1]
        )
        return sorted(wrong.items(), key=lambda entry: (-entry[1], entry[0]))[:20]

    def worst(self, count: int) -> list[list[tuple[str, str, str]]]:
        """Sentences with the most errors, each as (token, true, found)."""
        errors = [sum(map(str.__ne__, true, found)) for true, found in self._pairs]
        order = [place for place in np.argsort(-np.array(errors), kind="stable") if errors[place]][:count]
        return [list(zip(self.words[place], *self._pairs[place], strict=True)) for place in order]

    def summary(self) -> str:
        """The scores as text for a terminal."""
        tokens = sum(map(len, self.found))
        lines = [
            f"{self.split}: {len(self.items):,} sentences, {tokens:,} tokens",
            f"  accuracy  {self.accuracy}",
            *([f"  span F1   {self.f1}"] if self.marks_spans else []),
            "",
        ]
        width = max(len(each.name) for each in self.labels)
        lines.append(f"  {'':<{width}}  precision  recall     F1")
        for each in self.labels[:40]:
            cells = "".join(f"{100 * value:>9.1f}" for value in (each.precision, each.recall, each.f1))
            lines.append(f"  {each.name:<{width}}{cells}  of {each.count}")
        return "\n".join(lines)


def _ratio(counts: np.ndarray) -> Rate:
    """Sum of the first column by that of the second; rows are drawn with replacement for the interval."""
    rng, drawn = np.random.default_rng(0), []
    for start in range(0, RESAMPLES, ROWS):
        weights = rng.multinomial(
            len(counts), np.full(len(counts), 1 / len(counts)), min(ROWS, RESAMPLES - start)
        )
        upper, lower = (weights @ counts).T
        drawn.append(upper / np.maximum(lower, 1e-9))
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975])
    upper, lower = counts.sum(axis=0)
    return Rate(float(upper / max(lower, 1e-9)), float(low), float(high))
