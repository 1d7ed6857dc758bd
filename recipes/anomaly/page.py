"""What a detector of anomalies found as one HTML file: learning curves, scores, pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipelines.writers.events import draw
from recipes.anomaly.scores import AnomalyScores, Searched
from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report

SHOWN = 6  # series


def write_anomaly_page(
    path: str | Path,
    scores: AnomalyScores,
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
    order = sorted(
        scores.series, key=lambda each: -max((event.score for event in each.found.events), default=0)
    )
    f1 = scores.f1() if scores.labelled else {}
    return write_report(
        path,
        "anomaly.html",
        scores.split,
        facts,
        scores=scores,
        nab=scores.nab() if scores.labelled else {},
        f1=f1,
        mean_f1=float(np.mean(list(f1.values()))) if f1 else None,
        curves=learning_curves(history),
        pictures=[_picture(each) for each in order[:SHOWN]],
    )


def _picture(searched: Searched) -> str:
    """A PNG as base64; known windows in green."""
    from matplotlib.figure import Figure

    figure = Figure((9, 3), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=[3, 1])
    draw(above, below, searched.found)
    for first, last in searched.windows or ():
        above.axvspan(first, last, color="tab:green", alpha=0.15, linewidth=0)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=90, format="png")
    return base64.b64encode(buffer.getvalue()).decode()
