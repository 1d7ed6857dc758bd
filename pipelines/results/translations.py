"""Translations of texts."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.results.foundation import Result


@dataclass(frozen=True, slots=True)
class TranslatedToken:
    """A word or sign of a translation.

    Attributes:
        confidence: mean of the probabilities of its parts.
        attention: share of each token of the source sentence; shares sum to 1.
    """

    text: str
    confidence: float
    attention: tuple[float, ...] = ()

    @property
    def aligned(self) -> int | None:
        """Place of the source token with the largest share, from 0; None if shares were left out."""
        return self.attention.index(max(self.attention)) if self.attention else None


@dataclass(frozen=True, slots=True)
class TranslatedSentence:
    """A sentence and its translation.

    Attributes:
        source: the sentence.
        text: its translation.
        confidence: geometric mean of the probabilities of its labels.
        line: on which it stands, from 1.
        source_tokens: the words and signs of the sentence, to which attention was paid.
        tokens: of the translation.
        alternatives: (text, confidence) of other hypotheses, the best first.
    """

    source: str
    text: str
    confidence: float
    line: int = 1
    source_tokens: tuple[str, ...] = ()
    tokens: tuple[TranslatedToken, ...] = ()
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Translated(Result):
    """Translation of one text, or of all lines of a file.

    Attributes:
        sentences: in the order of the text.
        lines: number of lines, empty ones included.
        model: name of the model.
        source: path of the file; None if the text came from no file.
    """

    sentences: tuple[TranslatedSentence, ...]
    lines: int
    model: str
    source: str | None = None

    @property
    def text(self) -> str:
        """The translation, line by line as the source."""
        return "\n".join(self.by_line)

    @property
    def by_line(self) -> tuple[str, ...]:
        """The translation of each line; empty for an empty one. Spaces separate sentences."""
        texts: list[list[str]] = [[] for _ in range(self.lines)]
        for sentence in self.sentences:
            texts[sentence.line - 1].append(sentence.text)
        return tuple(" ".join(filter(None, each)) for each in texts)

    @property
    def confidence(self) -> float | None:
        """Mean over the sentences; None where there are none."""
        if not self.sentences:
            return None
        return sum(sentence.confidence for sentence in self.sentences) / len(self.sentences)

    @property
    def extent(self) -> float:
        """Number of sentences."""
        return len(self.sentences)
