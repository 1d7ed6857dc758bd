"""Transcripts of recordings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.results.foundation import Check, Readings, Result


@dataclass(frozen=True, slots=True)
class Character:
    """One decoded character, from `start` to `end` in seconds."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word, from `start` to `end` in seconds; its confidence is the mean over its characters."""

    text: str
    start: float
    end: float
    confidence: float
    characters: tuple[Character, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """Speech between two pauses, or one line of an aligned text.

    Attributes:
        start, end: seconds.
        confidence: mean over the words.
        words: in order of time.
        found: False for a line of an aligned text that is not in the audio.
        alternatives: other readings, if requested.
        checked: by whom and when the text was checked; None if nobody has.
    """

    text: str
    start: float
    end: float
    confidence: float
    words: tuple[Word, ...] = ()
    found: bool = True
    alternatives: Readings = ()
    checked: Check | None = None


@dataclass(frozen=True, slots=True)
class Transcript(Result):
    """Transcript of one recording.

    Attributes:
        segments: in order of time.
        duration: length of the recording in seconds.
        model: name of the model.
        source: path of the recording; None if it was no file.
    """

    segments: tuple[Segment, ...]
    duration: float
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        """The segments' texts, separated by spaces."""
        return " ".join(segment.text for segment in self.segments if segment.text)

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all segments."""
        return tuple(self._each_word())

    @property
    def extent(self) -> float:
        """Length of the recording in seconds."""
        return self.duration

    def _each_word(self) -> Iterator[Word]:
        for segment in self.segments:
            yield from segment.words
