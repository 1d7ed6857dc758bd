"""How well segments of a video lie: frames that are labelled right, and segments that are found.

    python -m recipes.action.timeline --model exp/action/model.safetensors --segments segments.csv

watches the videos of a table with the columns path, start, end (in seconds) and label, and scores them.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import tyro

from pipelines.errors import DataError, TriscribeError
from pipelines.recognition import recognize
from pipelines.results import ActionSegment

STEP = 0.1  # seconds between two looks at what frames are labelled
OVERLAP = 0.5  # of two segments, in what they cover together, from which one is found by the other


@dataclass(frozen=True)
class TimelineScores:
    """Counts over one or several videos, which can be added up."""

    right: int = 0
    frames: int = 0
    matched: int = 0
    found: int = 0
    wanted: int = 0

    def __add__(self, other: TimelineScores) -> TimelineScores:
        return TimelineScores(
            self.right + other.right,
            self.frames + other.frames,
            self.matched + other.matched,
            self.found + other.found,
            self.wanted + other.wanted,
        )

    @property
    def frame_accuracy(self) -> float:
        return self.right / max(1, self.frames)

    @property
    def f1(self) -> float:
        """Of segments with an overlap of at least half (F1@50, Lea et al. 2017)."""
        return 2 * self.matched / max(1, self.found + self.wanted)

    def __str__(self) -> str:
        segments = f"{self.matched} of {self.wanted} segments found, {self.found} named"
        rates = f"frame accuracy {100 * self.frame_accuracy:.1f} %, segment F1 {100 * self.f1:.1f} %"
        return f"{rates} ({segments})"


def score_timeline(
    found: Sequence[ActionSegment], wanted: Sequence[ActionSegment], duration: float
) -> TimelineScores:
    """Compare segments with the right ones, both in order of time.

    Stretches of one label that touch count as one on both sides: nothing on a timeline parts them.

    Args:
        duration: seconds of the video.
    """
    found, wanted = merged(found), merged(wanted)
    times = [(index + 0.5) * STEP for index in range(int(duration / STEP))]
    right = sum(_label_at(found, time) == _label_at(wanted, time) for time in times)
    pairs = sorted(
        ((_overlap(one, other), i, j) for i, one in enumerate(found) for j, other in enumerate(wanted)),
        reverse=True,
    )
    taken: tuple[set[int], set[int]] = set(), set()
    for overlap, i, j in pairs:
        same = found[i].label == wanted[j].label
        if overlap >= OVERLAP and same and i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
    return TimelineScores(right, len(times), len(taken[0]), len(found), len(wanted))


def merged(segments: Sequence[ActionSegment], gap: float = 0.05) -> list[ActionSegment]:
    """Segments of one label that touch, or have a gap of so many seconds, as one."""
    whole: list[ActionSegment] = []
    for segment in segments:
        if whole and whole[-1].label == segment.label and segment.start - whole[-1].end <= gap:
            last = whole.pop()
            segment = ActionSegment(last.label, last.start, segment.end, min(last.score, segment.score))
        whole.append(segment)
    return whole


def read_segments(table: Path) -> dict[Path, list[ActionSegment]]:
    """The right segments of each video, in order of time.

    Raises:
        DataError: the table cannot be read, or lacks a column or a number.
    """
    videos: dict[Path, list[ActionSegment]] = defaultdict(list)
    try:
        with open(table, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                times = (float(row.get(name) or row[f"{name}_s"]) for name in ("start", "end"))
                videos[table.parent / row["path"]].append(ActionSegment(row["label"], *times, 1.0))
    except (OSError, KeyError, TypeError, ValueError) as error:
        cause = f"is no table of segments ({error!r})"
        raise DataError(table, cause, "give the columns path, start, end and label") from error
    for segments in videos.values():
        segments.sort(key=lambda segment: segment.start)
        for one, other in pairwise(segments):
            if other.start < one.end:
                cause = f"segments overlap at {other.start:g} s"
                raise DataError(table, cause, "give one label at a time")
    return dict(videos)


def _label_at(segments: Sequence[ActionSegment], time: float) -> str | None:
    return next((segment.label for segment in segments if segment.start <= time < segment.end), None)


def _overlap(one: ActionSegment, other: ActionSegment) -> float:
    shared = min(one.end, other.end) - max(one.start, other.start)
    return max(0.0, shared) / (max(one.end, other.end) - min(one.start, other.start))


def main(model: str, segments: Path, switch: float = 4.0, window: float | None = None) -> int:
    """Watch the videos of a table, and score the segments.

    Args:
        model: a model file or the name of a bundled model.
        segments: a table with the columns path, start, end and label.
        switch, window: as `triscribe recognize` takes them.
    """
    try:
        total = TimelineScores()
        for path, wanted in read_segments(segments).items():
            actions = recognize(path, model, switch=switch, window=window)
            scores = score_timeline(actions.segments, wanted, actions.duration)
            print(f"{path.name}: {scores}")
            total += scores
    except TriscribeError as error:
        print(f"triscribe: {error}", file=sys.stderr)
        return 1
    print(f"all: {total}")
    return 0


if __name__ == "__main__":
    raise SystemExit(tyro.cli(main))
