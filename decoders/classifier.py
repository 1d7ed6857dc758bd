"""Classifiers: hidden states -> one class for the whole sequence, or one for each frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from decoders.bag import Bag
from decoders.contract import OBJECTIVE, SEARCH, UNKNOWN, Decoder, Labels, Objective, Search, valid_frames
from decoders.search.switching import segments

POOLINGS = ("attention", "mean")
NONE = -10.0  # logit of label 0, which no sequence has, where others give the logits


class Classifier(Decoder):
    """Sequence classifier: pooling over time, then a linear layer.

    Pooling is additive attention (Bahdanau et al. 2015) with one query, or with several whose results are
    concatenated (Lin et al. 2017, "A structured self-attentive sentence embedding"); or the mean, the
    baseline.

    Args:
        input_size: features per hidden state.
        num_labels: number of classes.
        pooling: "attention" or "mean".
        heads: number of queries.
        attention_size: size of the space in which states are scored.
        dropout: dropout on the pooled states.
        several: whether a sequence may have several labels, or none; else it has one.
        reject: the label for sequences that are of no class; 0 where there is none.
        bag: rows of the table of a linear model of the tokens that were read, whose scores are added; 0 where
            there is none.
        beside: whether logits of all classes, which another model gives, lie behind the features of each
            state, and are mixed with its own.

    Attributes:
        shares: (2,) by which the logits of the states and those of the bag are multiplied; 1 and 0 after
            construction.
        share: of its own logits in the mixture with those of another model; 1 after construction.
        thresholds: (num_labels,) probabilities from which a sequence has each label, where it may have
            several; 0.5 after construction.

    Raises:
        ValueError: for an unknown pooling, a size below 1, or a label that is none.
    """

    pools = True

    def __init__(
        self,
        input_size: int,
        num_labels: int,
        pooling: str = "attention",
        heads: int = 1,
        attention_size: int = 128,
        dropout: float = 0.0,
        several: bool = False,
        reject: int = 0,
        bag: int = 0,
        *,
        beside: bool = False,
    ):
        super().__init__()
        if not 0 <= reject < num_labels or (several and reject):
            raise ValueError(f"reject must be one label of several classes, not {reject}")
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {POOLINGS}, not {pooling!r}")
        if min(input_size, num_labels, heads, attention_size) < 1:
            raise ValueError("input_size, num_labels, heads and attention_size must be at least 1")
        self.num_labels = num_labels
        self.dropout = dropout
        self.several, self.reject = several, reject
        self.input_size, self.beside = input_size, beside
        if several:
            self.register_buffer("thresholds", torch.full((num_labels,), 0.5))
        self.bag = None
        if bag:
            self.bag = Bag(bag, num_labels)
            self.register_buffer("shares", torch.tensor([1.0, 0.0]))
        self.judge = None
        if pooling == "attention":
            self.judge = nn.Sequential(
                nn.Linear(input_size, attention_size), nn.Tanh(), nn.Linear(attention_size, heads, bias=False)
            )
        pooled = input_size * (heads if pooling == "attention" else 1)
        self.project = nn.Linear(pooled, num_labels)
        if beside:
            self.register_buffer("share", torch.ones(1))

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Classify whole sequences.

        Args:
            x: (batch, time, input_size), padded at the end with any values; with `beside` perhaps
                num_labels - 1 features more, the logits of the other model, the same in all frames.
            lengths: (batch,), the number of valid frames of each sequence, at least 1.

        Returns:
            (batch, num_labels) logits in float32; and (batch, time) attention weights, the mean over heads,
            which sum to 1 and are 0 in the padding.
        """
        valid = valid_frames(x, lengths)
        given, x = x[:, 0, self.input_size :], x[..., : self.input_size]
        x = x.masked_fill(~valid.unsqueeze(2), 0.0)
        scores = x.new_zeros(*valid.shape, 1) if self.judge is None else self.judge(x)  # (B, T, heads)
        weights = scores.float().masked_fill(~valid.unsqueeze(2), -torch.inf).softmax(dim=1)
        pooled = weights.transpose(1, 2).to(x.dtype).bmm(x).flatten(1)  # (B, heads * input_size)
        logits = self.project(F.dropout(pooled, self.dropout, self.training)).float()
        if given.size(1):
            logits = self.share * logits + (1 - self.share) * F.pad(given.float(), (1, 0), value=NONE)
        return logits, weights.mean(dim=2)

    def loss(
        self,
        states: Tensor,
        lengths: Tensor,
        targets: Sequence[Sequence[int]],
        objective: Objective = OBJECTIVE,
        log_probs: Tensor | None = None,
    ) -> Tensor:
        """Focal loss of the one label of each target, or where there may be several, the cross-entropy of
        each of them, summed; see `Decoder.loss`.
        """
        logits, _ = self(states, lengths)
        if self.several:
            wanted = torch.zeros_like(logits)
            for row, labels in enumerate(targets):
                wanted[row, list(labels)] = 1.0
            losses = F.binary_cross_entropy_with_logits(
                logits, wanted, reduction="none", pos_weight=objective.weights
            )
            return losses[:, 1:].sum(dim=1)
        labels = torch.tensor([label for (label,) in targets], device=states.device)
        return focal_loss(logits, labels, objective.focal)

    @torch.no_grad()
    def read(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[Labels]:
        """The most probable class, over all frames; alternatives are the most probable ones."""
        probabilities, _ = self.frame_probabilities(states, lengths)
        found = []
        for row, length in zip(probabilities[:, 0], lengths.tolist(), strict=True):
            chances, labels = (each.tolist() for each in row[1:].sort(descending=True, stable=True))
            classes = [([label + 1], chance) for label, chance in zip(labels, chances, strict=True)]
            ids, probability = classes[0]
            found.append(Labels(ids, [0], [length], [probability], tuple(classes[: search.alternatives])))
        return found

    def frame_probabilities(
        self, states: Tensor, lengths: Tensor, inputs: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Probabilities of the classes, the same for all frames, and the share of each frame.

        Args:
            inputs: (batch, time) ids of the tokens; without them, the scores of the bag are left out.
        """
        logits, shares = self(states, lengths)
        if self.bag is not None and inputs is not None:
            logits = self.shares[0] * logits + self.shares[1] * self.bag(inputs, lengths)
        chances = logits[:, 1:].sigmoid() if self.several else logits[:, 1:].softmax(dim=1)
        return F.pad(chances, (1, 0))[:, None].expand(-1, states.size(1), -1), shares

    def targets(self, frames: Sequence[Sequence[int]]) -> list[list[int]]:
        """The label of the first frame."""
        return [[int(labels[0])] for labels in frames]


class Timeline(Decoder):
    """Frame classifier: a class for each frame.

    Args:
        input_size: features per hidden state.
        num_labels: number of labels, including label 0 for frames of no class.
        dropout: dropout on the hidden states.
    """

    by_frame = is_linear = True

    def __init__(self, input_size: int, num_labels: int, dropout: float = 0.0):
        super().__init__()
        self.num_labels = num_labels
        self.dropout = dropout
        self.project = nn.Linear(input_size, num_labels)

    def forward(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, input_size) -> `frame_log_probs`, and `lengths`."""
        return self.frame_log_probs(states, lengths), lengths

    def frame_log_probs(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities: (batch, time, input_size) -> (batch, time, num_labels) in float32."""
        return self._logits(states).log_softmax(dim=2)

    def loss(
        self,
        states: Tensor,
        lengths: Tensor,
        targets: Sequence[Sequence[int]],
        objective: Objective = OBJECTIVE,
        log_probs: Tensor | None = None,
    ) -> Tensor:
        """Focal loss of each sequence, summed over its labelled frames; see `Decoder.loss`."""
        if log_probs is None:
            log_probs = self.frame_log_probs(states, lengths)
        rows = [torch.tensor(labels, dtype=torch.long) for labels in targets]
        labels = pad_sequence(rows, batch_first=True, padding_value=UNKNOWN).to(states.device)
        labels = F.pad(labels, (0, states.size(1) - labels.size(1)), value=UNKNOWN)
        known = valid_frames(log_probs, lengths) & (labels != UNKNOWN)
        labels = labels.masked_fill(~known, 0)
        losses = focal_loss(log_probs, labels, objective.focal)
        if objective.weights is not None:
            losses = losses * objective.weights[labels]
        return losses.where(known, 0.0).sum(dim=1)

    @torch.no_grad()
    def read(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[Labels]:
        """Segments, found by a search in which each change of the label costs `search.switch` nats."""
        probabilities, _ = self.frame_probabilities(states, lengths)
        rows = zip(probabilities.cpu().numpy(), lengths.tolist(), strict=True)
        return [segments(row[:length], search.switch) for row, length in rows]

    def frame_probabilities(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, None]:
        """Probabilities of the classes in each frame; and None."""
        return self._logits(states).softmax(dim=2), None

    def targets(self, frames: Sequence[Sequence[int]]) -> list[list[int]]:
        """The labels of all frames, as they are."""
        return [[int(label) for label in labels] for labels in frames]

    def _logits(self, states: Tensor) -> Tensor:
        return self.project(F.dropout(states, self.dropout, self.training)).float()


def focal_loss(logits: Tensor, labels: Tensor, gamma: float = 2.0) -> Tensor:
    """Focal loss -(1 - p)^gamma log p (Lin et al. 2017), which gives easy examples less weight.

    Args:
        logits: (..., classes).
        labels: (...), the true classes.
        gamma: 0 gives cross-entropy.

    Returns:
        (...) losses in nats.
    """
    log_probs = logits.float().log_softmax(dim=-1)
    log_right = log_probs.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    losses = -log_right
    if gamma:
        # 1 - p, exact for p near 1; never 0, where a power below 1 has an infinite gradient.
        losses = losses * (-torch.expm1(log_right)).clamp(min=1e-12) ** gamma
    return losses
