"""Captions of pictures and videos."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.results.foundation import Check, Result


@dataclass(frozen=True, slots=True)
class CaptionWord:
    """One word of a caption, or a part of one.

    Attributes:
        attention: (rows, columns) attention weights over the picture; they sum to 1. For a video, one row
            of weights over its frames.
    """

    text: str
    confidence: float
    attention: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence about a picture, or about a video from `start` to `end` in seconds.

    Attributes:
        confidence: geometric mean of the probabilities of its labels.
        alternatives: (text, confidence) of other hypotheses, the best first.
        checked: by whom and when the text was checked; None if nobody has.
    """

    text: str
    confidence: float
    words: tuple[CaptionWord, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()
    start: float = 0.0
    end: float = 0.0
    checked: Check | None = None


@dataclass(frozen=True, slots=True)
class Caption(Result):
    """Caption of a picture or a video.

    Attributes:
        sentences: one for a picture, one for each segment of a video in order of time.
        duration: length of the video in seconds; 0 for a picture.
        model: name of the model.
        source: path of the picture or video; None if it was no file.
    """

    sentences: tuple[Sentence, ...]
    duration: float
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        """The sentences, separated by spaces."""
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def extent(self) -> float:
        """Number of sentences."""
        return len(self.sentences)

    @property
    def alternatives(self) -> tuple[tuple[str, float], ...]:
        """Alternatives of the first sentence."""
        return self.sentences[0].alternatives if self.sentences else ()
