"""All subjects, and the seeded sequence of their damaged files."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from benchmarks.hostile.options import model_subjects, option_subjects
from benchmarks.hostile.outputs import output_subjects
from benchmarks.hostile.subjects import Files, Subject, data_subjects, media_subjects


def all_subjects() -> list[Subject]:
    """Everything that is tried, in a fixed order."""
    return [
        *media_subjects(),
        *data_subjects(),
        *model_subjects(),
        *option_subjects(),
        *output_subjects(),
    ]


def corpus(count: int, seed: int, subjects: Sequence[Subject]) -> Iterator[tuple[Subject, Files]]:
    """Damaged files with what they are, the same for the same seed."""
    chooser = random.Random(seed)
    for index in range(count):
        subject = subjects[index % len(subjects)]
        yield subject, subject.damaged(chooser)
