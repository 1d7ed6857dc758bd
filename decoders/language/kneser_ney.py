"""Interpolated n-grams with modified Kneser-Ney smoothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from decoders.language.ngrams import KEPT, NGrams

DISCOUNTS = 3  # of n-grams counted once, twice, and more often


class KneserNey(NGrams):
    """N-gram model with interpolated modified Kneser-Ney smoothing: shorter n-grams count by how many
    different labels precede them, not by how often they occur.

    Chen & Goodman (1999), "An empirical study of smoothing techniques for language modeling".

    Args:
        counts, total, num_labels: as those of `NGrams`, with all n-grams that occur.
    """

    def __init__(self, counts: Sequence[tuple[np.ndarray, np.ndarray]], total: int, num_labels: int):
        super().__init__(counts, total, num_labels)
        self._tables: list[tuple[np.ndarray, np.ndarray]] = []
        self._discounts: list[np.ndarray] = []
        for length, (keys, times) in enumerate(self.counts, start=1):
            if length < self.order:
                longer = self.counts[length][0]
                ends, preceded = np.unique(longer % num_labels**length, return_counts=True)
                times = np.ones(len(keys), np.int64)  # what only the first text begins with
                places = keys.searchsorted(ends)
                found = (places < len(keys)) & (keys[np.minimum(places, len(keys) - 1)] == ends)
                times[places[found]] = preceded[found]
            self._tables.append((keys, times))
            self._discounts.append(_discounts(times))
        self._known = lru_cache(KEPT // num_labels)(self._smoothed)

    def _smoothed(self, context: tuple[int, ...]) -> np.ndarray:
        """Probabilities of all labels, interpolated with those after a shorter context."""
        behind = self._known(context[1:]) if context else np.full(self.num_labels, 1.0 / self.num_labels)
        key = 0
        for label in context:
            key = key * self.num_labels + label
        keys, times = self._tables[len(context)]
        first, last = keys.searchsorted([key * self.num_labels, (key + 1) * self.num_labels])
        if first == last:
            return behind
        times = times[first:last]
        taken = self._discounts[len(context)][np.minimum(times, DISCOUNTS) - 1]
        probabilities = behind * (taken.sum() / times.sum())
        probabilities[keys[first:last] - key * self.num_labels] += (times - taken) / times.sum()
        return probabilities


def _discounts(times: np.ndarray) -> np.ndarray:
    """What is taken from n-grams counted once, twice and more often, (3,)."""
    once, twice, thrice, more = (int((times == count).sum()) for count in (1, 2, 3, 4))
    if not (once and twice):
        return np.full(DISCOUNTS, 0.5)
    share = once / (once + 2 * twice)
    found = [1 - 2 * share * twice / once, 2 - 3 * share * thrice / twice]
    found.append(3 - 4 * share * more / thrice if thrice else found[1])
    return np.clip(found, 0.0, [1.0, 2.0, 3.0])
