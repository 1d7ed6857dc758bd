"""Prefix beam search: what CTC reads, weighed against what a language model expects.

Hannun et al. 2014, "First-pass large vocabulary continuous speech recognition using bi-directional recurrent
DNNs", with labels in place of words: a hypothesis is worth its probability by CTC, summed over all its
alignments, times that by the language model to the power of a weight.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import BLANK
from decoders.ctc import Labels, collapsed
from decoders.language.hotwords import Hotwords
from decoders.language.lexicon import Lexicon
from decoders.language.ngrams import LanguageModel

KEPT = 3_000_000  # of the numbers that say what each label is worth behind a text
ROOM = 1024  # contexts that there is room for at first
BONUS = 2.5  # nats a label, about what one costs by a language model: without, short readings would win
LEAST = 1e-3  # probability of a label in a frame from which on it is thought of
TOO_LITTLE = 1e-4  # of the best hypothesis: what begins with less is dropped at once
LEAST_THOROUGH, TOO_LITTLE_THOROUGH = 1e-5, 1e-6  # the same where it is thorough

_Context = tuple[tuple[int, ...], tuple[Hashable, ...]]


@dataclass(frozen=True)
class Fusion:
    """What a search knows beside what CTC says.

    Attributes:
        model: over the labels of the CTC decoder; None for none.
        weight: 0 leaves all to CTC; 1 lets the language model say as much.
        edge: the label of what stands before and behind every text, a space; None where there is none.
        hotwords: words to be found rather than others; None for none.
        lexicon: the words that there are; None where there may be others.
    """

    model: LanguageModel | None
    weight: float = 0.0
    edge: int | None = None
    hotwords: Hotwords | None = None
    lexicon: Lexicon | None = None

    def __post_init__(self):
        if not 0 <= self.weight <= 2:
            raise ValueError(f"weight must be from 0 to 2, not {self.weight}")

    @property
    def lists(self) -> list[Hotwords | Lexicon]:
        """Of words."""
        return [words for words in (self.hotwords, self.lexicon) if words]


class PrefixBeam:
    """The search, for one batch after the other, in several threads if need be.

    Args:
        fusion: what it knows.
        width: hypotheses that are kept from frame to frame.
        alternatives: of the likeliest readings that are given with the best one, this among them.
        thorough: think of improbable labels and texts, too, which may be all that a list of words leaves.
    """

    def __init__(self, fusion: Fusion, width: int, alternatives: int = 0, thorough: bool = False):
        self.fusion, self.width, self.alternatives = fusion, width, alternatives
        self.thorough = thorough
        self._contexts: _Contexts | None = None

    def __call__(self, log_probs: Tensor, lengths: Tensor) -> list[Labels]:
        """The best reading of each sequence.

        Args:
            log_probs: (batch, time, num_labels) by CTC, on the CPU.
            lengths: (batch,) frames of each.

        Returns:
            The labels of each, placed by the best alignment of CTC, with its confidences.
        """
        from torchaudio.functional import forced_align

        paths, alternatives = torch.full(log_probs.shape[:2], BLANK), []
        for path, scores, length in zip(paths, log_probs, lengths.tolist(), strict=True):
            found = self._readings(scores[:length].numpy())
            labels = found[0][0]
            if labels:
                path[:length] = forced_align(scores[None, :length].float(), torch.tensor([labels]))[0][0]
            alternatives.append(tuple(found[: self.alternatives]))
        best = collapsed(paths, log_probs.gather(2, paths[:, :, None])[:, :, 0], lengths)
        return [replace(one, alternatives=all_) for one, all_ in zip(best, alternatives, strict=True)]

    def _readings(self, log_probs: np.ndarray) -> list[tuple[list[int], float]]:
        """Of (time, num_labels): labels and their share in the probability of all, the likeliest first."""
        from decoders.search.prefix_steps import START, advance, beginning

        frames, num_labels = log_probs.shape
        contexts = self._contexts
        if contexts is None or len(contexts) * num_labels > KEPT:
            contexts = self._contexts = _Contexts(self.fusion, num_labels)
        probabilities = np.exp(log_probs.astype(np.float64))
        least, too_little = (LEAST_THOROUGH, TOO_LITTLE_THOROUGH) if self.thorough else (LEAST, TOO_LITTLE)
        probabilities[:, 1:][probabilities[:, 1:] <= least] = 0.0
        texts, beam = beginning(self.width, frames, contexts.root)
        frame, size = 0, 1
        while frame < frames:
            frame, size = advance(probabilities, frame, size, too_little, *contexts.known(), texts, beam)
            for text in beam.text[:size]:
                if not texts.context[text]:
                    before = texts.context[texts.before[text]]
                    texts.context[text] = contexts.longer(before, int(texts.label[text]))
        found, worth = beam.text[:size].copy(), (beam.blank + beam.last)[:size]
        ends = np.array([contexts.ended(context) for context in texts.context[found]])
        if ends.any():
            worth = worth * ends
        else:  # no text may end here: go back to where each might
            for place, text in enumerate(found):
                while not contexts.ended(texts.context[text]):
                    text = texts.before[text]
                found[place] = text
        readings = []
        for place in (-worth).argsort(kind="stable")[: max(1, self.alternatives)]:
            labels, text = [], found[place]
            while text != START:
                labels.append(int(texts.label[text]))
                text = texts.before[text]
            readings.append((labels[::-1], float(worth[place] / worth.sum())))
        return readings


class _Contexts:
    """What is known of texts that end alike: what each label is worth behind them.

    A context is the last labels of a text, as many as the language model asks for, and its place in each list
    of words.

    Several threads may ask at once, and compiled code, which nothing keeps from it, read what is known.

    Attributes:
        root: the context of no text.
    """

    def __init__(self, fusion: Fusion, num_labels: int):
        self.fusion = fusion
        self._gains = np.zeros((ROOM, num_labels))
        self._behind = np.zeros((ROOM, num_labels), np.int32)
        self._lists = fusion.lists
        self._met: list[_Context] = [((), ())]  # the first one stands for none
        self._places: dict[_Context, int] = {}
        self._lock = Lock()
        edge = () if fusion.edge is None or not fusion.model else (fusion.edge,)
        self.root = self._place((edge, tuple(words.start for words in self._lists)))

    def __len__(self) -> int:
        return len(self._met)

    def known(self) -> tuple[np.ndarray, np.ndarray, int]:
        """(contexts, num_labels) by which each label multiplies a text's probability; the context behind each
        label, 0 where it is not known; and of how many contexts that says anything."""
        with self._lock:
            return self._gains, self._behind, len(self)

    def longer(self, context: int, label: int) -> int:
        """The context behind one more label."""
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
        """By what it multiplies a text's probability that it ends here."""
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
