"""The times of a series on an even grid, read from its file and written as that has them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.signal_tables import DATES, clock_of

OFF = 0.02  # of a step by which a time may lie beside the grid
SPARSEST = 50  # steps of the grid for a row
USUAL = {3600: 24, 1800: 48, 900: 96, 600: 144, 300: 288, 60: 1440, 86400: 7, 604800: 52, 1: 60}
"""Steps of a season by the seconds of a step."""
ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
CALENDAR = 6  # numbers that `Clock.calendar` gives for a step


@dataclass(frozen=True)
class Clock:
    """Times of the steps of a series.

    Attributes:
        start: of step 0: seconds since 1970, or whatever numbers the file counts; months since year 0 if
            `months`.
        step: from one to the next, in the same unit.
        form: how times are written: "row" where there are none, "number", "iso", or a layout of `strptime`.
        example: a time as the file has it, whose precision and separator others take on.
        dated: whether `start` is a date.
        months: whether steps are of months.
        unit: seconds of its unit, where it is dated.
    """

    start: float = 1.0
    step: float = 1.0
    form: str = "row"
    example: str = ""
    dated: bool = False
    months: bool = False
    unit: float = 1.0

    def text(self, place: int) -> str:
        """The time of a step as the file would have it."""
        if self.form in ("row", "number"):
            value = self.start + place * self.step
            decimals = len(self.example.partition(".")[2])
            return f"{value:.{decimals}f}" if decimals else f"{value:.10g}"
        moment = self.moment(place)
        if self.form != "iso":
            return moment.strftime(self.form)
        if re.fullmatch(r"\d{4}-\d\d-\d\d", self.example):
            return moment.strftime("%Y-%m-%d") if not moment.hour else moment.isoformat(" ", "minutes")
        separator = "T" if "T" in self.example else " "
        precise = "minutes" if re.search(r"[T ]\d\d:\d\d(Z|[+-]\d\d:?\d\d)?$", self.example) else "auto"
        zone = ZONE.search(self.example[10:])
        return moment.isoformat(separator, "seconds" if precise == "auto" else precise) + (
            zone[1] if zone else ""
        )

    def moment(self, place: int) -> datetime | None:
        """Date and time of a step, as its own clock shows it; None where times are no dates."""
        if not self.dated:
            return None
        if self.months:
            count = round(self.start + place * self.step)
            example = datetime.fromisoformat(self.example) if self.form == "iso" else None
            day = example.day if example else 1
            first = datetime(count // 12, count % 12 + 1, 1)
            if day >= 28:
                later = datetime((count + 1) // 12, (count + 1) % 12 + 1, 1)
                day = min(day, (later - first).days)
            return first.replace(day=day)
        return datetime(1970, 1, 1) + timedelta(seconds=(self.start + place * self.step) * self.unit)

    @property
    def season(self) -> int:
        """Steps of the usual season: a day of hours, a week of days, a year of months; 1 where unknown."""
        if self.months:
            return max(1, round(12 / self.step))
        return USUAL.get(round(self.step * self.unit), 1) if self.dated else 1

    def calendar(self, count: int) -> np.ndarray:
        """(count, 6): sine and cosine of its place in the day, the week and the year; 0 if unknown."""
        found = np.zeros((count, CALENDAR))
        if not self.dated:
            return found
        if self.months:
            year = (self.start + np.arange(count) * self.step) / 12
            parts = [np.zeros(count), np.zeros(count), year]
        else:
            days = (self.start + np.arange(count) * self.step) * self.unit / 86400
            parts = [days, (days + 3) / 7, days / 365.2425]
        for place, part in enumerate(parts):
            found[:, 2 * place], found[:, 2 * place + 1] = np.sin(2 * np.pi * part), np.cos(2 * np.pi * part)
        return found

    def later(self, steps: int) -> Clock:
        """The clock of a series that begins so many steps later."""
        return replace(self, start=self.start + steps * self.step)


def grid_of(
    name: str, cells: list[str], lines: list[int], comma: bool, column: str
) -> tuple[Clock, np.ndarray]:
    """The even grid on which times lie, and the step of each row, whatever the order of the rows.

    Args:
        name: of the file.
        cells: the times, as the file has them.
        lines: number of each row.
        comma: whether numbers have decimal commas.
        column: name of the column.

    Raises:
        MediaError: a time cannot be read, comes twice, or lies beside the grid of the others.
    """
    times, dated = _read(name, cells, lines, comma, column)
    form = _form(cells) if dated else "number"
    order = np.argsort(times, kind="stable")
    steps = np.diff(times[order])
    if (steps == 0).any():
        row = order[int(np.flatnonzero(steps == 0)[0]) + 1]
        cause = f"row {lines[row]}, column {column!r}: the time {cells[row]!r} comes twice"
        raise MediaError(name, cause, "keep one row for a time, or name the column of series with --id")
    first = cells[order[0]]
    if dated and len(times) > 2 and (months := _months(times)) is not None:
        gaps = np.diff(np.sort(months))
        step = int(np.gcd.reduce(gaps))
        clock = Clock(float(months.min()), float(step), form, first, True, True)
        return clock, (months - months.min()) // step
    values, counts = np.unique(np.round(steps, 6), return_counts=True)
    step = float(values[np.argmax(counts)]) if len(values) else 1.0
    places = (times - times[order[0]]) / step
    beside = np.abs(places - np.round(places)) > OFF
    if beside.any():
        row = int(np.flatnonzero(beside)[0])
        unit = " s" if dated else ""
        cause = f"row {lines[row]}, column {column!r}: {cells[row]!r} lies beside the steps of {step:g}{unit}"
        raise MediaError(name, cause, "give series of one frequency in one file")
    if places.max(initial=0) > SPARSEST * len(times) + 1000:
        cause = f"column {column!r}: {len(times)} times over {places.max():.0f} steps of {step:g}"
        raise MediaError(name, cause, "give the step at which values are known")
    epoch = not dated and times.min() > 1e9 and times.max() < 1e14  # seconds or milliseconds since 1970
    unit = 1e-3 if epoch and times.min() > 1e11 else 1.0
    last = cells[order[-1]]  # whose zone goes on, where clocks were changed
    example = last if form == "iso" and ZONE.search(last[10:]) else first
    clock = Clock(float(times[order[0]]), step, form, example, bool(dated or epoch), unit=unit)
    return clock, np.round(places).astype(int)


def order_of(name: str, cells: list[str], lines: list[int], comma: bool, column: str) -> list[int]:
    """Rows in the order of their times; those of the same time as they come.

    Raises:
        MediaError: a time cannot be read.
    """
    return np.argsort(_read(name, cells, lines, comma, column)[0], kind="stable").tolist()


def _read(name: str, cells: list[str], lines: list[int], comma: bool, column: str) -> tuple[np.ndarray, bool]:
    """Times as numbers, and whether they are dates."""
    read = clock_of([_local(cell) for cell in cells], comma)
    if read is None:
        for line, cell in zip(lines, cells, strict=True):
            if not cell or clock_of([_local(cell)], comma) is None:
                cause = f"row {line}, column {column!r}: {cell[:40]!r} is no time"
                raise MediaError(name, cause, "mend the cell")
        cause = f"column {column!r}: its times are of different forms"
        raise MediaError(name, cause, "write all in one")
    return read


def _local(cell: str) -> str:
    """A time without its zone, so that the calendar is that of the place."""
    return (
        re.sub(r"(?<=\d)\s*(Z|[+-]\d\d:?\d\d)$", "", cell) if re.match(r"\d{4}-\d\d-\d\d[T ]", cell) else cell
    )


def _form(cells: list[str]) -> str:
    for layout in DATES:
        try:
            for cell in cells:
                datetime.strptime(cell, layout)
            return layout
        except ValueError:
            continue
    return "iso"


def _months(times: np.ndarray) -> np.ndarray | None:
    """Months since year 0, where all times are the same day of theirs, or all the last; else None."""
    dates = [datetime.fromtimestamp(time, UTC) for time in times]
    if (
        min(abs(np.diff(np.sort(times)))) < 27.5 * 86400
        or len({(date.hour, date.minute) for date in dates}) > 1
    ):
        return None
    ends = all((date + timedelta(days=1)).day == 1 for date in dates)
    if not ends and len({date.day for date in dates}) > 1:
        return None
    return np.array([12 * date.year + date.month - 1 for date in dates])
