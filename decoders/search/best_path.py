"""Best path decoding of CTC (Graves et al. 2006): the best label of every frame."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from decoders.alphabet import BLANK
from decoders.contract import Labels


def greedy(log_probs: Tensor, lengths: Tensor) -> list[Labels]:
    """Best path decoding: the best label of every frame, repeats merged and blanks removed.

    Args:
        log_probs: (batch, time, num_labels).
        lengths: (batch,) frames of each sequence.
    """
    best, labels = log_probs.max(dim=2)  # (B, T)
    return collapsed(labels, best, lengths)


def collapsed(labels: Tensor, log_probs: Tensor, lengths: Tensor) -> list[Labels]:
    """The labels of a path, repeats merged and blanks removed.

    Args:
        labels: (batch, time) label of every frame.
        log_probs: (batch, time) of each.
        lengths: (batch,) frames of each sequence.
    """
    time = torch.arange(labels.size(1), device=labels.device)
    labels = labels.masked_fill(time >= lengths.to(labels.device)[:, None], BLANK)
    before = F.pad(labels[:, :-1], (1, 0), value=-1)
    begins = labels != before  # every run of equal labels, including blanks
    run = begins.flatten().cumsum(0) - 1  # (B * T,); every sequence begins a new run
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
