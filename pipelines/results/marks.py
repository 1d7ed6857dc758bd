"""Marks in signals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pipelines.results.foundation import Result


@dataclass(frozen=True, slots=True)
class Mark:
    """A wave, a beat or an event in a signal.

    Attributes:
        label: name of its class.
        start, end: seconds.
        peak: seconds at which the signal is farthest from the line between its values at start and end.
        confidence: mean probability of the class from start to end.
        lead: name of the channel that it was found in; None if it is one of the whole signal.
    """

    label: str
    start: float
    end: float
    peak: float
    confidence: float
    lead: str | None = None


@dataclass(frozen=True, slots=True)
class Annotated(Result):
    """Marks over the time of one signal. Not a medical device.

    Attributes:
        marks: in order of time; those of the same time in the order of the leads.
        duration: length of the signal in seconds.
        rate: samples a second of the signal.
        leads: the channels that were looked at.
        model: name of the model.
        source: path of the signal; None if it was no file.
        number: of the signal in its file, from 1; None where there is one.
        signal: the signal where it is no recording that can be opened again; not compared.
    """

    marks: tuple[Mark, ...]
    duration: float
    rate: float
    leads: tuple[str, ...]
    model: str
    source: str | None = None
    number: int | None = None
    signal: object = field(default=None, compare=False, repr=False)

    @property
    def labels(self) -> dict[str, int]:
        """How many marks of each label there are, in the order of the labels."""
        return dict(sorted(Counter(mark.label for mark in self.marks).items()))

    @property
    def text(self) -> str:
        """How many marks of each label there are, in a line."""
        return ", ".join(f"{label} {count}" for label, count in self.labels.items()) or "nothing found"

    @property
    def extent(self) -> float:
        """Length of the signal in seconds."""
        return self.duration
