"""Shallow fusion: scores of a language model, hotwords and a lexicon for growing texts."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from decoders.language.hotwords import Hotwords
from decoders.language.lexicon import Lexicon
from decoders.language.ngrams import LanguageModel

KEPT = 3_000_000  # entries of the table of contexts, at which it is cleared
ROOM = 1024  # initial capacity of the table of contexts
BONUS = 2.5  # insertion bonus in nats per label, about its language model cost, against too short readings

_Context = tuple[tuple[int, ...], tuple[Hashable, ...]]


@dataclass(frozen=True)
class Fusion:
    """What is added to the score of CTC in the search (shallow fusion).

    Attributes:
        model: a language model over the labels of the decoder; None for none.
        weight: weight of the language model, from 0 to 2, relative to CTC.
        edge: the label before and behind every text, a space; None if there is none.
        hotwords: words that get a bonus; None for none.
        lexicon: the words of the language; None for no restriction.
        closed: whether the lexicon is meant to be complete: its words may be improbable, so the search must
            be wider and prune less.

    Raises:
        ValueError: a weight out of range.
    """

    model: LanguageModel | None = None
    weight: float = 0.0
    edge: int | None = None
    hotwords: Hotwords | None = None
    lexicon: Lexicon | None = None
    closed: bool = False
    _contexts: list[Contexts] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self):
        if not 0 <= self.weight <= 2:
            raise ValueError(f"weight must be from 0 to 2, not {self.weight}")

    @property
    def word_lists(self) -> list[Hotwords | Lexicon]:
        """Hotwords and lexicon, as far as given."""
        return [words for words in (self.hotwords, self.lexicon) if words]

    def contexts(self, num_labels: int) -> Contexts:
        """The table of contexts computed so far; kept from one sequence to the next, up to a size."""
        known = self._contexts[-1] if self._contexts else None
        if known is None or known.num_labels != num_labels or len(known) * num_labels > KEPT:
            known = Contexts(self, num_labels)
            self._contexts[:] = [known]
        return known


class Contexts:
    """Scores of each label in each context.

    A context is the history of the language model and the state in each word list. Several threads may use
    one object; compiled code reads its tables without a lock.

    Attributes:
        root: the context of the empty text.
        num_labels: number of labels of the decoder.
    """

    def __init__(self, fusion: Fusion, num_labels: int):
        self.fusion, self.num_labels = fusion, num_labels
        self._gains = np.zeros((ROOM, num_labels))
        self._behind = np.zeros((ROOM, num_labels), np.int32)
        self._lists = fusion.word_lists
        self._met: list[_Context] = [((), ())]  # context 0 stands for "unknown"
        self._places: dict[_Context, int] = {}
        self._lock = Lock()
        edge = () if fusion.edge is None or not fusion.model else (fusion.edge,)
        (self.root,) = self._placed([(edge, tuple(words.start for words in self._lists))])

    def __len__(self) -> int:
        return len(self._met)

    def known(self) -> tuple[np.ndarray, np.ndarray, int]:
        """The table of contexts.

        Returns:
            (contexts, num_labels) factors by which each label multiplies the probability of a text; the
            context after each label, 0 where it is not known yet; and the number of contexts.
        """
        with self._lock:
            return self._gains, self._behind, len(self)

    def longer(self, steps: Sequence[tuple[int, int]]) -> list[int]:
        """The context after each (context, one more label); those that are new are computed together."""
        found = [self._behind_label(*step) for step in steps]
        with self._lock:
            longer = self._placed(found)
            for (context, label), place in zip(steps, longer, strict=True):
                self._behind[context, label] = place
        return longer

    def _behind_label(self, context: int, label: int) -> _Context:
        labels, places = self._met[context]
        if self.fusion.model:
            labels = (*labels, label)
            labels = labels[max(0, len(labels) + 1 - self.fusion.model.order) :]
        pairs = zip(self._lists, places, strict=True)
        return labels, tuple(words.behind(place, label) for words, place in pairs)

    def ended(self, context: int) -> float:
        """The factor by which ending here multiplies the probability of a text."""
        worth = 1.0
        if self.fusion.model and self.fusion.edge is not None:
            scores = self.fusion.model.log_probs(self._met[context][0])
            worth = math.exp(self.fusion.weight * (scores[self.fusion.edge] + BONUS))
        for words, place in zip(self._lists, self._met[context][1], strict=True):
            worth *= math.exp(words.ended(place))
        return worth

    def _placed(self, contexts: Sequence[_Context]) -> list[int]:
        """The places of contexts in the table, which those that are new are added to."""
        new = [known for known in dict.fromkeys(contexts) if known not in self._places]
        scores: Sequence[np.ndarray | float] = [0.0] * len(new)
        if self.fusion.model and new:
            said = self.fusion.model.log_probs_of([labels for labels, _ in new])
            scores = [self.fusion.weight * (each + BONUS) for each in said]
        for known, score in zip(new, scores, strict=True):
            nats = np.zeros(self._gains.shape[1]) + score
            for words, place in zip(self._lists, known[1], strict=True):
                nats += words.gains(place)
            found = self._places[known] = len(self)
            if found == len(self._gains):
                self._gains, self._behind = (
                    np.concatenate([table, np.zeros_like(table)]) for table in (self._gains, self._behind)
                )
            self._gains[found] = np.exp(nats)
            self._met.append(known)
        return [self._places[known] for known in contexts]
