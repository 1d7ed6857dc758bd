"""Classes of texts."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.results.foundation import Result


@dataclass(frozen=True, slots=True)
class ClassifiedText:
    """A text and its classes.

    Attributes:
        top: (label, score) of the most probable classes, in descending order; scores are probabilities.
        accepted: False where the text is of none of the classes: all scores are below their thresholds, or
            the first one is that of the class for what is none of the others.
        attention: (token, share in the decision) in the order of the text; shares sum to 1.
        several: the classes whose scores are above their thresholds, where the model gives a text several.
    """

    text: str
    top: tuple[tuple[str, float], ...]
    accepted: bool = True
    attention: tuple[tuple[str, float], ...] = ()
    several: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of the text: several, one or none."""
        return self.several or ((self.top[0][0],) if self.accepted else ())

    @property
    def label(self) -> str:
        """The class of the text, or its classes with commas between; "" if it was not accepted."""
        return ", ".join(self.labels)

    @property
    def score(self) -> float:
        """Probability of the most probable class."""
        return self.top[0][1]


@dataclass(frozen=True, slots=True)
class Classified(Result):
    """Classes of one text, or of all texts in a file.

    Attributes:
        texts: in the order of the file, at least one.
        model: name of the model.
        source: path of the file; None if the text came from no file.
    """

    texts: tuple[ClassifiedText, ...]
    model: str
    source: str | None = None

    @property
    def label(self) -> str:
        """The most probable class of the first text; "" if it was not accepted."""
        return self.texts[0].label

    @property
    def score(self) -> float:
        """Probability of that class."""
        return self.texts[0].score

    @property
    def top(self) -> tuple[tuple[str, float], ...]:
        """The most probable classes of the first text."""
        return self.texts[0].top

    @property
    def extent(self) -> float:
        """Number of texts."""
        return len(self.texts)
