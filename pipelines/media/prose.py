"""Reads texts whose lines are kept, for translation: text files, or the text column of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pipelines.errors import MediaError
from pipelines.media.files import locate
from pipelines.media.passages import is_table, read_rows
from pipelines.media.text import read_lines

_END = re.compile(
    r"[.!?\u2026]+[\"'\u2019\u201d\u00bb)\]]*(?=\s+\S)|[\u3002\uff01\uff1f\u0964]+[\u300d\u300f\u201d]*"
)
_NO_END = re.compile(
    r"(?:\b(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|vs|etc|cf|ca|bzw|usw|Nr|No|Hr|Fr|Mme|Mlle|e\.g|i\.e|z\.B|d\.h|u\.a)"
    r"|\b\d{1,2})\.$"
)


@dataclass(frozen=True)
class Prose:
    """The lines of one source, of which at least one is not empty.

    Attributes:
        lines: without line breaks; empty ones too.
        source: path of their file; None if they come from no file.
        notes: what was left out of it, and what was guessed.
    """

    lines: tuple[str, ...]
    source: str | None = None
    notes: tuple[str, ...] = ()
    kind: ClassVar[str] = "text"


def prose_of(text: str, source: str | None = None) -> Prose:
    """A text as its lines.

    Raises:
        MediaError: it is empty.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not text.strip():
        raise MediaError(source or "<text>", "is empty", "give some text")
    while not lines[-1].strip():
        lines.pop()
    return Prose(tuple(line.strip() for line in lines), source)


def open_prose(source: object, kind: str, options: object) -> list[Prose]:
    """What `translate` reads as one: a text that is given, or the lines of a file.

    Raises:
        MediaError, DataError: the file cannot be read or holds no text.
    """
    if isinstance(source, Prose):
        return [source]
    name, _ = locate(source)
    if not is_table(name):
        return [Prose(tuple(read_lines(Path(name))), str(name))]
    lines, notes = read_rows(Path(name)).texts(getattr(options, "column", None))
    return [Prose(lines, str(name), notes)]


def sentence_spans(line: str) -> list[tuple[int, int]]:
    """Start and end of each sentence of a line, in characters, without the spaces between them.

    A sentence ends with its marks and a space, unless an abbreviation stands there or what follows begins
    with a small letter; the marks of Chinese, Japanese and Hindi need no space.
    """
    spans, start = [], 0
    for match in _END.finditer(line):
        end = match.end()
        following = line[end:].lstrip()[:1]
        if following.islower() or not following or _NO_END.search(line[start:end]):
            continue
        spans.append((start, end))
        start = end + len(line[end:]) - len(line[end:].lstrip())
    if line[start:].strip():
        spans.append((start, len(line.rstrip())))
    return spans
