"""How recordings are transcribed and aligned."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.reading.settings.running import BatchOptions, ManyOptions
from pipelines.reading.settings.search import SearchOptions


@dataclass(frozen=True)
class ListeningOptions(BatchOptions):
    """How a recording is segmented."""

    longest: float = 15.0
    """Longest segment in seconds; longer recordings are cut at pauses."""
    strict: bool = True
    """Refuse damaged or silent recordings; otherwise read what can be read of them."""
    track: int | None = None
    """Audio track of a file that has several, from 1 (default: the main one, or the first audible one)."""

    def __post_init__(self):
        super().__post_init__()
        if self.longest < 1:
            raise ValueError("longest must be at least 1 second")
        if self.track is not None and self.track < 1:
            raise ValueError(f"track must be 1 or more, not {self.track}")


@dataclass(frozen=True)
class SpeechOptions(ManyOptions, ListeningOptions, SearchOptions):
    """How to transcribe."""

    min_confidence: float | None = None
    """Mean confidence of a segment's words below which it is no speech and left out, from 0 to 1 (default:
    found in training together with the share of clear characters, where the model has them, else 0)."""

    def __post_init__(self):
        super().__post_init__()
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence must lie between 0 and 1, not {self.min_confidence}")


@dataclass(frozen=True)
class AlignmentOptions(ListeningOptions):
    """How to align a text with a recording."""

    min_confidence: float = 0.1
    """Confidence below which a line is reported as not in the recording. It is the geometric mean, over the
    line's worst stretch, of its symbols' probabilities relative to the best ones there. Of AN4's test
    speakers, all 61 lines that are said have more than 0.25, and 0.4 % of 696 other texts more than 0.1."""
    language: str = "en"
    """Language in which numbers are spoken: a code of num2words, such as fr."""

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.min_confidence <= 1:
            raise ValueError(f"min_confidence must lie between 0 and 1, not {self.min_confidence}")
