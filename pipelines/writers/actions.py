"""What happens in a video as text and tables. Times are rounded to milliseconds, scores to four decimals."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

from pipelines.results import Actions, ActionSegment
from pipelines.writers.lines import one_line, printable
from pipelines.writers.tables import write_json


@dataclass(frozen=True)
class ActionsText:
    """One line a segment: start and end in seconds, score, label."""

    extension: ClassVar[str] = "txt"

    def write(self, actions: Actions, file: TextIO) -> None:
        for segment in actions.segments:
            times = f"{segment.start:.2f} - {segment.end:.2f}"
            file.write(f"{times}  {segment.score:.2f}  {one_line(segment.label)}\n")


@dataclass(frozen=True)
class ActionsJSON:
    """Everything that is known of a video's actions, under the names of its fields."""

    extension: ClassVar[str] = "json"

    attention: bool = True
    """Whether the share of each frame in the decision is listed."""

    def __post_init__(self):
        if not isinstance(self.attention, bool):
            raise ValueError(f"attention is {self.attention!r}; give True or False")

    def write(self, actions: Actions, file: TextIO) -> None:
        content = {
            "label": actions.label,
            "score": _score(actions.score),
            "top": [{"label": label, "score": _score(score)} for label, score in actions.top],
            "segments": [
                {
                    "label": segment.label,
                    "start": _time(segment.start),
                    "end": _time(segment.end),
                    "score": _score(segment.score),
                }
                for segment in actions.segments
            ],
            "duration": _time(actions.duration),
            "damaged": actions.damaged,
            "model": actions.model,
            "source": None if actions.source is None else printable(str(actions.source)),
        }
        if self.attention:
            content["attention"] = [[_time(time), _score(share)] for time, share in actions.attention]
        write_json(content, file, actions.notes)


@dataclass(frozen=True)
class ActionsCSV:
    """A row a segment under the header source,start,end,label,score; comma-separated as RFC 4180 says."""

    extension: ClassVar[str] = "csv"

    def write(self, actions: Actions, file: TextIO) -> None:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["source", "start", "end", "label", "score"])
        source = printable(str(actions.source or ""))
        for segment in actions.segments:
            times = f"{segment.start:.3f}", f"{segment.end:.3f}"
            table.writerow([source, *times, one_line(segment.label), f"{segment.score:.4f}"])


@dataclass(frozen=True)
class ActivityNet:
    """Detections as the ActivityNet challenge takes them; a video's id is its name without ending."""

    extension: ClassVar[str] = "activitynet.json"

    def write(self, actions: Actions, file: TextIO) -> None:
        name = printable(Path(actions.source).stem) if actions.source else "video"
        found = [self._detection(segment) for segment in actions.segments]
        content = {"version": "VERSION 1.3", "results": {name: found}, "external_data": {}}
        write_json(content, file)

    def _detection(self, segment: ActionSegment) -> dict:
        times = [_time(segment.start), _time(segment.end)]
        return {"label": segment.label, "score": _score(segment.score), "segment": times}


def _time(seconds: float) -> float:
    return round(float(seconds), 3)


def _score(share: float) -> float:
    return round(float(share), 4)


FORMATS = {
    "txt": ActionsText,
    "json": ActionsJSON,
    "csv": ActionsCSV,
    "activitynet": ActivityNet,
    "activitynet.json": ActivityNet,
}
