"""Outputs that hold all results of a folder in one file: a table, or a list of annotations."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from pipelines.batch.journal import Journal
from pipelines.batch.plan import Job
from pipelines.errors import MediaError
from pipelines.writers import write_atomically

PAUSE = 2.0  # seconds at least between two writings, and as many times as long as one took
PATIENCE = 20.0


class SharedOutputs:
    """The files of a run that hold all its results.

    What such a file says of a result is its record. Records are kept in the journal, and the files are
    written anew from them now and then and at the end, so that a run that was stopped loses nothing and a
    later one adds to the same file. Records of a file that was deleted are forgotten.

    Args:
        out: folder of the outputs.
        writers: of formats with a `shared` file name; `record` gives the record of a result as plain
            values, and `write_records` writes the file of all records.
        journal: of the folder.
        overwrite: whether a file that triscribe did not make is replaced.

    Raises:
        MediaError: such a file is in the way.
    """

    def __init__(self, out: Path, writers: Iterable, journal: Journal, overwrite: bool = False):
        self.journal, self.overwrite = journal, overwrite
        self.edited: set[Path] = set()
        self.writers = {out / writer.shared: writer for writer in writers}
        self._unwritten, self._next = False, 0.0
        for path in self.writers:
            if path.exists() and not overwrite and not journal.is_ours(path):
                cause = f"{path} exists and was not made by triscribe"
                raise MediaError(path, cause, "give --overwrite or another --out")
            if not path.exists():
                journal.forget_records(path)

    def is_done(self, job: Job, model: str) -> bool:
        """Whether every file holds what this model made of the source as it is now."""
        return all(self.journal.is_recorded(path, job, model) for path in self.writers)

    def foreign(self, job: Job, model: str) -> str | None:
        """Why what the files say of a source is not to be replaced; None if it may be."""
        found = (self.journal.foreign_record(path, job, model) for path in self.writers)
        return next(filter(None, found), None)

    def find_edited(self) -> set[Path]:
        """The files that a person has edited, which are not written again without `overwrite`."""
        if not self.overwrite:
            self.edited |= {path for path in self.writers if self.journal.is_edited(path)}
        return self.edited

    def records(self, result: object) -> dict[Path, object]:
        """What each file is to hold of a result."""
        return {path: writer.record(result) for path, writer in self.writers.items()}

    def update(self) -> None:
        """After a result was added to the journal: write the files if that is due."""
        self._unwritten = True
        if time.monotonic() >= self._next:
            self.write()

    def write(self) -> None:
        """Write the files if a result was added since they were written."""
        if not self._unwritten:
            return
        started = time.monotonic()
        for path in self.writers.keys() - self.find_edited():
            with write_atomically(path) as file:
                self.writers[path].write_records(self.journal.records(path), file)
                file.flush()
                self.journal.claim(path, Path(file.name))
        ended = time.monotonic()
        self._unwritten, self._next = False, ended + max(PAUSE, PATIENCE * (ended - started))
