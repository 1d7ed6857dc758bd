"""Tables whose first line names the columns, separated by commas, semicolons, tabs or bars; and JSON lines.

Hugging Face's imagefolder and audiofolder have `metadata.csv` or `metadata.jsonl`, here or in the folders of
the splits, whose `file_name` is relative to it.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from recipes.data.folders import (
    NO_FILE,
    first_line,
    names_no_file,
    numbered_lines,
    shown,
    split_above,
    split_in,
    split_named,
)
from recipes.data.manifest import Rejected

DELIMITERS = ",;\t|"
ENDINGS = (".csv", ".tsv", ".txt")
LINES = ".jsonl"
METADATA = ("metadata.csv", "metadata.jsonl")
OTHER_LISTS = ({"path", "target"}, {"audio_filepath", "text"}, {"strokes"})
"""Keys of JSON lines that are no such tables: manifests of training, of NeMo, and ink."""

Names = Mapping[str, tuple[str, ...]]
"""For each column, other names that it may have in the first line of a table, in lower case."""


class Table:
    """A table whose first line names its columns.

    Args:
        path: the file.
        names: columns with their other names; further columns keep their own.

    Attributes:
        columns: names of the columns, taken from `names` if known, else in lower case.
    """

    def __init__(self, path: Path, names: Names):
        self.path = path
        head = first_line(path)
        splits = [(delimiter, cells_of(head, delimiter)) for delimiter in DELIMITERS]
        self.delimiter, cells = max(splits, key=lambda each: len(each[1]))
        known = {alias: name for name, aliases in names.items() for alias in (name, *aliases)}
        self.columns: list[str] = []
        for cell in map(str.lower, cells):
            name = known.get(re.sub(r"[\s-]+", "_", cell), cell)
            self.columns.append(cell if name in self.columns else name)

    def has(self, *columns: str) -> bool:
        """Whether the table has these columns."""
        return set(columns) <= set(self.columns)

    def rows(self, root: Path) -> Iterator[tuple[str, dict[str, str] | Rejected]]:
        """For each line, `file:number` and its cells by column, or a `Rejected`."""
        for number, line in numbered_lines(self.path, root):
            where = f"{shown(self.path, root)}:{number}"
            if isinstance(line, Rejected):
                yield where, line
            elif line.strip() and number > 1:
                cells = cells_of(line, self.delimiter)
                if len(cells) == len(self.columns):
                    row = dict(zip(self.columns, cells, strict=True))
                    yield where, Rejected(where, NO_FILE) if names_no_file(row) else row
                else:
                    reason = f"columns: {len(cells)} instead of {len(self.columns)}"
                    yield where, Rejected(where, reason)


class JSONLines(Table):
    """A table with a JSON object a line.

    What is no text or number counts as left out; of a list of texts, each makes a row.

    Args:
        path: the file.
        names: as of a table.
        needed: columns that each line must have.
    """

    def __init__(self, path: Path, names: Names, needed: tuple[str, ...]):
        self.path, self.needed = path, needed
        self.known = {alias: name for name, aliases in names.items() for alias in (name, *aliases)}
        row = _object(first_line(path))
        self.columns = [] if any(keys <= row.keys() for keys in OTHER_LISTS) else list(self._named(row))

    def rows(self, root: Path) -> Iterator[tuple[str, dict[str, str] | Rejected]]:
        """For each line, `file:number` and its values by column, or a `Rejected`."""
        for number, line in numbered_lines(self.path, root):
            where = f"{shown(self.path, root)}:{number}"
            if isinstance(line, Rejected):
                yield where, line
            elif line.strip():
                row = self._named(_object(line))
                missing = [name for name in self.needed if name not in row]
                if missing:
                    yield where, Rejected(where, f"no JSON object with {' and '.join(missing)}")
                    continue
                if names_no_file(row):
                    yield where, Rejected(where, NO_FILE)
                    continue
                several = next((name for name, value in row.items() if isinstance(value, list)), None)
                for value in row[several] if several else [None]:
                    yield where, row | ({several: value} if several else {})

    def _named(self, row: Mapping[str, object]) -> dict:
        """Its texts and numbers by the names of the columns; the first of two of the same name counts."""
        found: dict[str, object] = {}
        for key, value in row.items():
            plain = re.sub(r"[\s-]+", "_", key.lower())
            plain = "file_name" if plain.endswith("_file_name") else plain
            name, value = self.known.get(plain, key.lower()), _plain(value)
            if value is not None and name not in found:
                found[name] = value
        return found


def _object(line: str) -> dict:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _plain(value: object) -> str | list[str] | None:
    """A text, a number as a text, or a list of texts; of Donut's ground truth its text."""
    if isinstance(value, str) and value.startswith('{"gt_parse'):
        value = _object(value)
    if isinstance(value, dict):
        parsed = value.get("gt_parse")
        parsed = parsed.get("text_sequence", parsed.get("text")) if isinstance(parsed, dict) else parsed
        return parsed if isinstance(parsed, str) else None
    if isinstance(value, list):
        return value if value and all(isinstance(each, str) for each in value) else None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value)


def tables_in(root: Path, names: Names, *columns: str) -> list[Table]:
    """The tables of a folder, or the one file, that have these columns."""
    if root.is_file():
        paths = [root]
    else:
        paths = sorted(each for end in (*ENDINGS, LINES) for each in root.glob(f"*{end}"))
        paths += sorted(each for name in METADATA for each in root.glob(f"*/{name}"))
    tables = []
    for path in paths:
        if path.suffix.lower() == LINES:
            table: Table = JSONLines(path, names, columns)
        elif path.suffix.lower() in ENDINGS:
            table = Table(path, names)
        else:
            continue
        tables += [table] if table.has(*columns) else []
    return tables


def split_of(row: Mapping[str, str], table: Path, path: Path, root: Path) -> str | None:
    """The split of a row: as its cell says, or the name of its table; of metadata, the folder of its file."""
    found = split_named(row.get("split")) or split_in(table.stem)
    if found is None and table.name.lower() in METADATA and path.is_relative_to(root):
        return split_above(path, root)
    return found


def cells_of(line: str, delimiter: str = ",") -> list[str]:
    """The cells of a line; none where its quotes or line ends are out of order."""
    try:
        # Between bars, quotes are literal: Flickr30k has them unpaired.
        quoting = csv.QUOTE_NONE if delimiter == "|" else csv.QUOTE_MINIMAL
        row = next(csv.reader([line], delimiter=delimiter, quoting=quoting, strict=True), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in row]


def times(start: str | None, end: str | None) -> tuple[float | None, float | None] | None:
    """Parse start and end in seconds, None for empty cells; returns None if one is not a finite number."""
    try:
        found = [float(time) if time else None for time in (start, end)]
    except ValueError:
        return None
    return tuple(found) if all(time is None or math.isfinite(time) for time in found) else None
