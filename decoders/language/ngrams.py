"""An n-gram language model of labels: how probable each label is behind those before it."""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

KEPT = 3_000_000  # probabilities, so as not to compute them again
LARGEST_KEY = 2**62
LARGEST_TABLE = 20_000_000  # n-grams
SHORT = 3  # labels of n-grams that give no text away


class LanguageModel(Protocol):
    """What a search asks of a language model."""

    order: int
    """One more than the labels of a context that matter."""

    def log_probs(self, context: tuple[int, ...]) -> np.ndarray:
        """(num_labels,) log-probabilities of each label behind a context; what it says of the blank means
        nothing."""


class NGrams:
    """Counts of n-grams, smoothed by interpolation (Witten & Bell 1991, "The zero-frequency problem").

    Args:
        counts: for each order from 1 up, sorted keys and how often each was met. The key of an n-gram is the
            number with its labels as digits, the first one leading, in base `num_labels`. Those met only
            once may be left out.
        total: labels counted.
        num_labels: of the alphabet, the blank included.

    Raises:
        ValueError: the keys or counts are not such.
    """

    def __init__(self, counts: Sequence[tuple[np.ndarray, np.ndarray]], total: int, num_labels: int):
        if not counts or total < 1 or num_labels ** len(counts) >= LARGEST_KEY:
            raise ValueError(f"{len(counts)} orders of {num_labels} labels, {total} counted, are no n-grams")
        for keys, times in counts:
            in_order = len(keys) == len(times) and (np.diff(keys) > 0).all()
            if not in_order or (len(keys) and (keys[0] < 0 or times.min() < 1)):
                raise ValueError("n-grams must be sorted, and each met")
        self.counts, self.total, self.num_labels = list(counts), total, num_labels
        self.order = len(counts)
        self._known = lru_cache(KEPT // num_labels)(self._probabilities)

    @classmethod
    def of(
        cls, texts: Iterable[Sequence[int]], order: int, num_labels: int, discreet: bool = False
    ) -> NGrams:
        """Counted in texts, each a sequence of label ids.

        Args:
            order: of the longest; less where numbers that large cannot be.
            discreet: leave out what is longer than three labels and was met only once, so that the texts
                cannot be put together again. On hooker-en they make 12.3 % of 13.9 % CER, and 12.6 % without.

        Raises:
            ValueError: there are no labels, or the order is below 1.
        """
        labels = np.fromiter((label for text in texts for label in text), np.int64)
        if order < 1 or not len(labels):
            raise ValueError(f"no n-grams of order {order} in {len(labels)} labels")
        while num_labels**order >= LARGEST_KEY:
            order -= 1
        counts, keys = [], np.zeros(len(labels) + 1, np.int64)
        for length in range(1, order + 1):
            keys = keys[:-1] * num_labels + labels[len(labels) + 1 - len(keys) :]
            found, times = np.unique(keys, return_counts=True)
            kept = times > (discreet and length > SHORT)
            counts.append((found[kept], times[kept]))
        return cls(counts, len(labels), num_labels)

    @property
    def sizes(self) -> list[int]:
        """How many n-grams of each order are kept."""
        return [len(keys) for keys, _ in self.counts]

    def packed(self) -> bytes:
        """The counts, compressed."""
        parts = (
            part.tobytes()
            for keys, times in self.counts
            for part in (np.diff(keys, prepend=0).astype("<i8"), times.astype("<u4"))
        )
        return lzma.compress(b"".join(parts))

    @classmethod
    def unpacked(cls, data: bytes, sizes: Sequence[int], total: int, num_labels: int) -> NGrams:
        """What `packed` gave, `sizes` and `total`, as n-grams again.

        Raises:
            ValueError: they do not belong together, or are more than 20 million.
        """
        if min(sizes, default=-1) < 0 or sum(sizes) > LARGEST_TABLE:
            raise ValueError(f"{list(sizes)} n-grams cannot be")
        expected, reader = 12 * sum(sizes), lzma.LZMADecompressor()
        try:
            plain = reader.decompress(data, max_length=expected + 1)
        except lzma.LZMAError as error:
            raise ValueError(f"damaged n-grams ({error})") from error
        if len(plain) != expected or not reader.eof:
            raise ValueError(f"damaged n-grams ({len(plain)} bytes of {expected})")
        counts, place = [], 0
        for size in sizes:
            keys = np.frombuffer(plain, "<i8", size, place).cumsum()
            counts.append((keys, np.frombuffer(plain, "<u4", size, place + 8 * size).astype(np.int64)))
            place += 12 * size
        return cls(counts, total, num_labels)

    def log_probs(self, context: tuple[int, ...]) -> np.ndarray:
        kept = tuple(context[max(0, len(context) + 1 - self.order) :])
        return np.log(self._known(kept)).astype(np.float32)

    def _probabilities(self, context: tuple[int, ...]) -> np.ndarray:
        """Of all labels: those behind a shorter context, and what was met behind this one."""
        if context:
            behind, key = self._known(context[1:]), 0
            for label in context:
                key = key * self.num_labels + label
            total = self._times(len(context), key)
        else:
            behind, key, total = np.full(self.num_labels, 1.0 / self.num_labels), 0, self.total
        if not total:
            return behind
        keys, times = self.counts[len(context)]
        first, last = keys.searchsorted([key * self.num_labels, (key + 1) * self.num_labels])
        times = times[first:last].astype(np.float64)
        once = max(0.0, total - times.sum())  # those left out
        kinds = len(times) + once
        behind = behind * ((kinds + once) / (total + kinds))
        behind[keys[first:last] - key * self.num_labels] += times / (total + kinds)
        return behind

    def _times(self, length: int, key: int) -> int:
        keys, times = self.counts[length - 1]
        place = keys.searchsorted(key)
        return int(times[place]) if place < len(keys) and keys[place] == key else 0


@dataclass(frozen=True)
class Mixture:
    """Several language models that count alike: the mean of their probabilities."""

    models: Sequence[LanguageModel]

    @property
    def order(self) -> int:
        return max(model.order for model in self.models)

    def log_probs(self, context: tuple[int, ...]) -> np.ndarray:
        return np.logaddexp.reduce([model.log_probs(context) for model in self.models]) - np.log(
            len(self.models), dtype=np.float32
        )
