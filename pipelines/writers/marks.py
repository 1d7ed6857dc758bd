"""Marks of signals as text, tables and WFDB annotations. Not a medical device, which every format says."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, ClassVar, TextIO

from pipelines.media.wfdb_annotations import NOTE, SYMBOLS, write_marks
from pipelines.media.wfdb_annotations import Mark as Annotation
from pipelines.results import Annotated, Mark
from pipelines.writers.lines import one_line, printable
from pipelines.writers.tables import write_json

NOTICE = "Not a medical device."
WAVES = {"P": "p", "QRS": "N", "T": "t", "U": "u"}
"""Symbols of waves, which WFDB annotations have between ( and )."""


@dataclass(frozen=True)
class MarksText:
    """A line for each mark: start, peak and end in seconds, confidence, label, lead."""

    extension: ClassVar[str] = "txt"

    def write(self, annotated: Annotated, file: TextIO) -> None:
        file.write(f"# {NOTICE} {annotated.text}\n")
        for mark in annotated.marks:
            lead = f"  {one_line(mark.lead)}" if mark.lead else ""
            times = f"{mark.start:.3f} {mark.peak:.3f} {mark.end:.3f}"
            file.write(f"{times}  {mark.confidence:.2f}  {one_line(mark.label)}{lead}\n")


@dataclass(frozen=True)
class MarksCSV:
    """A comma-separated table (RFC 4180), a row a mark; times in seconds.

    All signals of a folder are in one table.
    """

    extension: ClassVar[str] = "csv"
    shared: ClassVar[str] = "marks.csv"

    def write(self, annotated: Annotated, file: TextIO) -> None:
        self.write_records([self.record(annotated)], file)

    def record(self, annotated: Annotated) -> list[list[str]]:
        """The rows of a signal."""
        source = printable(str(annotated.source or ""))
        return [
            [
                source,
                one_line(mark.lead or ""),
                f"{mark.start:.4f}",
                f"{mark.peak:.4f}",
                f"{mark.end:.4f}",
                one_line(mark.label),
                f"{mark.confidence:.4f}",
                NOTICE,
            ]
            for mark in annotated.marks
        ]

    def write_records(self, records: Iterable[list[list[str]]], file: TextIO) -> None:
        """The table of all signals."""
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", "lead", "start", "peak", "end", "label", "confidence", "notice"])
        for rows in records:
            table.writerows(rows)


@dataclass(frozen=True)
class MarksJSON:
    """All fields of the result under their names."""

    extension: ClassVar[str] = "json"

    def write(self, annotated: Annotated, file: TextIO) -> None:
        content = {
            "notice": NOTICE,
            "marks": [
                {
                    "label": mark.label,
                    "start": round(mark.start, 4),
                    "peak": round(mark.peak, 4),
                    "end": round(mark.end, 4),
                    "confidence": round(mark.confidence, 4),
                    "lead": mark.lead,
                }
                for mark in annotated.marks
            ],
            "leads": list(annotated.leads),
            "duration": round(annotated.duration, 4),
            "rate": annotated.rate,
            "number": annotated.number,
            "model": annotated.model,
            "source": None if annotated.source is None else printable(str(annotated.source)),
        }
        write_json(content, file, annotated.notes)


@dataclass(frozen=True)
class WFDBAnnotations:
    """A WFDB annotation file in MIT format, at the rate of the signal.

    Waves (P, QRS, T, U) are their symbol at the peak between ( and ); beats are their symbol at the peak;
    other marks are notes with their label at their start. The number of the lead is the channel.
    """

    extension: ClassVar[str] = "atr"
    mode: ClassVar[str] = "wb"

    def write(self, annotated: Annotated, file: BinaryIO) -> None:
        rate, channels = annotated.rate, {name: place for place, name in enumerate(annotated.leads)}
        found = [
            each
            for mark in annotated.marks
            for each in _annotations(mark, rate, min(255, channels.get(mark.lead, 0)))
        ]
        found.sort(key=lambda each: (each.sample, each.channel))
        write_marks([Annotation(0, NOTE, NOTICE), *found], rate, file)


def _annotations(mark: Mark, rate: float, channel: int) -> list[Annotation]:
    start, peak, end = (max(0, round(time * rate)) for time in (mark.start, mark.peak, mark.end))
    if mark.label in WAVES:
        places = ((start, "("), (peak, WAVES[mark.label]), (end, ")"))
        return [Annotation(place, symbol, "", channel) for place, symbol in places]
    if mark.label in SYMBOLS and len(mark.label) == 1 and mark.label.isalpha():
        return [Annotation(peak, mark.label, "", channel)]
    text = f"{one_line(mark.label)} ({mark.end - mark.start:.3f} s)"
    return [Annotation(start, NOTE, text, channel)]


FORMATS = {"txt": MarksText, "csv": MarksCSV, "json": MarksJSON, "atr": WFDBAnnotations}
