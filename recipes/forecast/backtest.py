"""The backtest: forecasts of every step of a split, from what was known there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from pipelines.forecasting import Window, forecast_of, logarithms, predicted
from pipelines.model import SequenceModel
from pipelines.results import SeriesForecast
from recipes.forecast.baselines import seasonal_naive
from recipes.forecast.scores import METHODS, Errors, ForecastScores
from recipes.forecast.task import Range, every

MOST = 20_000  # forecasts
AT_ONCE = 256
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
SURE = 1.645  # standard errors by which a gain must be above 0
EXAMPLES = 4
SHOWN = 3  # horizons of the past in examples


def backtest(
    model: SequenceModel, ranges: Sequence[Range], split: str, stride: int, device: str = "cpu"
) -> ForecastScores:
    """Forecast from every `stride` steps of the ranges, and compare with what came.

    Args:
        stride: 0 takes 1, or more where that gives more than `MOST` forecasts.
    """
    front_end = model.front_end
    total = sum(each.last - each.first for each in ranges)
    stride = stride or max(1, -(-total // MOST))
    windows = every(ranges, front_end, stride)
    found = np.stack(predicted(model, windows, AT_ONCE, device))
    methods = {
        METHODS[0]: found[..., 0],
        METHODS[1]: found[..., 1 + len(model.decoder.levels) // 2],
        METHODS[2]: np.stack(predicted(model, windows, AT_ONCE, device, linear=True)),
        METHODS[3]: np.stack([seasonal_naive(window, front_end.season) for window in windows]),
    }
    came = np.stack([window.came() for window in windows])
    spreads, changes = _units(windows, ranges)
    errors, absolute = {}, []
    for name, values in methods.items():
        apart = np.abs(values - came)
        scaled = np.nanmean(apart / spreads[:, None], axis=1)
        relative = np.nanmean(200 * apart / np.maximum(np.abs(values) + np.abs(came), 1e-12), axis=1)
        errors[name] = Errors(
            float(np.nanmean((apart / spreads[:, None]) ** 2)),
            float(np.nanmean(scaled)),
            float(np.nanmean(relative)),
            float(np.nanmean(np.nanmean(apart, axis=1) / changes)),
        )
        absolute.append(np.nan_to_num(scaled))
    places = {id(each.series): number for number, each in enumerate(ranges)}
    blocks = np.array(
        [places[id(each.series)] * 10**6 + each.origin // front_end.horizon for each in windows]
    )
    return ForecastScores(
        split,
        len(windows),
        len(ranges),
        front_end.horizon,
        stride,
        errors,
        _coverage(model, found, came),
        np.stack(absolute),
        blocks,
        _examples(model, windows, found, came),
    )


@torch.inference_mode()
def chosen_shares(model: SequenceModel, windows: Sequence[Window]) -> tuple[float, float]:
    """The shares of what the network adds to the linear model with which the mean has the least squared error
    on these windows, and the median the least absolute one; 0 where it is not shown that anything is gained.

    Windows that overlap tell the same, so that what is gained counts once for each horizon of a series.
    """
    middle, parts = 1 + len(model.decoder.levels) // 2, []
    device = next(model.parameters()).device
    model.eval()
    shares = torch.tensor(SHARES, device=device)[:, None, None]
    for start in range(0, len(windows), AT_ONCE):
        part = windows[start : start + AT_ONCE]
        x, came = (
            torch.from_numpy(np.stack(each)).to(device)
            for each in ([window.inputs() for window in part], [window.targets() for window in part])
        )
        linear, found = model.front_end.skip(x), forecast_of(model, x)
        missed = [(linear + shares * (found[..., place] - linear) - came).abs() for place in (0, middle)]
        parts.append(torch.stack([missed[0] ** 2, missed[1]]).nanmean(-1).cpu().numpy())
    errors = np.nan_to_num(np.concatenate(parts, axis=2))  # (2, shares, windows)
    blocks: dict[tuple[int, int], list[int]] = {}
    for place, window in enumerate(windows):
        key = id(window.series), window.origin // model.front_end.horizon
        blocks.setdefault(key, []).append(place)
    means = np.stack([errors[..., places].mean(-1) for places in blocks.values()], axis=-1)
    return tuple(map(_shown, means))


def _shown(errors: np.ndarray) -> float:
    """The share with the least of (shares, blocks) errors; 0 where it may be chance."""
    best = int(errors.mean(1).argmin())
    gains = errors[0] - errors[best]
    shown = len(gains) > 1 and gains.mean() > SURE * gains.std(ddof=1) / len(gains) ** 0.5
    return SHARES[best] if shown else 0.0


def stretches(model: SequenceModel, windows: Sequence[Window], device: str = "cpu") -> torch.Tensor:
    """By what the distance of each quantile from the median is to be multiplied, so that as many values of
    these windows lie below it as its level says.
    """
    found = np.stack(predicted(model, windows, AT_ONCE, device))[..., 1:]
    came = np.stack([window.came() for window in windows])
    if model.front_end.scaling == "ratio":
        least = np.array([window.least for window in windows])[:, None]
        found, came = np.log(found), logarithms(came, least)
    levels, middle = model.decoder.levels, len(model.decoder.levels) // 2
    factors = np.ones(len(levels))
    for place, level in enumerate(levels):
        if place != middle:
            ratio = (came - found[..., middle]) / np.where(
                found[..., place] == found[..., middle], np.nan, found[..., place] - found[..., middle]
            )
            factors[place] = np.clip(np.nanquantile(ratio, max(level, 1 - level)), 0.2, 5)
    return torch.from_numpy(factors).float()


def _units(windows: Sequence[Window], ranges: Sequence[Range]) -> tuple[np.ndarray, np.ndarray]:
    """Of each window: the standard deviation of its series before the first forecast, and the mean change
    over a season before its own.
    """
    firsts = {id(each.series): each.first for each in ranges}
    spreads = {id(each.series): each.spread for each in ranges}
    changes: dict[int, float] = {}
    season = windows[0].front_end.season
    for each in ranges:
        past = each.series.values[: firsts[id(each.series)]]
        steps = np.abs(past[season:] - past[:-season])
        steps = steps[np.isfinite(steps)]
        changes[id(each.series)] = float(steps.mean()) if len(steps) and steps.any() else 1.0
    return tuple(np.array([table[id(each.series)] for each in windows]) for table in (spreads, changes))


def _coverage(model: SequenceModel, found: np.ndarray, came: np.ndarray) -> dict[float, float]:
    levels, seen = model.decoder.levels, np.isfinite(came)
    held = {}
    for place in range(len(levels) // 2):
        low, high = found[..., 1 + place], found[..., len(levels) - place]
        inside = (came >= low) & (came <= high)
        held[round(levels[-1 - place] - levels[place], 4)] = float(inside[seen].mean())
    return held


def _examples(
    model: SequenceModel, windows: Sequence[Window], found: np.ndarray, came: np.ndarray
) -> list[tuple[SeriesForecast, list[float]]]:
    chosen = np.linspace(0, len(windows) - 1, min(EXAMPLES, len(windows))).round().astype(int)
    examples = []
    for place in chosen:
        window, values = windows[place], found[place]
        series, origin = window.series, window.origin
        past = range(max(0, origin - SHOWN * len(values)), origin)
        levels = enumerate(model.decoder.levels, start=1)
        forecast = SeriesForecast(
            series.name,
            tuple(series.clock.text(origin + step) for step in range(len(values))),
            tuple(values[:, 0].tolist()),
            tuple((level, tuple(values[:, column].tolist())) for column, level in levels),
            tuple((series.clock.text(step), float(series.values[step])) for step in past),
        )
        examples.append((forecast, came[place].tolist()))
    return examples
