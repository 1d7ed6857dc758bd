"""Layouts of texts with classes. See `layouts.py`.

The target of an item is its label, or the labels of a data set in which texts have several. Its text is in
the row of its file that its index names, from 0; without an index it is the whole file.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pipelines.errors import DataError, MediaError
from pipelines.media.delimited import has_tabs
from pipelines.media.passages import LABEL_COLUMNS, TEXT_COLUMNS, Rows, is_table, read_rows
from pipelines.media.text import read_text
from recipes.data.folders import SPLITS, head, shown, split_above, split_in, split_named, walk
from recipes.data.layouts import Found, Layout
from recipes.data.manifest import Item, Rejected

SPLIT_COLUMNS = ("split", "set", "subset", "partition", "fold")
PLAIN = re.compile(r"\.(txt|text)(\.gz)?$", re.IGNORECASE)
LABELLED = re.compile(r"((?:\s*__label__\S+)+)(.*)", re.DOTALL)


class Columns(NamedTuple):
    """Which columns of tables hold texts and labels, and how labels are separated.

    Attributes:
        text, label: their names, or where a table has no head their numbers from 1; None finds out.
        separator: between the labels of a cell, where texts have several.
    """

    text: str | None = None
    label: str | None = None
    separator: str | None = None


ANY = Columns()


# Tables: CSV, TSV or JSON lines with a column of texts and one of labels


def is_text_table(root: Path) -> bool:
    return bool(_tables(root))


def read_text_tables(root: Path, columns: Columns = ANY) -> Found:
    for path in _tables(root):
        try:
            rows = table_rows(path, columns)
            text, label = text_and_label(rows, columns)
        except (MediaError, DataError) as error:
            yield Rejected(shown(path, root), error.cause)
            continue
        split = next((rows.columns.index(name) for name in SPLIT_COLUMNS if name in rows.columns), None)
        whole = [cells for _, cells in rows.rows if len(cells) == len(rows.columns)]
        lists = are_lists([cells[label] for cells in whole])
        yield from (Rejected(f"{shown(path, root)}:{number}", cause) for number, cause in rows.bad)
        for index, (number, cells) in enumerate(rows.rows):
            where = f"{shown(path, root)}:{number}"
            told = cells[split] if split is not None and len(cells) > split else ""
            if len(cells) != len(rows.columns):
                yield Rejected(where, f"columns: {len(cells)} instead of {len(rows.columns)}")
            elif not cells[text].strip():
                yield Rejected(where, "empty text")
            elif (
                split is not None
                and cells[split]
                and not (split_named(cells[split]) or split_in(cells[split]))
            ):
                yield Rejected(where, f"unknown split {cells[split]!r}")
            elif index == 0 and _may_be_head(rows, text, label):
                yield Rejected(
                    where, f"taken for names of columns, as the label {cells[label]!r} comes only here"
                )
            elif not lists and columns.separator is None and not cells[label].strip():
                yield Rejected(where, "no label")
            else:
                target = labels_in(cells[label], lists, columns.separator)
                named = split_named(told) or split_in(told) or split_in(path.name)
                yield Item(path, target, named, index=index)


def table_rows(path: Path, columns: Columns = ANY) -> Rows:
    """The rows of a table; a file whose name does not say so is one where all lines have as many tabs.

    A first row that has the columns asked for is the head.
    """
    rows = read_rows(path, None if is_table(path.name) else "tsv")
    asked = {name.lower() for name in (columns.text, columns.label) if name}
    first = tuple(cell.lower() for cell in rows.rows[0][1]) if rows.rows else ()
    if rows.columns[:1] == ("1",) and asked and asked <= set(first):
        return replace(rows, columns=first, rows=rows.rows[1:])
    return rows


def _may_be_head(rows: Rows, text: int, label: int) -> bool:
    """Whether the first row of a table whose columns have no known names may hold their names: a word or two
    where the others have texts, and a label that no other row has, while theirs come again.
    """
    if rows.columns[:1] != ("1",):
        return False
    (_, first), *others = rows.rows
    whole = [cells for _, cells in others if len(cells) == len(rows.columns)]
    counts = Counter(cells[label] for cells in whole)
    if len(whole) < 4 or len(first[text].split()) > 2 or len(first[label].split()) > 2:
        return False
    longer = sum(len(cells[text].split()) > 2 for cells in whole)
    return first[label] not in counts and min(counts.values()) > 1 and longer > len(whole) / 2


def are_lists(cells: Sequence[str]) -> bool:
    """Whether all cells that are not empty are lists of labels in JSON, of which there is one at least."""
    given = [cell for cell in cells if cell]
    return bool(given) and all(cell.startswith("[") and _listed(cell) is not None for cell in given)


def labels_in(cell: str, lists: bool, separator: str | None) -> str | tuple[str, ...]:
    """The label of a cell; or its labels, each once, where it is a list or there is a separator."""
    if not lists and separator is None:
        return cell
    found = (_listed(cell) or []) if lists else cell.split(separator)
    return tuple(dict.fromkeys(filter(None, (" ".join(label.split()) for label in found))))


def _listed(cell: str) -> list[str] | None:
    """The entries of a list in JSON; None where a cell is none of texts and numbers."""
    try:
        found = json.loads(cell or "[]")
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and all(isinstance(each, (str, int, float)) for each in found):
        return [str(each) for each in found]
    return None


def text_and_label(rows: Rows, columns: Columns = ANY) -> tuple[int, int]:
    """The places of the columns of texts and of labels.

    Of two columns without known names, the one with the longer cells holds the texts.

    Raises:
        MediaError: the columns cannot be told, or there are none of the names asked for.
    """
    if columns.text and columns.label:
        return rows.column(columns.text), rows.column(columns.label)
    names = [name for name in rows.columns if name not in SPLIT_COLUMNS]
    labels, texts = rows.known(LABEL_COLUMNS), rows.known(TEXT_COLUMNS)
    if columns.label:
        labels = [rows.columns[rows.column(columns.label)]]
        texts = [name for name in texts if name != labels[0]]
    if columns.text:
        texts = [rows.columns[rows.column(columns.text)]]
        labels = [name for name in labels if name != texts[0]]
    if len(names) == 2:  # what is not known follows from the other, or from the length of cells
        if labels:
            texts = texts or [name for name in names if name != labels[0]]
        elif texts:
            labels = [name for name in names if name != texts[0]]
        else:
            widths = {
                name: sum(len(cells[place]) for _, cells in rows.rows if len(cells) == len(rows.columns))
                for name, place in ((name, rows.columns.index(name)) for name in names)
            }
            texts, labels = [max(names, key=widths.get)], [min(reversed(names), key=widths.get)]
    if texts and labels and texts[0] != labels[0]:
        return rows.columns.index(texts[0]), rows.columns.index(labels[0])
    cause = f"its columns {rows.listed} name no text and label"
    numbered = " or numbers" if rows.columns[:1] == ("1",) else ""
    way_out = f"say --text-column and --label-column with their names{numbered}, or call them text and label"
    raise MediaError(rows.path, f"{cause}: {way_out}", way_out)


def _tables(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if is_table(root.name) or _is_tabbed(root) else []
    paths = sorted(root.iterdir()) if root.is_dir() else []
    # JSON beside other files is mostly about them
    return [path for path in paths if is_table(path.name) and not _is_json(path) and path.is_file()]


def _is_json(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(".json")


def _is_tabbed(path: Path) -> bool:
    try:
        return has_tabs(read_text(path)) and not _fasttext(path)
    except DataError:
        return False


# fastText: lines of "__label__name text"


def is_fasttext(root: Path) -> bool:
    return bool(_fasttext(root))


def read_fasttext(root: Path) -> Found:
    """Lines of labels and a text; where one has several labels, all targets are sequences of labels."""
    paths = _fasttext(root)
    matches = {
        path: [(number, LABELLED.match(line)) for number, (line,) in read_rows(path, "txt").rows]
        for path in paths
    }
    several = any(match and len(match[1].split()) > 1 for found in matches.values() for _, match in found)
    for path, found in matches.items():
        for index, (number, match) in enumerate(found):
            if match and match[2].strip():
                labels = tuple(label.removeprefix("__label__") for label in match[1].split())
                yield Item(path, labels if several else labels[0], split_in(path.name), index=index)
            else:
                yield Rejected(f"{shown(path, root)}:{number}", "not __label__ and a text")


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


def layouts(columns: Columns = ANY) -> tuple[Layout, ...]:
    """The layouts, with the columns that hold texts and labels."""
    sign = "CSV, TSV or JSON lines with a text and a label on each row"
    return (
        Layout("table", sign, is_text_table, lambda root: read_text_tables(root, columns)),
        Layout("fasttext", "text files whose lines begin with __label__", is_fasttext, read_fasttext),
        Layout("folders", "a folder of text files for each class", is_text_folders, read_text_folders),
    )
