"""Scores of an action recogniser as one HTML file: curves, recalls, confusions, and clips if asked for."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.media.video import open_video
from pipelines.writers import write_atomically
from pipelines.writers.markup import data_uri, render
from recipes.action.scores import ActionScores
from recipes.scoring.curves import learning_curves

TEMPLATE = Path(__file__).parents[1] / "scoring" / "templates" / "action.html"
SHOWN = 8  # frames of a clip
HEIGHT = 96  # pixels of these


@dataclass(frozen=True)
class ShownClip:
    """A clip in the page: the address of its frames side by side, its labels, and its attention.

    Attributes:
        points: `x,y x,y ...` of the attention in a drawing of 100 x 20, or "" where there is none.
    """

    name: str
    label: str
    found: str
    score: float
    address: str
    points: str


def write_action_page(
    path: str | Path,
    scores: ActionScores,
    history: Sequence[Mapping[str, float]] = (),
    facts: Mapping[str, object] | None = None,
    shown: int = 0,
) -> Path:
    """Write the report of the scores as one self-contained page.

    Args:
        path: the HTML file; whatever was there is replaced atomically.
        history: what `train` returned.
        facts: names and values for the page's head.
        shown: clips to show with their frames, those judged wrong first; data may not allow any.

    Returns:
        The path written.
    """
    order = np.argsort(scores.right[0], kind="stable")[:shown]
    page = render(
        TEMPLATE,
        title=f"Actions on {scores.split}",
        scores=scores,
        facts=facts or {},
        curves=learning_curves(history),
        confusion=scores.confusion.tolist(),
        clips=[_shown(scores, int(index)) for index in order],
    )
    path = Path(path)
    with write_atomically(path) as file:
        file.write(page)
    return path


def _shown(scores: ActionScores, index: int) -> ShownClip:
    from PIL import Image

    item, found = scores.items[index], scores.runs[0, index]
    frames = open_video(item.path).frames(SHOWN, None, HEIGHT, item.start or 0.0, item.end, strict=False)
    file = io.BytesIO()
    Image.fromarray(np.concatenate([frame.pixels for frame in frames], axis=1)).save(file, "WEBP", quality=70)
    attention = scores.attention[index] if scores.attention else ()
    highest, last = (max((pair[side] for pair in attention), default=1.0) or 1.0 for side in (1, 0))
    points = " ".join(f"{100 * time / last:.1f},{20 - 20 * share / highest:.1f}" for time, share in attention)
    return ShownClip(
        item.path.name,
        item.target,
        scores.classes[int(found.argmax())],
        float(found.max()),
        data_uri("image/webp", file.getvalue()),
        points,
    )
