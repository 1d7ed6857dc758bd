"""The future of series."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.results.foundation import Result


@dataclass(frozen=True, slots=True)
class SeriesForecast:
    """The future of one series.

    Attributes:
        name: of its column, or its unique_id.
        times: of the steps, as the file writes its own.
        mean: expected value of each step.
        quantiles: (level, value of each step) by rising level; 0.5 is the median.
        past: (time, value) of the last steps before the forecast; NaN is missing.
    """

    name: str
    times: tuple[str, ...]
    mean: tuple[float, ...]
    quantiles: tuple[tuple[float, tuple[float, ...]], ...]
    past: tuple[tuple[str, float], ...] = ()

    @property
    def median(self) -> tuple[float, ...]:
        """The middle quantile."""
        return self.quantiles[len(self.quantiles) // 2][1]

    def interval(self, level: float = 0.8) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Lower and upper bounds that are to hold this share of the values.

        Raises:
            ValueError: the model has no such quantiles.
        """
        held = {round(each, 4): values for each, values in self.quantiles}
        low, high = round((1 - level) / 2, 4), round((1 + level) / 2, 4)
        if low not in held or high not in held:
            levels = ", ".join(f"{2 * each - 1:.3g}" for each, _ in self.quantiles if each > 0.5)
            raise ValueError(f"level must be one of {levels}, not {level}")
        return held[low], held[high]


@dataclass(frozen=True, slots=True)
class Forecast(Result):
    """The future of all series of a file.

    Attributes:
        series: in the order of the file, at least one.
        model: name of the model.
        source: path of the file.
        level: share of the values that the interval is to hold.
    """

    series: tuple[SeriesForecast, ...]
    model: str
    source: str | None = None
    level: float = 0.8

    @property
    def extent(self) -> float:
        """Number of series."""
        return len(self.series)
