"""What a run does with its inputs, as the table of tasks says. Torch waits until something is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

from pipelines.batch.plan import collect
from pipelines.errors import MediaError, ModelError, TriscribeError
from pipelines.media.kind import kind_or_name
from pipelines.model_file import LANGUAGE, header_for, read_header
from pipelines.reading.settings import ManyOptions
from pipelines.reading.sources import Unit, are_several, row_for, rows_of, units_of
from pipelines.results import Result
from pipelines.tasks import Task, resolve


class Work:
    """What a run does with each of its inputs; what gives one result is a unit.

    All results of a run are of one type, since all are written in the same formats. Where a command has
    several, such as pages and actions, the model says which is meant, or else the first input.

    Args:
        command: of the table of tasks.
        model: a file, a name, or None for the bundled models.
        options: of the command's function.
        inputs: files, folders and patterns.

    Raises:
        ModelError: the model cannot be used, or is for no task of the command.
    """

    def __init__(
        self, command: str, model: str | Path | None, options: ManyOptions, inputs: Iterable[str | Path] = ()
    ):
        self.path, self.options = model, options
        self.kind_of = cache(kind_or_name)
        rows = rows_of(command)
        self.preferred = read_header(model)["task"] if model else None
        chosen = next((row for row in rows if row.name == self.preferred), None)
        if model and chosen is None:
            header_for(rows[0].name, model)  # raises a ModelError
        chosen = chosen or self._row_of_first(inputs, rows) or rows[0]
        self.rows = [row for row in rows if row.result == chosen.result]
        self._signed = cache(self._sign)

    def _row_of_first(self, inputs: Iterable[str | Path], rows: list[Task]) -> Task | None:
        if len({row.result for row in rows}) == 1:
            return None
        for each in inputs:
            try:
                found = collect([each], lambda path: row_for(self.kind_of(path), rows) is not None)
            except MediaError:
                continue
            return row_for(self.kind_of(found[0]), rows)
        return None

    @property
    def kind(self) -> type[Result]:
        """Type of the results."""
        return resolve(self.rows[0].result)

    @property
    def title(self) -> str:
        """Of the page over all results."""
        return self.rows[0].title

    @property
    def timed(self) -> bool:
        """Whether the lengths of units are seconds."""
        return bool(self.rows[0].length)

    def is_meant(self, path: Path) -> bool:
        """Whether a file in a folder is an input: by its content, or where that is ruined by its name."""
        return row_for(self.kind_of(path), self.rows) is not None

    def units(self, source: Path) -> list[Unit | TriscribeError]:
        """The source itself; or its parts; or what is wrong with it."""
        try:
            return units_of(source, self.rows, self.options, self.preferred, self.kind_of(source))
        except TriscribeError as error:
            return [error]
        except OSError as error:
            return [MediaError(source, f"cannot be read ({error.strerror})", "check its name and the disk")]

    def numbers(self, units: list[Unit | TriscribeError]) -> list[int]:
        """Of parts that have outputs of their own, in the source's folder; none for a whole source."""
        return [unit.number for unit in units] if are_several(units) else []

    def length(self, unit: Unit | TriscribeError) -> float:
        """Of a unit, for the progress bar: seconds, 0 where not known; 1 where units are counted."""
        if isinstance(unit, TriscribeError) or not unit.task.length:
            return 1.0
        return resolve(unit.task.length)(unit.source)

    def model(self, unit: Unit | TriscribeError) -> str:
        """Name of the model that reads it, with the options that matter; "" for what cannot be read."""
        return "" if isinstance(unit, TriscribeError) else self._signed(unit.task.name)

    def task(self, unit: Unit | TriscribeError) -> str:
        """Name of the task that reads it; "" for what cannot be read."""
        return "" if isinstance(unit, TriscribeError) else unit.task.name

    def _sign(self, task: str) -> str:
        try:
            name, header = header_for(task, self.path)
        except ModelError:
            return ""  # its reader says so
        return self.options.signed(name, LANGUAGE in header)

    def results(self, units: Iterable[Unit | TriscribeError]) -> Iterator[Result | TriscribeError]:
        """A result or an error for each unit, in order."""
        units = iter(units)
        for first in units:
            from pipelines.reading.readers import results

            yield from results(chain([first], units), self.path, self.options)

    def summary(self, count: int, size: float, rate: float) -> str:
        """How many results there are, their extent, and their extent a second."""
        if not count:
            return f"0 {self.rows[0].done}"
        one, many = self.rows[0].measure
        unit = one if round(size) == 1 else many
        speed = f"{rate:.1f} x real time" if one.startswith("s of ") else f"{rate:.1f} {many} a second"
        return f"{count} {self.rows[0].done} ({size:.0f} {unit}, {speed})"
