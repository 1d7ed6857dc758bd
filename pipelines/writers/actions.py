"""Actions in videos as text and tables. Times are rounded to milliseconds, scores to four decimals."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import ClassVar, TextIO

from pipelines.results import Actions, ActionSegment
from pipelines.writers.lines import distinct_names, one_line, printable
from pipelines.writers.tables import check_of, write_json

OWN = re.compile(r"^v_([\w-]{11})$", re.ASCII)  # files of ActivityNet: v_ and the id on YouTube


@dataclass(frozen=True)
class ActionsText:
    """A line for each segment: start and end in seconds, score, label."""

    extension: ClassVar[str] = "txt"

    def write(self, actions: Actions, file: TextIO) -> None:
        for segment in actions.segments:
            times = f"{segment.start:.2f} - {segment.end:.2f}"
            file.write(f"{times}  {segment.score:.2f}  {one_line(segment.label)}\n")


@dataclass(frozen=True)
class ActionsJSON:
    """All fields of the result under their names."""

    extension: ClassVar[str] = "json"

    attention: bool = True
    """Write the share of each frame in the decision."""

    def __post_init__(self):
        if not isinstance(self.attention, bool):
            raise ValueError(f"attention is {self.attention!r}; give True or False")

    def write(self, actions: Actions, file: TextIO) -> None:
        content = {
            "label": actions.label,
            "score": _score(actions.score),
            **check_of(actions),
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
    """A comma-separated table (RFC 4180), a row a segment: source, start and end in seconds, label, score.

    All videos of a folder are in one table.
    """

    extension: ClassVar[str] = "csv"
    shared: ClassVar[str] = "actions.csv"

    def write(self, actions: Actions, file: TextIO) -> None:
        self.write_records([self.record(actions)], file)

    def record(self, actions: Actions) -> list[list[str]]:
        """The rows of a video."""
        source = printable(str(actions.source or ""))
        return [
            [source, f"{each.start:.3f}", f"{each.end:.3f}", one_line(each.label), f"{each.score:.4f}"]
            for each in actions.segments
        ]

    def write_records(self, records: Iterable[list[list[str]]], file: TextIO) -> None:
        """The table of all videos."""
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["source", "start", "end", "label", "score"])
        for rows in records:
            table.writerows(rows)


@dataclass(frozen=True)
class ActivityNet:
    """Detections as the ActivityNet challenge takes them.

    A video's id is its name without its ending, and without the `v_` of ActivityNet's own files; or where
    two have the same name, its path without the folders that all have in common. All videos of a folder
    are in one file.
    """

    extension: ClassVar[str] = "activitynet.json"
    shared: ClassVar[str] = "actions.activitynet.json"

    def write(self, actions: Actions, file: TextIO) -> None:
        self.write_records([self.record(actions)], file)

    def record(self, actions: Actions) -> dict:
        """A video and its detections."""
        source = printable(str(actions.source)) if actions.source else "video"
        return {"source": source, "found": [self._detection(segment) for segment in actions.segments]}

    def write_records(self, records: Iterable[dict], file: TextIO) -> None:
        """The detections of all videos."""
        records = list(records)
        names = distinct_names([record["source"] for record in records])
        results = {
            OWN.sub(r"\1", str(PurePath(name).with_suffix(""))): record["found"]
            for name, record in zip(names, records, strict=True)
        }
        if len(results) < len(records):  # x.mp4 beside x.avi
            results = {name: record["found"] for name, record in zip(names, records, strict=True)}
        write_json({"version": "VERSION 1.3", "results": results, "external_data": {}}, file)

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
