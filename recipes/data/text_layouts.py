"""Layouts of texts with classes. See `speech_layouts.py`.

The target of an item is its label. Its text is in the row of its file that its index names, from 0; without
an index it is the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import DataError, MediaError
from pipelines.media.passages import LABEL_COLUMNS, TEXT_COLUMNS, Rows, read_rows
from recipes.data.folders import SPLITS, head, shown, split_above, split_in, split_named, walk
from recipes.data.manifest import Item, Rejected
from recipes.data.speech_layouts import Found, Layout

SPLIT_COLUMNS = ("split", "set", "subset", "partition", "fold")
TABLE = re.compile(r"\.(csv|tsv|tab|jsonl|ndjson)(\.gz)?$", re.IGNORECASE)
PLAIN = re.compile(r"\.(txt|text)(\.gz)?$", re.IGNORECASE)
LABELLED = re.compile(r"\s*__label__(\S+)\s*(.*)", re.DOTALL)


# Tables: CSV, TSV or JSON lines with a column of texts and one of labels


def is_text_table(root: Path) -> bool:
    return bool(_tables(root))


def read_text_tables(root: Path) -> Found:
    for path in _tables(root):
        try:
            rows = read_rows(path)
            text, label = text_and_label(rows)
        except (MediaError, DataError) as error:
            yield Rejected(shown(path, root), error.cause)
            continue
        split = next((rows.columns.index(name) for name in SPLIT_COLUMNS if name in rows.columns), None)
        for index, (number, cells) in enumerate(rows.rows):
            where = f"{shown(path, root)}:{number}"
            if len(cells) != len(rows.columns):
                yield Rejected(where, f"columns: {len(cells)} instead of {len(rows.columns)}")
            elif not cells[text].strip():
                yield Rejected(where, "empty text")
            elif split is not None and cells[split] and split_named(cells[split]) is None:
                yield Rejected(where, f"unknown split {cells[split]!r}")
            else:
                named = split_named(cells[split]) if split is not None else None
                yield Item(path, cells[label], named or split_in(path.name), index=index)


def text_and_label(rows: Rows) -> tuple[int, int]:
    """The places of the columns of texts and of labels.

    In a table without a head that has two columns, the one with the longer cells holds the texts.

    Raises:
        MediaError: the columns cannot be told.
    """
    labels = [rows.columns.index(name) for name in LABEL_COLUMNS if name in rows.columns]
    others = [place for place in range(len(rows.columns)) if place not in labels[:1]]
    if labels and len(others) == 1:
        return others[0], labels[0]
    known = [rows.columns.index(name) for name in TEXT_COLUMNS if name in rows.columns]
    if not known and len(rows.columns) == 2 and not labels:
        known = [rows.text_column()]
    rest = [place for place in range(len(rows.columns)) if place not in known[:1]]
    if known and (labels or len(rest) == 1):
        return known[0], (labels or rest)[0]
    cause = f"its columns {rows.listed} name no text and label"
    raise MediaError(rows.path, cause, "name the columns text and label in its first line")


def _tables(root: Path) -> list[Path]:
    paths = [root] if root.is_file() else sorted(root.iterdir()) if root.is_dir() else []
    return [path for path in paths if TABLE.search(path.name) and path.is_file()]


# fastText: lines of "__label__name text"


def is_fasttext(root: Path) -> bool:
    return bool(_fasttext(root))


def read_fasttext(root: Path) -> Found:
    for path in _fasttext(root):
        for index, (number, (line,)) in enumerate(read_rows(path).rows):
            match = LABELLED.match(line)
            if match and match[2].strip() and not LABELLED.match(match[2]):
                yield Item(path, match[1], split_in(path.name), index=index)
            else:
                reason = (
                    "several labels" if match and LABELLED.match(match[2]) else "not __label__ and a text"
                )
                yield Rejected(f"{shown(path, root)}:{number}", reason)


def _fasttext(root: Path) -> list[Path]:
    paths = [root] if root.is_file() else sorted(root.iterdir()) if root.is_dir() else []
    return [path for path in paths if path.is_file() and LABELLED.match(head(path))]


# A folder of text files for each class


def is_text_folders(root: Path) -> bool:
    return next(_classed(root), None) is not None


def read_text_folders(root: Path) -> Found:
    for path in _classed(root):
        yield Item(path, path.parent.name, split_above(path, root))


def _classed(root: Path) -> Iterator[Path]:
    """Text files below folders that are no split."""
    if not root.is_dir():
        return
    for path in walk(root):
        folder = path.parent
        if PLAIN.search(path.name) and folder != root and folder.name.lower() not in SPLITS:
            yield path


TEXTS = (
    Layout(
        "table",
        "CSV, TSV or JSON lines with a text and a label on each row",
        is_text_table,
        read_text_tables,
    ),
    Layout("fasttext", "text files whose lines begin with __label__", is_fasttext, read_fasttext),
    Layout("folders", "a folder of text files for each class", is_text_folders, read_text_folders),
)
