"""Outputs that are joined of those of all pages of a document, such as one PDF of the PDFs of its pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pipelines.batch.journal import Journal
from pipelines.batch.outcome import DONE, EDITED, FAILED, Outcome
from pipelines.batch.plan import Job
from pipelines.errors import MediaError, TriscribeError
from pipelines.writers import mode, write_atomically


class Wholes:
    """Joins the outputs of a document's pages when the last of them is settled.

    They are joined as they are, also where a person has edited one. Pages that could not be read are left
    out. What was joined of the same before, and what a person has edited since, stays.

    Args:
        journal: of the output folder.
        writers: of each task; those with a method `join` join.
        overwrite: whether a file that triscribe did not make, or that a person has edited, is replaced.
    """

    def __init__(self, journal: Journal, writers: Mapping[str, Sequence], overwrite: bool = False):
        self.journal, self.writers, self.overwrite = journal, writers, overwrite
        self._left: Counter[Path] = Counter()
        self._settled: dict[Path, list[Outcome]] = {}

    def expect(self, jobs: Iterable[Job]) -> None:
        """All jobs of a run."""
        self._left.update(job.source for job in jobs if job.part is not None)

    def settle(self, outcome: Outcome) -> Iterator[Outcome]:
        """Take what became of a page; yields what is to be said of its document, after the last one."""
        source = outcome.path
        if outcome.part is None:
            return
        self._settled.setdefault(source, []).append(outcome)
        self._left[source] -= 1
        if not self._left[source]:
            pages = sorted(self._settled.pop(source), key=lambda each: each.part)
            for task in dict.fromkeys(each.task for each in pages):
                for place, writer in enumerate(self.writers.get(task, ())):
                    if hasattr(writer, "join"):
                        yield from self._joined(pages, task, place, writer)

    def _joined(self, pages: list[Outcome], task: str, place: int, writer) -> Iterator[Outcome]:
        done = [each for each in pages if each.task == task and each.status in (DONE, EDITED)]
        parts = [part for part in (each.outputs[place] for each in done) if part.exists()]
        job = done[0].job if done else pages[0].job
        whole = job.joined(writer.extension)
        if not parts or self.journal.joins(whole, parts):
            return
        if not self.overwrite and self.journal.is_edited(whole):
            yield Outcome(Job(whole, (whole,)), EDITED, kept=(whole,), earlier=True)
            return
        try:
            foreign = self.journal.foreign(Job(job.source, (whole,)), task)
            if foreign and not self.overwrite:
                raise MediaError(job.source, foreign, "give --overwrite or another --out")
            join(self.journal, job.source, whole, task, parts, writer)
        except TriscribeError as error:
            yield Outcome(Job(whole, ()), FAILED, error=error)
        except OSError as raised:
            error = MediaError(whole, f"was not written ({raised})", "check --out and the disk")
            yield Outcome(Job(whole, ()), FAILED, error=error)


def join(journal: Journal, source: Path, whole: Path, task: str, parts: Sequence[Path], writer) -> None:
    """Write an output that is joined of others, and note it in the journal.

    Raises:
        TriscribeError, OSError: one of them cannot be read, or it cannot be written.
    """
    with write_atomically(whole, mode(writer)) as file:
        writer.join(parts, file)
        file.flush()
        journal.join(source, whole, task, parts, Path(file.name))
