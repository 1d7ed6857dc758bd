"""Scores of a forecaster in a backtest, beside the last season again and a linear model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.results import SeriesForecast
from recipes.scoring.error_rates import Rate

METHODS = ("model, mean", "model, median", "ridge", "seasonal naive")
NOTHING = 1e-9  # mean absolute error that is none
RESAMPLES = 1000


@dataclass(frozen=True)
class Errors:
    """What a method errs by, averaged over forecasts.

    Attributes:
        mse, mae: in standard deviations of each series in the training part.
        smape: per cent (Makridakis et al. 2020).
        mase: in proportion to the mean change over a season before the forecast.
    """

    mse: float
    mae: float
    smape: float
    mase: float


@dataclass(frozen=True)
class ForecastScores:
    """A backtest.

    Attributes:
        split: its name.
        forecasts, series: how many there are of each.
        horizon, stride: steps.
        errors: by method, see `METHODS`.
        coverage: share of the values in the interval, by its level.
        absolute: (methods, forecasts) mean absolute error of each forecast, in standard deviations.
        blocks: (forecasts,) forecasts that overlap have the same number; for intervals.
        examples: forecasts, and what came.
    """

    split: str
    forecasts: int
    series: int
    horizon: int
    stride: int
    errors: Mapping[str, Errors]
    coverage: Mapping[float, float]
    absolute: np.ndarray
    blocks: np.ndarray
    examples: Sequence[tuple[SeriesForecast, Sequence[float]]] = ()

    def gain(self, method: str) -> Rate:
        """By which share of a method's absolute error the model's median errs less; 95 % over blocks."""
        other, own = self.absolute[METHODS.index(method)], self.absolute[1]
        if other.sum() <= NOTHING * len(other):
            return Rate(0.0, 0.0, 0.0)  # there is nothing to gain
        numbers = np.unique(self.blocks, return_inverse=True)[1]
        sums = [np.bincount(numbers, weights=each) for each in (own, other)]
        rng = np.random.default_rng(0)
        drawn = rng.integers(0, len(sums[0]), (RESAMPLES, len(sums[0])))
        shares = 1 - sums[0][drawn].sum(1) / np.maximum(sums[1][drawn].sum(1), 1e-12)
        low, high = np.quantile(shares, [0.025, 0.975])
        return Rate(float(1 - own.sum() / max(other.sum(), 1e-12)), float(low), float(high))

    def verdict(self, method: str) -> str:
        """Whether the model does better than a method."""
        gain = self.gain(method)
        if gain.low > 0:
            return f"the model errs less than {method}"
        return f"{method} errs less" if gain.high < 0 else f"no difference to {method} is shown"

    def summary(self) -> str:
        """The scores as text for a terminal."""
        lines = [
            f"{self.split}: {self.forecasts:,} forecasts of {self.horizon} steps for {self.series:,} series, "
            f"one every {self.stride} step{'s' * (self.stride > 1)}",
            f"  {'':<16}{'MSE':>9}{'MAE':>9}{'sMAPE':>9}{'MASE':>9}",
        ]
        for name, each in self.errors.items():
            numbers = f"{each.mse:>9.4f}{each.mae:>9.4f}{each.smape:>8.2f}%{each.mase:>9.3f}"
            lines.append(f"  {name:<16}{numbers}")
        held = ", ".join(
            f"{100 * level:.0f} %: {100 * share:.1f} %" for level, share in self.coverage.items()
        )
        lines.append(f"  values in the interval of {held}")
        lines += [f"  gain {self.gain(method)}: {self.verdict(method)}" for method in METHODS[2:]]
        return "\n".join(lines)
