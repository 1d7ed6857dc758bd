"""Translations as text, tables, JSON and a page that shows where each word comes from."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

from pipelines.results import Translated, TranslatedSentence
from pipelines.writers.lines import one_line, printable
from pipelines.writers.markup import render
from pipelines.writers.tables import write_json

TEMPLATE = Path(__file__).parent / "templates" / "translations.html"
LARGEST = 3000  # cells of the attention of a sentence that is drawn on a page
MOST = 200  # sentences with their attention on a page


@dataclass(frozen=True)
class TranslationText:
    """The translation, a line for each line of the source."""

    extension: ClassVar[str] = "txt"

    def write(self, translated: Translated, file: TextIO) -> None:
        file.writelines(f"{one_line(line)}\n" for line in translated.by_line)


@dataclass(frozen=True)
class TranslationCSV:
    """A comma-separated table (RFC 4180), a row a sentence: file, line, confidence, source, translation.

    All files of a folder are in one table.
    """

    extension: ClassVar[str] = "csv"
    shared: ClassVar[str] = "translations.csv"

    def write(self, translated: Translated, file: TextIO) -> None:
        self.write_records([self.record(translated)], file)

    def record(self, translated: Translated) -> list[list[str]]:
        """The rows of a file."""
        name = printable(str(translated.source or ""))
        return [
            [name, str(each.line), f"{each.confidence:.4f}", one_line(each.source), one_line(each.text)]
            for each in translated.sentences
        ]

    def write_records(self, records: Iterable[list[list[str]]], file: TextIO) -> None:
        """The table of all files."""
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", "line", "confidence", "source", "translation"])
        for rows in records:
            table.writerows(rows)


@dataclass(frozen=True)
class TranslationJSON:
    """All fields of the result under their names. Confidences and shares are rounded to four decimals."""

    extension: ClassVar[str] = "json"

    attention: bool = True
    """Write which words of the source each word comes from."""

    def __post_init__(self):
        if not isinstance(self.attention, bool):
            raise ValueError(f"attention is {self.attention!r}; give True or False")

    def write(self, translated: Translated, file: TextIO) -> None:
        content = {
            "translations": [self._sentence(each) for each in translated.sentences],
            "lines": translated.lines,
            "model": translated.model,
            "source": None if translated.source is None else printable(str(translated.source)),
        }
        write_json(content, file, translated.notes)

    def _sentence(self, sentence: TranslatedSentence) -> dict:
        content = _row(sentence)
        content["source_tokens"] = list(sentence.source_tokens)
        content["tokens"] = [
            {"text": token.text, "confidence": round(token.confidence, 4)}
            | ({"attention": [round(share, 4) for share in token.attention]} if self.attention else {})
            for token in sentence.tokens
        ]
        return content


@dataclass(frozen=True)
class TranslationLines:
    """A JSON object for each sentence, on a line of its own."""

    extension: ClassVar[str] = "jsonl"

    def write(self, translated: Translated, file: TextIO) -> None:
        for sentence in translated.sentences:
            file.write(json.dumps(_row(sentence), ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class TranslationPage:
    """A page with each sentence beside its translation, and which word comes from which."""

    extension: ClassVar[str] = "html"

    def write(self, translated: Translated, file: TextIO) -> None:
        title = Path(translated.source).name if translated.source else "Translation"
        sentences = [
            (each, place < MOST and 0 < len(each.tokens) * len(each.source_tokens) <= LARGEST)
            for place, each in enumerate(translated.sentences)
        ]
        page = {"title": title, "sentences": sentences, "model": translated.model}
        file.write(render(TEMPLATE, **page, notes=translated.notes))


def _row(sentence: TranslatedSentence) -> dict:
    return {
        "line": sentence.line,
        "source": sentence.source,
        "text": sentence.text,
        "confidence": round(sentence.confidence, 4),
        "alternatives": [
            {"text": text, "confidence": round(confidence, 4)} for text, confidence in sentence.alternatives
        ],
    }


FORMATS = {
    "txt": TranslationText,
    "csv": TranslationCSV,
    "json": TranslationJSON,
    "jsonl": TranslationLines,
    "html": TranslationPage,
}
