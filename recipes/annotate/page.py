"""Scores of an annotation model as one HTML file: learning curves, F1 of each label, signals with errors."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.media.signal_files import open_signal
from pipelines.media.signals import chosen
from pipelines.writers.ecg_paper import draw
from recipes.annotate.scores import MarkScores
from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report

SHOWN = 3  # signals with errors
SECONDS = 10.0  # of each


def write_annotation_page(
    path: str | Path,
    scores: MarkScores,
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
    names = ("none", *scores.names)
    return write_report(
        path,
        "annotate.html",
        scores.split,
        facts,
        scores=scores,
        marks=sum(map(len, scores.true)),
        curves=learning_curves(history),
        names=names,
        confusions=list(zip(names, scores.confusions.tolist(), strict=True)) if scores.points else [],
        worst=[_drawn(scores, place) for place in scores.worst(SHOWN)],
    )


def _drawn(scores: MarkScores, place: int) -> tuple[str, str]:
    """Name of a signal, and the picture of its first seconds with errors, as a data URL."""
    item, true, found = scores.items[place], scores.true[place], scores.found[place]
    signal = open_signal(item.path).whole()
    lead = signal.channels[item.index or 0]
    start = _first_error(true, found)
    file = io.BytesIO()
    draw(chosen(signal, [lead]), found, file, start=start, seconds=SECONDS, true=true)
    name = f"{item.path.stem}, {lead}, from {start:.0f} s"
    return name, "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _first_error(true, found) -> float:
    """Seconds before the first mark that is missed or added."""
    peaks = {label: [mark.peak for mark in found if mark.label == label] for *_, label in true}
    for start, peak, _, label in true:
        if not any(abs(peak - other) <= 0.15 for other in peaks[label]):
            return max(0.0, start - SECONDS / 3)
    return 0.0
