"""Tables whose first line names the columns, separated by commas, semicolons, tabs or bars."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from recipes.data.folders import first_line, numbered_lines, shown
from recipes.data.manifest import Rejected

DELIMITERS = ",;\t|"
ENDINGS = (".csv", ".tsv", ".txt")

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
                    yield where, dict(zip(self.columns, cells, strict=True))
                else:
                    reason = f"columns: {len(cells)} instead of {len(self.columns)}"
                    yield where, Rejected(where, reason)


def tables_in(root: Path, names: Names, *columns: str) -> list[Table]:
    """The tables of a folder, or the one file, that have these columns."""
    paths = [root] if root.is_file() else sorted(each for end in ENDINGS for each in root.glob(f"*{end}"))
    tables = (Table(path, names) for path in paths if path.suffix.lower() in ENDINGS)
    return [table for table in tables if table.has(*columns)]


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
