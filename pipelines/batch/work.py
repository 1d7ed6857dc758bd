"""What a run does with its inputs, as the table of tasks says. Torch waits until something is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pipelines.batch.plan import absolute, collect
from pipelines.batch.units import Route, Unit
from pipelines.errors import MediaError, ModelError, TriscribeError
from pipelines.media.kind import FRAMES, IMAGE, Kind, kind_or_name
from pipelines.media.remote import is_remote
from pipelines.media.text import decoding
from pipelines.model_file import BUNDLED, LANGUAGE, header_for, located, no_default, read_header
from pipelines.options import Options
from pipelines.reading.settings import ManyOptions
from pipelines.reading.sources import (
    are_several,
    is_undecoded,
    reason_to_pass,
    row_for,
    rows_of,
    units_of,
    why_unread,
)
from pipelines.results import Result
from pipelines.tasks import TASKS, Task, resolve


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
        ModelError: the model cannot be used, or is for no task of the command; or none is given where none is
            bundled.
    """

    def __init__(
        self, command: str, model: str | Path | None, options: ManyOptions, inputs: Iterable[str | Path] = ()
    ):
        self.path, self.options = model, options
        self.kind_of = cache(self._kind_of)
        rows = rows_of(command)
        self.preferred = read_header(model)["task"] if model else None
        chosen = next((row for row in rows if row.name == self.preferred), None)
        if model and chosen is None:
            if len(rows) > 1:
                *others, last = (row.name for row in rows)
                way = f"name one for {', '.join(others)} or {last}"
                raise ModelError(model, f"is a model for {self.preferred}", way)
            header_for(rows[0].name, model)  # raises a ModelError
        if not model and not any(row.default for row in rows):
            raise no_default((self._row_of_first(inputs, rows) or rows[0]).name)
        if len({row.result for row in rows}) > 1:
            chosen = chosen or self._row_of_first(inputs, rows)
        chosen = chosen or rows[0]
        self.rows = [row for row in rows if row.result == chosen.result]
        self.models = Models()

    def _kind_of(self, path: Path) -> Kind:
        with decoding(getattr(self.options, "encoding", "")):
            return kind_or_name(path)

    def _row_of_first(self, inputs: Iterable[str | Path], rows: list[Task]) -> Task | None:
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
    def tasks(self) -> list[str]:
        """Names of the tasks that it may do."""
        return [row.name for row in self.rows]

    @property
    def title(self) -> str:
        """Of the page over all results."""
        return self.rows[0].title

    @property
    def timed(self) -> bool:
        """Whether the lengths of units are seconds."""
        return bool(self.rows[0].length)

    def is_whole(self, folder: Path) -> bool:
        """Whether a folder is one input: it holds frames, for a task that reads videos and no images."""
        kinds = {kind for row in self.rows for kind in row.kinds}
        if FRAMES not in kinds or IMAGE in kinds:
            return False
        found = {self.kind_of(path).name for path in folder.iterdir() if path.is_file()}
        return IMAGE in found and found.isdisjoint(kinds)

    def passed(self, path: Path) -> str | None:
        """Why a file in a folder is no input; None if it is one.

        Its content decides, or where that is ruined its name.
        """
        kind = self.kind_of(path)
        row = row_for(kind, self.rows, self.preferred)
        if row is None and hasattr(self.options, "encoding") and is_undecoded(kind):
            return None  # which is then told, with the way out
        return reason_to_pass(row, path, kind) if row else why_unread(kind, path)

    def excluded(self, path: Path) -> str | None:
        """Why a file that was named is no input; those always are."""
        return None

    def units(self, source: Path) -> list[Unit | TriscribeError]:
        """The source itself; or its parts; or what is wrong with it."""
        kind = self.kind_of(source)
        try:
            found = units_of(source, self.rows, self.options, self.preferred, kind)
        except TriscribeError as error:
            return [error]
        except OSError as error:
            return [MediaError(source, f"cannot be read ({error.strerror})", "check its name and the disk")]
        several = are_several(found)
        model = None if self.path is None else str(self.path)
        return [
            Unit(
                kind.source,
                kind.name,
                each.number if several else None,
                (Route(each.task.name, model, self.options),),
            )
            for each in found
        ]


class Model(NamedTuple):
    """What records say of a model."""

    name: str
    carries_language: bool
    digest: str
    file: str


class Models:
    """Names and digests of the models that routes name."""

    def __init__(self):
        self._known = cache(_model)

    def signed(self, route: Route) -> str:
        """Name of the model, with the options that matter; "" for one that cannot be used."""
        known = self._known(route.task, route.model)
        return route.options.signed(known.name, known.carries_language) if known else ""

    def digest(self, route: Route) -> str:
        """SHA-256 of the model's file, "" where there is none."""
        known = self._known(route.task, route.model)
        return known.digest if known else ""

    def file(self, route: Route) -> str:
        """The model's file, or its name if it comes with the package; "" for one that cannot be used."""
        known = self._known(route.task, route.model)
        return known.file if known else ""


def _model(task: str, path: str | None) -> Model | None:
    try:
        name, header = header_for(task, path)
    except ModelError:
        return None  # its reader says so
    try:
        file = located(TASKS[task].default if path is None else path)
        with open(file, "rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except (ModelError, OSError):
        return Model(name, LANGUAGE in header, "", "")
    own = file.stem if file.parent == BUNDLED else str(absolute(file))
    return Model(name, LANGUAGE in header, digest, own)


def changed(options: Options) -> dict[str, object]:
    """Options that differ from their defaults, as plain values."""
    values = {field.name: (getattr(options, field.name), field.default) for field in fields(options)}
    return {name: _plain(value) for name, (value, default) in values.items() if value not in (default, "")}


def _plain(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if isinstance(value, (bool, int, float, type(None))) else str(value)


def length_of(source: object, task: str) -> float:
    """Of a source, for the progress bar: seconds, 0 where not known; 1 where sources are counted."""
    row = TASKS[task]
    if row.length and is_remote(source):
        return 0.0
    return resolve(row.length)(source) if row.length else 1.0
