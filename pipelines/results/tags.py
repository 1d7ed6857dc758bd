"""Labels of the tokens of texts."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.results.foundation import Result
from pipelines.spans import spans_of


@dataclass(frozen=True, slots=True)
class TaggedToken:
    """A token with its label; `start` and `end` are places in its text, counted in characters."""

    text: str
    label: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Tokens that belong together, such as a name; `start` and `end` are places in their text.

    Attributes:
        label: its kind, without the B- or I- of its tokens' labels.
        confidence: mean over its tokens.
    """

    text: str
    label: str
    confidence: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A text and its tokens, in order."""

    text: str
    tokens: tuple[TaggedToken, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the tokens."""
        return tuple(token.label for token in self.tokens)

    @property
    def spans(self) -> tuple[TextSpan, ...]:
        """What labels such as B-city and I-city mark; empty where they are of no such scheme."""
        found = []
        for kind, first, last in spans_of(self.labels):
            tokens = self.tokens[first : last + 1]
            start, end = tokens[0].start, tokens[-1].end
            mean = sum(token.confidence for token in tokens) / len(tokens)
            found.append(TextSpan(self.text[start:end], kind, mean, start, end))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Tagged(Result):
    """Labels of the tokens of one text, or of all texts in a file.

    Attributes:
        texts: in the order of the file, at least one.
        model: name of the model.
        source: path of the file; None if the text came from no file.
    """

    texts: tuple[TaggedText, ...]
    model: str
    source: str | None = None

    @property
    def tokens(self) -> tuple[TaggedToken, ...]:
        """The tokens of the first text."""
        return self.texts[0].tokens

    @property
    def spans(self) -> tuple[TextSpan, ...]:
        """The spans of the first text."""
        return self.texts[0].spans

    @property
    def extent(self) -> float:
        """Number of texts."""
        return len(self.texts)
