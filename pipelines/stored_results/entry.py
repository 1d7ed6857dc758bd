"""Objects of a JSON file whose fields are checked as they are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

from pipelines.errors import DataError
from pipelines.results import Check

T = TypeVar("T")


class Entry:
    """An object of the file.

    Args:
        content: the object.
        name: of the file.
        place: of the object in the file, such as "segments[3]".
    """

    def __init__(self, content: Mapping, name: str, place: str = ""):
        self.content, self.name, self.place = content, name, place

    def fault(self, cause: str) -> DataError:
        return DataError(self.name, cause, "mend it, or write it again with --overwrite")

    def text(self, field: str, default: str | None = None) -> str:
        value = self._value(field, default)
        return value if isinstance(value, str) else self.refuse(field, value, "a text")

    def name_or_none(self, field: str) -> str | None:
        return None if self.content.get(field) is None else self.text(field)

    def number(self, field: str) -> float:
        return self.as_number(field, self._value(field))

    def whole(self, field: str, default: int | None = None) -> int:
        value = self._value(field, default)
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return value if is_whole else self.refuse(field, value, "a whole number")

    def whole_or_none(self, field: str) -> int | None:
        return None if self.content.get(field) is None else self.whole(field)

    def flag(self, field: str, default: bool) -> bool:
        value = self._value(field, default)
        return value if isinstance(value, bool) else self.refuse(field, value, "true or false")

    def texts(self, field: str) -> tuple[str, ...]:
        values = self.listed(field, self.content.get(field, []))
        return tuple(
            value if isinstance(value, str) else self.refuse(f"{field}[{place}]", value, "a text")
            for place, value in enumerate(values)
        )

    def each(self, field: str, read: Callable[[Entry], T]) -> tuple[T, ...]:
        """What `read` makes of each object of a list; none where the list is left out."""
        values = self.listed(field, self.content.get(field, []))
        return tuple(read(self.inner(f"{field}[{place}]", value)) for place, value in enumerate(values))

    def some(self, field: str, read: Callable[[Entry], T], what: str) -> tuple[T, ...]:
        """What `read` makes of each object of a list that must not be empty."""
        return self.each(field, read) or self._none(field, what)

    def rows(self, field: str, length: int | None = None) -> tuple[tuple[float, ...], ...]:
        """A list of lists of numbers, each of a given length; none where it is left out."""
        values = self.listed(field, self.content.get(field, []))
        rows = [self.listed(f"{field}[{place}]", value) for place, value in enumerate(values)]
        for place, row in enumerate(rows):
            if length is not None and len(row) != length:
                self.refuse(f"{field}[{place}]", row, f"{length} numbers")
        return tuple(
            tuple(self.as_number(f"{field}[{place}]", value) for value in row)
            for place, row in enumerate(rows)
        )

    def row(self, field: str, length: int | None = None, gaps: bool = False) -> tuple[float, ...]:
        """A list of numbers, as many as wanted; empty where it is left out. With gaps, null is NaN."""
        values = self.listed(field, self.content.get(field, []))
        if length is not None and len(values) != length:
            self.refuse(field, values, f"{length} numbers")
        return tuple(
            math.nan if gaps and value is None else self.as_number(f"{field}[{place}]", value)
            for place, value in enumerate(values)
        )

    def dated(self, field: str) -> tuple[tuple[str, float], ...]:
        """A list of pairs of a time as a text and a number, or null for NaN; empty where it is left out."""
        pairs = [
            (f"{field}[{place}]", self.listed(f"{field}[{place}]", value))
            for place, value in enumerate(self.listed(field, self.content.get(field, [])))
        ]
        for at, pair in pairs:
            if len(pair) != 2 or not isinstance(pair[0], str):
                self.refuse(at, pair, "a time and a number")
        return tuple(
            (pair[0], math.nan if pair[1] is None else self.as_number(at, pair[1])) for at, pair in pairs
        )

    def check(self) -> Check | None:
        value = self.content.get("checked")
        if value is None:
            return None
        entry = self.inner("checked", value)
        try:
            return Check(entry.text("by"), entry.text("when"))
        except ValueError as error:
            raise self.fault(f"{self.at('checked')}: {error}") from error

    def inner(self, field: str, value: object) -> Entry:
        """The object that is the value of a field."""
        if not isinstance(value, Mapping):
            self.refuse(field, value, "an object")
        return Entry(value, self.name, self.at(field))

    def _value(self, field: str, default: object = None) -> object:
        value = self.content.get(field, default)
        if value is None:
            raise self.fault(f"{self.at(field)} is missing")
        return value

    def listed(self, field: str, value: object) -> list:
        """A value that must be a list."""
        return value if isinstance(value, list) else self.refuse(field, value, "a list")

    def as_number(self, field: str, value: object) -> float:
        """A value that must be a finite number."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value):
            self.refuse(field, value, "a number")
        return value

    def refuse(self, field: str, value: object, wanted: str):
        """Raise what says that a value is not what it should be."""
        raise self.fault(f"{self.at(field)} is {str(value)[:40]!r}, not {wanted}")

    def _none(self, field: str, what: str):
        raise self.fault(f"{self.at(field)} names no {what}")

    def at(self, field: str) -> str:
        """Where a field is in the file."""
        return f"{self.place}.{field}" if self.place else field


def about(entry: Entry) -> dict:
    """Fields of all types of results."""
    return {
        "model": entry.text("model"),
        "source": entry.name_or_none("source"),
        "notes": entry.texts("notes"),
    }
