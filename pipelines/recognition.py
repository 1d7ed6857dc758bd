"""recognize(): images, documents and ink in, text out; videos in, what happens in them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.media import images
from pipelines.media.ink import Ink
from pipelines.media.video import Clip
from pipelines.model import SequenceModel
from pipelines.reading.readers import answer
from pipelines.reading.settings import RecognitionOptions
from pipelines.results import Actions, Page

Source = images.Source | Ink | Clip | list


def recognize(
    source: Source | Iterable[Source], model: SequenceModel | str | Path | None = None, **options
) -> Page | Actions | Iterator[Page | Actions]:
    """Read what is written by hand, or tell what happens in a video.

    Args:
        source: an image of a line or a page (a path, a binary file object, an array, a tensor or a
            Pillow image), a PDF, a file of ink (InkML or JSON lines), strokes as lists of points
            [[(x, y), ...], ...]; a video, a folder of frames, or an array (frames, height, width, 3);
            or a list or generator of these. Content decides, not the name.
        model: a loaded model, a file, or a bundled model's name; None is the bundled one for
            images, for ink or for video.
        options: see `RecognitionOptions`.

    Returns:
        A Page, or for a video Actions. For a PDF, a file of several pieces of ink, and many sources: a
        generator of one for each page or piece, in order, with memory that does not grow with their number.

    Raises:
        MediaError: a source cannot be read (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used, or is not for this kind of source.
    """
    return answer("recognize", source, model, RecognitionOptions.of(options))
