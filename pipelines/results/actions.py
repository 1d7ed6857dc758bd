"""Actions in videos."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.results.foundation import Check, Result


@dataclass(frozen=True, slots=True)
class ActionSegment:
    """An action and when it happens.

    Attributes:
        label: name of the class.
        start, end: seconds.
        score: mean probability of the class over the segment.
    """

    label: str
    start: float
    end: float
    score: float


@dataclass(frozen=True, slots=True)
class Actions(Result):
    """Actions in one video.

    Attributes:
        top: (label, score) of the most probable classes, in descending order; scores are probabilities.
        segments: in order of time; a short clip is one segment.
        duration: length of the video in seconds.
        model: name of the model.
        source: path of the video; None if it was no file.
        attention: (time in seconds, weight) of each frame that was sampled; weights sum to 1. Empty for a
            model that labels each frame.
        damaged: number of frames that could not be decoded and were skipped.
        checked: by whom and when the label was checked; None if nobody has.
    """

    top: tuple[tuple[str, float], ...]
    segments: tuple[ActionSegment, ...]
    duration: float
    model: str
    source: str | None = None
    attention: tuple[tuple[float, float], ...] = ()
    damaged: int = 0
    checked: Check | None = None

    @property
    def label(self) -> str:
        """The most probable class."""
        return self.top[0][0]

    @property
    def score(self) -> float:
        """Probability of the most probable class."""
        return self.top[0][1]

    @property
    def extent(self) -> float:
        """Length of the video in seconds."""
        return self.duration
