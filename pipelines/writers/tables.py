"""Text, JSON and tab-separated values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TextIO

from pipelines.results import (
    Actions,
    Character,
    Glyph,
    Page,
    Point,
    Segment,
    Sentence,
    TextLine,
    Transcript,
    Word,
    WrittenWord,
)
from pipelines.writers.lines import one_line, printable
from pipelines.writers.timing import timed_words

_encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


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
        write_json(content, file, transcript.notes)

    def _segment(self, segment: Segment) -> dict:
        words = [self._word(word) for word in segment.words]
        about = {"found": segment.found, **_alternatives(segment), **check_of(segment)}
        return {**_unit(segment), **about, "words": words}

    def _word(self, word: Word) -> dict:
        if not self.characters:
            return _unit(word)
        return {**_unit(word), "characters": [_unit(character) for character in word.characters]}


@dataclass(frozen=True)
class PageText:
    """The text alone, a line a line, with an empty line between regions."""

    extension: ClassVar[str] = "txt"

    def write(self, page: Page, file: TextIO) -> None:
        regions = (
            "".join(one_line(line.text) + "\n" for line in region.lines)
            for region in page.regions
            if region.lines
        )
        file.write("\n".join(regions))


@dataclass(frozen=True)
class PageJSON:
    """Everything that a page holds, under the names of its fields.

    Points are [x, y] in pixels of the upright image, or in the ink's own units, rounded to two decimals
    and not clipped to the page; confidences are rounded to four. A glyph's strokes are spans of points,
    the first and the last included, counted from 0.
    """

    extension: ClassVar[str] = "json"

    glyphs: bool = True
    """Whether words hold their glyphs."""

    def __post_init__(self):
        if not isinstance(self.glyphs, bool):
            raise ValueError(f"glyphs is {self.glyphs!r}; give True or False")

    def write(self, page: Page, file: TextIO) -> None:
        content = {
            "text": page.text,
            "width": int(page.width),
            "height": int(page.height),
            "model": page.model,
            "source": None if page.source is None else printable(str(page.source)),
            "number": page.number,
            "regions": [
                {
                    "kind": region.kind,
                    "id": region.id,
                    "polygon": _points(region.polygon),
                    "lines": [self._line(line) for line in region.lines],
                }
                for region in page.regions
            ],
        }
        write_json(content, file, page.notes)

    def _line(self, line: TextLine) -> dict:
        words = [self._word(word) for word in line.words]
        about = {"baseline": _points(line.baseline), "id": line.id, **_alternatives(line)}
        return {**_written(line), **about, **check_of(line), "words": words}

    def _word(self, word: WrittenWord) -> dict:
        if not self.glyphs:
            return _written(word)
        glyphs = [
            {
                **_written(glyph),
                "strokes": [
                    {"stroke": int(span.stroke), "first": int(span.first), "last": int(span.last)}
                    for span in glyph.strokes
                ],
            }
            for glyph in word.glyphs
        ]
        return {**_written(word), "glyphs": glyphs}


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


def _written(unit: TextLine | WrittenWord | Glyph) -> dict:
    return {
        "text": unit.text,
        "confidence": round(float(unit.confidence), 4),
        "polygon": _points(unit.polygon),
    }


def _alternatives(unit: Segment | TextLine) -> dict:
    """Nothing where none were asked for."""
    readings = [{"text": text, "probability": round(share, 4)} for text, share in unit.alternatives]
    return {"alternatives": readings} if readings else {}


def check_of(unit: Segment | TextLine | Sentence | Actions) -> dict:
    """By whom and when it was checked; nothing where nobody has."""
    check = unit.checked
    return {} if check is None else {"checked": {"by": check.by, "when": check.when}}


def _points(points: tuple[Point, ...]) -> list[list[float]]:
    return [[round(float(x), 2), round(float(y), 2)] for x, y in points]


def write_json(content: dict, file: TextIO, notes: Sequence[str] = ()) -> None:
    """As people read it: letters as they are, a line a value, and a line an object that holds no others.

    Args:
        notes: of the result; nothing is said where there are none.
    """
    if notes:
        content = {**content, "notes": list(map(printable, notes))}
    file.write(_opened(content, "\n"))
    file.write("\n")


def _opened(value: dict | list, margin: str) -> str:
    """JSON of what holds objects. Python's own indentation puts a line to each number, and takes six times as
    long.
    """
    if not value:
        return _encoded(value)
    inner = margin + " "
    if isinstance(value, dict):
        parts = [f"{_encoded(str(key))}: {_shown(each, inner)}" for key, each in value.items()]
        return f"{{{inner}{f',{inner}'.join(parts)}{margin}}}"
    return f"[{inner}{f',{inner}'.join(_shown(each, inner) for each in value)}{margin}]"


def _shown(value: object, margin: str) -> str:
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return _opened(value, margin) if any(map(_holds_objects, within)) else _encoded(value)


def _holds_objects(value: object) -> bool:
    """Lists are of one kind: the first tells."""
    return isinstance(value, dict) or (isinstance(value, list) and value != [] and _holds_objects(value[0]))


TRANSCRIPT_FORMATS = {"txt": Text, "json": JSON, "tsv": TSV}
PAGE_FORMATS = {"txt": PageText, "json": PageJSON}
