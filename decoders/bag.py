"""Bag of words: the tokens of a text and their pairs -> scores of classes, linearly."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from decoders.contract import valid_frames


class Bag(nn.Module):
    """A linear model of the tokens of a text and of pairs of neighbours, whichever their order.

    Tokens and pairs share a table of hashed rows (Weinberger et al. 2009). Each counts once in a text, with
    its inverse document frequency, and the weights of a text have unit length. Tokens outside the vocabulary
    do not count. After construction all scores are 0.

    Args:
        rows: of the table.
        num_labels: number of classes.

    Attributes:
        table: (num_labels, rows) scores.
        bias: (num_labels,) scores of every text.
        rarity: (rows,) inverse document frequencies, 0 for what was never seen.
    """

    def __init__(self, rows: int, num_labels: int):
        super().__init__()
        if min(rows, num_labels) < 1:
            raise ValueError(f"rows and num_labels must be at least 1, not {rows} and {num_labels}")
        self.rows = rows
        self.register_buffer("table", torch.zeros(num_labels, rows))
        self.register_buffer("bias", torch.zeros(num_labels))
        self.register_buffer("rarity", torch.zeros(rows))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time) ids of tokens, 0 for unknown ones; (batch,) lengths -> (batch, num_labels) scores."""
        places, weights = self.weighed(ids, lengths)
        return F.embedding_bag(places, self.table.T, per_sample_weights=weights, mode="sum") + self.bias

    def places(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """(batch, 2 * time) rows of the tokens and pairs of each text, each row once; -1 for none."""
        ids = ids.long() if ids.dim() == 2 else ids[..., 0].long()
        known = valid_frames(ids.unsqueeze(2), lengths) & (ids > 0)
        before = F.pad(ids, (1, 0))[:, :-1]
        single = (ids * 2_654_435_761 + 12_345) % self.rows
        pair = (before * 1_000_003 + ids * 7_919) % self.rows
        rows = torch.cat([single, pair], dim=1)
        rows = rows.where(torch.cat([known, known & (before > 0)], dim=1), -1).sort(dim=1).values
        again = F.pad(rows[:, 1:] == rows[:, :-1], (1, 0))
        return rows.masked_fill(again, -1)

    def weighed(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of each text, and their weights; both (batch, 2 * time)."""
        places = self.places(ids, lengths)
        weights = self.rarity[places.clamp(min=0)] * (places >= 0)
        return places.clamp(min=0), F.normalize(weights, dim=1)
