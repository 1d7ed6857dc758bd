"""The baselines beside every forecaster: the last season again, and a linear model in closed form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from encoders.history import History
from pipelines.forecasting import Window

RIDGES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
AT_ONCE = 4096  # windows


def seasonal_naive(window: Window, season: int) -> np.ndarray:
    """(horizon,) the values of the last season, each of the latest one in which it is seen."""
    past, horizon = window.series.values[: window.origin], window.front_end.horizon
    found = np.full(horizon, float(window.values(np.zeros(1))[0]))
    for step in range(horizon):
        place = window.origin + step - season * (1 + step // season)
        while place >= 0 and not np.isfinite(past[place]):
            place -= season
        if place >= 0:
            found[step] = past[place]
    return found


@torch.no_grad()
def fit_linear(front_end: History, train: Sequence[Window], valid: Sequence[Window]) -> float:
    """Fit the linear model of a front end by ridge regression (NLinear, Zeng et al. 2023).

    Args:
        train: windows to learn from.
        valid: windows by which the ridge is chosen.

    Returns:
        The mean square of its errors on `valid`, scaled.
    """
    window, horizon, count = front_end.window, front_end.horizon, len(train)
    sums, total = np.zeros((window, window + horizon)), np.zeros(window + horizon)
    for start in range(0, count, AT_ONCE):  # moments, as all windows at once would take too much memory
        x, y = _tables(train[start : start + AT_ONCE])
        both = np.concatenate([x, y], axis=1)
        sums += x.T @ both
        total += both.sum(0)
    mean = total / count
    centre, offset = mean[:window], mean[window:]
    sums -= count * np.outer(centre, mean)
    gram, moments = sums[:, :window], sums[:, window:]
    judged, came = _tables(valid)
    best = None
    for ridge in RIDGES:
        strength = ridge * np.trace(gram) + 1e-9 * count
        weights = np.linalg.solve(gram + strength * np.eye(len(gram)), moments)
        error = float(np.nanmean((came - (judged - centre) @ weights - offset) ** 2))
        if best is None or error < best[0]:
            best = error, weights
    error, weights = best
    front_end.linear.weight.copy_(torch.from_numpy(weights.T))
    front_end.linear.bias.copy_(torch.from_numpy(offset - centre @ weights))
    return error


def _tables(windows: Sequence[Window]) -> tuple[np.ndarray, np.ndarray]:
    """(windows, window) and (windows, horizon); missing targets are 0, that is the last value."""
    length = windows[0].front_end.window
    x = np.stack([each.inputs()[:length, 0] for each in windows]).astype(np.float64)
    return x, np.nan_to_num(np.stack([each.targets() for each in windows]))
