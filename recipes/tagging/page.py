"""Scores of a tagger as one HTML file: learning curves, scores of each label, confusions, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report
from recipes.tagging.scores import TaggingScores

SHOWN = 15  # sentences with errors


def write_tagging_page(
    path: str | Path,
    scores: TaggingScores,
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
        "tagging.html",
        scores.split,
        facts,
        scores=scores,
        tokens=sum(map(len, scores.found)),
        curves=learning_curves(history),
        worst=scores.worst(SHOWN),
    )
