"""One run of a command over many files: what is done already, progress, outputs, and a summary."""

from __future__ import annotations

import os
import sys
from dataclasses import fields
from pathlib import Path

from tqdm import tqdm

from pipelines.batch.earlier import EarlierResults
from pipelines.batch.journal import JOURNAL, Journal
from pipelines.batch.plan import Job, collect, plan
from pipelines.batch.progress import Progress
from pipelines.batch.shared import SharedOutputs
from pipelines.batch.work import Work
from pipelines.errors import MediaError, TriscribeError, printable
from pipelines.reading.precision import MANY, precision_for
from pipelines.reading.reporting import listening
from pipelines.tasks import formats as formats_of
from pipelines.writers import mode, write_atomically, writer
from pipelines.writers.atomic import remove_left


class Run:
    """Read what is asked for and write it as asked for.

    Args:
        work: what to do with each input.
        out: folder of the outputs.
        formats: names of writers for the work's results. Those that are `shared` write one file for all
            results, the others one for each.
        skip_existing, overwrite: what to do about outputs that exist.
        page: an HTML page over all results, or None.
        options: of the writers; each takes those that it has.

    Raises:
        ValueError: for an option out of range.
    """

    def __init__(
        self,
        work: Work,
        out: Path,
        formats: list[str],
        skip_existing: bool = False,
        overwrite: bool = False,
        page: Path | None = None,
        options: dict | None = None,
    ):
        self.work, self.out = work, out
        self.skip_existing, self.overwrite, self.page = skip_existing, overwrite, page
        writers = {name: _writer(name, work.kind, options or {}) for name in formats}
        self.shared_writers = [each for each in writers.values() if hasattr(each, "shared")]
        own = {name: each for name, each in writers.items() if each not in self.shared_writers}
        self.formats, self.writers = list(own), list(own.values())
        self.entries = []
        self.earlier = EarlierResults(out, work.kind) if page else None
        self.written = self.failed = self.skipped = self.edited = 0
        self.size = 0.0

    def __call__(self, inputs: tuple[str, ...]) -> int:
        """Do it; returns the exit code."""
        _check_writable(self.out)
        for path in (self.out / JOURNAL, *(self.out / each.shared for each in self.shared_writers)):
            _check_inside(self.out, path)
        journal = Journal(self.out)
        shared = SharedOutputs(self.out, self.shared_writers, journal, self.overwrite)
        tasks = self._tasks(inputs, journal, shared)
        for folder in {self.out, *(output.parent for job, _ in tasks for output in job.outputs)}:
            remove_left(folder)
        for path in shared.find_edited():
            if tasks:
                cause = "was edited since triscribe wrote it"
                raise MediaError(path, cause, "give --overwrite or another --out")
            self._keep(path)
        lengths = [self.work.length(unit) for _, unit in tasks]
        if len(tasks) >= MANY:
            precision_for("auto", "cpu", measure=True)
        progress = Progress(self.work.title.lower(), lengths, self.work.timed)
        with progress, listening(progress.reached):
            results = self.work.results(unit for _, unit in tasks)
            try:
                for (job, unit), result in zip(tasks, results, strict=True):
                    self._finish(job, result, shared, unit)
                    progress.finish()
            finally:
                shared.write()
        self._summarise(progress.seconds)
        if self.page:
            self._write_page()
        return 1 if self.failed else 0

    def _tasks(
        self, inputs: tuple[str, ...], journal: Journal, shared: SharedOutputs
    ) -> list[tuple[Job, object]]:
        """What is to be done, each with the unit to read."""
        existing, is_meant = [], self.work.is_meant
        for each in inputs:  # what is missing costs a line of its own, like any bad file
            try:
                collect([each], is_meant)
                existing.append(each)
            except MediaError as error:
                self._fail(error)
            except OSError as error:
                self._fail(MediaError(each, f"cannot be read ({error.strerror})", "check its name"))
        if not existing:
            return []
        sources = collect(existing, is_meant)
        units = {source: self.work.units(source) for source in sources}
        numbers = {source: self.work.numbers(found) for source, found in units.items()}
        jobs = plan(sources, existing, self.out, self.formats, self.work.kind, numbers)
        tasks = []
        for job, unit in zip(jobs, (unit for found in units.values() for unit in found), strict=True):
            try:
                if self._is_due(job, unit, journal, shared):
                    tasks.append((job, unit))
            except TriscribeError as error:
                self._fail(error)
            except OSError as error:
                cause = f"its outputs cannot be looked at ({error.strerror})"
                self._fail(MediaError(job.source, cause, "shorten its name or give another --out"))
        return tasks

    def _is_due(self, job: Job, unit: object, journal: Journal, shared: SharedOutputs) -> bool:
        """Whether an input is to be read.

        Raises:
            MediaError: its outputs are not to be replaced.
        """
        for output in job.outputs:
            _check_inside(self.out, output)
        if self.overwrite and not self.skip_existing:
            return True
        task, model = self.work.task(unit), self.work.model(unit)
        edited = [] if self.overwrite else [output for output in job.outputs if journal.is_edited(output)]
        recorded = shared.is_done(job, model)
        done = self.skip_existing and recorded and journal.is_done(job, model)
        foreign = None if self.overwrite or done else journal.foreign(job, task)
        if not foreign and edited and (done or (recorded and len(edited) == len(job.outputs))):
            for output in edited:
                self._keep(output)
            self._enter_earlier(job, model)
            return False
        if done:
            self.skipped += 1
            self._enter_earlier(job, model)
            return False
        if not (foreign or self.overwrite or self.skip_existing):  # the last brings them up to date
            foreign = journal.foreign(job, task, model) or shared.foreign(job, model)
        if foreign:
            raise MediaError(job.source, foreign, "give --overwrite or another --out")
        return True

    def _keep(self, output: Path) -> None:
        self.edited += 1
        text = f"kept: {output}: edited since triscribe wrote it; --overwrite replaces it"
        tqdm.write(printable(" ".join(text.splitlines())), file=sys.stderr)

    def _finish(self, job: Job, result: object | TriscribeError, shared: SharedOutputs, unit: object) -> None:
        journal, records, kept = shared.journal, {}, []
        task, model = self.work.task(unit), self.work.model(unit)
        try:
            if not isinstance(result, TriscribeError):
                for output, chosen in zip(job.outputs, self.writers, strict=True):
                    if not self.overwrite and journal.is_edited(output):  # perhaps while this run went on
                        kept.append(output)
                        self._keep(output)
                        continue
                    with write_atomically(output, mode(chosen)) as file:
                        chosen.write(result, file)
                        file.flush()
                        journal.begin(job, output, task, Path(file.name))
                records = shared.records(result)
                if self.earlier:
                    self.earlier.add(job, model, result)
            error = str(result) if isinstance(result, TriscribeError) else None
            journal.add(job, model, error, records, task, kept)
            shared.update()
        except TriscribeError as error:
            result = error
        except OSError as error:
            result = MediaError(job.source, f"output not written ({error})", "check --out and the disk")
        if isinstance(result, TriscribeError):
            self._fail(result)
            return
        for note in result.notes:
            tqdm.write(printable(f"note: {job.source}: {note}"), file=sys.stderr)
        self.written += 1
        self.size += result.extent
        if self.page:
            self._enter(job.source, result, outputs=job.outputs)

    def _fail(self, error: TriscribeError) -> None:
        self.failed += 1
        tqdm.write(f"failed: {' '.join(str(error).splitlines())}", file=sys.stderr)
        if self.page:
            self._enter(Path(error.path), None, error=str(error))

    def _enter(self, source: Path, result: object | None, error: str | None = None, outputs=()) -> None:
        from pipelines.writers.results_page import Entry

        self.entries.append(Entry(source, result, error, outputs))

    def _enter_earlier(self, job: Job, model: str) -> None:
        """Show on the page what an earlier run found."""
        result = self.earlier.find(job, model) if self.earlier else None
        if result:
            self._enter(job.source, result, outputs=job.outputs)

    def _write_page(self) -> None:
        from pipelines.writers.results_page import write_results_page

        write_results_page(self.page, self.entries, self.work.title)

    def _summarise(self, seconds: float) -> None:
        parts = [self.work.summary(self.written, self.size, self.size / max(seconds, 1e-9))]
        if self.skipped:
            parts.append(f"{self.skipped} already there")
        if self.edited:
            parts.append(f"{self.edited} edited, kept")
        if self.failed:
            parts.append(f"{self.failed} failed")
        print(printable(f"{', '.join(parts)} -> {self.out}"))


def _check_writable(folder: Path) -> None:
    """Now, not after the first hour of work."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MediaError(folder, f"cannot be made ({error.strerror})", "give another --out") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise MediaError(folder, "may not be written to", "give another --out")


def _check_inside(out: Path, path: Path) -> None:
    """Refuse an output that symbolic links in the output folder lead out of it."""
    target = os.path.realpath(path)
    if not Path(target).is_relative_to(os.path.realpath(out)):
        cause = f"is not written, since a symbolic link leads to {target}, out of {out}"
        raise MediaError(path, cause, "remove the link, or give another --out")


def _writer(name: str, kind: type, options: dict):
    known = {field.name for field in fields(formats_of(kind)[name])}
    return writer(name, kind, **{key: value for key, value in options.items() if key in known})
