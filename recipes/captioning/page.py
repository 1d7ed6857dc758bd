"""The scores of a captioner as one HTML file: curves, and pictures with what was said of them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.errors import MediaError
from pipelines.media.images import read_image
from pipelines.writers import write_atomically
from pipelines.writers.markup import data_uri, render
from recipes.captioning.scores import CaptionScores
from recipes.scoring.curves import learning_curves

TEMPLATE = Path(__file__).parents[1] / "scoring" / "templates" / "captions.html"
SIDE = 256  # pixels of a picture's longer side


def write_caption_page(
    path: str | Path,
    found: CaptionScores,
    history: Sequence[Mapping[str, float]] = (),
    facts: Mapping[str, object] | None = None,
    pictures: int = 60,
) -> Path:
    """Write the report of a captioner as one self-contained page; returns its path.

    Args:
        path: the HTML file; whatever was there is replaced atomically.
        found: what to report.
        history: what `train` returned.
        facts: names and values of the training.
        pictures: how many to show, evenly from all; videos are shown without one.
    """
    chosen = found.items[:: max(1, len(found.items) // pictures)][:pictures]
    page = render(
        TEMPLATE,
        title=f"Captions on {found.split}",
        found=found,
        facts=facts or {},
        curves=learning_curves(history),
        shown=[(item, _address(item.media)) for item in chosen],
    )
    path = Path(path)
    with write_atomically(path) as file:
        file.write(page)
    return path


def _address(media: Path | None) -> str:
    from PIL import Image

    if media is None:
        return ""
    try:
        image = Image.fromarray(read_image(media, colour=True).pixels)
    except MediaError:
        return ""
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "WEBP", quality=70)
    return data_uri("image/webp", file.getvalue())
