"""Scores of a translator as one HTML file: learning curves, and translations with their attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report
from recipes.translation.scores import TranslationScores

WORST = 15
DRAWN = 12  # translations with their attention
LARGEST = 1500  # cells of an attention that is drawn


def write_translation_page(
    path: str | Path,
    scores: TranslationScores,
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
    drawn = scores.items[:: max(1, len(scores.items) // DRAWN)][:DRAWN]
    return write_report(
        path,
        "translation.html",
        scores.split,
        facts,
        scores=scores,
        curves=learning_curves(history),
        worst=scores.worst(WORST),
        drawn=[
            (each, [one for one in each.sentences if len(one.tokens) * len(one.source_tokens) <= LARGEST])
            for each in drawn
        ],
    )
