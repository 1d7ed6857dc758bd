"""What `triscribe caption` does with each of its inputs."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.batch.runner import Work
from pipelines.errors import TriscribeError
from pipelines.media.images import is_image
from pipelines.media.video import is_video
from pipelines.results import Caption


class Describing(Work):
    """Pictures and videos become captions.

    Args:
        model: a file, a name, or None for the bundled one.
        options: of `caption`.

    Raises:
        ValueError: for an option out of range.
        ModelError: the model cannot be used.
    """

    kind = Caption
    title = "Captions"
    bar = ("captions", "file")

    def __init__(self, model: str | None, options: dict):
        from pipelines.captioning import CaptionOptions
        from pipelines.reading.batches import model_for

        self.options = CaptionOptions.of(options)
        self.network = model_for("captioning", model)

    def is_meant(self, path: Path) -> bool:
        """By its content; or by its name, so that a ruined file is reported and not passed over."""
        kind = mimetypes.guess_type(path)[0] or ""
        ruined = kind.startswith("video/") or (kind.startswith("image/") and "svg" not in kind)
        return ruined or is_image(path) or is_video(path)

    def units(self, source: Path) -> list[Path]:
        return [source]

    def length(self, unit: Path) -> float:
        return 1.0

    def model(self, unit: Path) -> str:
        return self.network.name

    def results(self, units: Iterable[Path]) -> Iterator[Caption | TriscribeError]:
        from pipelines.captioning import captions

        return captions(units, self.network, self.options)

    def size(self, result: Caption) -> float:
        return len(result.sentences)

    def summary(self, count: int, size: float, rate: float) -> str:
        return f"{count} described ({size:.0f} sentences, {rate:.1f} a second)"
