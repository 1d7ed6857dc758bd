"""Scores of a language model as one HTML file: figures, learning curves, samples, surprising stretches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recipes.language.scores import LanguageScores, told
from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report

SHOWN = 5  # most surprising stretches
LONGEST = 600  # characters of them


def write_language_page(
    path: str | Path,
    scores: LanguageScores,
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
    surprising = sorted(scores.stretches, key=lambda each: -each.nats / max(1, each.characters))[:SHOWN]
    return write_report(
        path,
        "language.html",
        scores.split,
        facts,
        scores=scores,
        told=told,
        curves=learning_curves(history),
        surprising=[(each.nats / max(1, each.characters), each.text[:LONGEST]) for each in surprising],
    )
