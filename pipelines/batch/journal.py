"""What was made in an output folder: what is done already, what failed, what is not ours to replace."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from pipelines.batch.plan import Job, absolute

JOURNAL = ".triscribe.jsonl"


class Journal:
    """What was made in an output folder, a line a finished or failed input.

    It tells this program's outputs from other people's files: those are never written over, and
    neither is what was made from another source that is still there.
    """

    def __init__(self, out: Path):
        self.path = out / JOURNAL
        self._made: dict[str, dict] = {}  # output -> what it was made from
        text = self.path.read_text(encoding="utf-8", errors="replace") if self.path.exists() else ""
        for line in text.splitlines():
            try:
                self._remember(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue  # the last line of a run that was killed
        self._mend = "\n" if text and not text.endswith("\n") else ""

    def is_done(self, job: Job, model: str) -> bool:
        """Whether the outputs stand, and source and model are what they were made from.

        Outputs that this program did not make count as done.
        """
        if not all(output.exists() for output in job.outputs):
            return False
        now = {"source": str(absolute(job.source)), "state": _state(job.source), "model": model}
        entries = [self._made.get(str(absolute(output)), now) for output in job.outputs]
        return all(entry[name] == now[name] for entry in entries for name in now)

    def foreign(self, job: Job) -> str | None:
        """Why an existing output is not to be replaced: it is someone else's, or of another source."""
        for output in filter(Path.exists, job.outputs):
            entry = self._made.get(str(absolute(output)))
            if entry is None:
                return f"{output} exists and was not made by triscribe"
            if entry["source"] != str(absolute(job.source)) and os.path.exists(entry["source"]):
                return f"{output} exists and was made from {entry['source']}"
        return None

    def begin(self, job: Job) -> None:
        """Before the outputs are written: they are ours, even if the run ends half way through."""
        self._add(job, None, None, job.outputs)

    def add(self, job: Job, model: str, error: str | None) -> None:
        """What became of an input."""
        self._add(job, model, error, () if error else job.outputs)

    def _add(self, job: Job, model: str | None, error: str | None, outputs: tuple[Path, ...]) -> None:
        entry = {
            "source": str(absolute(job.source)),
            "state": _state(job.source),
            "model": model,
            "outputs": [str(absolute(output)) for output in outputs],
            "error": error,
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        self._remember(entry)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="ascii") as file:
            file.write(self._mend + json.dumps(entry) + "\n")
        self._mend = ""

    def _remember(self, entry: dict) -> None:
        entry = {name: entry[name] for name in ("source", "state", "model", "outputs")}
        self._made |= dict.fromkeys(entry["outputs"], entry)


def _state(source: Path) -> list[int] | None:
    try:
        facts = source.stat()
    except OSError:
        return None
    return [facts.st_size, facts.st_mtime_ns]
