"""Prefix beam search: what CTC reads, weighed against what a language model expects.

Hannun et al. 2014, "First-pass large vocabulary continuous speech recognition using bi-directional recurrent
DNNs", with labels in place of words: a hypothesis is worth its probability by CTC, summed over all its
alignments, times that by the language model to the power of a weight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import BLANK
from decoders.ctc import Labels, collapsed
from decoders.hotwords import ANYWHERE, Hotwords
from decoders.language_model import LanguageModel

KEPT = 3_000_000  # of the numbers that say what each label is worth behind a text
ROOM = 1024  # contexts that there is room for at first
BONUS = 2.5  # nats a label, about what one costs by a language model: without, short readings would win
LEAST = 1e-3  # probability of a label in a frame from which on it is thought of
TOO_LITTLE = 1e-4  # of the best hypothesis: what begins with less is dropped at once


@dataclass(frozen=True)
class Fusion:
    """What a search knows beside what CTC says.

    Attributes:
        model: over the labels of the CTC decoder; None for none.
        weight: 0 leaves all to CTC; 1 lets the language model say as much.
        edge: the label of what stands before and behind every text, a space; None where there is none.
        hotwords: words to be found rather than others; None for none.
    """

    model: LanguageModel | None
    weight: float = 0.0
    edge: int | None = None
    hotwords: Hotwords | None = None

    def __post_init__(self):
        if not 0 <= self.weight <= 2:
            raise ValueError(f"weight must be from 0 to 2, not {self.weight}")


class PrefixBeam:
    """The search, for one batch after the other, in several threads if need be.

    Args:
        fusion: what it knows.
        width: hypotheses that are kept from frame to frame.
        alternatives: of the likeliest readings that are given with the best one, this among them.
    """

    def __init__(self, fusion: Fusion, width: int, alternatives: int = 0):
        self.fusion, self.width, self.alternatives = fusion, width, alternatives
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
        from decoders.prefix_steps import START, advance, beginning

        frames, num_labels = log_probs.shape
        contexts = self._contexts
        if contexts is None or len(contexts) * num_labels > KEPT:
            contexts = self._contexts = _Contexts(self.fusion, num_labels)
        probabilities = np.exp(log_probs.astype(np.float64))
        probabilities[:, 1:][probabilities[:, 1:] <= LEAST] = 0.0
        texts, beam = beginning(self.width, frames, contexts.root)
        frame, size = 0, 1
        while frame < frames:
            frame, size = advance(probabilities, frame, size, TOO_LITTLE, *contexts.known(), texts, beam)
            for text in beam.text[:size]:
                if not texts.context[text]:
                    before = texts.context[texts.before[text]]
                    texts.context[text] = contexts.longer(before, int(texts.label[text]))
        worth = (beam.blank + beam.last)[:size] * [
            contexts.ended(context) for context in texts.context[beam.text[:size]]
        ]
        readings = []
        for place in (-worth).argsort(kind="stable")[: max(1, self.alternatives)]:
            labels, text = [], beam.text[place]
            while text != START:
                labels.append(int(texts.label[text]))
                text = texts.before[text]
            readings.append((labels[::-1], float(worth[place] / worth.sum())))
        return readings


class _Contexts:
    """What is known of texts that end alike: what each label is worth behind them.

    A context is the last labels of a text, as many as the language model asks for, and its place among the
    hotwords.

    Several threads may ask at once, and compiled code, which nothing keeps from it, read what is known.

    Attributes:
        root: the context of no text.
    """

    def __init__(self, fusion: Fusion, num_labels: int):
        self.fusion = fusion
        self._gains = np.zeros((ROOM, num_labels))
        self._behind = np.zeros((ROOM, num_labels), np.int32)
        self._met: list[tuple[tuple[int, ...], int]] = [((), ANYWHERE)]  # the first one stands for none
        self._places: dict[tuple[tuple[int, ...], int], int] = {}
        self._lock = Lock()
        edge = fusion.edge
        self.root = self._place((() if edge is None or not fusion.model else (edge,), ANYWHERE))

    def __len__(self) -> int:
        return len(self._met)

    def known(self) -> tuple[np.ndarray, np.ndarray, int]:
        """(contexts, num_labels) by which each label multiplies a text's probability; the context behind each
        label, 0 where it is not known; and of how many contexts that says anything."""
        with self._lock:
            return self._gains, self._behind, len(self)

    def longer(self, context: int, label: int) -> int:
        """The context behind one more label."""
        labels, place = self._met[context]
        if self.fusion.model:
            labels = (*labels, label)
            labels = labels[max(0, len(labels) + 1 - self.fusion.model.order) :]
        if self.fusion.hotwords:
            place = self.fusion.hotwords.behind(place, label)
        with self._lock:
            longer = self._behind[context, label] = self._place((labels, place))
        return longer

    def ended(self, context: int) -> float:
        """By what it multiplies a text's probability that it ends here."""
        worth = 1.0
        if self.fusion.model and self.fusion.edge is not None:
            scores = self.fusion.model.log_probs(self._met[context][0])
            worth = math.exp(self.fusion.weight * (scores[self.fusion.edge] + BONUS))
        if self.fusion.hotwords:
            worth *= math.exp(self.fusion.hotwords.ended(self._met[context][1]))
        return worth

    def _place(self, known: tuple[tuple[int, ...], int]) -> int:
        found = self._places.get(known)
        if found is None:
            labels, place = known
            nats = np.zeros(self._gains.shape[1])
            if self.fusion.model:
                nats += self.fusion.weight * (self.fusion.model.log_probs(labels) + BONUS)
            if self.fusion.hotwords:
                nats += self.fusion.hotwords.gains(place)
            found = self._places[known] = len(self)
            if found == len(self._gains):
                self._gains, self._behind = (
                    np.concatenate([table, np.zeros_like(table)]) for table in (self._gains, self._behind)
                )
            self._gains[found] = np.exp(nats)
            self._met.append(known)
        return found
