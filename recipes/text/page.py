"""Scores of a classifier of texts as one HTML file: learning curves, recall, confusions, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.writers import write_atomically
from pipelines.writers.markup import render
from recipes.scoring.curves import learning_curves
from recipes.scoring.headings import heading
from recipes.text.scores import TextScores

TEMPLATE = Path(__file__).parents[1] / "scoring" / "templates" / "text.html"
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
    errors = [
        (text if len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026", *rest)
        for text, *rest in scores.worst(SHOWN)
    ]
    page = render(
        TEMPLATE,
        **heading(scores.split, facts),
        scores=scores,
        recalls=sorted(scores.recalls.items(), key=lambda entry: entry[1][0]),
        curves=learning_curves(history),
        **scores.matrix(),
        errors=errors,
    )
    path = Path(path)
    with write_atomically(path) as file:
        file.write(page)
    return path
