"""Forecast decoder: hidden states of the future's segments -> mean and quantiles of each step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from decoders.contract import OBJECTIVE, SEARCH, Decoder, Labels, Objective, Search

FARTHEST = 3.0  # scaled units beyond which the error of the mean counts linearly (Huber 1964)


class Quantiles(Decoder):
    """Numbers with their uncertainty, all steps of the horizon at once.

    The quantiles never cross: each is the median and a sum of positive distances (Gasthaus et al. 2019).
    `stretch` corrects these distances by how often values that were not trained on fell short of each
    quantile (conformal prediction, Romano et al. 2019).

    Args:
        input_size: features per hidden state.
        num_labels: 1 + number of quantiles, an odd one whose middle is the median.
        segment: steps of each state.
        frames: the last states, which are those of the horizon.
        levels: of the quantiles, rising.
        dropout: dropout on the states.

    Raises:
        ValueError: levels that do not fit.
    """

    measures = True

    def __init__(
        self,
        input_size: int,
        num_labels: int,
        segment: int = 1,
        frames: int = 1,
        levels: tuple[float, ...] = (0.1, 0.5, 0.9),
        dropout: float = 0.0,
    ):
        super().__init__()
        rising = all(low < high for low, high in zip((0, *levels), (*levels, 1), strict=True))
        if num_labels != 1 + len(levels) or not rising or levels[len(levels) // 2] != 0.5:
            raise ValueError(f"levels must rise between 0 and 1, 0.5 in their middle, not {list(levels)}")
        self.segment, self.frames, self.levels, self.dropout = segment, frames, tuple(levels), dropout
        self.register_buffer("stretch", torch.ones(len(levels)))
        self.project = nn.Linear(input_size, segment * num_labels)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)

    def forward(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, segments, input_size) -> (batch, horizon, 1 + quantiles): the mean, and the quantiles in
        order; and the number of steps of each.
        """
        last = F.dropout(states[:, -self.frames :], self.dropout, self.training)
        found = self.project(last).float().reshape(len(states), -1, 1 + len(self.levels))
        middle = len(self.levels) // 2
        distances = F.softplus(found[..., 1:])
        median = found[..., 1 + middle : 2 + middle]
        below = median - distances[..., :middle].flip(-1).cumsum(-1).flip(-1)
        above = median + distances[..., middle + 1 :].cumsum(-1)
        distances = (torch.cat([below, median, above], dim=-1) - median) * self.stretch
        steps = torch.full_like(lengths, found.size(1))
        return torch.cat([found[..., :1], (median + distances).sort(dim=-1).values], dim=-1), steps

    @torch.no_grad()
    def lessen(self, mean: float, median: float) -> None:
        """Multiply the mean and the median by shares; the other quantiles keep their distances."""
        size = 1 + len(self.levels)
        for place, share in ((0, mean), (1 + len(self.levels) // 2, median)):
            self.project.weight[place::size] *= share
            self.project.bias[place::size] *= share

    def loss(
        self,
        states: Tensor,
        lengths: Tensor,
        targets: Tensor,
        objective: Objective = OBJECTIVE,
        log_probs: Tensor | None = None,
    ) -> Tensor:
        """Quantile loss and squared error of (batch, horizon) targets, NaN where missing; (batch,)."""
        found, _ = self(states, lengths)
        seen = targets.isfinite()
        error = (targets.where(seen, 0.0))[..., None] - found
        levels = error.new_tensor(self.levels)
        quantile = torch.maximum(levels * error[..., 1:], (levels - 1) * error[..., 1:]).mean(-1)
        size = error[..., 0].abs()
        square = torch.where(size < FARTHEST, 0.5 * size**2, FARTHEST * (size - 0.5 * FARTHEST))
        return ((2 * quantile + square) * seen).sum(1) / seen.sum(1).clamp(min=1)

    def read(self, states: Tensor, lengths: Tensor, search: Search = SEARCH) -> list[Labels]:
        """Forecasts are numbers, which `forward` gives."""
        raise TypeError("a forecast has no labels")

    def targets(self, frames: Sequence[Sequence[int]]) -> list[list[int]]:
        """Forecasts are numbers."""
        raise TypeError("a forecast has no labels")
