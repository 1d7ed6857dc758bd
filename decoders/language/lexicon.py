"""A list of the words that there are, such as those of a form, of a register, or of a dictionary."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

KEPT = 10_000  # of what was found out about places


class Node(NamedTuple):
    """The words from `first` to before `last`, all that begin with the same `size` labels."""

    first: int
    last: int
    size: int


Place = frozenset[Node]
"""All that the end of a text may be a beginning of: several where one word goes on with what also ends
another, as in `l` and `l'eau`. None within a word that is not on the list."""


class Lexicon:
    """What each word costs that is not on a list.

    Args:
        words: label ids of each.
        letters: labels that words are made of: a word begins behind any other and ends before any other.
            Where there are none, as in scripts without spaces, words follow each other anywhere, and each
            label outside of them costs by itself.
        cost: nats; infinite for a list of all words that can be.
        num_labels: of the alphabet, the blank included.
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
        """The place at which a text ends that ended at another, with one more label."""
        found = frozenset(self._longer(node)[label] for node in place if label in self._longer(node))
        if self.letters:
            begins = label not in self.letters and (not found or self._is_whole(place))
        else:
            begins = not found or self._is_whole(found)
        return found | self.start if begins else found

    def ended(self, place: Place) -> float:
        """Nats that it brings a text that it ends here."""
        return 0.0 if self._is_whole(place) else -self.cost

    def _is_whole(self, place: Place) -> bool:
        """Whether a word may end here; one that is unknown was paid for where it left the list."""
        return not place or any(node.size in (0, len(self._words[node.first])) for node in place)

    def _found_longer(self, node: Node) -> dict[int, Node]:
        """By the next label."""
        longer, begun = {}, self._words[node.first][: node.size]
        first = bisect_left(self._words, begun + "\0", node.first, node.last)  # behind the word that is whole
        while first < node.last:
            label = self._words[first][node.size]
            last = bisect_left(self._words, begun + chr(ord(label) + 1), first, node.last)
            longer[ord(label)] = Node(first, last, node.size + 1)
            first = last
        return longer

    def _gains(self, place: Place) -> np.ndarray:
        """(num_labels,) nats that each label brings a text that ends here."""
        if not place:
            return np.zeros(self.num_labels)
        gains = np.where(self._free & self._is_whole(place), 0.0, -self.cost)
        gains[[label for node in place for label in self._longer(node)]] = 0.0
        return gains
