"""What a run over mixed folders says: lines for what went wrong, progress, and a summary."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO

from pipelines.batch.choosing import Choice
from pipelines.batch.index import INDEX
from pipelines.batch.mixed import Batch
from pipelines.batch.outcome import DONE, EDITED, FAILED, PASSED, Outcome
from pipelines.batch.progress import Progress
from pipelines.batch.report import LISTED, done, listed, say
from pipelines.batch.routing import known_models
from pipelines.batch.rules import AUTO
from pipelines.batch.tables import FAILURES, TABLE
from pipelines.batch.units import Unit
from pipelines.batch.watching import PAUSE, Watcher
from pipelines.batch.work import length_of
from pipelines.confidence import UNSURE, Confidences
from pipelines.errors import MediaError, printable
from pipelines.reading.reporting import listening
from pipelines.tasks import TASKS

CHOICES = 20  # models that were chosen, of which a line is said
SECONDS = {
    True: 0.06,
    False: 0.3,
}  # that a second of media, and a picture, take to read: for the progress bar
BAR, QUIET, JSONL = "bar", "quiet", "jsonl"


class Telling:
    """Tells a run over mixed folders on the terminal.

    Args:
        batch: to be told.
        progress: BAR; QUIET for nothing but failures; JSONL for lines of JSON on standard error; or a file
            for them.
    """

    def __init__(self, batch: Batch, progress: str = BAR):
        self.batch, self.progress = batch, progress
        self.counts: Counter[str] = Counter()  # by status, and of what was there already
        self.written: Counter[str] = Counter()  # by task
        self.sizes: Counter[str] = Counter()
        self.passed: dict[str, list[Path]] = defaultdict(list)  # by reason
        self.causes: Counter[str] = Counter()
        self.notes: dict[str, list[Path]] = defaultdict(list)
        self.confidences = Confidences()
        self._lines: IO | None = None
        self._choices = 0
        self._watches = False
        batch.chooser.tell = self._chosen

    def __call__(self) -> int:
        """Do the run; returns the exit code."""
        started = time.monotonic()
        with self._opened():
            self._run()
            self._end(time.monotonic() - started)
        return 1 if self.counts[FAILED] else 0

    @contextmanager
    def _opened(self) -> Iterator[None]:
        """Within it, lines of JSON have their file."""
        with ExitStack() as stack:
            if self.progress == JSONL:
                self._lines = sys.stderr
            elif self.progress not in (BAR, QUIET):
                try:
                    self._lines = stack.enter_context(open(self.progress, "a", encoding="utf-8"))
                except OSError as error:
                    cause = f"cannot be written ({error.strerror})"
                    raise MediaError(self.progress, cause, "give --progress another file") from error
            yield

    def _end(self, seconds: float) -> None:
        if self.progress != QUIET:
            self.summarise(seconds)
        counts = {name.replace(" ", "_"): count for name, count in self.counts.items()}
        self._line("end", seconds=round(seconds, 3), **counts)

    def watch(self, watcher: Watcher, guard: Callable[[], AbstractContextManager] = nullcontext) -> int:
        """Read what comes into the folders until Ctrl-C; returns the exit code.

        Args:
            watcher: of the inputs.
            guard: within which files are read; Ctrl-C meanwhile is not caught.
        """
        started, reads = time.monotonic(), False
        self._watches = True
        with self._opened():
            self._say(f"watching {', '.join(map(str, self.batch.inputs))}; Ctrl-C ends")
            try:
                while True:
                    paths, reads = watcher.look(), True
                    if paths:
                        self.batch.routing.forget(paths)
                        with guard():
                            self._run(paths)
                    reads = False
                    if not paths:
                        time.sleep(PAUSE)
            except KeyboardInterrupt:
                if reads:
                    raise
            self._end(time.monotonic() - started)
        return 1 if self.counts[FAILED] else 0

    def _run(self, among: Sequence[Path] | None = None) -> None:
        bar: Progress | None = None
        total = finished = 0

        def begin(units: list[Unit]) -> None:
            nonlocal bar, total
            total = len(units)
            self._line("begin", total=total)
            if self.progress == BAR and not self._watches:
                bar = Progress("files", [self._seconds(unit) for unit in units], timed=False)

        outcomes = self.batch.outcomes(begin, among)
        with listening(lambda position: bar and bar.reached(position)):
            try:
                for outcome, row in outcomes:
                    self.tell(outcome, row)
                    if not outcome.earlier and outcome.status != PASSED:
                        finished += 1
                        if bar:
                            bar.finish()
                    self._line("result", **row, finished=min(finished, total), total=total)
                    if self._watches and outcome.status == DONE and not outcome.earlier:
                        sure = (
                            "" if row["confidence"] is None else f", mean confidence {row['confidence']:.2f}"
                        )
                        self._say(f"{outcome.path}: {outcome.task}, {row['extent']:g} {row['unit']}{sure}")
            finally:
                outcomes.close()
                if bar:
                    bar.close()

    def tell(self, outcome: Outcome, row: dict) -> None:
        """Say what is to be known of an outcome, and count it."""
        path = outcome.path
        self.counts["already there" if outcome.earlier and outcome.status == DONE else outcome.status] += 1
        if outcome.status == PASSED:
            self.passed[outcome.reason].append(path)
            return
        if outcome.status == FAILED:
            self.causes[outcome.error.cause] += 1
            if outcome.earlier:
                self.counts["failed before"] += 1
            else:
                self._say(f"failed: {outcome.error}")
            return
        if outcome.kept and outcome.status != EDITED:
            self.counts[EDITED] += 1
            self._say(f"kept: {outcome.kept[0]}: edited since triscribe wrote it; --overwrite replaces it")
        if not outcome.task:
            return
        if not outcome.earlier:
            self.written[outcome.task] += 1
            self.sizes[outcome.task] += row["extent"] or 0
            for note in row["notes"]:
                if note != UNSURE:  # which is counted
                    self.notes[note].append(path)
        self.confidences.add(outcome.task, outcome.model.split(", ")[0], row["confidence"])

    def summarise(self, seconds: float) -> None:
        """Print what was done, what was not, and where to look."""
        out, counts = self.batch.out, self.counts
        for note, paths in self.notes.items():
            if len(paths) <= 2:
                for path in paths:
                    self._say(f"note: {path}: {note}")
            else:
                self._say(f"note: {len(paths)} files, such as {paths[0]}: {note}")
        told = done(self.written, self.sizes, list(TASKS)) if self.written else []
        parts = [*told, *(f"{counts[each]} {each}" for each in ("already there",) if counts[each])]
        if counts[EDITED]:
            parts.append(f"{counts[EDITED]} edited, kept")
        lines = [f"{', '.join(parts) or 'nothing was read'} in {seconds:.0f} s -> {out}"]
        if self.passed:
            number = sum(map(len, self.passed.values()))
            lines.append(
                f"passed over {number}: {listed({why: len(each) for why, each in self.passed.items()})}"
            )
            if number <= LISTED:
                lines += [f"  {path}: {why}" for why, paths in self.passed.items() for path in paths]
        lines += self.confidences.doubts(self._way)
        if counts[FAILED]:
            lines.append(f"failed {counts[FAILED]}: {listed(self.causes)} -> {out / FAILURES}")
        if self.counts["failed before"]:
            lines.append(f"  {counts['failed before']} of them in an earlier run: --retry-failed tries again")
        lines.append(f"all results: {out / INDEX}, {out / TABLE}")
        for line in lines:
            print(printable(line))

    def _way(self, task: str) -> str:
        """What to do where a model is often unsure."""
        others = len(known_models([AUTO]).get(task, [])) > 1
        return "-m auto looks for a better one, or train one" if others else "give one with -m, or train one"

    def _chosen(self, choice: Choice) -> None:
        """Say which model was chosen; of many, the first."""
        self._choices += 1
        self._line("model", place=str(choice.place), task=choice.task, confidences=dict(choice.confidences))
        if self.progress != QUIET and self._choices <= CHOICES:
            more = "; more are in the table" if self._choices == CHOICES else ""
            self._say(f"model: {choice}{more}")

    def _seconds(self, unit: Unit) -> float:
        """About how long it takes to read a unit."""
        timed = TASKS[unit.task].length is not None
        try:
            length = self.batch.routing.ask(length_of, unit.source, unit.task)
        except MediaError:  # whoever reads it says so
            length = 0.0
        return SECONDS[timed] * max(length, 1.0)

    def _say(self, text: str) -> None:
        if self._lines is not sys.stderr:
            say(text)

    def _line(self, event: str, **facts) -> None:
        if self._lines:
            print(json.dumps({"event": event, **facts}), file=self._lines, flush=True)
