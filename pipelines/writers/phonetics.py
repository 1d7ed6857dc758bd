"""Formats of speech research: CTM of NIST's scoring tools, and TextGrid of Praat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

from pipelines.results import Character, Segment, Transcript, Word
from pipelines.writers.lines import one_line, printable, without_spaces
from pipelines.writers.timing import apart, timed_pieces, timed_words

TICKS = 1_000_000  # a second in TextGrid's grid: microseconds
SHORTEST = 1_000  # the shortest labelled interval of a TextGrid, in ticks


@dataclass(frozen=True)
class CTM:
    """NIST CTM, a line per word: recording, channel 1, start and duration in seconds, word, confidence.

    Scripts without spaces have a line per character.
    """

    extension: ClassVar[str] = "ctm"

    def write(self, transcript: Transcript, file: TextIO) -> None:
        stem = "audio" if transcript.source is None else printable(Path(transcript.source).stem)
        recording = without_spaces(stem)
        found = [segment for segment in transcript.segments if segment.found]
        words = [word for segment in found for word in timed_pieces(segment)]
        for word in sorted(words, key=lambda word: word.start):
            length = max(word.end - word.start, 0.0)
            file.write(
                f"{recording} 1 {word.start:.3f} {length:.3f} "
                f"{without_spaces(word.text)} {word.confidence:.4f}\n"
            )


@dataclass(frozen=True)
class TextGrid:
    """Praat TextGrid (long text format) with interval tiers for segments, words and characters.

    The intervals of a tier cover the recording without gaps or overlaps; silence has an empty label.
    """

    extension: ClassVar[str] = "TextGrid"

    def write(self, transcript: Transcript, file: TextIO) -> None:
        segments = [segment for segment in transcript.segments if segment.found]
        words = [word for segment in segments for word in timed_words(segment)]
        characters = [character for word in words for character in word.characters]
        tiers = {"segments": segments, "words": words, "characters": characters}
        # Praat refuses a tier without length.
        room = SHORTEST * max(1, *map(len, tiers.values()))
        limit = max(round(transcript.duration * TICKS), room)

        file.write('File type = "ooTextFile"\nObject class = "TextGrid"\n\n')
        file.write(f"xmin = 0\nxmax = {_seconds(limit)}\ntiers? <exists>\nsize = {len(tiers)}\nitem []:\n")
        for number, (name, units) in enumerate(tiers.items(), 1):
            intervals = _tile(units, limit)
            file.write(f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n')
            file.write(f"        xmin = 0\n        xmax = {_seconds(limit)}\n")
            file.write(f"        intervals: size = {len(intervals)}\n")
            for index, (start, end, label) in enumerate(intervals, 1):
                file.write(f"        intervals [{index}]:\n")
                file.write(f"            xmin = {_seconds(start)}\n            xmax = {_seconds(end)}\n")
                file.write(f'            text = "{label}"\n')


def _tile(units: Iterable[Segment | Word | Character], limit: int) -> list[tuple[int, int, str]]:
    """Intervals (start, end, label) from 0 to `limit` in ticks, labels escaped, gaps filled."""
    units = sorted(units, key=lambda unit: unit.start)
    spans = apart([(round(unit.start * TICKS), round(unit.end * TICKS)) for unit in units], limit, SHORTEST)
    intervals, covered = [], 0
    for unit, (start, end) in zip(units, spans, strict=True):
        if start > covered:
            intervals.append((covered, start, ""))
        intervals.append((start, end, one_line(unit.text).replace('"', '""')))
        covered = end
    if covered < limit:
        intervals.append((covered, limit, ""))
    return intervals


def _seconds(ticks: int) -> str:
    whole, part = divmod(ticks, TICKS)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


FORMATS = {"ctm": CTM, "textgrid": TextGrid}
