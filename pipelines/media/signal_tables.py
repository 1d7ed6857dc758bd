"""Reads signals from tables: CSV with a row a time step, and the `.ts` files of the UEA and UCR archives."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.signals import MOST_CHANNELS, MOST_VALUES, Signal, rate_of, unique
from pipelines.media.text import read_text

LARGEST = 200_000_000  # bytes of a table
BLOCK = 4096  # rows that are converted at once
LOOKED_AT = 200  # rows by which the layout is found
LARGEST_CELL = 1_000_000  # characters
DELIMITERS = ";\t|,"  # in this order: where lines have others, commas are those of decimals
MISSING = frozenset(
    ("", "?", "-", "--", "---", ".", "na", "n/a", "<na>", "nan", "nil", "none", "null", "missing", "#n/a")
)
TIMES = (
    "time", "timestamp", "date", "datetime", "ds", "t", "elapsed time", "date_time", "date time", "index",
    "seconds", "sample", "sample interval", "hour", "hours", "charttime",
)  # fmt: skip
UNITS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "minutes": 60.0}
UNITS |= {"h": 3600.0, "hour": 3600.0, "hours": 3600.0}
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
DECIMAL_COMMA = re.compile(r"[-+]?(\d+|\d{1,3}(\.\d{3})+)?,\d+([eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+")
"""Whole numbers with points between the thousands, where decimals have commas."""
DAY = re.compile(r"(19|20)\d\d[01]\d[0-3]\d")
"""Dates that look like numbers: 20240131."""
CLOCK = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
DATES = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y",
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%d/%m/%Y %I:%M:%S %p", "%d/%m/%Y %I:%M %p",
    "%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %I:%M %p",
    "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y",
    "%B %d, %Y", "%d.%m.%y %H:%M:%S", "%d.%m.%y %H:%M", "%d.%m.%y", "%m/%d/%y %H:%M", "%m/%d/%y",
    "%d/%m/%y %H:%M", "%d/%m/%y",
    "%Y-%m", "%Y/%m", "%m/%Y", "%m.%Y", "%b %Y", "%B %Y", "%b-%Y", "%Y%m%d",
)  # fmt: skip
"""Layouts of dates besides ISO 8601, tried in this order until one fits all rows."""


def read_table(source: str | Path, time: str | None = None, rate: float | None = None) -> Signal:
    """Read a table with a row a time step: CSV, with commas, semicolons, tabs or bars; compressed or not.

    The first line may be a head, a second one units. The times are those of the column `time`, or of one with
    a usual name, or of one with dates; they may be seconds, dates, or times of day. A column without any
    number is left out, which a note says.

    Args:
        source: the file.
        time: name of the column of times.
        rate: time steps a second, where the table has no times; times win.

    Raises:
        MediaError: it is no such table, or a cell is no number.
        DataError: the file cannot be read, is too large, or is not UTF-8.
    """
    name = str(source)
    text = read_text(Path(source), LARGEST)
    delimiter = delimiter_of(text)
    head, units, first = head_of(name, text, delimiter)
    sample = [row for _, row in islice(rows_in(name, text, delimiter), first, first + LOOKED_AT)]
    if not sample:
        raise no_rows(name, text)
    table = _Table(name, head, len(head) or len(sample[0]))
    sample = [row[: table.width] for row in sample]
    place = _time_column(name, head, sample, time)
    comma = delimiter != "," and any(DECIMAL_COMMA.fullmatch(cell) for row in sample for cell in row)
    kept, left = _kept(sample, place, comma, head)
    if not kept:
        raise no_numbers(name, text, head, [row for row in sample if len(row) == table.width], place)
    values, clock = [], []
    rows = islice(rows_in(name, text, delimiter), first, None)
    while block := list(islice(rows, BLOCK)):
        values.append(table.numbers(block, kept, comma))
        if place is not None:
            clock += [row[place] if place < len(row) else "" for _, row in block]
        if sum(map(len, values)) * len(kept) > MOST_VALUES:
            raise MediaError(name, f"holds more than {MOST_VALUES:,} numbers", "cut it into shorter files")
    numbers = np.concatenate(values)
    notes = [f"column {_named(head, column)} has no numbers and is left out" for column in left]
    times, start = (None, None) if place is None else table.times(clock, place, comma)
    if times is not None:
        if (np.diff(times) < 0).any():
            order = np.argsort(times, kind="stable")
            notes.append(f"{int((np.diff(times) < 0).sum())} times fall; its rows were sorted by time")
            numbers, times = numbers[order], times[order]
        rate = rate_of(times)
    names = [head[column] if head else "" for column in kept]
    return Signal(
        numbers,
        unique(names),
        rate,
        times,
        tuple(units[column] for column in kept) if units else (),
        start,
        source=name,
        notes=tuple(notes),
    )


def no_rows(name: str, text: str) -> MediaError:
    """What is wrong with a file that is no table, or has nothing below its head."""
    if text.lstrip().startswith(("{", "[{")):
        return MediaError(name, "is JSON and no table", "save it as CSV, with a row a time step")
    return MediaError(name, "has no row of numbers", "give a table with a row a time step")


def no_numbers(
    name: str, text: str, head: Sequence[str], rows: Sequence[Sequence[str]], time: int | None
) -> MediaError:
    """What is wrong with a table that has nothing but text and times, with a cell of it."""
    if text.lstrip().startswith(("{", "[{")):
        return no_rows(name, text)
    cells = ((place, cell) for row in rows for place, cell in enumerate(row) if place != time and cell)
    place, cell = next(cells, (0, ""))
    if not cell:
        return MediaError(name, "has no column of numbers", "give a table with a row a time step")
    column = _named(tuple(head), place)
    if not re.search(r"\d", cell):
        cause = f"has no column of numbers (column {column}: {cell[:40]!r})"
        return MediaError(name, cause, "give a table with a row a time step, below one line of names")
    cause = f"has no column of numbers: {cell[:40]!r} in column {column} is not read as one"
    return MediaError(name, cause, "write plain numbers, without units and separators of thousands")


def read_ts(source: str | Path) -> list[Signal]:
    """Read the series of a `.ts` file (Löning et al. 2019, sktime): unequal lengths, missing values, classes.

    Raises:
        MediaError: it is no such file, or a value in it is no number.
        DataError: it cannot be read, is too large, or is not UTF-8.
    """
    name, found = str(source), []
    labelled = stamped = begun = False
    width, total = None, 0
    for number, line in enumerate(read_text(Path(source), LARGEST).split("\n"), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("@") and not begun:
            tag, _, value = line[1:].lower().partition(" ")
            labelled |= tag == "classlabel" and value.strip().startswith("true")
            stamped |= tag == "timestamps" and value.strip() == "true"
            begun = tag == "data"
            continue
        if not begun:
            raise MediaError(name, f"line {number} comes before @data", "mend it, or give a table")
        *series, label = line.split(":") if labelled else [*line.split(":"), None]
        if stamped:
            raise MediaError(name, "has a time with each value", "give it without @timestamps, or as a table")
        if not series or len(series) > MOST_CHANNELS or width not in (None, len(series)):
            cause = f"line {number} has {len(series)} channels, and others {width}"
            raise MediaError(name, cause, "give each the same, with a colon behind each channel")
        width = len(series)
        total += line.count(",") + 1
        if total > MOST_VALUES:
            raise MediaError(name, f"holds more than {MOST_VALUES:,} numbers", "cut it into shorter files")
        columns = [_series(name, number, place, each) for place, each in enumerate(series, start=1)]
        longest = max(map(len, columns))
        values = np.full((longest, width), np.nan, dtype=np.float32)
        for place, column in enumerate(columns):
            values[: len(column), place] = column
        names = tuple(str(place) for place in range(1, width + 1))
        place = len(found) + 1
        found.append(Signal(values, names, label=label and label.strip(), source=name, number=place))
    if not found:
        raise MediaError(name, "holds no series", "give a file with some behind @data")
    return found


def _series(name: str, line: int, place: int, text: str) -> np.ndarray:
    cells = [cell.strip() for cell in text.split(",")]
    try:
        numbers = np.array([np.nan if cell.lower() in MISSING else float(cell) for cell in cells], np.float64)
    except ValueError as error:
        cause = f"line {line}, channel {place}: {str(error)[:80]}"
        raise MediaError(name, cause, "write numbers, and ? for what is missing") from error
    if np.isinf(numbers.astype(np.float32)).any():
        cause = f"line {line}, channel {place}: a number is too large"
        raise MediaError(name, cause, "write numbers, and ? for what is missing")
    return numbers.astype(np.float32)


class _Table:
    """Rows of a table on their way to numbers.

    Args:
        name: of the file.
        head: names of its columns; () if it has none.
        width: number of its columns.
    """

    def __init__(self, name: str, head: tuple[str, ...], width: int):
        self.name, self.head, self.width = name, head, width
        self.lines: list[int] = []

    def numbers(self, rows: list[tuple[int, list[str]]], columns: list[int], comma: bool) -> np.ndarray:
        """(rows, columns) of float32."""
        cells = []
        for line, row in rows:
            if len(row) != self.width and any(row[self.width :]) or len(row) < self.width - 1:
                cause = f"row {line} has {len(row)} cells, and others {self.width}"
                raise MediaError(self.name, cause, "mend the row")
            row = row + [""] * (self.width - len(row))
            self.lines.append(line)
            cells.append([row[column] for column in columns])
        try:
            if comma:
                raise ValueError("points may stand between thousands")
            found = np.array([[cell or "nan" for cell in row] for row in cells], dtype=np.float64)
        except ValueError:
            found = np.array(
                [
                    [self._number(cell, *place, comma) for place, cell in self._placed(line, row, columns)]
                    for (line, _), row in zip(rows, cells, strict=True)
                ]
            )
        with np.errstate(over="ignore"):
            narrow = found.astype(np.float32)
        wrong = np.argwhere(np.isinf(narrow))
        if len(wrong):
            row, column = wrong[0]
            self._refuse(rows[row][0], columns[column], cells[row][column])
        return narrow

    def times(self, cells: list[str], column: int, comma: bool) -> tuple[np.ndarray, datetime | None]:
        """Seconds from the first row, and the date of that."""
        read = clock_of(cells, comma)
        if read is None:
            known = clock_of([""], comma)
            for line, cell in zip(self.lines, cells, strict=True):
                if not cell or clock_of([cell], comma) is known:
                    self._refuse(line, column, cell, "is no time")
            self._refuse(self.lines[0], column, cells[0], "is no time of the same form as the others")
        found, dated = read
        unit = re.search(r"(?:^|[\s_(\[])([a-z]+)[)\]]?$", self.head[column].lower() if self.head else "")
        scale = 1.0 if dated or not unit else UNITS.get(unit[1], 1.0)
        start = None
        if dated:
            start = datetime.fromtimestamp(found[0], UTC).replace(tzinfo=None)
        elif scale == 1.0 and 1e9 < found[0] < 1e14:  # seconds or milliseconds since 1970
            scale = 1.0 if found[0] < 1e11 else 1e-3
            start = datetime.fromtimestamp(found[0] * scale, UTC).replace(tzinfo=None)
        return (found - found[0]) * scale, start

    def _placed(self, line: int, row: list[str], columns: list[int]) -> Iterator:
        return (((line, column), cell) for column, cell in zip(columns, row, strict=True))

    def _number(self, cell: str, line: int, column: int, comma: bool) -> float:
        found = number_in(cell, comma)
        if found is None:
            self._refuse(line, column, cell)
        return found

    def _refuse(self, line: int, column: int, cell: str, cause: str = "is no number") -> None:
        cause = f"row {line}, column {_named(self.head, column)}: {cell[:40]!r} {cause}"
        raise MediaError(self.name, cause, "mend the cell, or leave it empty if the value is missing")


def _named(head: tuple[str, ...], column: int) -> str:
    return repr(head[column]) if head else str(column + 1)


def number_in(cell: str, comma: bool) -> float | None:
    """The number in a cell, NaN for one that is missing; None for text."""
    if cell.lower() in MISSING:
        return float("nan")
    if comma and THOUSANDS.fullmatch(cell):
        return float(cell.replace(".", ""))
    if NUMBER.fullmatch(cell):
        return float(cell)
    if comma and DECIMAL_COMMA.fullmatch(cell):
        return float(cell.replace(".", "").replace(",", "."))
    return None


def clock_of(cells: list[str], comma: bool) -> tuple[np.ndarray, bool] | None:
    """Times as seconds, and whether they are dates; None for what is neither."""
    if not all(cells):
        return None
    numbers = [number_in(cell, comma) for cell in cells]
    if all(map(DAY.fullmatch, cells)):
        with contextlib.suppress(ValueError):
            days = [datetime.strptime(cell, "%Y%m%d").replace(tzinfo=UTC).timestamp() for cell in cells]
            return np.array(days), True
    if None not in numbers and not np.isnan(numbers).any():
        return np.array(numbers, np.float64), False
    clocks = [CLOCK.fullmatch(cell.strip("[]")) for cell in cells]
    if all(clocks):
        parts = [[float((part or "0").replace(",", ".")) for part in clock.groups()] for clock in clocks]
        return np.array(parts) @ np.array([86400.0, 3600.0, 60.0, 1.0]), False
    for layout in (None, *DATES):
        try:
            read = datetime.fromisoformat if layout is None else lambda cell: datetime.strptime(cell, layout)  # noqa: B023
            dates = [read(cell) for cell in cells]
            seconds = [(date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() for date in dates]
            return np.array(seconds), True
        except (ValueError, OverflowError):
            continue
    return None


def delimiter_of(text: str) -> str:
    """What separates the cells: the first that most lines have as often as the first line."""
    lines = [
        line for line in text[: 1 << 20].split("\n", 60)[:60] if line.strip() and not line.startswith("#")
    ]
    for delimiter in DELIMITERS:
        try:
            widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if cells]
        except csv.Error:  # told where the rows are read
            continue
        alike = sum(abs(width - widths[0]) <= 1 for width in widths)
        if widths and widths[0] > 1 and 2 * alike >= len(widths):
            return delimiter
    return ";"  # one column, in which commas are those of decimals


def rows_in(name: str, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(number of the line from 1, cells) of each row that is neither empty nor a comment."""
    csv.field_size_limit(LARGEST_CELL)
    lines = (match[0] for match in re.finditer(r"[^\n]*\n|[^\n]+", text))
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            if len(row) > MOST_CHANNELS:
                cause = f"row {reader.line_num} has {len(row):,} cells"
                raise MediaError(
                    name, cause, f"give at most {MOST_CHANNELS:,} columns, and a row a time step"
                )
            cells = [cell.strip().strip("'") for cell in row]
            if any(cells) and not cells[0].startswith("#"):
                yield reader.line_num, cells
    except csv.Error as error:
        cause = f"row {reader.line_num} is not one of a table ({error})"
        raise MediaError(name, cause, "mend its quotes") from error


def head_of(name: str, text: str, delimiter: str) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Names of the columns, their units, and how many rows these take."""
    rows = [row for _, row in islice(rows_in(name, text, delimiter), 3)]
    comma = delimiter != ","
    is_text = [_is_text(row, comma) for row in rows]
    if not rows or not is_text[0]:
        return (), (), 0
    head = tuple(rows[0])
    units = len(rows) > 2 and is_text[1] and not is_text[2] and len(rows[1]) == len(head)
    if units and all(number_in(cell, comma) is None for cell in rows[1] if cell.lower() not in MISSING):
        return head, tuple(rows[1]), 2
    return head, (), 1


def _is_text(row: list[str], comma: bool) -> bool:
    """Whether a row has no number; names of columns such as 1, 2, 3 behind one that is none do not count."""
    filled = [cell for cell in row if cell.lower() not in MISSING]
    plain = [cell for cell in filled if number_in(cell, comma) is None and clock_of([cell], comma) is None]
    counted = [str(place) for start in (0, 1) for place in range(start, len(filled) - 1 + start)]
    return bool(plain) and (
        len(plain) == len(filled) or filled[0] in plain and filled[1:] in _halves(counted)
    )


def _halves(cells: list[str]) -> tuple[list[str], list[str]]:
    return cells[: len(cells) // 2], cells[len(cells) // 2 :]


def _time_column(name: str, head: tuple[str, ...], rows: list[list[str]], wanted: str | None) -> int | None:
    lower = [re.sub(r"[\s_]*[(\[]?\b(s|ms|us|sec|min|h)\b[)\]]?$", "", cell.lower()).strip() for cell in head]
    lower = [part or cell.lower() for part, cell in zip(lower, head, strict=True)]
    if wanted is not None:
        exact = [cell.lower() for cell in head]
        if wanted.lower() not in exact:
            listed = ", ".join(map(repr, head)) or "columns without names"
            raise MediaError(name, f"has no column {wanted!r}, only {listed}", "name one of its columns")
        return exact.index(wanted.lower())
    width = max(map(len, rows))
    columns = [[row[column] if column < len(row) else "" for row in rows] for column in range(width)]
    for known in TIMES:
        if known in lower and width > 1 and clock_of(columns[lower.index(known)], True):
            return lower.index(known)
    for place, cells in enumerate(columns):
        if width > 1 and all(cells) and number_in(cells[0], True) is None and clock_of(cells, True):
            return place
    # The index that a table was saved with: numbers that rise by the same step, without a name.
    unnamed = width > 1 and (not head or head[0] in ("", "Unnamed: 0"))
    found = clock_of(columns[0], True) if unnamed and len(rows) > 2 else None
    return 0 if found and rate_of(found[0]) else None


def _kept(
    rows: list[list[str]], time: int | None, comma: bool, head: tuple[str, ...]
) -> tuple[list[int], list[int]]:
    """Columns with numbers, and those of text alone."""
    width = max(map(len, rows))
    kept, left = [], []
    for column in range(width):
        cells = [row[column] for row in rows if column < len(row)]
        named = column < len(head) and head[column]
        ending = column == width - 1 and not named and not any(cells)  # a delimiter at the end of each line
        if column == time or ending:
            continue
        held = [cell for cell in cells if cell.lower() not in MISSING]
        is_text = bool(held) and not any(number_in(cell, comma) is not None for cell in held)
        (left if is_text else kept).append(column)
    return kept, left
