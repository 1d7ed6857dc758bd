"""What engines read: a recording, an image, a page of a document or a piece of ink, and by which routes.

A unit is small and can be pickled, as long as its source is a path: what it reads is opened where it is read.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import TYPE_CHECKING

from pipelines.errors import MediaError, TriscribeError
from pipelines.media.remote import opened
from pipelines.reading import sources
from pipelines.reading.precision import MANY, precision_for
from pipelines.results import Result
from pipelines.tasks import TASKS, resolve

if TYPE_CHECKING:
    from pipelines.reading.settings import ManyOptions


@dataclass(frozen=True)
class Route:
    """What reads a unit.

    Attributes:
        task: name of its row in the table of tasks.
        model: a file or the name of a bundled model; None is the bundled one of the task.
        options: of the task's reader.
    """

    task: str
    model: str | None
    options: ManyOptions


@dataclass(frozen=True)
class Unit:
    """What gives one result.

    Attributes:
        source: path of the file, or the copy of a stream that can be read once.
        kind: of the source, as `pipelines.media.kind` names it.
        part: number of the page in a document, or of the piece of ink in a file of several, from 1; None is
            the whole source.
        routes: that may read it, in order: a later one only if what an earlier one found is no sign that the
            source is of its task.
        notes: on the choice of the routes.
    """

    source: object
    kind: str
    part: int | None
    routes: tuple[Route, ...]
    notes: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """Task of the first route."""
        return self.routes[0].task


def read(units: Iterable[Unit]) -> Iterator[tuple[Unit, Route, Result | TriscribeError, float]]:
    """Read units in this process; those by the same route share batches if they follow each other.

    Yields:
        Unit, the route whose result or error this is, the result or error, and seconds since the one before.
        Of units with one route the order is kept.
    """
    if isinstance(units, Sized) and len(units) >= MANY:
        precision_for("auto", "cpu", measure=True)
    started = time.monotonic()
    for _, run in groupby(units, key=lambda unit: unit.routes):
        for unit, route, result in _by_routes(run):
            if isinstance(result, Result) and unit.notes:
                result = replace(result, notes=(*result.notes, *unit.notes))
            ended = time.monotonic()
            yield unit, route, result, ended - started
            started = ended


def _by_routes(units: Iterable[Unit]) -> Iterator[tuple[Unit, Route, Result | TriscribeError]]:
    """Read units that have the same routes: what the first does not settle is left to the next."""
    units = iter(units)
    first = next(units)
    routes, units = first.routes, chain([first], units)
    for route in routes[:-1]:
        shows, unsettled = resolve(TASKS[route.task].shows), []
        for unit, result in _by_route(units, route):
            if not isinstance(result, TriscribeError) and shows(result):
                yield unit, route, result
            else:
                unsettled.append(unit)
        units = unsettled
    for unit, result in _by_route(units, routes[-1]):
        yield unit, routes[-1], result


def _by_route(units: Iterable[Unit], route: Route) -> Iterator[tuple[Unit, Result | TriscribeError]]:
    """Read units by a route, in order."""
    waiting: deque[Unit] = deque()
    found = _results(units, route, waiting)
    for result in found:
        yield waiting.popleft(), result


def _results(units: Iterable[Unit], route: Route, waiting: deque[Unit]) -> Iterator[Result | TriscribeError]:
    """A result or an error for each unit; units are noted in `waiting` when they are opened."""
    opener, row = _Opener(route), TASKS[route.task]

    def opened() -> Iterator[sources.Unit | TriscribeError]:
        for unit in units:
            waiting.append(unit)
            try:
                yield sources.Unit(row, opener(unit), unit.part or 1)
            except TriscribeError as error:
                yield error
            except OSError as error:
                yield MediaError(unit.source, f"cannot be read ({error.strerror})", "check its name")

    each = opened()
    for first in each:
        from pipelines.reading.readers import results

        yield from results(chain([first], each), route.model, route.options)


class _Opener:
    """Opens units, and keeps the parts of the source that was opened last."""

    def __init__(self, route: Route):
        self.route, self.open = route, TASKS[route.task].opener
        self._source: object = None
        self._parts: dict[int, object] = {}

    def __call__(self, unit: Unit) -> object:
        """What the reader of the task takes.

        Raises:
            MediaError: the source cannot be opened, or has no such part any more.
        """
        if self.open is None:
            return opened(unit.source)
        if unit.part is None:
            return sources.parts_of(self.open, opened(unit.source), unit.kind, self.route.options)[0]
        if self._source is not unit.source and self._source != unit.source:
            found = sources.parts_of(self.open, opened(unit.source), unit.kind, self.route.options)
            self._parts = {
                getattr(each, "number", None) or place: each for place, each in enumerate(found, 1)
            }
            self._source = unit.source
        if unit.part not in self._parts:
            raise MediaError(unit.source, f"has no part {unit.part} any more", "run the command again")
        return self._parts[unit.part]
