"""Mixed folders: every file to the task that reads it, one result after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from pipelines.batch import units as reading
from pipelines.batch.choosing import Chooser
from pipelines.batch.engines.prober import Ask, directly
from pipelines.batch.index import write_index
from pipelines.batch.outcome import Outcome
from pipelines.batch.routing import Routing
from pipelines.batch.rules import Rule, Rules, chosen_formats, formats_given, known_task
from pipelines.batch.runner import Engine, Run
from pipelines.batch.tables import Table
from pipelines.batch.units import Unit

Paths = str | os.PathLike | Sequence[str | os.PathLike]


class Batch:
    """A run over mixed folders, with its tables.

    Args:
        inputs: files, folders and patterns.
        out: folder of the outputs.
        command: what goes before the rules in folders.
        common: options of all tasks that have them.
        overwrite, retry_failed, engine: see `run`.
        parquet: whether to write the table in that format as well.
        ask: calls what looks into files before they are read; see `pipelines.batch.engines.prober`.

    Raises:
        ValueError: an option is unknown or out of range.
        ModelError, DataError: a model or a `triscribe.toml` cannot be used.
    """

    def __init__(
        self,
        inputs: Sequence[str | os.PathLike],
        out: str | os.PathLike,
        command: Rules,
        common: Mapping[str, object] | None = None,
        *,
        overwrite: bool = False,
        retry_failed: bool = False,
        parquet: bool = False,
        embed: bool = False,
        engine: Engine = reading.read,
        ask: Ask = directly,
    ):
        self.inputs, self.out = [os.fspath(each) for each in inputs], Path(out)
        self.routing = Routing(self.inputs, command, dict(common or {}), ask)
        if not self.inputs:
            raise ValueError("name at least one file, folder or pattern")
        if parquet and find_spec("pyarrow") is None:
            raise ValueError("Parquet needs pyarrow: pip install 'triscribe[parquet]'")
        self.formats = chosen_formats([command, *self.routing.top])
        self.run = Run(
            self.routing,
            self.out,
            self.formats,
            skip_existing=not overwrite,
            overwrite=overwrite,
            retry_failed=retry_failed,
            keep_names=True,
            engine=engine,
        )
        self.chooser = self.routing.choose = Chooser(self.routing.siblings, ask)
        self._parquet, self._overwrite, self._embed = parquet, overwrite, embed
        self.table: Table | None = None

    def outcomes(
        self,
        begin: Callable[[list[Unit]], None] | None = None,
        among: Sequence[Path] | None = None,
    ) -> Iterator[tuple[Outcome, dict]]:
        """What becomes of each input or part, with its row of the table; that and the page come at the end.

        Args:
            begin: is called with what is to be read, in order, before that begins.
            among: the files below the inputs that count this time; None for all.

        Raises:
            MediaError: the output folder cannot be used, or holds files of other people in the way.
        """
        self.run.open()
        if not self._overwrite:
            self.routing.made = self.run.journal.model_of
            if not self.run.retry_failed:
                self.routing.unopened = self.run.journal.unopened
        self.table = self.table or Table(self.out, self.run.journal, self._parquet, self._overwrite)
        try:
            for outcome in self.run.outcomes(self.inputs, begin, among):
                yield outcome, self.table.add(outcome)
        finally:
            self.table.write()
        write_index(self.out, self._embed, journal=self.run.journal)


def run(
    inputs: Paths,
    out: str | os.PathLike,
    *,
    tasks: Sequence[str] = (),
    rules: Mapping[str, str] | None = None,
    model: str | os.PathLike | Sequence[str | os.PathLike] = (),
    formats: str | Mapping[str, str] = "",
    options: Mapping[str, Mapping[str, object]] | None = None,
    overwrite: bool = False,
    retry_failed: bool = False,
    parquet: bool = False,
    embed: bool = False,
    engine: Engine = reading.read,
    **common,
) -> Iterator[Outcome]:
    """Read every file of mixed folders with the task that it is for, and write the results to a folder.

    What was done in an earlier run, and has not changed since, is not read again; edited results are kept,
    and files of others are never written over. All arguments are also options of `triscribe batch`.

    Args:
        inputs: a file, folder or pattern, or several.
        out: folder of the outputs, which mirrors the tree of the inputs, with results.jsonl, results.csv and
            the page index.html.
        tasks: names of the tasks that are done; empty for all.
        rules: which files go where: {"scans/**": "handwriting:handwriting-en", "old/**": "skip"}.
        model: a file, a bundled model's name, a folder of models, or several; "auto" adds all bundled ones.
            Of several for one task, the most confident on the first lines or seconds of a folder is taken.
        formats: output formats, separated by commas; or such for each task. JSON is always written.
        options: of the tasks' functions: {"speech": {"hotwords": "Kew"}}.
        overwrite: read everything again, and also replace edited files and those that triscribe did not make.
        retry_failed: try again what failed, though neither the file nor the model has changed.
        parquet: also write results.parquet; needs the extra `parquet`.
        embed: have the page index.html hold short recordings and reduced images, instead of links.
        engine: reads the units; by default in this process.
        common: options of all functions that have them: device, precision, batch_size, strict.

    Yields:
        An `Outcome` for each file, or each page of a document: `.path`, `.part`, `.status`, `.task`,
        `.model`, `.outputs`, `.error`, and `.load()` for the result.

    Raises:
        ValueError: an option is unknown or out of range.
        MediaError: the output folder cannot be used.
        ModelError, DataError: a model or a `triscribe.toml` cannot be used.
    """
    several = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    models = [model] if isinstance(model, (str, os.PathLike)) else list(model)
    given = [formats] if isinstance(formats, str) else [f"{task}={names}" for task, names in formats.items()]
    command = Rules(
        tuple(map(known_task, tasks)),
        tuple(Rule.of(pattern, target) for pattern, target in (rules or {}).items()),
        tuple(os.fspath(each) for each in models if each),
        formats_given([text for text in given if text]),
        {known_task(task): dict(chosen) for task, chosen in (options or {}).items()},
    )
    batch = Batch(
        several,
        out,
        command,
        common,
        overwrite=overwrite,
        retry_failed=retry_failed,
        parquet=parquet,
        embed=embed,
        engine=engine,
    )
    return (outcome for outcome, _ in batch.outcomes())
