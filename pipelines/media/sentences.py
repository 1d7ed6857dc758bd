"""Reads sentences from files: CoNLL and CoNLL-U, a token on each line; or a text on each line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pipelines.errors import MediaError
from pipelines.media.files import locate
from pipelines.media.passages import Passages, Rows, is_table, open_passages, read_rows
from pipelines.media.text import read_text

CONLL = re.compile(r"\.(conll|conllu|conll\d+|bio|iob2?|tagged)(\.gz)?$", re.IGNORECASE)
"""Names of files with a token on each line."""
TOKEN_COLUMNS = ("tokens", "words")
TAG_COLUMNS = ("tags", "labels", "ner_tags", "pos_tags", "upos", "ner", "slots")
NAMED = {"upos": 3, "xpos": 4, "lemma": 2, "deprel": 7}
"""Columns of CoNLL-U that a label can be taken from."""


@dataclass(frozen=True)
class Sentence:
    """A sentence whose tokens are known.

    Attributes:
        line: of the file on which it begins, from 1.
        words: its tokens.
        labels: one for each, or none.
    """

    line: int
    words: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sentences:
    """The sentences of a file, with their tokens."""

    found: tuple[Sentence, ...]
    source: str | None = None
    kind: ClassVar[str] = "text"


def read_sentences(path: Path, column: str | None = None) -> list[Sentence]:
    """Read a file with a token on each line and an empty line behind each sentence.

    A table (JSON lines, CSV) has a list of tokens and one of labels on each row.

    In CoNLL-U, which has ten columns between tabs, tokens are in the second one and labels in UPOS, unless
    `column` names another; multiword tokens and empty nodes are passed over. In any other such file, tokens
    are in the first column and labels in the last one; a sentence in which a line has other than the usual
    number of columns has no labels.

    Args:
        path: the file, which may be compressed (gzip).
        column: upos, xpos, lemma or deprel, or the number of the column, from 1.

    Raises:
        DataError: the file cannot be read.
        MediaError: a line has no such column, or the file holds no sentence.
    """
    path = Path(path)
    if is_table(path.name):
        return _tokenised(read_rows(path), column)
    lines = [*read_text(path).split("\n"), ""]
    width = _usual_width(lines)
    found, words, labels, begin = [], [], [], 1
    for number, line in enumerate(lines, start=1):
        line = line.rstrip()
        if not line.strip():
            if words:
                whole = len(labels) == len(words) and all(labels)
                found.append(Sentence(begin, tuple(words), tuple(labels) if whole else ()))
            words, labels, begin = [], [], number + 1
            continue
        if line.startswith("#") and not words:
            continue
        cells = line.split("\t") if "\t" in line else line.split()
        if cells[0] == "-DOCSTART-":
            continue
        if len(cells) != width and line.startswith("#"):
            continue
        if len(cells) == 10 and "\t" in line:
            if cells[0].isdigit():
                words.append(cells[1])
                labels.append(_cell(path, number, cells, column or "upos"))
        else:
            words.append(cells[0])
            labelled = len(cells) == width and (width > 1 or column)
            labels.append(_cell(path, number, cells, column) if labelled else "")
    if not found:
        raise MediaError(path, "holds no sentence", "give a file with a token on each line")
    return found


def _tokenised(rows: Rows, column: str | None) -> list[Sentence]:
    """The rows of a table that hold a list of tokens and one of labels in JSON.

    A row with another number of labels than tokens has none.

    Raises:
        MediaError: there are no such columns, or no row with tokens.
    """
    for number, cause in rows.bad:
        raise MediaError(rows.path, f"line {number} is {cause}", "write one on each line")
    tokens = next((name for name in TOKEN_COLUMNS if name in rows.columns), None)
    label = column or next((name for name in TAG_COLUMNS if name in rows.columns), None)
    if tokens is None or label is None:
        cause = f"has no columns with lists of tokens and of labels, only {rows.listed}"
        raise MediaError(rows.path, cause, "call them tokens and tags")
    places, found = (rows.column(tokens), rows.column(label)), []
    for number, cells in rows.rows:
        words, labels = (_listed(cells[place]) if place < len(cells) else [] for place in places)
        whole = len(labels) == len(words) and all(labels)
        if words:
            found.append(Sentence(number, tuple(words), tuple(labels) if whole else ()))
    if not found:
        raise MediaError(rows.path, "holds no sentence", "write a list of tokens on each row")
    return found


def _usual_width(lines: Sequence[str]) -> int:
    """The number of columns that most lines with a token have."""
    told = (line.rstrip() for line in lines if line.strip() and not line.startswith(("#", "-DOCSTART-")))
    widths = Counter(len(line.split("\t") if "\t" in line else line.split()) for line in told)
    return widths.most_common(1)[0][0] if widths else 0


def _listed(cell: str) -> list[str]:
    """The entries of a list in JSON; none of anything else."""
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return []
    return [str(each) for each in found] if isinstance(found, list) else []


def open_sentences(source: object, kind: str, options: object) -> list[Sentences | Passages]:
    """What `tag` reads as one: the texts or sentences of a file.

    Raises:
        MediaError: the file cannot be read or holds no text.
    """
    if isinstance(source, (Sentences, Passages)):
        return [source]
    name, _ = locate(source)
    if CONLL.search(str(name)):
        return [Sentences(tuple(read_sentences(Path(name))), str(name))]
    return open_passages(source, kind, options)


def _cell(path: Path, number: int, cells: list[str], column: str | None) -> str:
    if column is None:
        return cells[-1]
    place = NAMED.get(column.lower(), int(column) - 1 if column.isdigit() else -1)
    if not 0 <= place < len(cells):
        raise MediaError(path, f"line {number} has no column {column}", "name one that all lines have")
    return "" if cells[place] == "_" and len(cells) == 10 else cells[place]
