"""recognize(): looks at what a source is, and hands it to the reader for images, for ink or for video."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import groupby
from numbers import Number
from pathlib import Path

import numpy as np

from pipelines import handwriting, ink, video
from pipelines.errors import MediaError, TriscribeError
from pipelines.media import images
from pipelines.media.audio import DamagedMedia
from pipelines.media.files import GZIP, locate, readable
from pipelines.media.ink import Ink, read_ink
from pipelines.media.video import open_video
from pipelines.model import SequenceModel
from pipelines.reading.batches import model_for, raising
from pipelines.reading.settings import RecognitionOptions
from pipelines.results import Actions, Page
from pipelines.video import Clip

Source = images.Source | Ink | Clip | list
Unit = images.Source | Ink | Clip | TriscribeError


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
    chosen = RecognitionOptions.of(options)
    if _is_one(source):
        found = parts(source, chosen)
        if are_parts(found):
            return raising(results(found, model, chosen), chosen.errors)
        (result,) = raising(results(found, model, chosen), "raise")
        return result
    return raising(results(_all_parts(source, chosen), model, chosen), chosen.errors)


def parts(source: Source, options: RecognitionOptions) -> list[Unit]:
    """The pages of a PDF, the pieces of ink in a file, or the one image or video that a source is.

    Raises:
        MediaError: it is none of these, or a document or ink that cannot be read.
    """
    if _is_strokes(source):
        return read_ink(source)
    if _is_frames(source):
        open_video(source)  # says at once what is wrong with it
        return [Clip(source)]
    if not isinstance(source, (str, os.PathLike)) and not hasattr(source, "read"):
        return [source]
    name, open_it = locate(source)
    with readable(name, open_it) as file:
        head = file.read(1024)
    if not head:
        raise MediaError(name, "is empty (0 bytes)", "copy or make it again")
    if images.is_pdf(source):
        return images.pdf_pages(source, options.pages, options.dpi)
    if images.is_image(source):
        return [source]
    if head.startswith(GZIP) or head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{"):
        return read_ink(source)
    try:
        open_video(source)
    except DamagedMedia:
        raise
    except MediaError as error:
        cause = "is neither an image, a PDF document nor ink, and no video"
        raise MediaError(name, cause, "give one of these, images as PNG or JPEG") from error
    return [Clip(source)]


def are_parts(units: list[Unit]) -> bool:
    """Whether a source gives several results: a PDF always, ink where it is of several pieces."""
    return len(units) > 1 or isinstance(units[0], images.PdfPage)


def results(
    units: Iterable[Unit], model: SequenceModel | str | Path | None, options: RecognitionOptions
) -> Iterator[Page | Actions | TriscribeError]:
    """A Page, Actions or an error for each part of a source, in order; what is an error already stays it."""
    for task, run in groupby(units, key=task_of):
        if task is None:
            yield from run
        elif task == "ink":
            yield from ink.read(model_for(task, model), run, options)
        elif task == "action":
            yield from video.watch(run, model_for(task, model), options)
        else:
            yield from handwriting.read_pages(run, model_for(task, model), options)


def task_of(unit: Unit) -> str | None:
    """The task of the model that reads it; None for an error."""
    if isinstance(unit, TriscribeError):
        return None
    if isinstance(unit, Clip):
        return "action"
    return "ink" if isinstance(unit, Ink) else "handwriting"


def _all_parts(sources: Iterable[Source], options: RecognitionOptions) -> Iterator[Unit]:
    for source in sources:
        try:
            yield from parts(source, options)
        except TriscribeError as error:
            yield error


def _is_one(source: object) -> bool:
    """Whether it is one source, not many."""
    kinds = (str, os.PathLike, np.ndarray, images.PdfPage, images.Picture, Ink, Clip)
    held = any(hasattr(source, name) for name in ("read", "detach", "getexif"))
    return isinstance(source, kinds) or held or _is_strokes(source)


def _is_frames(source: object) -> bool:
    """Whether it is a folder of frames or an array of them."""
    if isinstance(source, (str, os.PathLike)):
        return os.path.isdir(source)
    return getattr(source, "ndim", 0) == 4


def _is_strokes(source: object) -> bool:
    """Whether these are lists of points: numbers three levels down."""
    depth = 0
    while isinstance(source, (list, tuple)):
        source = next((each for each in source if not isinstance(each, (list, tuple)) or each), None)
        depth += 1
    if isinstance(source, np.ndarray) and depth and source.shape[-1:] in ((2,), (3,)):
        depth += source.ndim
        return depth == 3
    return depth == 3 and isinstance(source, Number)
