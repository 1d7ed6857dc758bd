"""What `triscribe recognize` does with each of its inputs."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.errors import TriscribeError
from pipelines.media.images import is_image, is_pdf
from pipelines.media.ink import is_ink
from pipelines.results import Page
from pipelines.running import Work


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
        return ruined or is_ink(path) or is_image(path) or is_pdf(path)

    def units(self, source: Path) -> list:
        from pipelines.recognition import parts

        try:
            return parts(source, self.options)
        except TriscribeError as error:
            return [error]

    def numbers(self, units: list) -> list[int]:
        from pipelines.recognition import are_parts

        return [unit.number for unit in units] if are_parts(units) else []

    def length(self, unit: object) -> float:
        return 1.0

    def model(self, unit: object) -> str:
        from pipelines.reading import model_for
        from pipelines.recognition import task_of

        task = task_of(unit)
        return model_for(task, self.network).name if task else ""

    def results(self, units: Iterable) -> Iterator[Page | TriscribeError]:
        from pipelines.recognition import results

        return results(units, self.network, self.options)

    def size(self, result: Page) -> float:
        return len(result.lines)

    def summary(self, count: int, size: float, rate: float) -> str:
        return f"{count} recognised ({size:.0f} lines, {rate:.1f} lines a second)"
