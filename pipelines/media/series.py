"""Opens tables of series: wide ones with a series a column, long ones with unique_id, ds and y."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.clock import Clock, grid_of, order_of
from pipelines.media.files import locate
from pipelines.media.signal_tables import (
    DECIMAL_COMMA,
    LARGEST,
    LOOKED_AT,
    TIMES,
    clock_of,
    delimiter_of,
    head_of,
    no_numbers,
    no_rows,
    number_in,
    rows_in,
)
from pipelines.media.signals import unique
from pipelines.media.text import read_text

HIGHEST = 1e100  # largest number, so that sums of squares are finite
IDS = ("unique_id", "series_id", "series", "item_id", "id")
VALUES = ("y", "value", "target")


@dataclass(frozen=True)
class Series:
    """One series on an even grid.

    Attributes:
        name: of its column, or its unique_id.
        values: (time,) float64; NaN is missing.
        clock: the times of its steps.
        known: (time or more, covariates) float64: what is known of each step, and of some behind the last.
        static: numbers that belong to it as a whole.
        times: of its steps as the file has them, where these are no even grid; else () and `clock` tells.
    """

    name: str
    values: np.ndarray
    clock: Clock
    known: np.ndarray
    static: tuple[float, ...] = ()
    times: tuple[str, ...] = ()

    def time(self, place: int) -> str:
        """The time of a step as the file has it."""
        return self.times[place] if self.times else self.clock.text(place)

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class SeriesTable:
    """The series of a file, at least one.

    Attributes:
        covariates, statics: names of what is known of their steps, and of themselves.
        source: path of the file.
        notes: what was left out, and why.
    """

    series: tuple[Series, ...]
    covariates: tuple[str, ...] = ()
    statics: tuple[str, ...] = ()
    source: str | None = None
    notes: tuple[str, ...] = ()
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Columns:
    """Names of columns; None and () are found or have none.

    Attributes:
        time: of times.
        id: of the names of series, in a long table.
        target: of the values; several in a wide table.
        known: what is known ahead of each step.
        static: what belongs to each series of a long table.
        even: whether times must lie on an even grid; else every row is a step, in the order of its time.
    """

    time: str | None = None
    id: str | None = None
    target: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    even: bool = True


def open_series(source: object, kind: str, options: object = None) -> list[SeriesTable]:
    """What `forecast` reads as one: the series of a file, or those that are given.

    Raises:
        MediaError: it cannot be read, or holds no series.
    """
    if isinstance(source, SeriesTable):
        return [source]
    name, _ = locate(source)
    columns = getattr(options, "columns", None)
    return [read_series(name, columns() if callable(columns) else Columns())]


def read_series(source: str | Path, columns: Columns | None = None) -> SeriesTable:
    """Read a table of series: CSV with commas, semicolons, tabs or bars; compressed or not.

    Rows may come in any order; steps without a row are missing. What follows behind the last value, with
    known columns, is known of the future.

    Raises:
        MediaError: it is no such table, a cell is no number, or times come twice or on no even grid.
        DataError: the file cannot be read, is too large, or is not UTF-8.
    """
    return _Reader(str(source), columns or Columns()).table()


class _Reader:
    def __init__(self, name: str, columns: Columns):
        self.name, self.columns = name, columns
        text = read_text(Path(name), LARGEST)
        delimiter = delimiter_of(text)
        head, _, first = head_of(name, text, delimiter)
        self.rows = list(islice(rows_in(name, text, delimiter), first, None))
        self.text = text
        if not self.rows:
            raise no_rows(name, text)
        self.named = [bool(cell) for cell in head] or [True] * len(self.rows[0][1])
        self.head = unique(head) if head else tuple(str(place + 1) for place in range(len(self.rows[0][1])))
        for line, row in self.rows:
            if len(row) != len(self.head) and (len(row) < len(self.head) or any(row[len(self.head) :])):
                raise MediaError(
                    name, f"row {line} has {len(row)} cells, and the head {len(self.head)}", "mend it"
                )
        sample = [row for _, row in self.rows[:LOOKED_AT]]
        self.comma = delimiter != "," and any(DECIMAL_COMMA.fullmatch(cell) for row in sample for cell in row)
        self.lower = [cell.strip().lower() for cell in self.head]
        self.notes: list[str] = []

    def table(self) -> SeriesTable:
        identity = self._place(self.columns.id) if self.columns.id else self._usual(IDS)
        time = self._place(self.columns.time) if self.columns.time else self._time(identity)
        known = [self._place(name) for name in self.columns.known]
        static = [self._place(name) for name in self.columns.static]
        value = self._usual(VALUES)
        target = [self._place(name) for name in self.columns.target]
        if not target and identity is not None and value is not None:
            target = [value]
        taken = {time, identity, *known, *static}
        if not target:
            target = [place for place in range(len(self.head)) if place not in taken and self._numeric(place)]
        if not target:
            raise no_numbers(self.name, self.text, self.head, [row for _, row in self.rows], time)
        found: list[Series] = []
        groups: dict[str, list[int]] = {}
        for place, (_, row) in enumerate(self.rows):
            groups.setdefault(row[identity] if identity is not None else "", []).append(place)
        for group, places in groups.items():
            found += self._series(group, places, time, target, known, static)
        names = [tuple(self.head[place] for place in each) for each in (known, static)]
        return SeriesTable(tuple(found), *names, self.name, tuple(self.notes))

    def _series(
        self,
        group: str,
        places: list[int],
        time: int | None,
        target: list[int],
        known: list[int],
        static: list[int],
    ) -> list[Series]:
        """The series of the rows in these places, one for each column of values."""
        lines = [self.rows[place][0] for place in places]
        times: tuple[str, ...] = ()
        if time is None:
            clock, steps = Clock(), np.arange(len(places))
        elif not self.columns.even:
            cells = [self.rows[place][1][time] for place in places]
            order = order_of(self.name, cells, lines, self.comma, self.head[time])
            places, times = [places[place] for place in order], tuple(cells[place] for place in order)
            clock, steps = Clock(), np.arange(len(places))
        else:
            cells = [self.rows[place][1][time] for place in places]
            clock, steps = grid_of(self.name, cells, lines, self.comma, self.head[time])
            self._note_order(clock.form, cells)
        numbers = {column: self._numbers(places, column) for column in (*target, *known, *static)}
        length = int(steps.max()) + 1
        ahead = np.full((length, len(known)), np.nan)
        for order, column in enumerate(known):
            ahead[steps, order] = numbers[column]
        ahead = _carried(ahead)
        fixed = tuple(float(numbers[column][np.isfinite(numbers[column])][:1].sum()) for column in static)
        found = []
        for column in target:
            values = np.full(length, np.nan)
            values[steps] = numbers[column]
            seen = np.flatnonzero(np.isfinite(values))
            label = group if len(target) == 1 and group else f"{group} {self.head[column]}".strip()
            if not len(seen):
                self.notes.append(f"series {label!r} has no values and is left out")
                continue
            begin, end = seen[0], (seen[-1] + 1 if known else length)
            found.append(
                Series(
                    label, values[begin:end], clock.later(int(begin)), ahead[begin:], fixed, times[begin:end]
                )
            )
        return found

    def _note_order(self, form: str, cells: Sequence[str]) -> None:
        """Say how dates are read whose days and months might be each other."""
        if form.startswith("%m/%d"):
            with contextlib.suppress(ValueError):
                for cell in cells:
                    datetime.strptime(cell, form.replace("%m/%d", "%d/%m"))
                cell = next((cell for cell in cells if cell[:2] != cell[3:5]), cells[0])
                note = f"dates such as {cell!r} are read as month/day/year; write 2024-12-31 for other ones"
                self.notes += [] if note in self.notes else [note]

    def _numbers(self, places: Sequence[int], column: int) -> np.ndarray:
        cells = [self.rows[place][1][column] for place in places]
        try:
            if self.comma:
                raise ValueError("points may stand between thousands")
            numbers = np.array([cell or "nan" for cell in cells], dtype=np.float64)
            if (np.abs(numbers) > HIGHEST).any():  # also infinite
                raise ValueError("too large")
            return numbers
        except ValueError:
            found = []
            for place, cell in zip(places, cells, strict=True):
                number = number_in(cell, self.comma)
                if number is None or abs(number) > HIGHEST:
                    line = self.rows[place][0]
                    wrong = "is no number" if number is None else "is too large a number"
                    cause = f"row {line}, column {self.head[column]!r}: {cell[:40]!r} {wrong}"
                    way = "mend the cell, or leave it empty if the value is missing"
                    raise MediaError(self.name, cause, way) from None
                found.append(number)
            return np.array(found)

    def _place(self, name: str) -> int:
        if name.strip().lower() not in self.lower:
            listed = ", ".join(map(repr, self.head[:12]))
            raise MediaError(self.name, f"has no column {name!r}, only {listed}", "name one of its columns")
        return self.lower.index(name.strip().lower())

    def _usual(self, names: Sequence[str]) -> int | None:
        return next((self.lower.index(name) for name in names if name in self.lower), None)

    def _time(self, identity: int | None) -> int | None:
        place = self._usual(TIMES)
        sample = [row for _, row in self.rows[:LOOKED_AT]]
        if place is not None:
            readable = sum(clock_of([row[place]], self.comma) is not None for row in sample)
            if 2 * readable >= len(sample):  # the others are named later
                return place
        for place in range(len(self.head)):
            cells = [row[place] for row in sample]
            dated = clock_of(cells, self.comma) if place != identity and all(cells) else None
            if dated and dated[1]:
                return place
        return None

    def _numeric(self, place: int) -> bool:
        cells = [row[place] for _, row in self.rows[:LOOKED_AT]]
        held = [cell for cell in cells if cell]
        if held and all(number_in(cell, self.comma) is None for cell in held):
            if place == self._usual(TIMES):
                told = f"such as {held[0][:40]!r}, are not understood, so that steps are counted instead"
                self.notes.append(f"the times in column {self.head[place]!r}, {told}")
            else:
                self.notes.append(f"column {self.head[place]!r} has no numbers and is left out")
            return False
        return self.named[place] or bool(held)


def _carried(values: np.ndarray) -> np.ndarray:
    """Each gap filled with the value before it, the first ones with the first value."""
    place = np.where(np.isfinite(values), np.arange(len(values))[:, None], 0)
    filled = np.take_along_axis(values, np.maximum.accumulate(place, axis=0), axis=0)
    return np.nan_to_num(filled)
