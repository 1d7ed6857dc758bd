"""What results of all kinds have: notes, a way to save them, and checks by people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipelines import writers

Readings = tuple[tuple[str, float], ...]
"""(text, probability) of the most probable readings of a line or segment, the best first. Probabilities are
normalised over all hypotheses that the beam search kept to the end."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Check:
    """A person's statement that what is written here is right.

    Attributes:
        by: who checked it; "" if unknown.
        when: date, time and zone as in ISO 8601: "2026-11-28T19:45:00+00:00"; "" if unknown.

    Raises:
        ValueError: `when` is no such time.
    """

    by: str
    when: str

    def __post_init__(self):
        if self.when:
            if not MOMENT.fullmatch(self.when):
                raise ValueError(f"when is {self.when!r}, not a time like 2026-11-28T19:45:00+00:00")
            datetime.fromisoformat(self.when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Base of all results: what a pipeline returns for one source.

    Attributes:
        notes: one sentence for each thing that was left out or is uncertain; empty if there is none.
    """

    notes: tuple[str, ...] = ()

    @property
    def extent(self) -> float:
        """Size in the unit that `measure` in `pipelines.tasks` names: seconds, lines, sentences."""
        raise TypeError(f"{type(self).__name__} states no extent")

    def save(self, path: str | Path, **options) -> Path:
        """Write the result atomically, in the format given by the file name extension.

        Args:
            path: output file, e.g. `talk.srt` or `letter.alto.xml`; missing folders are created.
            options: options of the format, e.g. `max_chars=37` for subtitles.

        Returns:
            The path written.

        Raises:
            ValueError: the extension is missing or unknown, or an option is unknown or out of range.
        """
        return writers.save(self, path, **options)
