"""Scores of an action recogniser as one HTML file: learning curves, recall, confusions, players."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.video import open_video
from pipelines.writers.markup import data_uri
from pipelines.writers.videos import write_video
from recipes.action.scores import ActionScores
from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report

MEDIA_BYTES = 7_000_000  # of all clips together, base64 included
RATE, HEIGHT, QUALITY = 12.0, 144, 30  # of clips: frames a second, pixels of the shorter side, CRF of H.264
LONGEST = 20.0  # seconds of a clip that are shown


@dataclass(frozen=True)
class ShownClip:
    """A clip in the page: what it shows and what it was taken for, its player and its attention.

    Attributes:
        address: of the player, or "" where `reason` says why there is none.
        points: `x,y x,y ...` of the attention in a drawing of 100 x 20, or "" where there is none.
    """

    name: str
    label: str
    found: str
    score: float
    address: str = ""
    reason: str = ""
    points: str = ""


def write_action_page(
    path: str | Path,
    scores: ActionScores,
    history: Sequence[Mapping[str, float]] = (),
    facts: Mapping[str, object] | None = None,
    shown: int = 0,
) -> Path:
    """Write the report of the scores as one self-contained page of less than 8 MB.

    Args:
        path: the HTML file; replaced atomically.
        history: the rows that `train` returned, one an epoch.
        facts: names and values for the page's head, as in `heading`.
        shown: number of clips to show with a player, misjudged ones first. None by default, since not all
            data may be shown.

    Returns:
        The path written.
    """
    order = np.argsort(scores.right[0], kind="stable")[:shown]
    return write_report(
        path,
        "action.html",
        scores.split,
        facts,
        scores=scores,
        recalls=sorted(scores.recalls.items(), key=lambda entry: entry[1][0]),
        curves=learning_curves(history),
        **scores.matrix(),
        clips=_clips(scores, [int(index) for index in order]),
    )


def _clips(scores: ActionScores, chosen: Sequence[int]) -> list[ShownClip]:
    clips, room = [], MEDIA_BYTES
    for index in chosen:
        item, found = scores.items[index], scores.runs[0, index]
        address = reason = ""
        try:
            address = data_uri("video/mp4", _film(item.path, item.start or 0.0, item.end))
        except MediaError as error:
            reason = str(error)
        if len(address) > room:
            address, reason = "", "left out to keep this page small"
        room -= len(address)
        judged = scores.classes[int(found.argmax())], float(found.max())
        points = _points(scores.attention[index] if scores.attention else ())
        clips.append(ShownClip(item.path.name, item.target, *judged, address, reason, points))
    return clips


def _film(path: Path, start: float, end: float | None) -> bytes:
    """The clip as a small MP4 file without sound, cut off after `LONGEST` seconds.

    Raises:
        MediaError: it cannot be read.
    """
    end = start + LONGEST if end is None else min(end, start + LONGEST)
    frames = open_video(path).frames(every=1 / RATE, shorter_side=HEIGHT, start=start, end=end, strict=False)
    file = io.BytesIO()
    write_video(file, ((place / RATE, frame.pixels) for place, frame in enumerate(frames)), crf=QUALITY)
    return file.getvalue()


def _points(attention: Sequence[tuple[float, float]]) -> str:
    highest, last = (max((pair[side] for pair in attention), default=1.0) or 1.0 for side in (1, 0))
    return " ".join(f"{100 * time / last:.1f},{20 - 19 * share / highest:.1f}" for time, share in attention)
