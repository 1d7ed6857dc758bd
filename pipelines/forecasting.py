"""Forecasting: series in, their future out, with its uncertainty."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from encoders.history import History
from pipelines.errors import MediaError, ModelError, TriscribeError
from pipelines.media.files import disk_errors
from pipelines.media.series import Columns, Series, SeriesTable, read_series
from pipelines.model import SequenceModel
from pipelines.reading.computing import device_for
from pipelines.reading.inference import for_inference
from pipelines.reading.readers import answer
from pipelines.reading.settings import ForecastOptions
from pipelines.results import Forecast, SeriesForecast

SHOWN = 4  # horizons of the past that a result keeps, for pictures
LARGEST = 60.0  # logarithm of a forecast
FEWEST = 2  # values from which a series can be forecast

Source = str | os.PathLike | SeriesTable


def forecast(
    source: Source | Iterable[Source],
    model: SequenceModel | str | Path | None = None,
    horizon: int | None = None,
    **options,
) -> Forecast | Iterator[Forecast]:
    """Tell the future of series.

    Args:
        source: a table: a wide one with a series a column and perhaps a column of times, or a long one with
            the columns unique_id, ds and y; or a list or generator of these. What the model knows of the
            future, its covariates, stands in rows behind the last value.
        model: a loaded model or a file.
        horizon: steps; None takes as many as the model was trained for.
        options: see `ForecastOptions`.

    Returns:
        A `Forecast` of all series of the table. For many sources a generator.

    Raises:
        MediaError: a source cannot be read, or is no table of series.
        ModelError: the model cannot be used, or is not for forecasting.
    """
    return answer("forecast", source, model, ForecastOptions.of({**options, "horizon": horizon}))


def read_forecasts(
    tables: Iterable[SeriesTable | TriscribeError], model: SequenceModel, options: ForecastOptions
) -> Iterator[Forecast | TriscribeError]:
    """The forecasts of each table, in order."""
    for table in tables:
        if isinstance(table, TriscribeError):
            yield table
            continue
        try:
            with disk_errors(table.source or "<series>"):
                yield _forecast(table, model, options)
        except TriscribeError as error:
            yield error


def _forecast(table: SeriesTable, model: SequenceModel, options: ForecastOptions) -> Forecast:
    front_end, levels = model.front_end, model.decoder.levels
    table = with_columns(table, front_end, options)
    horizon = options.horizon or front_end.horizon
    notes, found = list(table.notes), []
    usable = [series for series in table.series if np.isfinite(series.values).sum() >= FEWEST]
    kept = set(map(id, usable))
    notes += [f"series {each.name!r} has no two values" for each in table.series if id(each) not in kept]
    if not usable:
        raise MediaError(table.source or "<series>", "has no series of two values", "give longer series")
    short = sum(len(series) < front_end.window for series in usable)
    if short:
        notes.append(
            f"{short} of {len(usable)} series are shorter than the {front_end.window} steps of the model"
        )
    if horizon > front_end.horizon:
        notes.append(f"steps behind {front_end.horizon} are forecast from the median of those before them")
    values = ahead(usable, model, horizon, options.batch_size, device_for(options.device))
    for series, each in zip(usable, values, strict=True):
        past = range(max(0, len(series) - SHOWN * horizon), len(series))
        one = SeriesForecast(
            series.name,
            tuple(series.clock.text(len(series) + step) for step in range(horizon)),
            tuple(each[:, 0].tolist()),
            tuple((level, tuple(each[:, place].tolist())) for place, level in enumerate(levels, start=1)),
            tuple((series.clock.text(place), float(series.values[place])) for place in past),
        )
        one.interval(options.level)
        found.append(one)
    return Forecast(tuple(found), model.name, table.source, options.level, notes=tuple(notes))


def with_columns(table: SeriesTable, front_end: History, options: ForecastOptions) -> SeriesTable:
    """The table with the covariates that the model reads.

    Raises:
        MediaError: it lacks some.
    """
    wanted = front_end.covariates, front_end.statics
    if wanted == (table.covariates, table.statics):
        return table
    if table.source is None:
        raise MediaError(
            "<series>", f"lacks the covariates {', '.join(map(repr, sum(wanted, ())))}", "give them"
        )
    columns = options.columns(*wanted)
    return read_series(table.source, columns if isinstance(columns, Columns) else Columns())


def ahead(
    series: Sequence[Series], model: SequenceModel, horizon: int, batch_size: int, device: str
) -> list[np.ndarray]:
    """(horizon, 1 + quantiles) of each series: the mean and the quantiles, behind its last value."""
    step, parts = model.front_end.horizon, [[] for _ in series]
    for begun in range(0, horizon, step):
        windows = [Window(each, len(each), model.front_end) for each in series]
        for place, values in enumerate(predicted(model, windows, batch_size, device)):
            parts[place].append(values)
        if begun + step < horizon:
            middle = 1 + len(model.decoder.levels) // 2
            series = [
                replace(each, values=np.concatenate([each.values, parts[place][-1][:, middle]]))
                for place, each in enumerate(series)
            ]
    return [np.concatenate(part)[:horizon] for part in parts]


class Window:
    """What a model reads of a series: its past before a step, and what is known of the steps behind it.

    Attributes:
        centre, scale: of the series; its last value that is seen, and what `scale_of` gives for its past.
            Where the model forecasts ratios, both are of the logarithm.
    """

    def __init__(self, series: Series, origin: int, front_end: History, scale: float | None = None):
        self.series, self.origin, self.front_end = series, origin, front_end
        past = series.values[:origin]
        self.least = least_of(past)
        self.scale = scale_of(past, front_end) if scale is None else scale
        past = self._level(past[-front_end.window :])
        seen = np.isfinite(past)
        self.centre = float(past[seen][-1]) if seen.any() else 0.0
        self._past, self._seen = past, seen

    def inputs(self) -> np.ndarray:
        """(window + horizon, 2 + features) of float32."""
        front_end, past, seen = self.front_end, self._past, self._seen
        steps = front_end.window + front_end.horizon
        x = np.zeros((steps, 2 + len(front_end.centre)), dtype=np.float32)
        first = front_end.window - len(past)
        if seen.any():
            place = np.where(seen, np.arange(len(past)), -1)
            latest = np.maximum.accumulate(place)
            latest[latest < 0] = place[seen][0]
            x[first : front_end.window, 0] = (past[latest] - self.centre) / self.scale
            x[:first, 0] = x[first, 0]
        x[first : front_end.window, 1] = seen
        x[:, 2:] = features_of(self.series, self.origin - front_end.window, steps, front_end)
        return x

    def values(self, scaled: np.ndarray) -> np.ndarray:
        """Forecasts in the unit of the series."""
        found = scaled * self.scale + self.centre
        return np.exp(np.minimum(found, LARGEST)) if self.front_end.scaling == "ratio" else found

    def targets(self) -> np.ndarray:
        """(horizon,) what came, relative to the centre and scaled; NaN where it is missing."""
        found = np.full(self.front_end.horizon, np.nan)
        came = self.series.values[self.origin : self.origin + self.front_end.horizon]
        found[: len(came)] = (self._level(came) - self.centre) / self.scale
        return found

    def came(self) -> np.ndarray:
        """(horizon,) what came, in the unit of the series; NaN where it is missing."""
        found = np.full(self.front_end.horizon, np.nan)
        came = self.series.values[self.origin : self.origin + self.front_end.horizon]
        found[: len(came)] = came
        return found

    def _level(self, values: np.ndarray) -> np.ndarray:
        return logarithms(values, self.least) if self.front_end.scaling == "ratio" else values


def least_of(past: np.ndarray) -> float:
    """What values of no logarithm are taken for: a hundredth of the median of the others."""
    above = past[past > 0]
    return 0.01 * float(np.median(above)) if len(above) else 1e-6


def logarithms(values: np.ndarray, least: float) -> np.ndarray:
    """Natural logarithms, those of values below `least` being its own."""
    return np.log(np.where(values < least, least, values))


def scale_of(past: np.ndarray, front_end: History) -> float:
    """By what a series is divided, from its past alone; above 0."""
    if front_end.scaling == "ratio":
        past = logarithms(past, least_of(past))
    seen = past[np.isfinite(past)]
    if not len(seen):
        return 1.0
    found = spread = float(seen.std())
    if front_end.scaling != "spread":
        changes = np.abs(past[front_end.season :] - past[: -front_end.season])
        changes = changes[np.isfinite(changes)]
        found = float(changes.mean()) if len(changes) else 0.0
    least = 1e-6 * float(np.abs(seen).max())
    return found if found > least else spread if spread > least else max(1.0, least)


def features_of(series: Series, first: int, steps: int, front_end: History) -> np.ndarray:
    """(steps, features): calendar, covariates and statics from a step on, perhaps before the first."""
    found = [series.clock.later(first).calendar(steps)]
    if front_end.covariates:
        places = np.clip(np.arange(first, first + steps), 0, len(series.known) - 1)
        found.append(series.known[places])
    if front_end.statics:
        found.append(np.broadcast_to(np.array(series.static), (steps, len(front_end.statics))))
    return np.concatenate(found, axis=1)


@torch.inference_mode()
def predicted(
    model: SequenceModel,
    windows: Sequence[Window],
    batch_size: int,
    device: str = "cpu",
    linear: bool = False,
) -> list[np.ndarray]:
    """(horizon, 1 + quantiles) of each window in the unit of its series; or with `linear`, (horizon,) of the
    linear model alone.
    """
    ready, found = for_inference(model, device), []
    for start in range(0, len(windows), batch_size):
        part = windows[start : start + batch_size]
        x = torch.from_numpy(np.stack([window.inputs() for window in part])).to(device)
        scaled = ready.front_end.skip(x) if linear else forecast_of(ready, x)
        found += [
            window.values(each) for window, each in zip(part, scaled.cpu().double().numpy(), strict=True)
        ]
    return found


def forecast_of(model: SequenceModel, x: Tensor) -> Tensor:
    """(batch, window + horizon, 2 + features) -> (batch, horizon, 1 + quantiles), both scaled.

    Raises:
        ModelError: the weights give no finite numbers.
    """
    lengths = torch.full((len(x),), x.size(1), device=x.device)
    found = model.decoder(*model.states(x, lengths))[0] + model.front_end.skip(x)[..., None]
    if not found.isfinite().all():
        raise ModelError(model.name, "gives no finite numbers for these values", "train it on such values")
    return found
