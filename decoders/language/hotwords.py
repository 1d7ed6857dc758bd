"""Words that a search shall find rather than others, such as names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

import numpy as np

ANYWHERE = 0  # the place where a word may begin
NOWHERE = 1  # that within a word which is none of them
MOST = 300.0  # nats for a word; numbers end at twice as many
AHEAD = 6.0  # nats at most that a word gets before it is whole: what pays back more would leave the beam


class Hotwords:
    """A bonus for each label of a word, paid ahead, and back where it turns out to be another one.

    Zhao et al. 2019, "Shallow-fusion end-to-end contextual biasing": the words form a tree of labels, and
    every text ends at a place of it.

    Args:
        words: label ids of each; one may have several parts, with spaces between them.
        letters: labels that words are made of: a word begins behind any other and ends before any other.
            Where there are none, as in scripts without spaces, it may stand anywhere.
        bonus: nats a label.
        num_labels: of the alphabet, the blank included.
    """

    def __init__(
        self, words: Iterable[Sequence[int]], letters: Collection[int], bonus: float, num_labels: int
    ):
        self.letters, self.bonus, self.num_labels = frozenset(letters), bonus, num_labels
        self._longer: list[dict[int, int]] = [{}, {}]
        self._owed, self._last = [0, 0], [0, 0]  # labels since a word was whole; the last one of all
        self._whole = {ANYWHERE, NOWHERE}
        for word in sorted(words, key=len):
            place = ANYWHERE
            for label in word:
                place = self._longer[place].get(label) or self._grown(place, label)
            self._whole.add(place)
        self.gains = lru_cache(1000)(self._gains)

    start = ANYWHERE

    def _grown(self, place: int, label: int) -> int:
        """A new place, behind a label."""
        longer = self._longer[place][label] = len(self._longer)
        kept = place in self._whole and label not in self.letters
        self._longer.append({})
        self._owed.append(1 if kept else self._owed[place] + 1)
        self._last.append(label)
        return longer

    def behind(self, place: int, label: int) -> int:
        """The place at which a text ends that ended at another, with one more label."""
        longer = self._longer[place].get(label)
        if longer is not None:
            return longer
        if self._begins_again(place):
            return self.behind(ANYWHERE, label)
        return NOWHERE if label in self.letters else ANYWHERE

    def ended(self, place: int) -> float:
        """Nats that it brings a text that it ends here: what is not paid yet if a word does, too."""
        return self._rest(place) if place in self._whole else -self._paid(place)

    def _paid(self, place: int) -> float:
        return min(self.bonus * self._owed[place], AHEAD)

    def _rest(self, place: int) -> float:
        return min(self.bonus * self._owed[place], MOST) - self._paid(place)

    def _begins_again(self, place: int) -> bool:
        """Whether, within a word of several parts, another one may begin."""
        return place > NOWHERE and self._last[place] not in self.letters

    def _gains(self, place: int) -> np.ndarray:
        """(num_labels,) nats that each label brings a text that ends here."""
        gains = np.full(self.num_labels, -self._paid(place))
        if place in self._whole:
            gains[[label for label in range(self.num_labels) if label not in self.letters]] = self._rest(
                place
            )
        begun = self._longer[ANYWHERE] | self._longer[place]
        for label, longer in begun.items() if self._begins_again(place) else self._longer[place].items():
            gains[label] += self._paid(longer)
        return gains
