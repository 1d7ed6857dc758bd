"""Text, JSON and tab-separated values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar, TextIO

from pipelines.results import Character, Segment, Transcript, Word
from pipelines.writers.lines import one_line, printable
from pipelines.writers.timing import timed_words


@dataclass(frozen=True)
class Text:
    """The text alone, one line a segment."""

    extension: ClassVar[str] = "txt"

    def write(self, transcript: Transcript, file: TextIO) -> None:
        file.writelines(one_line(segment.text) + "\n" for segment in transcript.segments)


@dataclass(frozen=True)
class JSON:
    """Everything that a transcript holds, under the names of its fields.

    Times are rounded to the millisecond, confidences to four decimals.
    """

    extension: ClassVar[str] = "json"

    characters: bool = True
    """Whether words hold their characters."""

    def __post_init__(self):
        if not isinstance(self.characters, bool):
            raise ValueError(f"characters is {self.characters!r}; give True or False")

    def write(self, transcript: Transcript, file: TextIO) -> None:
        content = {
            "text": transcript.text,
            "duration": round(float(transcript.duration), 3),
            "model": transcript.model,
            "source": None if transcript.source is None else printable(str(transcript.source)),
            "segments": [self._segment(segment) for segment in transcript.segments],
        }
        json.dump(content, file, ensure_ascii=False, allow_nan=False, indent=1)
        file.write("\n")

    def _segment(self, segment: Segment) -> dict:
        words = [self._word(word) for word in segment.words]
        return {**_unit(segment), "found": segment.found, "words": words}

    def _word(self, word: Word) -> dict:
        if not self.characters:
            return _unit(word)
        return {**_unit(word), "characters": [_unit(character) for character in word.characters]}


@dataclass(frozen=True)
class TSV:
    """One row a segment or a word under a header: start and end in seconds, confidence, text.

    Fields are never quoted. Start and end are empty for a text that is not in the audio.
    """

    extension: ClassVar[str] = "tsv"

    level: str = "segments"
    """What a row is: `segments` or `words`."""

    def __post_init__(self):
        if self.level not in ("segments", "words"):
            raise ValueError(f"level is {self.level!r}; choose from segments, words")

    def write(self, transcript: Transcript, file: TextIO) -> None:
        file.write("start\tend\tconfidence\ttext\n")
        for segment in transcript.segments:
            for unit in timed_words(segment) if self.level == "words" else (segment,):
                times = f"{unit.start:.3f}\t{unit.end:.3f}" if segment.found else "\t"
                file.write(f"{times}\t{unit.confidence:.4f}\t{one_line(unit.text)}\n")


def _unit(unit: Segment | Word | Character) -> dict:
    return {
        "text": unit.text,
        "start": round(float(unit.start), 3),
        "end": round(float(unit.end), 3),
        "confidence": round(float(unit.confidence), 4),
    }
