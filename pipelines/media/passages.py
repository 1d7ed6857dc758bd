"""Reads texts from files: a text a line, or the text column of a table (CSV, TSV, JSON lines)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pipelines.errors import MediaError
from pipelines.media.delimited import cells_of
from pipelines.media.files import locate
from pipelines.media.text import read_text

TEXT_COLUMNS = (
    "text", "sentence", "utterance", "review", "content", "comment", "message", "tweet", "query", "question",
    "document", "body", "title",
)  # fmt: skip
LABEL_COLUMNS = (
    "label",
    "class",
    "category",
    "intent",
    "sentiment",
    "polarity",
    "topic",
    "target",
    "tag",
    "labels",
    "tags",
    "rating",
    "stars",
)
TABLES = ("csv", "tsv", "tab", "jsonl", "ndjson", "json")  # endings
LISTED = 5  # numbers of lines in a note
NO_OBJECT = "no JSON object"
NESTED = 3  # objects within objects of JSON lines


@dataclass(frozen=True)
class Passages:
    """Texts of one source.

    Attributes:
        texts: at least one, none of which is empty.
        source: path of their file; None if they come from no file.
        notes: what was left out of it, and what was guessed.
    """

    texts: tuple[str, ...]
    source: str | None = None
    notes: tuple[str, ...] = ()
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Rows:
    """The rows of a table or a text file.

    Attributes:
        columns: names of the columns; for a table without a head their numbers, from "1"; of a text file
            with a text a line, the one column "text".
        rows: (number of the line from 1, cells) of each row that is not empty. A row with another number of
            cells is kept as it is.
        bad: (number, what is wrong) of each line or entry that is none.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    bad: tuple[tuple[int, str], ...] = ()

    def text_column(self, named: str | None = None) -> int:
        """The place of the column that holds the text.

        Without a name, it is the first of `TEXT_COLUMNS` in the head, or the only column; and in a table
        without a head, the one with the longest cells.

        Raises:
            MediaError: there is no such column, or none is known to hold text.
        """
        return self.column(named) if named else self._text_column()

    def known(self, names: Sequence[str]) -> list[str]:
        """The columns of these names, in their order; then those within objects, such as data.text for text,
        where no other is called so.
        """
        found = [name for name in names if name in self.columns]
        inner = {name: [each for each in self.columns if each.endswith(f".{name}")] for name in names}
        return found + [columns[0] for columns in inner.values() if len(columns) == 1]

    def column(self, name: str) -> int:
        """The place of a column.

        Raises:
            MediaError: there is none of this name.
        """
        if name.lower() not in self.columns:
            raise MediaError(self.path, f"has no column {name!r}, {self._listed}", "name one of its columns")
        return self.columns.index(name.lower())

    def _text_column(self) -> int:
        known = self.known(TEXT_COLUMNS)
        if known or len(self.columns) == 1:
            return self.columns.index(known[0]) if known else 0
        if self.columns[0] != "1":
            cause = f"has no column that is known to hold text, {self._listed}"
            raise MediaError(self.path, cause, "say which one, or call it text")
        widths = [sum(len(cells[place]) for _, cells in self._whole) for place in range(len(self.columns))]
        place = widths.index(max(widths))
        if not any(any(map(str.isalpha, cells[place])) for _, cells in self._whole[1:] or self._whole):
            cause = f"has no column of texts, {self._listed}"
            raise MediaError(self.path, cause, "give one, and call it text")
        return place

    def texts(self, named: str | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The text of each row in one column, "" where there is none; and notes on what lacks or is guessed.

        Raises:
            MediaError: see `text_column`; or not one row has a text.
        """
        place = self.text_column(named)
        found = tuple(" ".join(cells[place].split()) if len(cells) > place else "" for _, cells in self.rows)
        if not any(found):
            raise MediaError(self.path, "holds no text", "give a file with some")
        notes = [f"{_lines(numbers)}: {what}, left out" for what, numbers in self._lacking(found) if numbers]
        if named is None and self.columns[0] == "1" and len(self.columns) > 1:
            example = next(filter(None, found))[:40]
            taken = f"column {place + 1} is taken for the texts, from the first row on ({example!r})"
            notes.append(f"{taken}; name the columns in the first row, or say which it is (--column)")
        return found, tuple(notes)

    def _lacking(self, texts: Sequence[str]) -> list[tuple[str, list[int]]]:
        """What is wrong with rows, and in which lines these are."""
        empty = [number for (number, _), text in zip(self.rows, texts, strict=True) if not text]
        told: dict[str, list[int]] = {}
        for number, cause in self.bad:
            told.setdefault(cause, []).append(number)
        return [("no text", empty), *told.items()]

    @property
    def _whole(self) -> list[tuple[int, tuple[str, ...]]]:
        return [row for row in self.rows if len(row[1]) == len(self.columns)]

    @property
    def _listed(self) -> str:
        return f"only {self.listed}"

    @property
    def listed(self) -> str:
        """The names of the columns for messages; without a head, the cells of the first row."""
        shown = self.rows[0][1] if self.columns[:1] == ("1",) and self.rows else self.columns
        return ", ".join(repr(cell[:40]) for cell in shown)


def read_rows(path: Path, ending: str | None = None) -> Rows:
    """Read a table or a text file, which may be compressed (gzip).

    The ending says what it is: .csv, .tsv, .tab, .jsonl, .ndjson or .json; any other file has a text a line.
    A first line of a table that names a known column, such as text or label, is its head. What objects within
    objects of JSON lines hold is in columns such as translation.en.

    Args:
        path: the file.
        ending: what it is, whatever its name; None takes that of its name.

    Raises:
        DataError: the file cannot be read, is not UTF-8, or is empty.
        MediaError: it is no table of this kind.
    """
    path = Path(path)
    text, ending = read_text(path), ending or ending_of(path.name)
    if ending in ("jsonl", "ndjson"):
        return _json_lines(path, text)
    if ending == "json":
        return _json_list(path, text)
    if ending in ("csv", "tsv", "tab"):
        return _table(path, text, None if ending == "csv" else "\t")
    lines = enumerate(text.split("\n"), start=1)
    return Rows(path, ("text",), tuple((number, (line.strip(),)) for number, line in lines if line.strip()))


def ending_of(name: str) -> str:
    """The ending of a file's name in lower case, without .gz behind it."""
    return re.sub(r"\.gz$", "", name.lower()).rpartition(".")[2]


def is_table(name: str) -> bool:
    """Whether the name of a file is that of a table."""
    return ending_of(name) in TABLES


def open_passages(source: object, kind: str, options: object) -> list[Passages]:
    """What `classify` reads as one: texts that are given, or those of a file.

    Raises:
        MediaError: the file cannot be read or holds no text.
    """
    if isinstance(source, Passages):
        return [source]
    name, _ = locate(source)
    if getattr(options, "unit", "line") == "file":
        return [Passages((read_text(Path(name)).strip(),), str(name))]
    texts, notes = read_rows(Path(name)).texts(getattr(options, "column", None))
    return [Passages(tuple(filter(None, texts)), str(name), notes)]


def _lines(numbers: Sequence[int]) -> str:
    """Numbers of lines for a message."""
    more = f" and {len(numbers) - LISTED} more" if len(numbers) > LISTED else ""
    return f"line{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers[:LISTED]))}{more}"


def _table(path: Path, text: str, delimiter: str | None) -> Rows:
    try:
        rows = cells_of(text, delimiter)
    except ValueError as error:
        raise MediaError(path, str(error), "mend its quotes") from error
    if not rows:
        raise MediaError(path, "holds no row", "give a file with some")
    head = tuple(cell.lower() for cell in rows[0][1])
    if _is_head(head, rows[1:]):
        return Rows(path, head, tuple(rows[1:]))
    return Rows(path, tuple(str(place) for place in range(1, len(head) + 1)), tuple(rows))


def _is_head(cells: Sequence[str], rows: Sequence[tuple[int, tuple[str, ...]]]) -> bool:
    """Whether a cell is the name of a known column, and does not come again below it, as a label would."""
    for place, cell in enumerate(cells):
        below = (row[place].lower() for _, row in rows if len(row) > place)
        if cell in (*TEXT_COLUMNS, *LABEL_COLUMNS) and cell not in below:
            return True
    return False


def _json_lines(path: Path, text: str) -> Rows:
    objects, bad = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            objects.append((number, _flat(found)))
        else:
            bad.append((number, NO_OBJECT))
    if not objects:
        raise MediaError(path, f"line {bad[0][0]} is no JSON object", "write one on each line")
    return _objects(path, objects, bad)


def _json_list(path: Path, text: str) -> Rows:
    """A list of objects, of lists of cells or of texts; or an object that holds such lists, whose names are
    in the column "split" if there are several. What is not as most of the entries are is bad.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MediaError(
            path, f"is not JSON ({error})", "mend it, or write an object on each line"
        ) from error
    lists = {"": found} if isinstance(found, list) else found if isinstance(found, dict) else {}
    lists = {name: value for name, value in lists.items() if isinstance(value, list) and value}
    named = [(name, each) for name, value in lists.items() for each in value]
    if isinstance(found, dict) and not lists:
        named = [("", found)]
    counts = Counter(type(each) for _, each in named)
    kind = max((dict, list, str), key=lambda each: counts[each])
    if not counts[kind]:
        raise MediaError(path, "is no list of JSON objects", "write one object for each text")
    told, bad = [], []
    for number, (name, each) in enumerate(named, start=1):
        if not isinstance(each, kind):
            bad.append((number, f"{NO_OBJECT} as the others are" if kind is dict else "unlike the others"))
            continue
        if kind is list:
            each = {str(place): cell for place, cell in enumerate(each, 1)}
        elif kind is str:
            each = {"text": each}
        told.append((number, _flat(each) | ({"split": name} if len(lists) > 1 else {})))
    return _objects(path, told, bad)


def _objects(path: Path, objects: Sequence[tuple[int, dict]], bad: Sequence[tuple[int, str]] = ()) -> Rows:
    columns = tuple(dict.fromkeys(name for _, each in objects for name in each))
    rows = tuple((number, _cells(each, columns)) for number, each in objects)
    return Rows(path, columns, rows, tuple(bad))


def _flat(found: dict, above: str = "") -> dict[str, object]:
    """Values by names in lower case; those of inner objects have the outer name before their own."""
    flat: dict[str, object] = {}
    for name, value in found.items():
        name = f"{above}{name}".lower()
        inner = isinstance(value, dict) and above.count(".") < NESTED
        flat |= _flat(value, f"{name}.") if inner else {name: value}
    return flat


def _cells(row: dict, columns: Sequence[str]) -> tuple[str, ...]:
    values = (row.get(name) for name in columns)
    return tuple(
        ""
        if value is None
        else json.dumps(value, ensure_ascii=False)
        if isinstance(value, (list, bool))
        else str(value)
        for value in values
    )
