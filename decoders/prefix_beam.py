"""Prefix beam search: what CTC reads, weighed against what a language model expects.

Hannun et al. 2014, "First-pass large vocabulary continuous speech recognition using bi-directional recurrent
DNNs", with labels in place of words: a hypothesis is worth its probability by CTC, summed over all its
alignments, times that by the language model to the power of a weight.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter

import numpy as np
from torch import Tensor

from decoders.alignment import align
from decoders.alphabet import BLANK
from decoders.ctc import Labels
from decoders.hotwords import ANYWHERE, Hotwords
from decoders.language_model import LanguageModel

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


def prefix_beam(log_probs: Tensor, lengths: Tensor, fusion: Fusion, width: int) -> list[Labels]:
    """The best reading of each sequence.

    Args:
        log_probs: (batch, time, num_labels) by CTC, on the CPU.
        lengths: (batch,) frames of each.
        width: hypotheses that are kept from frame to frame.

    Returns:
        The labels of each, placed by the best alignment of CTC, with its confidences.
    """
    search = _Search(fusion, width, log_probs.size(2))
    found = []
    for scores, length in zip(log_probs, lengths.tolist(), strict=True):
        labels = search(scores[:length].numpy())
        found.append(align(scores[:length], [labels])[0].labels if labels else Labels([], [], [], []))
    return found


_Knows = tuple[tuple[int, ...], int]
"""The last labels of a text, as many as the language model asks for, and its place among the hotwords."""


class _Prefix:
    """A text so far, and the probabilities of its alignments that end in a blank and in its last label.

    They are relative to those of the best text, and 0 outside the beam.
    """

    __slots__ = ("before", "label", "knows", "longer", "inside", "blank", "last", "next_blank", "next_last")

    def __init__(self, before: _Prefix | None, label: int, knows: _Knows):
        self.before, self.label, self.knows = before, label, knows
        self.longer: dict[int, _Prefix] = {}
        self.inside = False
        self.blank = self.last = self.next_blank = self.next_last = 0.0

    def labels(self) -> list[int]:
        found, place = [], self
        while place.before:
            found.append(place.label)
            place = place.before
        return found[::-1]


class _Search:
    """Labels of (time, num_labels) log-probabilities."""

    def __init__(self, fusion: Fusion, width: int, num_labels: int):
        self.fusion, self.width, self.num_labels = fusion, width, num_labels
        self.gains: dict[_Knows, array] = {}

    def __call__(self, log_probs: np.ndarray) -> list[int]:
        edge = self.fusion.edge
        root = _Prefix(None, BLANK, (() if edge is None or not self.fusion.model else (edge,), ANYWHERE))
        root.blank = 1.0
        beam = [root]
        probabilities = np.exp(log_probs)
        likely = probabilities > LEAST
        likely[:, BLANK] = False
        for row, labels in zip(probabilities.tolist(), likely, strict=True):
            beam = self._step(beam, row, np.flatnonzero(labels).tolist())
        return max(beam, key=lambda prefix: (prefix.blank + prefix.last) * self._ended(prefix)).labels()

    def _step(self, beam: list[_Prefix], row: list[float], labels: list[int]) -> list[_Prefix]:
        """The beam behind one more frame."""
        grown, steps, top = list(beam), [], 0.0
        blank = row[BLANK]
        for prefix in beam:
            total = prefix.blank + prefix.last
            prefix.next_blank = total * blank
            prefix.next_last = prefix.last * row[prefix.label]
            top = max(top, prefix.next_blank + prefix.next_last)
            if labels:
                gains = self._gains(prefix.knows)
                for label in labels:
                    gain = row[label] * gains[label] * (prefix.blank if label == prefix.label else total)
                    steps.append((gain, prefix, label))
        top = max(top, max(steps, key=itemgetter(0))[0] if steps else 0.0)
        if not top:  # nothing is possible by numbers this small
            return beam
        for gain, prefix, label in steps:
            if gain >= TOO_LITTLE * top:
                longer = self._longer(prefix, label)
                longer.next_last += gain
                if not longer.inside:
                    longer.inside = True
                    grown.append(longer)
        best = nlargest(self.width, grown, key=lambda prefix: prefix.next_blank + prefix.next_last)
        scale = 1.0 / (best[0].next_blank + best[0].next_last)
        for prefix in grown:
            prefix.inside, prefix.blank, prefix.last = False, 0.0, 0.0
        for prefix in best:
            prefix.inside = True
            prefix.blank, prefix.last = prefix.next_blank * scale, prefix.next_last * scale
        for prefix in grown:
            prefix.next_blank = prefix.next_last = 0.0
        return best

    def _longer(self, prefix: _Prefix, label: int) -> _Prefix:
        """The prefix with a label behind it, one and the same each time."""
        longer = prefix.longer.get(label)
        if longer is None:
            context, place = prefix.knows
            if self.fusion.model:
                behind = (*context, label)
                context = behind[max(0, len(behind) + 1 - self.fusion.model.order) :]
            if self.fusion.hotwords:
                place = self.fusion.hotwords.behind(place, label)
            longer = prefix.longer[label] = _Prefix(prefix, label, (context, place))
        return longer

    def _gains(self, knows: _Knows) -> array:
        """What each label is worth behind a text."""
        found = self.gains.get(knows)
        if found is None:
            context, place = knows
            nats = np.zeros(self.num_labels)
            if self.fusion.model:
                scores = self.fusion.model.log_probs(context).astype(np.float64)
                nats += self.fusion.weight * (scores + BONUS)
            if self.fusion.hotwords:
                nats += self.fusion.hotwords.gains(place)
            found = self.gains[knows] = array("d", np.exp(nats).tobytes())
        return found

    def _ended(self, prefix: _Prefix) -> float:
        """What it is worth that the text ends here."""
        worth, (context, place) = 1.0, prefix.knows
        if self.fusion.model and self.fusion.edge is not None:
            scores = self.fusion.model.log_probs(context)
            worth = math.exp(self.fusion.weight * (scores[self.fusion.edge] + BONUS))
        if self.fusion.hotwords:
            worth *= math.exp(-self.fusion.hotwords.debt(place))
        return worth
