"""Hands sources to the readers of their tasks, and gives their results in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from pipelines.errors import ModelError, TriscribeError
from pipelines.media.kind import is_one
from pipelines.media.remote import opened
from pipelines.model import SequenceModel, load
from pipelines.reading.batches import model_for, raising
from pipelines.reading.reporting import report
from pipelines.reading.settings import ManyOptions
from pipelines.reading.sources import Unit, all_units, are_several, rows_of, units_of
from pipelines.results import Result
from pipelines.tasks import resolve


def answer(
    command: str, source: object, model: SequenceModel | str | Path | None, options: ManyOptions
) -> Result | Iterator[Result]:
    """What a public function gives for one source or for many.

    Args:
        command: name of the function, as the table of tasks has it.
        source: one source; or a list or generator of them.
        model: a loaded model, a file, or a bundled model's name; None is the bundled one of each task.

    Returns:
        A result; for a source that holds several, such as a PDF, and for many sources a generator.

    Raises:
        MediaError: a source cannot be read (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used, or is not for this kind of source.
    """
    rows = rows_of(command)
    if model is not None and not isinstance(model, SequenceModel):
        model = load(model)
    preferred = model.task if model else None
    if not is_one(source):
        return raising(results(all_units(source, rows, options, preferred), model, options), options.errors)
    units = units_of(opened(source), rows, options, preferred)
    found = results(units, model, options)
    if are_several(units):
        return raising(found, options.errors)
    (result,) = raising(found, "raise")
    return result


def results(
    units: Iterable[Unit | TriscribeError], model: SequenceModel | str | Path | None, options: ManyOptions
) -> Iterator[Result | TriscribeError]:
    """A result or an error for each unit, in order; what is an error already stays it."""
    for task, run in groupby(units, key=lambda unit: getattr(unit, "task", None)):
        if task is None:
            yield from run
            continue
        try:
            network = model_for(task.name, model)
        except ModelError as error:
            yield from (error for _ in run)
            continue
        reader = resolve(task.reader)
        report(0.0)
        yield from reader((unit.source for unit in run), network, options)
