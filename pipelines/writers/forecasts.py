"""Forecasts as tables, JSON, text and a picture with the interval as a band."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, ClassVar, TextIO

from pipelines.results import Forecast, SeriesForecast
from pipelines.writers.lines import one_line, printable
from pipelines.writers.tables import write_json

MOST = 8  # series in a picture


@dataclass(frozen=True)
class ForecastText:
    """A line for each step: series, time, median, lower and upper bound of the interval, between tabs."""

    extension: ClassVar[str] = "txt"

    def write(self, forecast: Forecast, file: TextIO) -> None:
        for series in forecast.series:
            low, high = series.interval(forecast.level)
            for row in zip(series.times, series.median, low, high, strict=True):
                numbers = "\t".join(f"{number:.6g}" for number in row[1:])
                file.write(f"{one_line(series.name)}\t{one_line(row[0])}\t{numbers}\n")


@dataclass(frozen=True)
class ForecastCSV:
    """A long table (RFC 4180), a row a step: unique_id, ds, mean, and a column for each quantile."""

    extension: ClassVar[str] = "csv"

    def write(self, forecast: Forecast, file: TextIO) -> None:
        table = csv.writer(file, lineterminator="\n")
        levels = [level for level, _ in forecast.series[0].quantiles]
        table.writerow(["unique_id", "ds", "mean", *(f"q{100 * level:g}" for level in levels)])
        for series in forecast.series:
            table.writerows(_rows(series))


def _rows(series: SeriesForecast) -> Iterable[list[str]]:
    columns = [series.mean, *(values for _, values in series.quantiles)]
    for time, *numbers in zip(series.times, *columns, strict=True):
        yield [one_line(series.name), one_line(time), *(f"{number:.8g}" for number in numbers)]


@dataclass(frozen=True)
class ForecastJSON:
    """All fields of the result under their names."""

    extension: ClassVar[str] = "json"

    def write(self, forecast: Forecast, file: TextIO) -> None:
        content = {
            "forecasts": [
                {
                    "name": printable(series.name),
                    "times": list(series.times),
                    "mean": list(series.mean),
                    "quantiles": {str(float(level)): list(values) for level, values in series.quantiles},
                    "past": [[time, None if value != value else value] for time, value in series.past],
                }
                for series in forecast.series
            ],
            "level": forecast.level,
            "model": forecast.model,
            "source": None if forecast.source is None else printable(str(forecast.source)),
        }
        write_json(content, file, forecast.notes)


@dataclass(frozen=True)
class ForecastPicture:
    """The past, the median, and the interval as a band; the first series of a table of many."""

    extension: ClassVar[str] = "png"
    mode: ClassVar[str] = "wb"

    most: int = MOST
    """Series that are drawn."""

    def __post_init__(self):
        if not isinstance(self.most, int) or self.most < 1:
            raise ValueError(f"most is {self.most!r}; give a number of at least 1")

    def write(self, forecast: Forecast, file: BinaryIO) -> None:
        from matplotlib.figure import Figure

        shown = forecast.series[: self.most]
        figure = Figure((9, 0.6 + 2.2 * len(shown)), layout="constrained")
        for axes, series in zip(figure.subplots(len(shown), squeeze=False)[:, 0], shown, strict=True):
            draw(axes, series, forecast.level)
        left = len(forecast.series) - len(shown)
        if left:
            figure.supxlabel(f"and {left} more series", fontsize=8)
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=120, format="png")
        file.write(buffer.getvalue())


def draw(axes, series: SeriesForecast, level: float, came: Iterable[float] = ()) -> None:
    """Draw a forecast behind its past, and what came, if that is known."""
    past, steps = len(series.past), len(series.times)
    future = range(past, past + steps)
    low, high = series.interval(level)
    axes.plot(range(past), [value for _, value in series.past], color="0.35", linewidth=1)
    axes.fill_between(
        future, low, high, color="tab:blue", alpha=0.25, linewidth=0, label=f"{100 * level:g} %"
    )
    axes.plot(future, series.median, color="tab:blue", linewidth=1.4, label="median")
    came = list(came)
    if came:
        axes.plot(range(past, past + len(came)), came, color="tab:orange", linewidth=1, label="what came")
    times = [*(time for time, _ in series.past), *series.times]
    marks = sorted({0, past // 2, past, len(times) - 1})
    axes.set_xticks(marks, [times[mark] for mark in marks], fontsize=7)
    axes.axvline(past - 0.5, color="0.7", linewidth=0.8)
    axes.set_title(printable(series.name), loc="left", fontsize=9)
    axes.tick_params(axis="y", labelsize=7)
    axes.margins(x=0.01)
    axes.legend(fontsize=7, frameon=False, loc="upper left")


FORMATS = {"csv": ForecastCSV, "json": ForecastJSON, "txt": ForecastText, "png": ForecastPicture}
