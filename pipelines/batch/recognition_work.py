"""What `triscribe recognize` does with each of its inputs."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.batch.plan import collect
from pipelines.batch.runner import Work
from pipelines.errors import MediaError, TriscribeError
from pipelines.media.images import is_image, is_pdf
from pipelines.media.ink import is_ink
from pipelines.media.video import is_video
from pipelines.results import Actions, Page


class Recognizing(Work):
    """Images, the pages of PDF documents and pieces of ink become pages.

    Args:
        model: a file, a name, or None for the bundled ones.
        options: of `recognize`.

    Raises:
        ValueError: for an option out of range.
        ModelError: the model cannot be used.
    """

    kind = Page
    title = "Handwriting"
    bar = ("pages", "page")

    def __init__(self, model: str | None, options: dict):
        from pipelines.model import load
        from pipelines.recognition import RecognitionOptions

        self.options = RecognitionOptions.of(options)
        self.network = None if model is None else load(model)

    def is_meant(self, path: Path) -> bool:
        """By its content; or by its name, so that a ruined image is reported and not passed over."""
        kind = mimetypes.guess_type(path)[0] or ""
        ruined = kind == "application/pdf" or (kind.startswith("image/") and "svg" not in kind)
        return ruined or is_written(path)

    def units(self, source: Path) -> list:
        from pipelines.recognition import parts
        from pipelines.video import Clip

        try:
            found = parts(source, self.options)
        except TriscribeError as error:
            return [error]
        if isinstance(found[0], Clip):
            return [MediaError(source, "is a video, among what is written", "name videos apart")]
        return found

    def numbers(self, units: list) -> list[int]:
        from pipelines.recognition import are_parts

        return [unit.number for unit in units] if are_parts(units) else []

    def length(self, unit: object) -> float:
        return 1.0

    def model(self, unit: object) -> str:
        from pipelines.reading.batches import model_for
        from pipelines.recognition import task_of

        task = task_of(unit)
        if not task:
            return ""
        network = model_for(task, self.network)
        return self.options.signed(network.name, bool(network.language))

    def results(self, units: Iterable) -> Iterator[Page | TriscribeError]:
        from pipelines.recognition import results

        return results(units, self.network, self.options)

    def size(self, result: Page) -> float:
        return len(result.lines)

    def summary(self, count: int, size: float, rate: float) -> str:
        return f"{count} recognised ({size:.0f} lines, {rate:.1f} lines a second)"


class Watching(Work):
    """Videos become what happens in them.

    Args:
        model: a file, a name, or None for the bundled one.
        options: of `recognize`.

    Raises:
        ValueError: for an option out of range.
        ModelError: the model cannot be used.
    """

    kind = Actions
    title = "Actions"
    bar = ("videos", "video")

    def __init__(self, model: str | None, options: dict):
        from pipelines.reading.batches import model_for
        from pipelines.video import VideoOptions

        self.options = VideoOptions.of(options)
        self.network = model_for("action", model)

    def is_meant(self, path: Path) -> bool:
        """By its content; or by its name, so that a ruined video is reported and not passed over."""
        return is_film(path)

    def units(self, source: Path) -> list:
        from pipelines.video import Clip

        return [Clip(source)]

    def length(self, unit: object) -> float:
        return 1.0

    def model(self, unit: object) -> str:
        return self.network.name

    def results(self, units: Iterable) -> Iterator[Actions | TriscribeError]:
        from pipelines.video import watch

        return watch(units, self.network, self.options)

    def size(self, result: Actions) -> float:
        return result.duration

    def summary(self, count: int, size: float, rate: float) -> str:
        return f"{count} watched ({size:.0f} s of video, {rate:.1f} s a second)"


def is_film(path: Path) -> bool:
    """Whether a file is a video, by its name or else by its content; an image that moves is none."""
    if (mimetypes.guess_type(path)[0] or "").startswith("video/"):
        return True
    return not is_written(path) and is_video(path)


def is_written(path: Path) -> bool:
    """Whether a file is an image, a PDF document or ink, by its content."""
    return is_ink(path) or is_image(path) or is_pdf(path)


def are_films(inputs: Iterable[str]) -> bool:
    """Whether the first medium among files, folders and patterns is a video."""
    for each in inputs:
        try:
            found = collect([each], lambda path: is_film(path) or is_written(path))
        except MediaError:
            continue
        return is_film(found[0])
    return False
