"""Scores of a classifier of texts as one HTML file: learning curves, recall, confusions, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report
from recipes.text.scores import TextScores
from recipes.text.several import SeveralScores

SHOWN = 30  # errors
LONGEST = 400  # characters of a text that are shown


def write_text_page(
    path: str | Path,
    scores: TextScores,
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
        "text.html",
        scores.split,
        facts,
        scores=scores,
        recalls=sorted(scores.recalls.items(), key=lambda entry: entry[1][0]),
        curves=learning_curves(history),
        **scores.matrix(),
        errors=_shortened(scores.worst(SHOWN)),
    )


def write_several_page(
    path: str | Path,
    scores: SeveralScores,
    history: Sequence[Mapping[str, float]] = (),
    facts: Mapping[str, object] | None = None,
) -> Path:
    """The same for texts that may have several labels; see `write_text_page`."""
    return write_report(
        path,
        "several.html",
        scores.split,
        facts,
        scores=scores,
        curves=learning_curves(history),
        errors=_shortened(scores.worst(SHOWN)),
    )


def _shortened(errors: Sequence[tuple]) -> list[tuple]:
    """Errors, each of which begins with its text, of which only the beginning is kept."""
    return [
        (text if len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026", *rest) for text, *rest in errors
    ]
