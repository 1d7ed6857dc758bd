"""What stands out in series."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.results.foundation import Result


@dataclass(frozen=True, slots=True)
class AnomalyEvent:
    """Steps that stand out.

    Attributes:
        start, end: times of the first and the last, as the file has them.
        first, last: their numbers, from 0.
        score: the highest of them, from 0 to 1.
    """

    start: str
    end: str
    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True)
class SeriesAnomalies:
    """What stands out in one series.

    Attributes:
        name: of its column, or its unique_id.
        times: of its steps, as the file has them.
        values: of its steps; NaN is missing.
        scores: of its steps, from 0 to 1; none depends on what comes after it.
        threshold: score from which a step belongs to an event.
        events: in order.
    """

    name: str
    times: tuple[str, ...]
    values: tuple[float, ...]
    scores: tuple[float, ...]
    threshold: float
    events: tuple[AnomalyEvent, ...]


@dataclass(frozen=True, slots=True)
class Anomalies(Result):
    """What stands out in the series of a file.

    Attributes:
        series: in the order of the file, at least one.
        model: name of the model.
        source: path of the file.
    """

    series: tuple[SeriesAnomalies, ...]
    model: str
    source: str | None = None

    @property
    def extent(self) -> float:
        """Number of series."""
        return len(self.series)
