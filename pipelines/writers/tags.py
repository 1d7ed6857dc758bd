"""Tagged texts as CoNLL, CoNLL-U, tables of spans, JSON and a page that shows them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

from pipelines.results import Tagged, TaggedText
from pipelines.spans import has_spans
from pipelines.writers.lines import one_line, printable
from pipelines.writers.markup import render
from pipelines.writers.tables import write_json

TEMPLATE = Path(__file__).parent / "templates" / "tags.html"


@dataclass(frozen=True)
class TagsText:
    """CoNLL: a token and its label on each line, between them a tab; an empty line behind each text."""

    extension: ClassVar[str] = "txt"

    def write(self, tagged: Tagged, file: TextIO) -> None:
        for text in tagged.texts:
            file.writelines(f"{_cell(token.text)}\t{_cell(token.label)}\n" for token in text.tokens)
            file.write("\n")


@dataclass(frozen=True)
class TagsCoNLL(TagsText):
    """The same under the ending that taggers give it."""

    extension: ClassVar[str] = "conll"


@dataclass(frozen=True)
class TagsCoNLLU:
    """CoNLL-U: ten columns between tabs, labels in UPOS, or where they are spans in MISC."""

    extension: ClassVar[str] = "conllu"

    def write(self, tagged: Tagged, file: TextIO) -> None:
        for number, text in enumerate(tagged.texts, start=1):
            file.write(f"# sent_id = {number}\n# text = {one_line(text.text)}\n")
            marked = has_spans(text.labels) or set(text.labels) == {"O"}
            for place, token in enumerate(text.tokens, start=1):
                upos, misc = ("_", f"Entity={_cell(token.label)}") if marked else (_cell(token.label), "_")
                behind = text.tokens[place].start if place < len(text.tokens) else -1
                if behind == token.end:
                    misc = "SpaceAfter=No" if misc == "_" else f"{misc}|SpaceAfter=No"
                file.write(f"{place}\t{_cell(token.text)}\t_\t{upos}\t_\t_\t_\t_\t_\t{misc}\n")
            file.write("\n")


@dataclass(frozen=True)
class TagsCSV:
    """A comma-separated table (RFC 4180), a row a span, or a token where the labels mark no spans.

    Columns: source, number of the text in it from 1, start and end in characters, label, confidence, text.
    All files of a folder are in one table.
    """

    extension: ClassVar[str] = "csv"
    shared: ClassVar[str] = "tags.csv"

    def write(self, tagged: Tagged, file: TextIO) -> None:
        self.write_records([self.record(tagged)], file)

    def record(self, tagged: Tagged) -> list[list[str]]:
        """The rows of a file."""
        source = printable(str(tagged.source or ""))
        spans = has_spans([label for text in tagged.texts for label in text.labels])
        return [
            [
                source,
                str(number),
                str(each.start),
                str(each.end),
                one_line(each.label),
                f"{each.confidence:.4f}",
                one_line(each.text),
            ]
            for number, text in enumerate(tagged.texts, start=1)
            for each in (text.spans if spans else text.tokens)
        ]

    def write_records(self, records: Iterable[list[list[str]]], file: TextIO) -> None:
        """The table of all files."""
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["source", "number", "start", "end", "label", "confidence", "text"])
        for rows in records:
            table.writerows(rows)


@dataclass(frozen=True)
class TagsJSON:
    """All fields of the result under their names. Confidences are rounded to four decimals."""

    extension: ClassVar[str] = "json"

    def write(self, tagged: Tagged, file: TextIO) -> None:
        content = {
            "texts": [_row(text) for text in tagged.texts],
            "model": tagged.model,
            "source": None if tagged.source is None else printable(str(tagged.source)),
        }
        write_json(content, file, tagged.notes)


@dataclass(frozen=True)
class TagsLines:
    """A JSON object for each text, on a line of its own."""

    extension: ClassVar[str] = "jsonl"

    def write(self, tagged: Tagged, file: TextIO) -> None:
        for text in tagged.texts:
            file.write(json.dumps(_row(text), ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class TagsPage:
    """A page with the texts, in which spans are marked with their label, or else each token."""

    extension: ClassVar[str] = "html"

    def write(self, tagged: Tagged, file: TextIO) -> None:
        title = Path(tagged.source).name if tagged.source else "Tagged text"
        labels = [label for text in tagged.texts for label in text.labels]
        texts = [_pieces(text, has_spans(labels)) for text in tagged.texts]
        file.write(render(TEMPLATE, title=title, texts=texts, model=tagged.model))


def _cell(text: str) -> str:
    return one_line(text).replace("\t", " ") or "_"


def _row(text: TaggedText) -> dict:
    parts = {"tokens": text.tokens, "spans": text.spans}
    return {"text": text.text} | {
        name: [
            {
                "text": each.text,
                "label": each.label,
                "confidence": round(each.confidence, 4),
                "start": each.start,
                "end": each.end,
            }
            for each in found
        ]
        for name, found in parts.items()
    }


def _pieces(text: TaggedText, spans: bool) -> list[tuple[str, str]]:
    """(piece, label) of the text; the label is "" for what has none."""
    pieces, place = [], 0
    for each in text.spans if spans else text.tokens:
        pieces += [(text.text[place : each.start], ""), (text.text[each.start : each.end], each.label)]
        place = each.end
    return [piece for piece in [*pieces, (text.text[place:], "")] if piece[0]]


FORMATS = {
    "txt": TagsText,
    "conll": TagsCoNLL,
    "conllu": TagsCoNLLU,
    "csv": TagsCSV,
    "json": TagsJSON,
    "jsonl": TagsLines,
    "html": TagsPage,
}
