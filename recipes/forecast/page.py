"""The backtest of a forecaster as one HTML file: learning curves, errors beside the baselines, pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.writers.forecasts import draw
from recipes.forecast.scores import METHODS, ForecastScores
from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report

LEVEL = 0.8  # of the band in pictures


def write_forecast_page(
    path: str | Path,
    scores: ForecastScores,
    history: Sequence[Mapping[str, float]] = (),
    facts: Mapping[str, object] | None = None,
) -> Path:
    """Write the report of the scores as one self-contained page.

    Args:
        path: the HTML file; replaced atomically.
        history: the rows that `train` returned, one an epoch.
        facts: names and values for the page's head, as in `heading`.

    Returns:
        The path written.
    """
    return write_report(
        path,
        "forecast.html",
        scores.split,
        facts,
        scores=scores,
        verdicts=[(scores.gain(method), scores.verdict(method)) for method in METHODS[2:]],
        curves=learning_curves(history),
        pictures=[_picture(*example) for example in scores.examples],
    )


def _picture(forecast, came: Sequence[float]) -> str:
    """A PNG as base64."""
    from matplotlib.figure import Figure

    figure = Figure((9, 2.4), layout="constrained")
    draw(figure.subplots(), forecast, LEVEL, came)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100, format="png")
    return base64.b64encode(buffer.getvalue()).decode()
