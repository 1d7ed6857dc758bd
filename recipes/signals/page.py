"""Scores of a classifier of signals as one HTML file: learning curves, recall, confusions, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report
from recipes.signals.scores import SignalScores

SHOWN = 30  # errors


def write_signal_page(
    path: str | Path,
    scores: SignalScores,
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
        "signals.html",
        scores.split,
        facts,
        scores=scores,
        recalls=sorted(scores.recalls.items(), key=lambda entry: entry[1][0]),
        curves=learning_curves(history),
        **scores.matrix(),
        errors=scores.worst(SHOWN),
    )
