"""Classes of texts as text, tables, JSON and a page that shows what each token counts for."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

from pipelines.results import Classified, ClassifiedText
from pipelines.writers.lines import one_line, printable
from pipelines.writers.markup import render
from pipelines.writers.tables import write_json

TEMPLATE = Path(__file__).parent / "templates" / "classes.html"


@dataclass(frozen=True)
class ClassesText:
    """A line for each text: its label, empty where it was rejected, its score, and the text, between tabs.

    Notes of the result stand above, behind a number sign.
    """

    extension: ClassVar[str] = "txt"

    def write(self, classified: Classified, file: TextIO) -> None:
        for note in classified.notes:
            file.write(f"# {one_line(note)}\n")
        for text in classified.texts:
            file.write(f"{one_line(text.label)}\t{text.score:.4f}\t{one_line(text.text)}\n")


@dataclass(frozen=True)
class ClassesCSV:
    """A comma-separated table (RFC 4180), a row a text: source, number in it from 1, label, score, text,
    notes of the result.

    All files of a folder are in one table.
    """

    extension: ClassVar[str] = "csv"
    shared: ClassVar[str] = "classes.csv"

    def write(self, classified: Classified, file: TextIO) -> None:
        self.write_records([self.record(classified)], file)

    def record(self, classified: Classified) -> list[list[str]]:
        """The rows of a file."""
        source, notes = printable(str(classified.source or "")), one_line("; ".join(classified.notes))
        return [
            [source, str(number), one_line(text.label), f"{text.score:.4f}", one_line(text.text), notes]
            for number, text in enumerate(classified.texts, start=1)
        ]

    def write_records(self, records: Iterable[list[list[str]]], file: TextIO) -> None:
        """The table of all files."""
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["source", "number", "label", "score", "text", "notes"])
        for rows in records:
            table.writerows(rows)


@dataclass(frozen=True)
class ClassesJSON:
    """All fields of the result under their names. Scores and shares are rounded to four decimals."""

    extension: ClassVar[str] = "json"

    attention: bool = True
    """Write the share of each token in the decision."""

    def __post_init__(self):
        if not isinstance(self.attention, bool):
            raise ValueError(f"attention is {self.attention!r}; give True or False")

    def write(self, classified: Classified, file: TextIO) -> None:
        content = {
            "texts": [self._text(text) for text in classified.texts],
            "model": classified.model,
            "source": None if classified.source is None else printable(str(classified.source)),
        }
        write_json(content, file, classified.notes)

    def _text(self, text: ClassifiedText) -> dict:
        content = _row(text) | ({"several": list(text.several)} if text.several else {})
        if self.attention:
            content["attention"] = [
                {"token": token, "share": round(share, 4)} for token, share in text.attention
            ]
        return content


@dataclass(frozen=True)
class ClassesLines:
    """A JSON object for each text, on a line of its own."""

    extension: ClassVar[str] = "jsonl"

    def write(self, classified: Classified, file: TextIO) -> None:
        for text in classified.texts:
            row = _row(text) | ({"notes": list(map(printable, classified.notes))} if classified.notes else {})
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class ClassesPage:
    """A page with the texts, each token shaded by its share in the decision."""

    extension: ClassVar[str] = "html"

    def write(self, classified: Classified, file: TextIO) -> None:
        texts = [(text, _shaded(text)) for text in classified.texts]
        title = Path(classified.source).name if classified.source else "Classes"
        file.write(render(TEMPLATE, title=title, texts=texts, model=classified.model, notes=classified.notes))


def _row(text: ClassifiedText) -> dict:
    return {
        "text": text.text,
        "label": text.label,
        "labels": list(text.labels),
        "score": round(text.score, 4),
        "accepted": text.accepted,
        "top": [{"label": label, "score": round(score, 4)} for label, score in text.top],
    }


def _shaded(text: ClassifiedText) -> list[tuple[str, float]]:
    """Pieces of the text with the share of each relative to the largest; 0 for what lies between tokens."""
    if not text.attention:
        return [(text.text, 0.0)]
    most = max(share for _, share in text.attention) or 1.0
    folded, place, pieces = text.text.lower(), 0, []
    same = len(folded) == len(text.text)
    for token, share in text.attention:
        found = folded.find(token.strip().lower(), place) if same else -1
        if found < 0:
            pieces.append((token, share / most))
            continue
        end = found + len(token.strip())
        pieces += [(text.text[place:found], 0.0), (text.text[found:end], share / most)]
        place = end
    return [*pieces, (text.text[place:], 0.0)] if same else [(f"{token} ", share) for token, share in pieces]


FORMATS = {
    "txt": ClassesText,
    "csv": ClassesCSV,
    "json": ClassesJSON,
    "jsonl": ClassesLines,
    "html": ClassesPage,
}
