"""What the run of a single command says: lines for what went wrong, progress, a summary, and a page."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from tqdm import tqdm

from pipelines.batch.earlier import EarlierResults
from pipelines.batch.outcome import EDITED, FAILED, PASSED, Outcome
from pipelines.batch.progress import Progress
from pipelines.batch.runner import Run
from pipelines.batch.units import Unit
from pipelines.batch.work import Work, length_of
from pipelines.confidence import Confidences, mean_confidence
from pipelines.errors import printable
from pipelines.media.kind import LAYOUT
from pipelines.reading.reporting import listening
from pipelines.tasks import TASKS

LISTED = 5  # lines of a kind that are written out


class Report:
    """Tells a run on the terminal.

    Args:
        run: to be told.
        work: of a single command.
        page: an HTML page over all results, or None.
    """

    def __init__(self, run: Run, work: Work, page: Path | None = None):
        self.run, self.work, self.page = run, work, page
        self.entries = []
        self.earlier = EarlierResults(run.out, work.kind) if page else None
        self.written: Counter[str] = Counter()  # by task
        self.sizes: Counter[str] = Counter()
        self.confidences = Confidences()
        self.sure: list[float] = []  # mean confidences of the results
        self.passed: Counter[str] = Counter()  # by reason
        self.failed = self.skipped = self.edited = 0

    def __call__(self, inputs: Sequence[str]) -> int:
        """Do it; returns the exit code."""
        progress = None

        def begin(units: list[Unit]) -> None:
            nonlocal progress
            lengths = [length_of(unit.source, unit.task) for unit in units]
            progress = Progress(self.work.title.lower(), lengths, self.work.timed)

        outcomes = self.run.outcomes(inputs, begin)
        with listening(lambda position: progress.reached(position)):
            try:
                for outcome in outcomes:
                    self.tell(outcome)
                    if progress and not outcome.earlier:
                        progress.finish()
            finally:
                outcomes.close()
                if progress:
                    progress.close()
        self.summarise(progress.seconds if progress else 0.0)
        if self.page:
            self._write_page()
        return 1 if self.failed else 0

    def tell(self, outcome: Outcome) -> None:
        """Say what is to be known of an outcome, and count it."""
        job, result = outcome.job, outcome.result
        for output in outcome.kept:
            say(f"kept: {output}: edited since triscribe wrote it; --overwrite replaces it")
        self.edited += len(outcome.kept)
        if outcome.status == FAILED:
            self.failed += 1
            say(f"failed: {outcome.error}")
            self._enter(Path(outcome.error.path), None, error=str(outcome.error))
        elif outcome.status == PASSED:
            if not outcome.reason.startswith(f"{LAYOUT} of "):  # which goes with its image
                self.passed[outcome.reason] += 1
        elif result is not None:
            for note in result.notes:
                say(f"note: {job.source}: {note}")
            self.written[outcome.task] += 1
            self.sizes[outcome.task] += result.extent
            confidence = mean_confidence(result)
            self.confidences.add(outcome.task, outcome.model.split(", ")[0], confidence)
            self.sure += [] if confidence is None else [confidence]
            if self.earlier:
                self.earlier.add(job, outcome.model, result)
            self._enter(job.source, result, outputs=job.outputs)
        elif outcome.earlier:
            self.skipped += outcome.status != EDITED
            found = self.earlier.find(job, outcome.model, outcome.kept) if self.earlier else None
            if found:
                self._enter(job.source, found, outputs=job.outputs)

    def summarise(self, seconds: float) -> None:
        """Print how much was done, and how fast."""
        parts = [*done(self.written, self.sizes, self.work.tasks, seconds)]
        if self.sure:
            parts.append(f"mean confidence {fmean(self.sure):.2f}")
        if self.skipped:
            parts.append(f"{self.skipped} already there")
        if self.edited:
            parts.append(f"{self.edited} edited, kept")
        if self.failed:
            parts.append(f"{self.failed} failed")
        print(printable(f"{', '.join(parts)} -> {self.run.out}"))
        if self.passed:
            print(printable(f"passed over {sum(self.passed.values())}: {listed(self.passed)}"))
        for line in self.confidences.doubts(lambda task: "give one with -m, or train one"):
            print(printable(line))

    def _enter(self, source: Path, result: object | None, error: str | None = None, outputs=()) -> None:
        if self.page:
            from pipelines.writers.results_page import Entry

            self.entries.append(Entry(source, result, error, outputs, getattr(result, "number", None)))

    def _write_page(self) -> None:
        from pipelines.writers.results_page import write_results_page

        write_results_page(self.page, self.entries, self.work.title)


def say(text: str) -> None:
    """A line on standard error, above the progress bar."""
    tqdm.write(printable(" ".join(text.splitlines())), file=sys.stderr)


def listed(counts: dict[str, int] | Counter[str]) -> str:
    """Causes or reasons with their counts, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{number} {why}" for why, number in ordered[:LISTED]]
    rest = sum(number for _, number in ordered[LISTED:])
    return "; ".join([*told, f"{rest} for other reasons"] if rest else told)


def done(
    counts: Counter[str], sizes: Counter[str], tasks: Sequence[str], seconds: float | None = None
) -> list[str]:
    """What was done: "3 transcribed (20 s of audio, 9.0 x real time)"; tasks that are called alike together.

    Args:
        counts, sizes: results and their extents, by task.
        tasks: the first of which is named where nothing was done.
        seconds: that it took; None leaves the rate out.
    """
    kinds: dict[tuple, list[str]] = {}
    for task in tasks:
        kinds.setdefault((TASKS[task].done, TASKS[task].measure), []).append(task)
    told = []
    for (name, (one, many)), alike in kinds.items():
        count, size = sum(counts[task] for task in alike), sum(sizes[task] for task in alike)
        if count:
            unit = one if round(size) == 1 else many
            rate = size / max(seconds or 0.0, 1e-9)
            speed = f"{rate:.1f} x real time" if one.startswith("s of ") else f"{rate:.1f} {many} a second"
            told.append(f"{count} {name} ({size:.0f} {unit}{'' if seconds is None else ', ' + speed})")
    return told or [f"0 {TASKS[tasks[0]].done}"]
