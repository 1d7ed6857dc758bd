"""Anomaly detection: series in, a score for each step and the events that stand out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from pipelines.errors import MediaError, TriscribeError
from pipelines.forecasting import Source, Window, predicted
from pipelines.media.clock import Clock
from pipelines.media.series import Series, SeriesTable
from pipelines.model import SequenceModel
from pipelines.reading.computing import device_for
from pipelines.reading.readers import answer
from pipelines.reading.settings import DetectOptions
from pipelines.results import Anomalies, AnomalyEvent, SeriesAnomalies
from pipelines.surprise import Surprise, chosen_threshold, events_of, limited

FEWEST = 4  # values before the first forecast
NARROWEST = 0.02  # of the spread of the past, below which no interval is taken to be


def detect(
    source: Source | Iterable[Source], model: SequenceModel | str | Path | None = None, **options
) -> Anomalies | Iterator[Anomalies]:
    """Find what stands out in series.

    Args:
        source: a table of series, as `forecast` takes it; rows need not be evenly spaced. Or a list or
            generator of these.
        model: a loaded model or a file, of `triscribe train anomaly`.
        options: see `DetectOptions`.

    Returns:
        `Anomalies` of all series of the table. For many sources a generator.

    Raises:
        MediaError: a source cannot be read, or is no table of series.
        ModelError: the model cannot be used, or is not for anomalies.
    """
    return answer("detect", source, model, DetectOptions.of(options))


def read_anomalies(
    tables: Iterable[SeriesTable | TriscribeError], model: SequenceModel, options: DetectOptions
) -> Iterator[Anomalies | TriscribeError]:
    """What stands out in each table, in order."""
    for table in tables:
        if isinstance(table, TriscribeError):
            yield table
            continue
        try:
            yield _detected(table, model, options)
        except TriscribeError as error:
            yield error


def _detected(table: SeriesTable, model: SequenceModel, options: DetectOptions) -> Anomalies:
    quiet, found, notes = quiet_of(model), [], list(table.notes)
    for series in table.series:
        if len(series) <= FEWEST:
            notes.append(f"series {series.name!r} has only {len(series)} values and is left out")
            continue
        scores = scores_of(series, model, options.batch_size, device_for(options.device))
        threshold = options.threshold
        if threshold is None:
            threshold = chosen_threshold(scores, options.share, quiet)
        threshold = limited(scores, threshold, quiet, options.max_alarms)
        events = tuple(
            AnomalyEvent(series.time(each.first), series.time(each.last), each.first, each.last, each.score)
            for each in events_of(scores, threshold, quiet)
        )
        times = tuple(map(series.time, range(len(series))))
        found.append(
            SeriesAnomalies(
                series.name, times, tuple(series.values.tolist()), tuple(scores), threshold, events
            )
        )
    if not found:
        raise MediaError(
            table.source or "<series>", f"has no series of more than {FEWEST} values", "give more"
        )
    return Anomalies(tuple(found), model.name, table.source, notes=tuple(notes))


def quiet_of(model: SequenceModel) -> int:
    """Steps that lie between two events at least."""
    return 2 * model.front_end.horizon


def scores_of(
    series: Series, model: SequenceModel, batch_size: int = 256, device: str = "cpu"
) -> list[float]:
    """The score of each step, from 0 to 1, which does not depend on what comes after it."""
    surprise = Surprise()
    errors = errors_of(series, model, batch_size, device)
    return [surprise(*step) for step in zip(series.values.tolist(), errors.tolist(), strict=True)]


def errors_of(series: Series, model: SequenceModel, batch_size: int = 256, device: str = "cpu") -> np.ndarray:
    """How far each step is from its forecast, in halves of the 80 % interval; NaN where it is missing."""
    step = model.front_end.horizon
    windows = [Window(series, origin, model.front_end) for origin in range(FEWEST, len(series), step)]
    forecasts = predicted(model, windows, batch_size, device)
    errors = np.full(len(series), np.nan)
    for window, values in zip(windows, forecasts, strict=True):
        came = series.values[window.origin : window.origin + step]
        errors[window.origin : window.origin + step] = _errors(came, values[: len(came)], window.scale)
    return errors


def _errors(came: np.ndarray, values: np.ndarray, scale: float) -> np.ndarray:
    """Distances from the median in proportion to half of the 80 % interval."""
    low, middle, high = values[:, 1], values[:, 1 + (values.shape[1] - 1) // 2], values[:, -1]
    return np.abs(came - middle) / np.maximum((high - low) / 2, NARROWEST * scale)


class Stream:
    """Scores of a series whose values come one by one, the same that `detect` gives.

    Args:
        model: of `triscribe train anomaly`.
    """

    def __init__(self, model: SequenceModel):
        self.model, self.surprise = model, Surprise()
        self.values: list[float] = []
        self._ahead: np.ndarray | None = None
        self._scale = 1.0

    def __call__(self, value: float) -> float:
        """The score of the next value, from 0 to 1; NaN is missing."""
        place, step = len(self.values) - FEWEST, self.model.front_end.horizon
        error = float("nan")
        if place >= 0:
            if place % step == 0:
                past = np.array(self.values)
                window = Window(
                    Series("stream", past, Clock(), np.empty((0, 0))), len(past), self.model.front_end
                )
                (self._ahead,) = predicted(self.model, [window], 1)
                self._scale = window.scale
            row = self._ahead[place % step : place % step + 1]
            error = float(_errors(np.array([value]), row, self._scale)[0])
        self.values.append(value)
        return self.surprise(value, error)

    @property
    def alarm(self) -> float:
        """The last score if it is higher than those of the 200 steps before, else 0: for a threshold of one's
        own, 0.5 being five standard deviations.
        """
        return self.surprise.alarm
