"""Scores of a captioner as one HTML file: learning curves, and pictures with their captions."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.errors import MediaError
from pipelines.media.images import read_image
from pipelines.media.kind import STILL, kind_of
from pipelines.media.video import open_video
from pipelines.writers.markup import data_uri
from recipes.captioning.scores import CaptionScores
from recipes.scoring.curves import learning_curves
from recipes.scoring.reports import write_report

SIDE = 320  # pixels of a picture's longer side
MEDIA_BYTES = 7_000_000  # of all pictures together, base64 included


def write_caption_page(
    path: str | Path,
    found: CaptionScores,
    history: Sequence[Mapping[str, float]] = (),
    facts: Mapping[str, object] | None = None,
    pictures: int = 60,
) -> Path:
    """Write the report of a captioner as one self-contained page of less than 8 MB.

    Args:
        path: the HTML file; replaced atomically.
        found: what to report.
        history: the rows that `train` returned, one an epoch.
        facts: names and values for the page's head, as in `heading`.
        pictures: number of items to show, evenly from all; a video is shown by its middle frame.

    Returns:
        The path written.
    """
    chosen = found.items[:: max(1, len(found.items) // pictures)][:pictures]
    shown, room = [], MEDIA_BYTES
    for item in chosen:
        address, reason = _picture(item.media)
        if len(address) > room:
            address, reason = "", "left out to keep this page small"
        room -= len(address)
        shown.append((item, address, reason))
    return write_report(
        path,
        "captions.html",
        found.split,
        facts,
        found=found,
        rates=found.rates(),
        curves=learning_curves(history),
        shown=shown,
    )


def _picture(media: Path | None) -> tuple[str, str]:
    """The address of a small picture, or "" and the reason why there is none."""
    from PIL import Image

    if media is None:
        return "", ""
    try:
        if kind_of(media).name in STILL:
            pixels = read_image(media, colour=True).pixels
        else:
            ((_, pixels),) = open_video(media).frames(count=1, shorter_side=SIDE, strict=False)
    except MediaError as error:
        return "", str(error)
    image, file = Image.fromarray(pixels), io.BytesIO()
    image.thumbnail((SIDE, SIDE))
    image.save(file, "WEBP", quality=70)
    return data_uri("image/webp", file.getvalue()), ""
