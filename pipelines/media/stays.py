"""Reads stays: the measurements of many persons over time, from one table, with what does not change.

A table has a row a moment or a measurement, a column that says whose it is, one of times, and one for each
quantity; or, as in the PhysioNet challenge of 2012, a file a person with the columns Time, Parameter, Value.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from pipelines.errors import DataError, MediaError
from pipelines.media.files import locate, readable
from pipelines.media.signal_tables import DECIMAL_COMMA, MISSING, number_in
from pipelines.media.text import read_text

PARQUET = b"PAR1"
LARGEST = 500_000_000  # bytes
MOST_CELLS = 200_000_000
WHOSE = (
    *("recordid", "record_id", "stay_id", "stay", "icustay_id", "patient", "patient_id"),
    *("subject", "subject_id", "person", "id"),
)
TIMES = {"hour": 3600.0, "hours": 3600.0, "minute": 60.0, "minutes": 60.0, "time": 1.0, "seconds": 1.0}
TIMES |= {"day": 86400.0, "days": 86400.0, "timestamp": 1.0, "charttime": 1.0}
CLOCK = re.compile(r"(\d+):(\d\d)(?::(\d\d))?")


@dataclass(frozen=True)
class Stay:
    """One person's measurements.

    Attributes:
        name: of the stay, as its table has it.
        times: (time,) seconds from the beginning of the stay, never falling.
        values: (time, columns) float32, NaN where nothing was measured.
    """

    name: str
    times: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Stays:
    """The stays of a source, at least one.

    Attributes:
        columns: names of the quantities, the same for all.
        source: path of the file; None if it comes from no file.
    """

    columns: tuple[str, ...]
    stays: tuple[Stay, ...]
    source: str | None = None
    kind: ClassVar[str] = "Parquet table"


def is_parquet(head: bytes, name: str) -> bool:
    """Whether a file is a table in Parquet format."""
    return head.startswith(PARQUET)


def open_stays(source: object, kind: str, options: object = None) -> list[Stays]:
    """What `risk` reads as one: stays that are given, or those of a file.

    Raises:
        MediaError: it cannot be read, or holds no stays.
    """
    if isinstance(source, Stays):
        return [source]
    found = read_stays(Path(locate(source)[0]))
    static = getattr(options, "static", None)
    if static is not None:
        found = joined(found, read_table(Path(static)))
    return [found]


@dataclass(frozen=True)
class Table:
    """Columns of numbers; NaN is missing.

    Attributes:
        names: of the persons, one a row; () if no column says whose a row is.
        times: (rows,) seconds; None without a column of times.
        columns: names of the others.
        values: (rows, columns) float32.
    """

    path: Path
    names: tuple[str, ...]
    times: np.ndarray | None
    columns: tuple[str, ...]
    values: np.ndarray


def read_stays(path: Path) -> Stays:
    """Read a table of stays.

    Raises:
        MediaError: it is none, or it has no times.
    """
    table = read_table(path)
    if table.times is None:
        cause = "has no column of times"
        raise MediaError(path, cause, f"name one of its columns {', '.join(list(TIMES)[:3])} or time")
    names = table.names or (path.stem,) * len(table.values)
    rows: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        rows.setdefault(name, []).append(place)
    stays = []
    for name, places in rows.items():
        order = np.array(places)[np.argsort(table.times[places], kind="stable")]
        stays.append(Stay(name, table.times[order], table.values[order]))
    return Stays(table.columns, tuple(stays), str(path))


def joined(stays: Stays, static: Table, columns: Sequence[str] | None = None) -> Stays:
    """Stays with columns of a table that has a row a person, as measured at their beginning.

    Args:
        columns: of the table, which are taken if the stays have none of that name; None takes all.

    Raises:
        MediaError: the table does not say whose its rows are.
    """
    if not static.names:
        raise MediaError(static.path, "does not say whose its rows are", f"call a column {WHOSE[0]} or id")
    wanted = [
        place
        for place, name in enumerate(static.columns)
        if (columns is None or name in columns) and name not in stays.columns
    ]
    rows = {name: static.values[place, wanted] for place, name in enumerate(static.names)}
    nothing = np.full(len(wanted), np.nan, dtype=np.float32)
    found = []
    for stay in stays.stays:
        more = np.full((len(stay.values), len(wanted)), np.nan, dtype=np.float32)
        more[0] = rows.get(stay.name, nothing)
        found.append(Stay(stay.name, stay.times, np.concatenate([stay.values, more], axis=1)))
    names = stays.columns + tuple(static.columns[place] for place in wanted)
    return Stays(names, tuple(found), stays.source)


def binned(stay: Stay, seconds: float, end: float | None = None) -> Stay:
    """A stay in even steps: the mean of each quantity in each of them, NaN where there was none.

    Args:
        seconds: of a step.
        end: seconds from which on nothing is taken.
    """
    places = (stay.times // seconds).astype(np.int64)
    if end is not None:
        places = places[stay.times < end]
    values = stay.values[: len(places)]
    count = int(places[-1]) + 1 if len(places) else 1
    sums, seen = np.zeros((count, values.shape[1])), np.zeros((count, values.shape[1]))
    known = np.isfinite(values)
    np.add.at(sums, places, np.where(known, values, 0.0))
    np.add.at(seen, places, known)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(seen > 0, sums / seen, np.nan).astype(np.float32)
    return Stay(stay.name, np.arange(count) * seconds, means)


def read_table(path: Path) -> Table:
    """Read a table, CSV or Parquet, by its columns of names and times; text columns are left out.

    Raises:
        MediaError: it is none.
    """
    with readable(str(path), locate(path)[1]) as file:
        head = file.read(4)
    columns, delimiter = (_parquet(path), "") if head == PARQUET else _csv(path)
    lower = {name.strip().lower(): name for name in columns}
    if {"time", "parameter", "value"} <= lower.keys():
        return _measurements(path, *(columns[lower[name]] for name in ("time", "parameter", "value")))
    whose = next((lower[name] for name in WHOSE if name in lower), None)
    when = next((lower[name] for name in TIMES if name in lower), None)
    times = None if when is None else _seconds(path, columns[when], TIMES[when.strip().lower()])
    comma = delimiter in (";", "\t") and any(map(_has_commas, columns.values()))
    kept = {
        name: _column(path, name, cells, comma)
        for name, cells in columns.items()
        if name not in (whose, when)
    }
    kept = {name: cells for name, cells in kept.items() if cells is not None}
    if not kept:
        raise MediaError(path, "has no column of numbers", "give a table of measurements")
    names = () if whose is None else tuple(map(_name, columns[whose]))
    return Table(path, names, times, tuple(kept), np.stack(list(kept.values()), axis=1))


def _csv(path: Path) -> tuple[dict[str, Sequence[str]], str]:
    """The cells of each column, and what separates them."""
    try:
        text = read_text(path, LARGEST)
    except DataError as error:
        raise MediaError(path, error.cause, error.way_out) from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    csv.field_size_limit(1_000_000)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise MediaError(path, f"is no table ({error})", "mend its quotes") from error
    rows = [row for row in rows if any(row)]
    names = [cell.strip() for cell in rows[0]]
    if len(rows) < 2 or len(names) < 2 or len(set(names)) < len(names):
        cause = "has no rows" if len(names) > 1 else "has no columns with names of their own"
        raise MediaError(path, cause, "give a table with a head")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            cause = f"row {number} has {len(row)} cells, and its head {len(names)}"
            raise MediaError(path, cause, "mend the row")
    return dict(zip(names, zip(*rows[1:], strict=True), strict=True)), delimiter


def _parquet(path: Path) -> dict[str, Sequence]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        way = "install the extra (pip install 'triscribe[parquet]'), or give it as CSV"
        raise MediaError(path, "is a Parquet file, for which pyarrow is needed", way) from error
    try:
        found = parquet.ParquetFile(path)
        if found.metadata.num_rows * found.metadata.num_columns > MOST_CELLS:
            raise MediaError(path, f"holds more than {MOST_CELLS:,} cells", "cut it into smaller ones")
        table = found.read()
        return {name: table[name].to_numpy() for name in table.column_names}
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise MediaError(path, f"is damaged ({str(error)[:80]})", "copy it again") from error


def _measurements(path: Path, times: Sequence, names: Sequence, values: Sequence) -> Table:
    """The files of the challenge of 2012: a measurement a row; -1 is missing."""
    known = sorted({name for name in names if name and name != "RecordID"})
    places = {name: place for place, name in enumerate(known)}
    seconds, numbers = _seconds(path, times, 60.0), _numbers(values)
    if numbers is None or not known:
        raise MediaError(path, "has no measurements", "give a table of some")
    found = np.full((len(seconds), len(known)), np.nan, dtype=np.float32)
    stay = path.stem
    for row, (name, value) in enumerate(zip(names, numbers, strict=True)):
        if name == "RecordID":
            stay = f"{value:.0f}"
        elif name and value != -1:
            found[row, places[name]] = value
    return Table(path, (stay,) * len(seconds), seconds, tuple(known), found)


def _numbers(cells: Sequence) -> np.ndarray | None:
    """(rows,) float32, NaN where missing; None for text."""
    if getattr(cells, "dtype", None) is not None and cells.dtype.kind in "fiub":
        return cells.astype(np.float32)
    try:
        found = np.array([np.nan if _is_missing(cell) else float(cell) for cell in cells])
    except (TypeError, ValueError):
        return None
    with np.errstate(over="ignore"):
        return found.astype(np.float32)


def _has_commas(cells: Sequence) -> bool:
    """Whether decimals of a column have commas."""
    return any(isinstance(cell, str) and DECIMAL_COMMA.fullmatch(cell.strip()) for cell in cells)


def _column(path: Path, name: str, cells: Sequence, comma: bool) -> np.ndarray | None:
    """(rows,) float32 of a column, NaN where missing; None for one of text.

    Raises:
        MediaError: a cell of a column of numbers is none.
    """
    found = None if comma else _numbers(cells)
    if found is None:
        numbers = [
            float("nan") if _is_missing(cell) else number_in(str(cell).strip(), comma) for cell in cells
        ]
        wrong = [row for row, number in enumerate(numbers) if number is None]
        if 2 * len(wrong) >= sum(not _is_missing(cell) for cell in cells):
            return None
        if wrong:
            _refuse(path, name, wrong[0], cells[wrong[0]], "is no number")
        found = np.array(numbers, np.float32)
    infinite = np.flatnonzero(np.isinf(found))
    if len(infinite):
        _refuse(path, name, int(infinite[0]), cells[int(infinite[0])], "is no number or too large a one")
    return found


def _refuse(path: Path, name: str, row: int, cell: object, wrong: str) -> None:
    cause = f"row {row + 2}, column {name!r}: {str(cell)[:40]!r} {wrong}"
    raise MediaError(path, cause, "mend the cell, or leave it empty if the value is missing")


def _is_missing(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in MISSING)


def _name(cell: object) -> str:
    """Whose a row is: 132539 and 132539.0 are one."""
    text = str(cell).strip()
    return text.removesuffix(".0")


def _seconds(path: Path, cells: Sequence, unit: float) -> np.ndarray:
    """Times in seconds: numbers in a unit, or times of day such as 07:42, which may go beyond 24 hours."""
    numbers = _numbers(cells)
    if numbers is None:
        decimal = [np.nan if _is_missing(cell) else number_in(str(cell).strip(), True) for cell in cells]
        numbers = None if None in decimal else np.array(decimal)
    if numbers is None:
        clocks = [CLOCK.fullmatch(str(cell).strip()) for cell in cells]
        if not all(clocks):
            row = next(place for place, clock in enumerate(clocks, start=2) if not clock)
            raise MediaError(
                path, f"row {row}: {cells[row - 2]!r} is no time", "give numbers, or hours:minutes"
            )
        parts = [[float(part or 0) for part in clock.groups()] for clock in clocks]
        return np.array(parts) @ np.array([3600.0, 60.0, 1.0])
    seconds = numbers.astype(np.float64) * unit
    if not np.isfinite(seconds).all() or (seconds < 0).any():
        row = int(np.flatnonzero(~(seconds >= 0))[0]) + 2
        raise MediaError(path, f"row {row}: its time is missing or negative", "mend the row")
    return seconds
