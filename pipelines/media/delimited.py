"""Cells of tables whose columns are separated by commas, semicolons, tabs or bars."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import islice

DELIMITERS = ",;\t|"
END = "\uffff"  # no character: a line behind the last one, which no quote may hold
LARGEST_CELL = 10_000_000  # characters
LOOKED_AT = 50  # rows by which the delimiter is told

Row = tuple[int, tuple[str, ...]]


def cells_of(text: str, delimiter: str | None = None) -> list[Row]:
    """The rows of a table that are not empty, each with the number of the line on which it ends.

    Cells may be in quotes, and then hold line breaks. Between tabs quotes mean nothing, unless lines only
    make up a table with them.

    Args:
        text: of the file, with line feeds.
        delimiter: None finds out by which one most rows have as many cells as each other. A first line such
            as sep=; says it too.

    Raises:
        ValueError: a row cannot be read; the message names its line.
    """
    before = 0
    told = re.match(r"sep=(.)\n", text, re.IGNORECASE)
    if told:
        text, delimiter, before = text[told.end() :], told[1], 1
    delimiter = delimiter or _delimiter(text)
    if delimiter == "\t":
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1 + before) if line.strip()]
        if len({line.count("\t") for _, line in lines}) == 1 or text.count('"') % 2:
            return [(number, tuple(map(_unquoted, line.split("\t")))) for number, line in lines]
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(io.StringIO(f"{text.rstrip(chr(10))}\n{END}"), delimiter=delimiter, strict=False)
    rows, last = [], 0
    try:
        for cells in reader:
            if cells == [END]:
                break
            if cells and END in cells[-1]:
                raise ValueError(
                    f"line {last + 1 + before} has a cell that begins with a quote which never ends"
                )
            last = reader.line_num
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num + before, tuple(cell.strip() for cell in cells)))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num + before} is not one of a table ({error})") from error
    return rows


def has_tabs(text: str) -> bool:
    """Whether all of the first lines of a text have as many tabs, so that it is a table."""
    lines = list(islice((line for line in text.split("\n") if line.strip()), LOOKED_AT))
    return bool(lines) and "\t" in lines[0] and len({line.count("\t") for line in lines}) == 1


def _delimiter(text: str) -> str:
    head = text.partition("\n")[0]
    return max(DELIMITERS, key=lambda delimiter: (_agreement(text, delimiter), head.count(delimiter)))


def _agreement(text: str, delimiter: str) -> float:
    """The share of the first rows that have as many cells as most; 0 where that is one."""
    csv.field_size_limit(LARGEST_CELL)
    try:
        rows = list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), LOOKED_AT))
    except csv.Error:
        return 0.0
    counts = Counter(len(cells) for cells in rows if cells)
    (size, number), *_ = counts.most_common(1) or [(1, 0)]
    return number / counts.total() if size > 1 else 0.0


def _unquoted(cell: str) -> str:
    cell = cell.strip()
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', ""):
        return cell[1:-1].replace('""', '"').strip()
    return cell
