"""Forecasts, anomalies, marks and risks, from their JSON."""

from __future__ import annotations

from pipelines.results import (
    Annotated,
    Anomalies,
    AnomalyEvent,
    Forecast,
    Mark,
    RiskCurve,
    Risks,
    SeriesAnomalies,
    SeriesForecast,
)
from pipelines.stored_results.entry import Entry, about

HOUR = 3600.0  # seconds


def forecast(entry: Entry) -> Forecast:
    series = entry.some("forecasts", _series_forecast, "series")
    return Forecast(series, **about(entry), level=entry.number("level"))


def _series_forecast(entry: Entry) -> SeriesForecast:
    times, past = entry.texts("times"), entry.dated("past")
    mean = entry.row("mean", len(times))
    quantiles = entry.inner("quantiles", entry.content.get("quantiles"))
    levels = tuple((_level(quantiles, name), quantiles.row(name, len(times))) for name in quantiles.content)
    return SeriesForecast(entry.text("name"), times, mean, levels, past)


def _level(quantiles: Entry, name: str) -> float:
    try:
        return float(name)
    except ValueError:
        raise quantiles.fault(f"{quantiles.at(name)} is at no level from 0 to 1") from None


def anomalies(entry: Entry) -> Anomalies:
    return Anomalies(entry.some("anomalies", _series_anomalies, "series"), **about(entry))


def _series_anomalies(entry: Entry) -> SeriesAnomalies:
    scores = entry.dated("scores")
    values = entry.row("values", len(scores), gaps=True)
    times, shares = tuple(time for time, _ in scores), tuple(score for _, score in scores)
    events = entry.each("events", _event)
    return SeriesAnomalies(entry.text("name"), times, values, shares, entry.number("threshold"), events)


def _event(entry: Entry) -> AnomalyEvent:
    places = entry.whole("first"), entry.whole("last")
    return AnomalyEvent(entry.text("start"), entry.text("end"), *places, entry.number("score"))


def annotated(entry: Entry) -> Annotated:
    size = entry.number("duration"), entry.number("rate"), entry.texts("leads")
    return Annotated(entry.each("marks", _mark), *size, **about(entry), number=entry.whole_or_none("number"))


def _mark(entry: Entry) -> Mark:
    times = entry.number("start"), entry.number("end"), entry.number("peak")
    return Mark(entry.text("label"), *times, entry.number("confidence"), entry.name_or_none("lead"))


def risks(entry: Entry) -> Risks:
    return Risks(entry.each("curves", _curve), entry.text("event"), **about(entry))


def _curve(entry: Entry) -> RiskCurve:
    times = tuple(round(HOUR * hours, 3) for hours in entry.row("hours"))
    return RiskCurve(entry.text("name"), times, entry.row("risks", len(times)))
