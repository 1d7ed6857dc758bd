"""How surprising texts are, as text, tables, JSON and a page that shades surprising places."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import ClassVar, TextIO

from pipelines.results import Likelihood, ScoredText
from pipelines.writers.lines import one_line, printable
from pipelines.writers.markup import render
from pipelines.writers.tables import write_json

TEMPLATE = Path(__file__).parent / "templates" / "surprisals.html"
DARKEST = 8.0  # nats of a character from which its shade grows no darker
SHADES = 20


@dataclass(frozen=True)
class SurprisalsText:
    """A line for each text, between tabs: bits a character, perplexity, characters, and the text."""

    extension: ClassVar[str] = "txt"

    def write(self, likelihood: Likelihood, file: TextIO) -> None:
        for text in likelihood.texts:
            figures = f"{text.bits_per_character:.4f}\t{text.perplexity:.4f}\t{len(text.text)}"
            file.write(f"{figures}\t{one_line(text.text)}\n")


@dataclass(frozen=True)
class SurprisalsCSV:
    """A comma-separated table (RFC 4180), a row a symbol: source, number of the text in it from 1, start and
    end in characters, nats, whether the vocabulary holds it, and the symbol, with `\\n` for a line break.

    All files of a folder are in one table.
    """

    extension: ClassVar[str] = "csv"
    shared: ClassVar[str] = "surprisals.csv"

    def write(self, likelihood: Likelihood, file: TextIO) -> None:
        self.write_records([self.record(likelihood)], file)

    def record(self, likelihood: Likelihood) -> list[list[str]]:
        """The rows of a file."""
        source = printable(str(likelihood.source or ""))
        return [
            [
                source,
                str(number),
                str(each.start),
                str(each.end),
                f"{each.nats:.4f}",
                "yes" if each.known else "no",
                each.text.replace("\n", "\\n").replace("\t", "\\t"),
            ]
            for number, text in enumerate(likelihood.texts, start=1)
            for each in text.tokens
        ]

    def write_records(self, records: Iterable[list[list[str]]], file: TextIO) -> None:
        """The table of all files."""
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["source", "number", "start", "end", "nats", "known", "text"])
        for rows in records:
            table.writerows(rows)


@dataclass(frozen=True)
class SurprisalsJSON:
    """All fields of the result under their names, with `figures` beside them, to four decimals."""

    extension: ClassVar[str] = "json"

    def write(self, likelihood: Likelihood, file: TextIO) -> None:
        content = {
            "scored": [
                {
                    "text": text.text,
                    "figures": _figures(text),
                    "unit": text.unit,
                    "unknown": list(text.unknown),
                    "starts": list(text.starts),
                    "surprisals": [round(nats, 4) for nats in text.surprisals],
                }
                for text in likelihood.texts
            ],
            "model": likelihood.model,
            "source": None if likelihood.source is None else printable(str(likelihood.source)),
        }
        write_json(content, file, likelihood.notes)


@dataclass(frozen=True)
class SurprisalsLines:
    """A JSON object for each text, on a line of its own, with its figures."""

    extension: ClassVar[str] = "jsonl"

    def write(self, likelihood: Likelihood, file: TextIO) -> None:
        for text in likelihood.texts:
            file.write(json.dumps({"text": text.text, **_figures(text)}, ensure_ascii=False) + "\n")


@dataclass(frozen=True)
class SurprisalsPage:
    """A page with the texts; the more surprising a place, the darker its shade."""

    extension: ClassVar[str] = "html"

    def write(self, likelihood: Likelihood, file: TextIO) -> None:
        title = Path(likelihood.source).name if likelihood.source else "Surprisal"
        texts = [(text, list(_shaded(text))) for text in likelihood.texts]
        file.write(render(TEMPLATE, title=title, texts=texts, darkest=DARKEST, model=likelihood.model))


def _figures(text: ScoredText) -> dict:
    return {
        "nats": round(text.nats, 4),
        "bits_per_character": round(text.bits_per_character, 4),
        "perplexity": round(text.perplexity, 4),
        "word_perplexity": round(text.word_perplexity, 4),
        "characters": len(text.text),
        "outside_vocabulary": len(text.unknown),
    }


def _shaded(text: ScoredText) -> Iterator[tuple[str, float, bool]]:
    """Pieces of the text, the shade of each from 0 to 1, and whether the vocabulary holds it.

    Of subwords and words, it is the mean surprisal of a character that gives the shade.
    """

    def shade(token) -> tuple[float, bool]:
        nats = token.nats / max(1, token.end - token.start)
        return math.floor(SHADES * min(1.0, nats / DARKEST)) / SHADES, token.known

    for (share, known), tokens in groupby(text.tokens, shade):
        yield "".join(token.text for token in tokens), share, known


FORMATS = {
    "txt": SurprisalsText,
    "csv": SurprisalsCSV,
    "json": SurprisalsJSON,
    "jsonl": SurprisalsLines,
    "html": SurprisalsPage,
}
