"""Hidden states -> one class for the whole sequence, or one for each frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

POOLINGS = ("attention", "mean")
UNKNOWN = -1  # the class of a frame that nobody labelled


class Classifier(nn.Module):
    """Pooling over time, then classes.

    Additive attention (Bahdanau et al. 2015) with one query, or several whose results stand side
    by side (Lin et al. 2017, "A structured self-attentive sentence embedding"); or the mean, which
    knows no order and so is what attention must beat.

    Args:
        input_size: features of each hidden state.
        num_labels: classes.
        pooling: "attention" or "mean".
        heads: queries.
        attention_size: features in which states are judged.
        dropout: on the pooled states.

    Raises:
        ValueError: for an unknown pooling, or a size below 1.
    """

    def __init__(
        self,
        input_size: int,
        num_labels: int,
        pooling: str = "attention",
        heads: int = 1,
        attention_size: int = 128,
        dropout: float = 0.0,
    ):
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {POOLINGS}, not {pooling!r}")
        if min(input_size, num_labels, heads, attention_size) < 1:
            raise ValueError("input_size, num_labels, heads and attention_size must be at least 1")
        self.num_labels = num_labels
        self.dropout = dropout
        self.judge = None
        if pooling == "attention":
            self.judge = nn.Sequential(
                nn.Linear(input_size, attention_size), nn.Tanh(), nn.Linear(attention_size, heads, bias=False)
            )
        pooled = input_size * (heads if pooling == "attention" else 1)
        self.project = nn.Linear(pooled, num_labels)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Run whole sequences.

        Args:
            x: (batch, time, input_size), padded at the end with anything.
            lengths: (batch,) valid frames of each sequence, each at least 1.

        Returns:
            (batch, num_labels) logits in float32; and (batch, time) the share of each frame in
            the decision, the mean over heads, which sums to 1 and is 0 in the padding.
        """
        valid = _valid(x, lengths)
        x = x.masked_fill(~valid.unsqueeze(2), 0.0)
        scores = x.new_zeros(*valid.shape, 1) if self.judge is None else self.judge(x)  # (B, T, heads)
        weights = scores.float().masked_fill(~valid.unsqueeze(2), -torch.inf).softmax(dim=1)
        pooled = weights.transpose(1, 2).to(x.dtype).bmm(x).flatten(1)  # (B, heads * input_size)
        logits = self.project(F.dropout(pooled, self.dropout, self.training))
        return logits.float(), weights.mean(dim=2)


class Timeline(nn.Module):
    """A class for each frame.

    Args:
        input_size: features of each hidden state.
        num_labels: classes.
        dropout: on the hidden states.
    """

    def __init__(self, input_size: int, num_labels: int, dropout: float = 0.0):
        super().__init__()
        self.num_labels = num_labels
        self.dropout = dropout
        self.project = nn.Linear(input_size, num_labels)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, input_size) -> (batch, time, num_labels) logits in float32, and `lengths`."""
        return self.project(F.dropout(x, self.dropout, self.training)).float(), lengths

    @staticmethod
    def loss(
        logits: Tensor, lengths: Tensor, labels: Tensor, gamma: float = 0.0, weights: Tensor | None = None
    ) -> Tensor:
        """Mean focal loss of each sequence over its labelled frames, (batch,); 0 where there are none.

        Args:
            logits, lengths: what `forward` returned.
            labels: (batch, time) class of each frame, or `UNKNOWN`.
            gamma, weights: as in `focal_loss`.
        """
        known = _valid(logits, lengths) & (labels != UNKNOWN)
        losses = focal_loss(logits, labels.masked_fill(~known, 0), gamma, weights)
        return losses.where(known, 0.0).sum(dim=1) / known.sum(dim=1).clamp(min=1)


def focal_loss(logits: Tensor, labels: Tensor, gamma: float = 2.0, weights: Tensor | None = None) -> Tensor:
    """-(1 - p)^gamma log p of the right class (Lin et al. 2017): what is easy counts for less.

    Args:
        logits: (..., classes).
        labels: (...) right classes.
        gamma: 0 gives cross-entropy.
        weights: (classes,) by which losses are multiplied, against imbalance.

    Returns:
        (...) losses in nats.
    """
    log_probs = logits.float().log_softmax(dim=-1)
    log_right = log_probs.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    losses = -log_right
    if gamma:
        # 1 - p with the last bits of a p near 1; never quite 0, where a power below 1 has no slope.
        losses = losses * (-torch.expm1(log_right)).clamp(min=1e-12) ** gamma
    return losses if weights is None else losses * weights.to(losses)[labels]


def _valid(x: Tensor, lengths: Tensor) -> Tensor:
    """(batch, time) whether a frame is no padding."""
    if lengths.shape != x.shape[:1] or (lengths < 1).any() or (lengths > x.size(1)).any():
        raise ValueError(
            f"lengths must be {x.size(0)} numbers from 1 to {x.size(1)} frames, not {lengths.tolist()}"
        )
    return torch.arange(x.size(1), device=x.device) < lengths.to(x.device).unsqueeze(1)
