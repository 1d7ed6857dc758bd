"""Hotwords: words, such as names, that are favoured in the search."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

import numpy as np

ANYWHERE = 0  # the state in which a word may begin
NOWHERE = 1  # the state within a word that is not a hotword
MOST = 300.0  # largest bonus of a word in nats; exp overflows at about twice as many
AHEAD = 6.0  # largest bonus in nats before a word is complete: paying back more would prune the hypothesis


class Hotwords:
    """A bonus for each label of a hotword, taken back if the word turns out to be another one.

    Zhao et al. (2019, "Shallow-fusion end-to-end contextual biasing"): the words form a prefix tree of
    labels, and every text ends in one of its states.

    Args:
        words: label ids of each; a word may have several parts, separated by spaces.
        letters: labels that words consist of; all other labels separate words. If there are none, as in
            scripts without spaces, a word may begin anywhere.
        bonus: nats per label.
        num_labels: number of labels, including the blank.
    """

    def __init__(
        self, words: Iterable[Sequence[int]], letters: Collection[int], bonus: float, num_labels: int
    ):
        self.letters, self.bonus, self.num_labels = frozenset(letters), bonus, num_labels
        self._longer: list[dict[int, int]] = [{}, {}]
        self._owed, self._last = [0, 0], [0, 0]  # labels since a word was complete; the last label
        self._whole = {ANYWHERE, NOWHERE}
        for word in sorted(words, key=len):
            place = ANYWHERE
            for label in word:
                place = self._longer[place].get(label) or self._grown(place, label)
            self._whole.add(place)
        self.gains = lru_cache(1000)(self._gains)

    start = ANYWHERE

    def _grown(self, place: int, label: int) -> int:
        """A new state, reached by a label."""
        longer = self._longer[place][label] = len(self._longer)
        kept = place in self._whole and label not in self.letters
        self._longer.append({})
        self._owed.append(1 if kept else self._owed[place] + 1)
        self._last.append(label)
        return longer

    def behind(self, place: int, label: int) -> int:
        """The state after one more label."""
        longer = self._longer[place].get(label)
        if longer is not None:
            return longer
        if self._begins_again(place):
            return self.behind(ANYWHERE, label)
        return NOWHERE if label in self.letters else ANYWHERE

    def ended(self, place: int) -> float:
        """Score in nats of ending the text in this state: the rest of the bonus if a word is complete."""
        return self._rest(place) if place in self._whole else -self._paid(place)

    def _paid(self, place: int) -> float:
        return min(self.bonus * self._owed[place], AHEAD)

    def _rest(self, place: int) -> float:
        return min(self.bonus * self._owed[place], MOST) - self._paid(place)

    def _begins_again(self, place: int) -> bool:
        """Whether another word may begin here, within a word of several parts."""
        return place > NOWHERE and self._last[place] not in self.letters

    def _gains(self, place: int) -> np.ndarray:
        """Score in nats of each label in this state, (num_labels,)."""
        gains = np.full(self.num_labels, -self._paid(place))
        if place in self._whole:
            gains[[label for label in range(self.num_labels) if label not in self.letters]] = self._rest(
                place
            )
        begun = self._longer[ANYWHERE] | self._longer[place]
        for label, longer in begun.items() if self._begins_again(place) else self._longer[place].items():
            gains[label] += self._paid(longer)
        return gains
