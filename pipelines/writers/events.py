"""Anomalies as tables, JSON, text and a picture with the events on the series."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import BinaryIO, ClassVar, TextIO

from pipelines.results import Anomalies, SeriesAnomalies
from pipelines.writers.lines import one_line, printable
from pipelines.writers.tables import write_json

MOST = 8  # series in a picture


@dataclass(frozen=True)
class EventsText:
    """A line for each event: series, start, end, score, between tabs."""

    extension: ClassVar[str] = "txt"

    def write(self, anomalies: Anomalies, file: TextIO) -> None:
        for series in anomalies.series:
            for event in series.events:
                times = f"{one_line(event.start)}\t{one_line(event.end)}"
                file.write(f"{one_line(series.name)}\t{times}\t{event.score:.4f}\n")


@dataclass(frozen=True)
class EventsCSV:
    """A long table (RFC 4180), a row a step: unique_id, ds, y, score, number of its event."""

    extension: ClassVar[str] = "csv"

    def write(self, anomalies: Anomalies, file: TextIO) -> None:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["unique_id", "ds", "y", "score", "event"])
        for series in anomalies.series:
            number = {
                place: str(count)
                for count, event in enumerate(series.events, start=1)
                for place in range(event.first, event.last + 1)
            }
            rows = zip(series.times, series.values, series.scores, strict=True)
            for place, (time, value, score) in enumerate(rows):
                shown = "" if value != value else f"{value:.8g}"
                table.writerow(
                    [one_line(series.name), one_line(time), shown, f"{score:.4f}", number.get(place, "")]
                )


@dataclass(frozen=True)
class EventsJSON:
    """All fields of the result under their names."""

    extension: ClassVar[str] = "json"

    scores: bool = True
    """Write the score and the value of each step."""

    def __post_init__(self):
        if not isinstance(self.scores, bool):
            raise ValueError(f"scores is {self.scores!r}; give True or False")

    def write(self, anomalies: Anomalies, file: TextIO) -> None:
        content = {
            "anomalies": [self._series(series) for series in anomalies.series],
            "model": anomalies.model,
            "source": None if anomalies.source is None else printable(str(anomalies.source)),
        }
        write_json(content, file, anomalies.notes)

    def _series(self, series: SeriesAnomalies) -> dict:
        content = {
            "name": printable(series.name),
            "threshold": round(series.threshold, 4),
            "events": [
                {
                    "start": event.start,
                    "end": event.end,
                    "first": event.first,
                    "last": event.last,
                    "score": round(event.score, 4),
                }
                for event in series.events
            ],
        }
        if self.scores:
            content["scores"] = [
                [time, round(score, 4)] for time, score in zip(series.times, series.scores, strict=True)
            ]
            content["values"] = [None if value != value else value for value in series.values]
        return content


@dataclass(frozen=True)
class EventsPicture:
    """The series with its events shaded, and its scores below; the first series of a table of many."""

    extension: ClassVar[str] = "png"
    mode: ClassVar[str] = "wb"

    most: int = MOST
    """Series that are drawn."""

    def __post_init__(self):
        if not isinstance(self.most, int) or self.most < 1:
            raise ValueError(f"most is {self.most!r}; give a number of at least 1")

    def write(self, anomalies: Anomalies, file: BinaryIO) -> None:
        from matplotlib.figure import Figure

        shown = anomalies.series[: self.most]
        figure = Figure((10, 0.4 + 3 * len(shown)), layout="constrained")
        axes = figure.subplots(2 * len(shown), sharex=len(shown) == 1, height_ratios=[3, 1] * len(shown))
        for place, series in enumerate(shown):
            draw(axes[2 * place], axes[2 * place + 1], series)
        left = len(anomalies.series) - len(shown)
        if left:
            figure.supxlabel(f"and {left} more series", fontsize=8)
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=120, format="png")
        file.write(buffer.getvalue())


def draw(above, below, series: SeriesAnomalies) -> None:
    """Draw a series and its events above its scores."""
    steps = range(len(series.values))
    above.plot(steps, series.values, color="0.3", linewidth=0.8)
    for event in series.events:
        above.axvspan(event.first - 0.5, event.last + 0.5, color="tab:red", alpha=0.3, linewidth=1)
        above.annotate(f"{event.score:.2f}", (event.first, 1), xycoords=("data", "axes fraction"), fontsize=7)
    above.set_title(printable(series.name), loc="left", fontsize=9, pad=10)
    below.plot(steps, series.scores, color="tab:blue", linewidth=0.8)
    below.axhline(series.threshold, color="tab:red", linewidth=0.8, linestyle="--")
    below.set_ylim(0, 1.05)
    below.set_ylabel("score", fontsize=8)
    last = len(series.values) - 1
    marks = sorted({0, last // 3, 2 * last // 3, last})
    below.set_xticks(marks, [series.times[mark] for mark in marks], fontsize=7)
    for axes in (above, below):
        axes.tick_params(axis="y", labelsize=7)
        axes.margins(x=0.01)


FORMATS = {"csv": EventsCSV, "json": EventsJSON, "txt": EventsText, "png": EventsPicture}
