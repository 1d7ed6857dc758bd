"""What every decoder answers, so that nobody needs to ask which one it has.

A decoder turns the core's states into symbols with places. It gives the `loss` of known targets and
can `read` states. What differs between decoders is said by a few properties of `Decoder`; what only
some of them need is an option of `Objective` (training) or `Search` (reading), which the others ignore.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from decoders.alphabet import END
from decoders.language.fusion import Fusion

UNKNOWN = -1  # the label of a frame that nobody labelled


@dataclass(frozen=True, slots=True)
class Labels:
    """What was read in one sequence; one entry for each symbol.

    Attributes:
        ids: label ids, without blanks.
        starts, ends: first frame and one past the last frame.
        confidences: from 0 to 1: for CTC the highest probability of the symbol within its frames, on a
            timeline the mean, for attention the probability of the step.
        alternatives: (ids, probability) of the most probable readings, these ids first; empty unless
            `Search.alternatives` asks for them. Probabilities are shares among the readings that the
            search kept to the end.
    """

    ids: list[int]
    starts: list[int]
    ends: list[int]
    confidences: list[float]
    alternatives: tuple[tuple[list[int], float], ...] = ()


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reading of a sequence by an attention decoder.

    Attributes:
        labels: ids with their confidences, and the encoder states from which each was read. The
            places follow each other, which means something only where text runs along the states;
            labels that outnumber their states share them.
        score: by which hypotheses are ranked: `log_prob`, or with a second scorer that of both, divided
            by the length to the power of `Search.length_power`, and the coverage bonus.
        log_prob: of the labels and the end behind them by the attention decoder, in nats.
        weights: (labels, time) attention of each label.
    """

    labels: Labels
    score: float
    log_prob: float
    weights: Tensor

    @property
    def probability(self) -> float:
        """Of the whole reading, from 0 to 1."""
        return math.exp(self.log_prob)


@dataclass(frozen=True)
class Search:
    """How a decoder reads."""

    width: int = 5
    """Beam width of attention and hybrid decoders. With 1, hybrid decoders read by CTC alone. The prefix
    beam search of CTC, needed with `fusion` or `alternatives`, takes a multiple of it."""
    alternatives: int = 0
    """Most probable readings to return with the best one, which is the first of them; 0 for none."""
    fusion: Fusion | None = None
    """Language model, hotwords and lexicon, for decoders that read frame by frame."""
    max_length: int | None = None
    """Labels of a hypothesis of an attention decoder; None leaves it to `max_ratio` and `max_extra`."""
    max_ratio: float = 1.0
    """Labels of a hypothesis for each state of its item."""
    max_extra: int = 0
    """Labels of a hypothesis beyond those."""
    length_power: float = 0.6
    """Length normalisation of an attention decoder (Wu et al. 2016); 0 is none."""
    coverage: float = 0.0
    """Nats for each state that attention has covered, against loops and missing ends (Chorowski &
    Jaitly 2017)."""
    omission: float = 0.0
    """Weight of the coverage penalty on complete hypotheses (Wu et al. 2016): the logarithm of the attention
    that each state got in all, where that is below 1. Against parts that are left out."""
    barred: tuple[int, ...] = ()
    """Label ids that an attention decoder never writes, such as that of unknown words."""
    switch: float = 4.0
    """Nats that a change of the label costs on a timeline: the higher, the fewer segments."""

    def __post_init__(self):
        if self.width < 1:
            raise ValueError(f"width must be at least 1, not {self.width}")
        if self.alternatives < 0:
            raise ValueError(f"alternatives must be 0 or more, not {self.alternatives}")
        if self.max_length is not None and self.max_length < 0:
            raise ValueError(f"max_length must be 0 or more, not {self.max_length}")
        if not 0 < self.max_ratio < math.inf or self.max_extra < 0 or not self.omission >= 0:
            found = f"{self.max_ratio}, {self.max_extra} and {self.omission}"
            raise ValueError(f"max_ratio must be above 0, max_extra and omission 0 or more, not {found}")
        if END in self.barred:
            raise ValueError(f"label {END} is the end, without which no hypothesis is complete")
        if not self.switch >= 0:
            raise ValueError(f"switch must be 0 or more, not {self.switch}")


@dataclass(frozen=True)
class Objective:
    """What training minimises beside or instead of the plain negative log-likelihood."""

    sampling: float = 0.0
    """Share of labels that an attention decoder reads from itself instead of from the target (scheduled
    sampling, Bengio et al. 2015)."""
    smoothing: float = 0.0
    """Label smoothing of an attention decoder (Szegedy et al. 2016)."""
    doubly_stochastic: float = 0.0
    """Weight of the squares by which the attention that each state gets over all steps differs from 1
    (Xu et al. 2015, equation 14)."""
    focal: float = 0.0
    """Exponent of the focal loss of classifiers and timelines (Lin et al. 2017); 0 is cross-entropy."""
    weights: Tensor | None = None
    """(num_labels,) of the frames of each label on a timeline, and of the texts that have it, where they may
    have several."""
    blank: bool = True
    """Whether CTC may leave frames to no label; without, every frame belongs to one (Huang et al. 2016)."""


SEARCH, OBJECTIVE = Search(), Objective()


class Decoder(nn.Module, ABC):
    """States of the core -> labels with places. Label 0 is never read: it is the blank of CTC, the end of
    an attention decoder, and none of the classes.

    Results for a sequence do not depend on the others in its batch, nor on the padding.
    """

    by_frame = False
    """Whether it has log-probabilities of the labels for each frame (`frame_log_probs`), by which texts
    are aligned, language models weighed, and models taught by others."""
    writes = False
    """Whether it writes one label after the other, and so has `hypotheses`."""
    pools = False
    """Whether it gives one label for the whole sequence."""
    several = False
    """Whether a sequence may have several labels at once, each with a probability of its own."""
    reject = 0
    """The label for sequences that are of no class; 0 where there is none."""
    predicts = False
    """Whether it tells, after each state, which symbol comes next (`next_log_probs`)."""
    learns_order = False
    """Whether its targets say only which labels follow each other, not where."""
    is_linear = False
    """Whether it is nothing but a linear layer, `project`, over each state."""
    measures = False
    """Whether it gives numbers instead of labels."""
    label_rows: tuple[str, ...] = ("project.weight", "project.bias")
    """Names of the weights that have a row for each label."""

    @abstractmethod
    def loss(
        self,
        states: Tensor,
        lengths: Tensor,
        targets: Sequence[Sequence[int]],
        objective: Objective = OBJECTIVE,
        log_probs: Tensor | None = None,
    ) -> Tensor:
        """Negative log-likelihood of each target, (batch,), in nats, or what `objective` makes of it.

        Args:
            states: (batch, time, features), padded at the end.
            lengths: (batch,) valid frames of each sequence, each at least 1.
            targets: label ids: a text for decoders that learn the order; one label where `pools`; and on a
                timeline one for each frame, `UNKNOWN` where there is none.
            objective: what is minimised.
            log_probs: what `frame_log_probs` gave for these states, where it has been computed already.
        """

    @abstractmethod
    def read(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[Labels]:
        """The best reading of each sequence; of a decoder in evaluation mode, without gradients.

        Args:
            states: (batch, time, features), padded at the end.
            lengths: (batch,) valid frames of each sequence, each at least 1.
            search: how to read.
        """

    def searches(self, width: int) -> bool:
        """Whether it reads by beam search with this beam width, not by the best label of each frame."""
        return False

    def hypotheses(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[list[Hypothesis]]:
        """All hypotheses of the beam search for each sequence, the best first, where it `writes`."""
        raise TypeError(f"{type(self).__name__} writes no hypotheses")

    def frame_log_probs(self, states: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, num_labels) log-probabilities in float32, where `by_frame`."""
        raise TypeError(f"{type(self).__name__} has no probabilities for each frame")

    def next_log_probs(self, states: Tensor) -> Tensor:
        """(..., features) states -> (..., num_labels) log-probabilities in float32 of the label that comes
        next after each, where it `predicts`.
        """
        raise TypeError(f"{type(self).__name__} does not tell what comes next")

    def frame_probabilities(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        """What each frame shows, where the decoder `pools` or reads `by_frame`.

        Returns:
            (batch, time, num_labels) probabilities, the same for all frames where it `pools`, else
            without those of the blank; and where it `pools` the (batch, time) share of each frame in
            the decision, else None.
        """
        raise TypeError(f"{type(self).__name__} has no probabilities for each frame")

    def targets(self, frames: Sequence[Sequence[int]]) -> list[list[int]]:
        """What `loss` learns from the labels of every frame: here, those that follow each other."""
        return [in_order(labels) for labels in frames]


def in_order(labels: Sequence[int]) -> list[int]:
    """The labels that follow each other in the frames of a sequence, without label 0 and `UNKNOWN`."""
    before = [None, *labels]
    return [int(label) for label, last in zip(labels, before, strict=False) if label != last and label > 0]


def valid_frames(states: Tensor, lengths: Tensor) -> Tensor:
    """(batch, time) whether each frame is inside its sequence.

    Raises:
        ValueError: lengths that do not fit (batch, time, ...) states.
    """
    if lengths.shape != states.shape[:1] or (lengths < 1).any() or (lengths > states.size(1)).any():
        raise ValueError(
            f"lengths must be {states.size(0)} numbers from 1 to {states.size(1)} frames, "
            f"not {lengths.tolist()}"
        )
    return torch.arange(states.size(1), device=states.device) < lengths.to(states.device).unsqueeze(1)
