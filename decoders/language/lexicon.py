"""Lexicons: the words of a form, a register or a dictionary, and a penalty for all others."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

KEPT = 10_000  # size of the caches of states


class Node(NamedTuple):
    """A node of the prefix tree: the words from `first` to before `last` share their first `size` labels."""

    first: int
    last: int
    size: int


Place = frozenset[Node]
"""The nodes that the end of a text may have reached: several where words overlap, as in `l` and `l'eau`; none
within a word that is not in the lexicon."""


class Lexicon:
    """Out-of-vocabulary penalty for words that are not in a list.

    Args:
        words: label ids of each word.
        letters: labels that words consist of; all other labels separate words. If there are none, as in
            scripts without spaces, words may follow each other directly, and the penalty applies to each
            label outside of them.
        cost: out-of-vocabulary penalty in nats; infinite to allow listed words only.
        num_labels: number of labels, including the blank.
    """

    def __init__(
        self, words: Iterable[Sequence[int]], letters: Collection[int], cost: float, num_labels: int
    ):
        self.letters, self.cost, self.num_labels = frozenset(letters), cost, num_labels
        self._words = sorted({"".join(map(chr, word)) for word in words})
        self._free = np.array(
            [bool(self.letters) and label not in self.letters for label in range(num_labels)]
        )
        self.start: Place = frozenset([Node(0, len(self._words), 0)])
        self._longer = lru_cache(KEPT)(self._found_longer)
        self.gains = lru_cache(KEPT // 10)(self._gains)

    def behind(self, place: Place, label: int) -> Place:
        """The state after one more label."""
        found = frozenset(self._longer(node)[label] for node in place if label in self._longer(node))
        if self.letters:
            begins = label not in self.letters and (not found or self._is_whole(place))
        else:
            begins = not found or self._is_whole(found)
        return found | self.start if begins else found

    def ended(self, place: Place) -> float:
        """Score in nats of ending the text in this state."""
        return 0.0 if self._is_whole(place) else -self.cost

    def _is_whole(self, place: Place) -> bool:
        """Whether a word may end here; for an unknown word, the penalty was paid where it left the tree."""
        return not place or any(node.size in (0, len(self._words[node.first])) for node in place)

    def _found_longer(self, node: Node) -> dict[int, Node]:
        """The longer nodes by their next label."""
        longer, begun = {}, self._words[node.first][: node.size]
        first = bisect_left(self._words, begun + "\0", node.first, node.last)  # sorts after the complete word
        while first < node.last:
            label = self._words[first][node.size]
            last = bisect_left(self._words, begun + chr(ord(label) + 1), first, node.last)
            longer[ord(label)] = Node(first, last, node.size + 1)
            first = last
        return longer

    def _gains(self, place: Place) -> np.ndarray:
        """Score in nats of each label in this state, (num_labels,)."""
        if not place:
            return np.zeros(self.num_labels)
        gains = np.where(self._free & self._is_whole(place), 0.0, -self.cost)
        gains[[label for node in place for label in self._longer(node)]] = 0.0
        return gains
