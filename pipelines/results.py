"""What the pipelines give back: frozen dataclasses whose numbers all carry a unit.

Times are seconds from the start of the media; confidences are probabilities in [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Character:
    """One decoded symbol."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Word:
    """Characters between two spaces; its confidence is the mean of theirs."""

    text: str
    start: float
    end: float
    confidence: float
    characters: tuple[Character, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech between pauses, or one line of a text that was aligned.

    `found` is False for a line of a known text that is not in the audio.
    """

    text: str
    start: float
    end: float
    confidence: float
    words: tuple[Word, ...] = ()
    found: bool = True


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one recording, and when.

    Attributes:
        segments: in order of time.
        duration: seconds of the recording.
        model: name of the model that wrote it.
        source: path of the recording, or None for an array.
    """

    segments: tuple[Segment, ...]
    duration: float
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments if segment.text)

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(self._each_word())

    def _each_word(self) -> Iterator[Word]:
        for segment in self.segments:
            yield from segment.words

    def save(self, path: str | Path, **options) -> Path:
        """Write in the format that the path's ending names, atomically.

        Args:
            path: e.g. `talk.srt`; txt, json, srt, vtt, tsv, ctm or TextGrid.
            options: of the format, e.g. `max_chars=37` for subtitles.

        Returns:
            The path written.

        Raises:
            ValueError: for an unknown ending or option.
        """
        from pipelines.writers import save

        return save(self, path, **options)
