"""What became of an input of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.batch.plan import Job
from pipelines.errors import DataError, TriscribeError
from pipelines.results import Result
from pipelines.stored_results import read_result

DONE, FAILED, PASSED, EDITED = "done", "failed", "passed over", "edited"


@dataclass(frozen=True)
class Outcome:
    """What became of an input, or of a part of it.

    Attributes:
        job: source, part and outputs.
        status: DONE, FAILED, PASSED over, or EDITED: a person has edited an output, which was kept.
        task: that read it; "" where none did.
        model: its name, with the options that matter.
        result: what was read in this run; None for what was there already.
        error: why it failed.
        reason: why it was passed over.
        kept: outputs that a person has edited.
        seconds: that reading took.
        earlier: whether an earlier run did it.
    """

    job: Job
    status: str
    task: str = ""
    model: str = ""
    result: Result | None = None
    error: TriscribeError | None = None
    reason: str = ""
    kept: tuple[Path, ...] = ()
    seconds: float = 0.0
    earlier: bool = False

    @property
    def path(self) -> Path:
        """The input."""
        return self.job.source

    @property
    def part(self) -> int | None:
        """Number of the page or piece of ink, from 1; None for a whole file."""
        return self.job.part

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Files that hold the result."""
        return self.job.outputs if self.status in (DONE, EDITED) else ()

    def load(self) -> Result:
        """The result, also of an earlier run or as a person has corrected it, from its JSON.

        Raises:
            DataError: there is none, or it cannot be read.
        """
        if self.result is not None and not self.kept:
            return self.result
        found = [output for output in self.outputs if output.name.endswith(".json")]
        if not found:
            raise DataError(self.path, f"has no result ({self.status})", "look at its error, or write json")
        return read_result(found[0])
