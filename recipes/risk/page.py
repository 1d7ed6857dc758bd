"""Scores of a risk model as one HTML file: learning curves, areas, calibration, hours, gradient boosting."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from recipes.risk.scores import RiskScores
from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report


def write_risk_page(
    path: str | Path,
    scores: RiskScores,
    event: str,
    history: Sequence[Mapping[str, float]] = (),
    facts: Mapping[str, object] | None = None,
) -> Path:
    """Write the report of the scores as one self-contained page.

    Args:
        path: the HTML file; replaced atomically.
        event: what the risk is of.
        history: the rows that `train` returned, one an epoch.
        facts: names and values for the page's head, as in `heading`.

    Returns:
        The path written.
    """
    return write_report(
        path,
        "risk.html",
        scores.split,
        facts,
        scores=scores,
        event=event,
        events=int(scores.labels.sum()),
        curves=learning_curves(history),
        calibration=_calibration(scores),
    )


def _calibration(scores: RiskScores) -> str:
    """Risks that were told beside shares of events that came, as a picture in a data URL."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    told, came, counts = zip(*scores.calibration, strict=True)
    spread = [1.96 * (share * (1 - share) / count) ** 0.5 for share, count in zip(came, counts, strict=True)]
    most = 100 * min(1.0, 1.15 * max(*told, *came))
    axes.plot((0, most), (0, most), color="#999999", ls="--", lw=1)
    points = [100 * each for each in told], [100 * each for each in came]
    bars = [100 * each for each in spread]
    axes.errorbar(*points, yerr=bars, fmt="o-", color="#2f7fc1", capsize=3, lw=1.2)
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    axes.set_xlabel("risk that was told, %")
    axes.set_ylabel("events that came, %")
    axes.grid(alpha=0.3)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
