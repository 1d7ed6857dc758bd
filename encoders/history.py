"""Forecasting front end: the past of a series and what is known of its future -> vectors of segments."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SCALINGS = ("spread", "season", "ratio")
LEAST = 1e-3  # scaled units that are added to the standard deviation of a window


class History(nn.Module):
    """Cuts a window of the past and the horizon behind it into segments, and embeds each.

    So a recurrent core walks over dozens of segments instead of hundreds of steps, and meets the segments of
    the future, of which only the calendar and known covariates are given, all at once (SegRNN, Lin et al.
    2023). Every series is read by itself, whatever their number.

    Beside it lies a linear model from window to horizon (NLinear, Zeng et al. 2023), `skip`, to which the
    network adds what is not linear, and whose forecast it sees in the segments of the future.

    Args:
        window: steps of the past.
        horizon: steps to be forecast.
        segment: steps of a segment, which divides both.
        features: numbers that are known of every step, past or future.
        covariates: names of those that the series brings along, behind the six of the calendar.
        statics: names of numbers that belong to a series as a whole, behind these.
        season: steps of a season.
        scaling: by what series are divided: "spread", the standard deviation of their past; "season", the
            mean change over a season; or "ratio", the same of their logarithms, for values above 0.
        output_size: features of a segment.
        dropout: dropout on these.

    Raises:
        ValueError: sizes below 1, a segment that does not divide both, or an unknown scaling.
    """

    exact = ("centre", "spread")
    """Buffers that a model file keeps in 32 bits."""

    def __init__(
        self,
        window: int,
        horizon: int,
        segment: int,
        *,
        features: int = 6,
        covariates: tuple[str, ...] = (),
        statics: tuple[str, ...] = (),
        season: int = 1,
        scaling: str = "spread",
        output_size: int = 128,
        dropout: float = 0.0,
    ):
        super().__init__()
        if min(window, horizon, segment, season, output_size) < 1 or features < 0:
            raise ValueError("window, horizon, segment, season and output_size must be at least 1")
        if window % segment or horizon % segment:
            raise ValueError(f"a segment of {segment} steps does not divide {window} and {horizon}")
        if scaling not in SCALINGS:
            raise ValueError(f"scaling must be one of {SCALINGS}, not {scaling!r}")
        if features < len(covariates) + len(statics):
            raise ValueError(f"{features} features for {len(covariates) + len(statics)} names")
        self.window, self.horizon, self.segment = window, horizon, segment
        self.covariates, self.statics = tuple(covariates), tuple(statics)
        self.season, self.scaling, self.output_size, self.dropout = season, scaling, output_size, dropout
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("spread", torch.ones(features))
        self.embed = nn.Linear(segment * (2 + features) + 1, output_size)
        self.places = nn.Parameter(0.02 * torch.randn((window + horizon) // segment, output_size))
        self.linear = nn.Linear(window, horizon)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    @torch.no_grad()
    def fit(self, features: Tensor) -> None:
        """Take mean and standard deviation of each feature from (steps, features) of the training data."""
        self.centre.copy_(features.mean(0))
        spread = features.std(0)
        self.spread.copy_(torch.where(spread > 1e-6, spread, 1.0))

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Windows -> segments.

        Args:
            x: (batch, window + horizon, 2 + features): the series relative to the last value that is seen, 0
                in the future; whether it is seen; and the features.
            lengths: (batch,) all window + horizon.

        Returns:
            (batch, segments, output_size), and the number of segments of each.

        Raises:
            ValueError: x is of another shape.
        """
        steps = self.window + self.horizon
        if x.shape[1:] != (steps, 2 + len(self.centre)):
            wanted = f"(batch, {steps}, {2 + len(self.centre)})"
            raise ValueError(f"the front end reads {wanted}, not {tuple(x.shape)}")
        known = (x[..., 2:] - self.centre) / self.spread
        past = x[:, : self.window, 0]
        spread = past.std(1, keepdim=True, correction=0) + LEAST
        values = torch.cat([past, self.skip(x).detach()], dim=1) / spread
        x = torch.cat([values[..., None], x[..., 1:2], known], dim=2)
        x = x.reshape(len(x), -1, self.segment * x.size(2))  # (B, segments, segment * features)
        size = spread.log()[:, None].expand(-1, x.size(1), 1)
        x = self.embed(torch.cat([x, size], dim=2)) + self.places
        return F.dropout(F.gelu(x), self.dropout, self.training), self.output_lengths(lengths)

    def skip(self, x: Tensor) -> Tensor:
        """(batch, horizon): the linear forecast, relative to the last value that is seen."""
        return self.linear(x[:, : self.window, 0])

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """A frame a segment."""
        return lengths // self.segment
