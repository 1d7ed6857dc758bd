"""One run over many files: what is done already, what is read, and the outputs that are written.

One process writes the outputs and the journal, whoever reads, so that what is there is whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Protocol

from pipelines.batch import units as reading
from pipelines.batch.journal import JOURNAL, Journal, state_of
from pipelines.batch.outcome import DONE, EDITED, FAILED, PASSED, Outcome
from pipelines.batch.plan import Job, absolute, collect, plan_tree
from pipelines.batch.shared import SharedOutputs
from pipelines.batch.units import Route, Unit
from pipelines.batch.wholes import Wholes
from pipelines.batch.work import Models, changed
from pipelines.errors import MediaError, TriscribeError
from pipelines.media import remote
from pipelines.media.files import not_there
from pipelines.results import Result
from pipelines.tasks import TASKS, resolve
from pipelines.tasks import formats as formats_of
from pipelines.writers import mode, write_atomically, writer
from pipelines.writers.atomic import remove_left

Engine = Callable[[Sequence[Unit]], Iterator[tuple[Unit, Route, Result | TriscribeError, float]]]
"""Reads units; see `pipelines.batch.engines`."""


class Inputs(Protocol):
    """What a run does with its inputs; see `Work`."""

    models: Models
    tasks: Sequence[str]

    def passed(self, path: Path) -> str | None: ...

    def excluded(self, path: Path) -> str | None: ...

    def units(self, source: Path) -> list[Unit | TriscribeError]: ...


class Run:
    """Read what is asked for and write it as asked for.

    Args:
        work: what to do with each input.
        out: folder of the outputs.
        formats: names of writers for the results of each of the work's tasks. Those that are `shared` write
            one file for all results, the others one for each.
        skip_existing, overwrite: what to do about outputs that exist.
        options: of the writers; each takes those that it has.
        retry_failed: whether to try again what failed and has not changed since.
        keep_names: whether outputs keep the names that earlier runs gave them, whatever is beside them now.
        engine: reads the units.

    Raises:
        ValueError: for an option out of range.
    """

    def __init__(
        self,
        work: Inputs,
        out: Path,
        formats: Mapping[str, Sequence[str]],
        skip_existing: bool = False,
        overwrite: bool = False,
        *,
        options: dict | None = None,
        retry_failed: bool = True,
        keep_names: bool = False,
        engine: Engine = reading.read,
    ):
        self.work, self.out, self.engine = work, out, engine
        self.skip_existing, self.overwrite = skip_existing, overwrite
        self.retry_failed, self.keep_names = retry_failed, keep_names
        kinds = {task: resolve(TASKS[task].result) for task in formats}
        made = {  # one writer a format and type of result
            (kind, name): _writer(name, kind, options or {})
            for kind, names in ((kinds[task], formats[task]) for task in formats)
            for name in names
        }
        everything = {task: [made[kinds[task], name] for name in names] for task, names in formats.items()}
        self.writers = {
            task: [each for each in writers if not hasattr(each, "shared")]
            for task, writers in everything.items()
        }
        self._shared_writers = {
            task: tuple(each for each in writers if hasattr(each, "shared"))
            for task, writers in everything.items()
        }
        self.journal: Journal | None = None
        self.shared: dict[str, SharedOutputs] = {}

    def outcomes(
        self,
        inputs: Sequence[str | Path],
        begin: Callable[[list[Unit]], None] | None = None,
        among: Sequence[Path] | None = None,
    ) -> Iterator[Outcome]:
        """What becomes of each input.

        Args:
            inputs: files, folders and patterns.
            begin: is called with what is to be read, in order, before that begins.
            among: the files below the inputs that count this time; None for all.

        Raises:
            MediaError: the output folder cannot be used.
        """
        self.open()
        warm, cool = (getattr(self.engine, name, _nothing) for name in ("warm", "cool"))
        if self.overwrite or not self.journal.names:  # everything is new
            warm()
        try:
            yield from self._outcomes(inputs, begin, among)
        finally:
            cool()

    def _outcomes(
        self,
        inputs: Sequence[str | Path],
        begin: Callable[[list[Unit]], None] | None,
        among: Sequence[Path] | None,
    ) -> Iterator[Outcome]:
        wholes = Wholes(self.journal, self.writers, self.overwrite)
        jobs: list[tuple[Job, Unit]] = []
        settled: list[Outcome] = []
        for each in self._planned(inputs, wholes, among):
            if isinstance(each, Outcome):
                yield each
                settled.append(each)
            else:
                jobs.append(each)
        outputs = [output for job, _ in jobs for output in (*job.outputs, *filter(None, [job.whole]))]
        for folder in {self.out, *(output.parent for output in outputs)}:
            remove_left(folder)
        for outcome in settled:
            yield from wholes.settle(outcome)
        for shared in {id(each): each for each in self.shared.values()}.values():
            for path in shared.find_edited():
                if jobs:
                    cause = "was edited since triscribe wrote it"
                    raise MediaError(path, cause, "give --overwrite or another --out")
                yield Outcome(Job(path, (path,)), EDITED, kept=(path,), earlier=True)
        jobs = _by_routes(jobs)
        if begin:
            begin([unit for _, unit in jobs])
        places = {(str(unit.source), unit.part): (job, state_of(job.source)) for job, unit in jobs}
        try:
            for unit, route, result, seconds in self.engine([unit for _, unit in jobs]):
                job, state = places.pop((str(unit.source), unit.part))
                outcome = self._finished(job, route, result, seconds, state)
                yield outcome
                yield from wholes.settle(outcome)
        finally:
            for shared in self.shared.values():
                shared.write()

    def open(self) -> None:
        """Prepare the output folder and read its journal.

        Raises:
            MediaError: it cannot be used.
        """
        if self.journal is not None:
            return
        _check_writable(self.out)
        every = {each for writers in self._shared_writers.values() for each in writers}
        for path in (self.out / JOURNAL, *(self.out / each.shared for each in every)):
            _check_inside(self.out, path)
        self.journal = Journal(self.out)
        made: dict[tuple, SharedOutputs] = {}
        for task, writers in self._shared_writers.items():
            key = tuple(map(id, writers))
            if key not in made:
                made[key] = SharedOutputs(self.out, writers, self.journal, self.overwrite)
            self.shared[task] = made[key]

    def _planned(
        self, inputs: Sequence[str | Path], wholes: Wholes, among: Sequence[Path] | None
    ) -> Iterator[Outcome | tuple[Job, Unit]]:
        """What is to be done, each with the unit to read; and what becomes of the rest."""
        existing, passed, missed, refused = [], {}, {}, {}
        others = _OtherOutputs(inputs)

        def is_meant(path: Path) -> bool:
            if self.journal.is_ours(path) or path in others:
                return False
            try:
                reason = self.work.passed(path)
            except MediaError as error:  # of this file alone
                refused[path] = error
                return False
            if reason:
                passed[path] = reason
            return reason is None

        def is_whole(folder: Path) -> bool:
            return self.work.is_whole(folder) and not any(map(self.journal.is_ours, folder.iterdir()))

        # What is missing costs a line of its own, like any bad file.
        for each in inputs if among is None else ():
            try:
                collect([each], is_meant, missed, is_whole)
                existing.append(each)
            except MediaError as error:
                yield _failure(Path(each), error)
            except OSError:
                yield _failure(Path(each), not_there(each))
        named = {absolute(each) for each in inputs}
        for path, error in missed.items():
            if error is None and absolute(path) not in named:
                passed[path] = "a link to a folder, which is not followed: name it as well"
            elif error:
                cause = f"cannot be looked into ({error.strerror})"
                yield _failure(path, MediaError(path, cause, "change its permissions or leave it out"))
        if among is not None:
            existing, sources = list(inputs), [path for path in among if is_meant(path)]
        else:
            sources = collect(existing, is_meant, None, is_whole) if existing else []
        for path, error in refused.items():
            yield _failure(path, error)
        excluded = {path: reason for path in sources if (reason := self.work.excluded(path))}
        taken = set(sources)
        passed = {path: reason for path, reason in passed.items() if path not in taken} | excluded
        sources = [path for path in sources if path not in excluded]
        for path, reason in passed.items():
            yield Outcome(Job(path, ()), PASSED, reason=reason)
        if not sources:
            return
        units = {source: self.work.units(source) for source in sources}
        numbers = {
            source: [unit.part for unit in found]
            for source, found in units.items()
            if isinstance(found[0], Unit) and found[0].part is not None
        }
        known = self.journal.names if self.keep_names else {}
        every = [each for writers in self.writers.values() for each in writers]
        joined = {each.extension for each in every if hasattr(each, "join")}
        jobs = plan_tree(
            sources, existing, self.out, lambda source: self._endings(units[source]), numbers, known, joined
        )
        wholes.expect(jobs)
        for job, unit in zip(jobs, (unit for found in units.values() for unit in found), strict=True):
            if isinstance(unit, TriscribeError):
                again = self.overwrite or self.retry_failed
                before = None if again else self.journal.unopened(job.source)
                earlier = Outcome(job, FAILED, error=before, earlier=True) if before else None
                yield earlier or self._finished(job, None, unit, 0.0, state_of(job.source))
                continue
            try:
                yield self._settled(job, unit) or (job, unit)
            except TriscribeError as error:
                yield _failure(job.source, error, unit.task)
            except OSError as error:
                cause = f"its outputs cannot be looked at ({error.strerror})"
                error = MediaError(job.source, cause, "shorten its name or give another --out")
                yield _failure(job.source, error, unit.task)

    def _endings(self, units: list[Unit | TriscribeError]) -> list[str]:
        """Endings of all outputs that a source may have, whichever route is taken."""
        routes = (route for unit in units if isinstance(unit, Unit) for route in unit.routes)
        tasks = dict.fromkeys(route.task for route in routes) or self.writers
        return list(dict.fromkeys(each.extension for task in tasks for each in self.writers[task]))

    def _settled(self, job: Job, unit: Unit) -> Outcome | None:
        """What became of an input that is not to be read again.

        Raises:
            MediaError: its outputs are not to be replaced.
        """
        journal = self.journal
        task = journal.task(job) if len(unit.routes) > 1 else unit.task
        route = next((each for each in unit.routes if each.task == task), unit.routes[0])
        job = self._job(job, route)
        for output in job.outputs:
            _check_inside(self.out, output)
        if self.overwrite and not self.skip_existing:
            return None
        task, model, digest = route.task, self.work.models.signed(route), self.work.models.digest(route)
        shared = self.shared[task]
        edited = [] if self.overwrite else [output for output in job.outputs if journal.is_edited(output)]
        recorded = shared.is_done(job, model)
        done = self.skip_existing and recorded and journal.is_done(job, model, digest)
        foreign = None if self.overwrite or done else journal.foreign(job, task)
        facts = {"task": task, "model": model, "seconds": journal.seconds(job), "earlier": True}
        whole = any(output.name.endswith(".json") for output in edited)  # a corrected result
        if not foreign and edited and (done or whole or (recorded and len(edited) == len(job.outputs))):
            return Outcome(job, EDITED, kept=tuple(edited), **facts)
        if done:
            return Outcome(job, DONE, **facts)
        if not self.retry_failed and (error := journal.failure(job, model, digest)):
            return Outcome(job, FAILED, error=error, **facts)
        if not (foreign or self.overwrite or self.skip_existing):  # the last brings them up to date
            foreign = journal.foreign(job, task, model) or shared.foreign(job, model)
        if foreign:
            raise MediaError(job.source, foreign, "give --overwrite or another --out")
        return None

    def _job(self, job: Job, route: Route) -> Job:
        """A job with the outputs of the route that is taken."""
        return job.ending(each.extension for each in self.writers[route.task])

    def _finished(
        self,
        job: Job,
        route: Route | None,
        result: Result | TriscribeError,
        seconds: float,
        state: list[int] | None,
    ) -> Outcome:
        """Write the outputs of a result, and say in the journal what became of the input.

        Args:
            state: of the source before it was read.
        """
        journal, records, kept = self.journal, {}, []
        task = route.task if route else ""
        model = self.work.models.signed(route) if route else ""
        facts: dict[str, object] = {"seconds": round(seconds, 3)}
        if state != state_of(job.source):  # it was written to meanwhile, and is to be read again
            facts |= {"state": state, "hash": ""}
        if route:
            models = self.work.models
            facts |= {"digest": models.digest(route), "model_file": models.file(route)}
            facts |= {"options": changed(route.options)}
            job = self._job(job, route)
        error = result if isinstance(result, TriscribeError) else None
        try:
            if error:
                facts |= {"cause": error.cause, "way_out": error.way_out}
            else:
                for output, chosen in zip(job.outputs, self.writers[task], strict=True):
                    _check_inside(self.out, output)
                    if not self.overwrite and journal.is_edited(output):  # perhaps while this run went on
                        kept.append(output)
                        continue
                    with write_atomically(output, mode(chosen)) as file:
                        chosen.write(result, file)
                        file.flush()
                        journal.begin(job, output, task, Path(file.name))
                records = self.shared[task].records(result)
            journal.add(job, model, str(error) if error else None, records, task, kept, facts)
            if task:
                self.shared[task].update()
        except TriscribeError as raised:
            error = raised
        except OSError as raised:
            error = MediaError(
                job.source, f"output not written ({raised.strerror or raised})", "check --out and the disk"
            )
        except Exception as raised:  # a fault of a writer, which is not to cost the other inputs
            told = f"{type(raised).__name__}: {raised}"
            cause = f"was read, but its output could not be written ({told})"
            error = MediaError(job.source, cause, "choose another --format, and report this")
        if error:
            return Outcome(job, FAILED, task, model, error=error, seconds=seconds)
        return Outcome(job, DONE, task, model, result, kept=tuple(kept), seconds=seconds)


class _OtherOutputs:
    """What triscribe made in other output folders from what is among the inputs too: it is none of them.

    Args:
        inputs: as they were named.
    """

    def __init__(self, inputs: Sequence[str | Path]):
        self.roots = [absolute(each) for each in inputs]
        self.journal_in = cache(lambda folder: Journal(folder) if (folder / JOURNAL).is_file() else None)

    def __contains__(self, path: Path) -> bool:
        if remote.is_remote(path):
            return False
        place = absolute(path)
        for journal in filter(None, map(self.journal_in, place.parents)):
            source = journal.source_of(place)
            if source is not None:  # pages and tables have none
                made_of = Path(source) if source else journal.path.parent.parent
                return any(made_of.is_relative_to(root) for root in self.roots)
        return False


def _nothing() -> None:
    pass


def _failure(path: Path, error: TriscribeError, task: str = "") -> Outcome:
    return Outcome(Job(path, ()), FAILED, task, error=error)


def _by_routes(jobs: list[tuple[Job, Unit]]) -> list[tuple[Job, Unit]]:
    """In the order in which their routes come first, so that what shares a model is read together."""
    order: list[tuple[Route, ...]] = []
    places = []
    for _, unit in jobs:
        place = next((place for place, routes in enumerate(order) if routes == unit.routes), len(order))
        if place == len(order):
            order.append(unit.routes)
        places.append(place)
    return [jobs[index] for index in sorted(range(len(jobs)), key=places.__getitem__)]


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
