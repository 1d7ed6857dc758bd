"""Connectionist temporal classification (Graves et al. 2006): loss and greedy decoding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from decoders.alphabet import BLANK


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels decoded for one sequence; one entry a symbol.

    Attributes:
        ids: label ids, without blanks.
        starts, ends: first frame and one past the last frame.
        confidences: the highest probability of the symbol within its frames.
        alternatives: (ids, probability) of the likeliest readings, these ids first; empty unless asked for.
            Probabilities are shares in those of all readings that were kept to the end.
    """

    ids: list[int]
    starts: list[int]
    ends: list[int]
    confidences: list[float]
    alternatives: tuple[tuple[list[int], float], ...] = ()


class CTC(nn.Module):
    """Hidden states -> log-probabilities of labels.

    Args:
        input_size: features of each hidden state.
        num_labels: of the alphabet, the blank included.
        dropout: on the hidden states.
    """

    def __init__(self, input_size: int, num_labels: int, dropout: float = 0.0):
        super().__init__()
        self.num_labels = num_labels
        self.dropout = dropout
        self.project = nn.Linear(input_size, num_labels)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, input_size) -> (batch, time, num_labels) log-probabilities in float32."""
        logits = self.project(F.dropout(x, self.dropout, self.training))
        return logits.float().log_softmax(dim=2), lengths

    @staticmethod
    def loss(log_probs: Tensor, lengths: Tensor, targets: list[list[int]]) -> Tensor:
        """Negative log-likelihood of each target, (batch,), in nats.

        A target too long for its frames (each label needs one, each repeat one more) counts as
        0 and has no gradient; `frames_needed` finds such items beforehand.
        """
        flat = torch.tensor([label for target in targets for label in target], dtype=torch.long)
        sizes = torch.tensor([len(target) for target in targets])
        return F.ctc_loss(
            log_probs.transpose(0, 1),
            flat.to(log_probs.device),
            lengths,
            sizes,
            BLANK,
            reduction="none",
            zero_infinity=True,
        )


def frames_needed(target: list[int]) -> int:
    """The fewest frames in which CTC can write the target."""
    return len(target) + sum(a == b for a, b in zip(target, target[1:], strict=False))


def greedy(log_probs: Tensor, lengths: Tensor) -> list[Labels]:
    """The best label of every frame, repeats joined and blanks dropped.

    Args:
        log_probs: (batch, time, num_labels).
        lengths: (batch,) frames of each sequence.
    """
    best, labels = log_probs.max(dim=2)  # (B, T)
    return collapsed(labels, best, lengths)


def collapsed(labels: Tensor, log_probs: Tensor, lengths: Tensor) -> list[Labels]:
    """What a path says, repeats joined and blanks dropped.

    Args:
        labels: (batch, time) one for every frame.
        log_probs: (batch, time) of each.
        lengths: (batch,) frames of each sequence.
    """
    time = torch.arange(labels.size(1), device=labels.device)
    labels = labels.masked_fill(time >= lengths.to(labels.device)[:, None], BLANK)
    before = F.pad(labels[:, :-1], (1, 0), value=-1)
    begins = labels != before  # every run of equal labels, blanks too
    run = begins.flatten().cumsum(0) - 1  # (B * T,) no run crosses sequences: each begins one
    starts = begins.flatten().nonzero().squeeze(1)
    ends = torch.cat([starts[1:], starts.new_tensor([labels.numel()])])[: len(starts)]
    confidence = torch.zeros(len(starts), device=labels.device).scatter_reduce(
        0, run, log_probs.flatten().float().exp(), "amax"
    )
    ids = labels.flatten()[starts]
    row = starts // labels.size(1)
    keep = ids != BLANK
    per_row = torch.bincount(row[keep], minlength=len(labels)).tolist()
    offset = row[keep] * labels.size(1)
    columns = (ids[keep], starts[keep] - offset, ends[keep] - offset, confidence[keep])
    split = [column.split(per_row) for column in columns]
    return [Labels(*(part.tolist() for part in parts)) for parts in zip(*split, strict=True)]
