"""Marks of signals as an EDF+ file of annotations (Kemp & Olivan 2003). Not a medical device."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from pipelines.results.marks import Annotated, Mark
from pipelines.writers.lines import without_spaces
from pipelines.writers.marks import NOTICE

RECORD = 61_440  # bytes, the largest that EDF allows
LONGEST_LABEL = 200  # characters
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")  # some of which part the fields of an annotation


@dataclass(frozen=True)
class EDFAnnotations:
    """An EDF+ file that holds annotations and no signal, to be opened beside the recording.

    Each mark has its start, its duration and its label; the lead, if it is of one, stands behind @@, as EDF+
    has it. Times are seconds from the beginning of the recording, whose own date the file does not repeat.
    """

    extension: ClassVar[str] = "annotations.edf"
    mode: ClassVar[str] = "wb"

    def write(self, annotated: Annotated, file: BinaryIO) -> None:
        entries = [_entry(0.0, 0.0, NOTICE), *map(_of_mark, annotated.marks)]
        records = list(_records(entries))
        size = max(map(len, records))
        size += size % 2
        model = without_spaces(CONTROL.sub(" ", annotated.model))
        head = (
            ("0", 8),
            ("X X X X", 80),
            (f"Startdate X X X triscribe:{model}", 80),
            ("01.01.85", 8),
            ("00.00.00", 8),
            ("512", 8),
            ("EDF+C", 44),
            (str(len(records)), 8),
            ("0", 8),
            ("1", 4),
            ("EDF Annotations", 16),
            ("", 80),
            ("", 8),
            ("-1", 8),
            ("1", 8),
            ("-32768", 8),
            ("32767", 8),
            ("", 80),
            (str(size // 2), 8),
            ("", 32),
        )
        for text, width in head:
            file.write(text.encode("ascii", "replace")[:width].ljust(width))
        for record in records:
            file.write(record.ljust(size, b"\0"))


def _of_mark(mark: Mark) -> bytes:
    label, lead = (CONTROL.sub(" ", text or "")[:LONGEST_LABEL] for text in (mark.label, mark.lead))
    return _entry(mark.start, mark.end - mark.start, f"{label}@@{lead}" if lead else label)


def _entry(start: float, seconds: float, text: str) -> bytes:
    duration = f"\x15{seconds:.4f}" if seconds > 0 else ""
    return f"+{max(0.0, start):.4f}{duration}\x14{text}\x14\0".encode()


def _records(entries: list[bytes]) -> Iterator[bytes]:
    """Entries in records, each of which begins with its time, 0, as there are no signals."""
    record = b"+0\x14\x14\0"
    for entry in entries:
        if len(record) + len(entry) > RECORD:
            yield record
            record = b"+0\x14\x14\0"
        record += entry
    yield record


FORMATS = {"edf": EDFAnnotations, "annotations.edf": EDFAnnotations}
