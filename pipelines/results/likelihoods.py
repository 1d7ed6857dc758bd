"""What language models make of texts: how probable they are, and how they go on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.results.foundation import Result


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A symbol of a language model in its text.

    Attributes:
        start, end: its place in the text, counted in characters.
        nats: its surprisal, the negative logarithm of its probability after all that precedes it.
        known: False for what the vocabulary does not hold.
    """

    text: str
    start: int
    end: int
    nats: float
    known: bool


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A text, and how surprising a language model finds each of its symbols.

    A symbol outside the vocabulary costs the surprisal of meeting any such, and that of spelling it, so that
    probabilities of all texts sum to one (see `pipelines.reading.verbatim`).

    Attributes:
        text: in the normal form and case of the model.
        starts: where each symbol begins; the first is at 0, and each ends where the next one begins.
        surprisals: nats of each symbol.
        unknown: places, among the symbols, of those outside the vocabulary.
        unit: what the symbols are: character, subword or word.
    """

    text: str
    starts: Sequence[int]
    surprisals: Sequence[float]
    unknown: tuple[int, ...] = ()
    unit: str = "character"

    @property
    def nats(self) -> float:
        """Surprisal of the whole text."""
        return math.fsum(self.surprisals)

    @property
    def nats_per_character(self) -> float:
        """Mean surprisal of a character, in nats; for all models of the same text the same measure."""
        return self.nats / max(1, len(self.text))

    @property
    def bits_per_character(self) -> float:
        """Mean surprisal of a character, in bits."""
        return self.nats_per_character / math.log(2)

    @property
    def perplexity(self) -> float:
        """Exponential of the mean surprisal of a symbol: of a character, subword or word."""
        return math.exp(min(700.0, self.nats / max(1, len(self.surprisals))))

    @property
    def word_perplexity(self) -> float:
        """Exponential of the mean surprisal of a word with the white space beside it."""
        return math.exp(min(700.0, self.nats / max(1, len(self.text.split()))))

    @property
    def tokens(self) -> Iterator[ScoredToken]:
        """All symbols, in order."""
        unknown = set(self.unknown)
        for place, nats in enumerate(self.surprisals):
            start = self.starts[place]
            end = self.starts[place + 1] if place + 1 < len(self.starts) else len(self.text)
            yield ScoredToken(self.text[start:end], start, end, nats, place not in unknown)


@dataclass(frozen=True, slots=True)
class Likelihood(Result):
    """How probable a language model finds one text, or all texts in a file.

    Attributes:
        texts: in the order of the file, at least one.
        model: name of the model.
        source: path of the file; None if the text came from no file.
    """

    texts: tuple[ScoredText, ...]
    model: str
    source: str | None = None

    @property
    def tokens(self) -> Iterator[ScoredToken]:
        """The symbols of the first text."""
        return self.texts[0].tokens

    @property
    def nats(self) -> float:
        """Surprisal of all texts."""
        return math.fsum(text.nats for text in self.texts)

    @property
    def nats_per_character(self) -> float:
        """Mean surprisal of a character of all texts, in nats."""
        return self.nats / self.extent

    @property
    def bits_per_character(self) -> float:
        """Mean surprisal of a character of all texts, in bits."""
        return self.nats_per_character / math.log(2)

    @property
    def perplexity(self) -> float:
        """Exponential of the mean surprisal of a symbol of all texts."""
        return math.exp(min(700.0, self.nats / sum(len(text.surprisals) for text in self.texts)))

    @property
    def extent(self) -> float:
        """Number of characters."""
        return sum(len(text.text) for text in self.texts)


@dataclass(frozen=True, slots=True)
class Generated:
    """A text that a language model wrote.

    Attributes:
        prompt: what it was given.
        text: what it wrote behind it.
        model: name of the model.
        unknown: characters of the prompt that the model does not know.
    """

    prompt: str
    text: str
    model: str
    unknown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.prompt + self.text
