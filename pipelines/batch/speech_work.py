"""What `triscribe transcribe` does with each of its inputs."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.batch.runner import Work
from pipelines.errors import MediaError, TriscribeError
from pipelines.media.audio import is_audio, open_audio
from pipelines.results import Transcript


class Transcribing(Work):
    """Recordings become transcripts.

    Args:
        model: a file, a name, or None for the bundled one.
        options: of `transcribe`.

    Raises:
        ValueError: for an option out of range.
        ModelError: the model cannot be used.
    """

    kind = Transcript
    title = "Transcripts"
    bar = ("audio", "s")

    def __init__(self, model: str | None, options: dict):
        from pipelines.speech import SpeechOptions, speech_model

        self.options = options
        self.network = speech_model(model)
        self.signed = SpeechOptions.of(options).signed(self.network.name, bool(self.network.language))

    def is_meant(self, path: Path) -> bool:
        """By its content; or by its name, so that a ruined recording is reported and not passed over."""
        kind = mimetypes.guess_type(path)[0] or ""
        return is_audio(path) or (kind.startswith("audio/") and "mpegurl" not in kind)

    def units(self, source: Path) -> list[Path]:
        return [source]

    def length(self, unit: Path) -> float:
        """Seconds that a recording says it lasts."""
        try:
            return open_audio(unit).duration or 0.0
        except MediaError:
            return 0.0  # it is reported when its turn comes

    def model(self, unit: Path) -> str:
        return self.signed

    def results(self, units: Iterable[Path]) -> Iterator[Transcript | TriscribeError]:
        from pipelines.speech import transcribe

        return transcribe(units, self.network, errors="return", **self.options)

    def size(self, result: Transcript) -> float:
        return result.duration

    def summary(self, count: int, size: float, rate: float) -> str:
        return f"{count} transcribed ({size:.0f} s of audio, {rate:.0f} s a second)"
