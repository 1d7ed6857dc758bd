"""What is known of a language while a text grows: a language model, hotwords and a lexicon."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from decoders.language.hotwords import Hotwords
from decoders.language.lexicon import Lexicon
from decoders.language.ngrams import LanguageModel

KEPT = 3_000_000  # numbers of the table of what each label is worth in each context, before it is begun anew
ROOM = 1024  # contexts that the table has room for at first
BONUS = 2.5  # nats a label, about what one costs by a language model: without, short readings would win

_Context = tuple[tuple[int, ...], tuple[Hashable, ...]]


@dataclass(frozen=True)
class Fusion:
    """What a search knows beside what CTC says.

    Attributes:
        model: a language model over the labels of the decoder; None for none.
        weight: of the language model, from 0 to 2, against CTC's 1.
        edge: the label before and behind every text, a space; None where there is none.
        hotwords: words that are favoured; None for none.
        lexicon: the words of the language; None allows any.
        closed: whether the lexicon was given as all the words that there are: what it leaves may be
            improbable, so that the search must be wider and prune less.

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
        """Hotwords and lexicon, those that there are."""
        return [words for words in (self.hotwords, self.lexicon) if words]

    def contexts(self, num_labels: int) -> Contexts:
        """What has been computed of texts so far; kept from one sequence to the next, up to a size."""
        known = self._contexts[-1] if self._contexts else None
        if known is None or known.num_labels != num_labels or len(known) * num_labels > KEPT:
            known = Contexts(self, num_labels)
            self._contexts[:] = [known]
        return known


class Contexts:
    """What each label is worth behind texts that end alike.

    A context is the last labels of a text, as many as the language model looks back, and its place in each
    list of words. Several threads may use one object, and compiled code reads its tables without a lock.

    Attributes:
        root: the context of the empty text.
        num_labels: of the decoder.
    """

    def __init__(self, fusion: Fusion, num_labels: int):
        self.fusion, self.num_labels = fusion, num_labels
        self._gains = np.zeros((ROOM, num_labels))
        self._behind = np.zeros((ROOM, num_labels), np.int32)
        self._lists = fusion.word_lists
        self._met: list[_Context] = [((), ())]  # the first one stands for none
        self._places: dict[_Context, int] = {}
        self._lock = Lock()
        edge = () if fusion.edge is None or not fusion.model else (fusion.edge,)
        self.root = self._place((edge, tuple(words.start for words in self._lists)))

    def __len__(self) -> int:
        return len(self._met)

    def known(self) -> tuple[np.ndarray, np.ndarray, int]:
        """The table of contexts.

        Returns:
            (contexts, num_labels) factors by which each label multiplies a text's probability; the context
            behind each label, 0 where it is unknown; and how many contexts are filled in.
        """
        with self._lock:
            return self._gains, self._behind, len(self)

    def longer(self, context: int, label: int) -> int:
        """The context behind one more label, filled in if it is new."""
        labels, places = self._met[context]
        if self.fusion.model:
            labels = (*labels, label)
            labels = labels[max(0, len(labels) + 1 - self.fusion.model.order) :]
        pairs = zip(self._lists, places, strict=True)
        places = tuple(words.behind(place, label) for words, place in pairs)
        with self._lock:
            longer = self._behind[context, label] = self._place((labels, places))
        return longer

    def ended(self, context: int) -> float:
        """The factor of a text's probability for ending here."""
        worth = 1.0
        if self.fusion.model and self.fusion.edge is not None:
            scores = self.fusion.model.log_probs(self._met[context][0])
            worth = math.exp(self.fusion.weight * (scores[self.fusion.edge] + BONUS))
        for words, place in zip(self._lists, self._met[context][1], strict=True):
            worth *= math.exp(words.ended(place))
        return worth

    def _place(self, known: _Context) -> int:
        found = self._places.get(known)
        if found is None:
            labels, places = known
            nats = np.zeros(self._gains.shape[1])
            if self.fusion.model:
                nats += self.fusion.weight * (self.fusion.model.log_probs(labels) + BONUS)
            for words, place in zip(self._lists, places, strict=True):
                nats += words.gains(place)
            found = self._places[known] = len(self)
            if found == len(self._gains):
                self._gains, self._behind = (
                    np.concatenate([table, np.zeros_like(table)]) for table in (self._gains, self._behind)
                )
            self._gains[found] = np.exp(nats)
            self._met.append(known)
        return found
