"""What was made in an output folder: what is done already, what failed, what is not ours to replace."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

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
        self._records: dict[str, dict[tuple, dict]] = {}  # shared output -> source and part -> record
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

    def add(
        self, job: Job, model: str, error: str | None, records: Mapping[Path, object] | None = None
    ) -> None:
        """What became of an input, and what files that hold all results are to say of it."""
        shared = {str(absolute(path)): record for path, record in (records or {}).items()}
        self._add(job, model, error, () if error else job.outputs, shared)

    def is_ours(self, path: Path) -> bool:
        """Whether triscribe made this output."""
        return str(absolute(path)) in self._made

    def claim(self, path: Path) -> None:
        """Before an output of no single source is written: it is ours."""
        if not self.is_ours(path):
            self._append({"source": "", "state": None, "model": None, "outputs": [str(absolute(path))]})

    def is_recorded(self, path: Path, job: Job, model: str) -> bool:
        """Whether a file of all results has a record of the source as it is now, by this model."""
        entry = self._records.get(str(absolute(path)), {}).get((str(absolute(job.source)), job.part))
        return bool(entry) and (entry["state"], entry["model"]) == (_state(job.source), model)

    def records(self, path: Path) -> list:
        """What a file of all results is to hold, in the order of the sources' names."""
        found = self._records.get(str(absolute(path)), {})
        order = sorted(found, key=lambda key: (key[0], key[1] or 0))
        return [found[key]["record"] for key in order]

    def forget_records(self, path: Path) -> None:
        """Its file was deleted, and what it held is to be made again."""
        if self._records.pop(str(absolute(path)), None):
            self._append({"forgotten": str(absolute(path))})

    def _add(
        self,
        job: Job,
        model: str | None,
        error: str | None,
        outputs: tuple[Path, ...],
        records: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        entry = {
            "source": str(absolute(job.source)),
            "state": _state(job.source),
            "model": model,
            "outputs": [str(absolute(output)) for output in outputs],
            "error": error,
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        if records:
            entry |= {"part": job.part, "records": dict(records)}
        self._append(entry)

    def _append(self, entry: dict) -> None:
        self._remember(entry)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="ascii") as file:
            file.write(self._mend + json.dumps(entry) + "\n")
        self._mend = ""

    def _remember(self, entry: dict) -> None:
        if "forgotten" in entry:
            self._records.pop(entry["forgotten"], None)
            return
        for path, record in entry.get("records", {}).items():
            kept = {"state": entry["state"], "model": entry["model"], "record": record}
            self._records.setdefault(path, {})[entry["source"], entry["part"]] = kept
        entry = {name: entry[name] for name in ("source", "state", "model", "outputs")}
        self._made |= dict.fromkeys(entry["outputs"], entry)


def _state(source: Path) -> list[int] | None:
    try:
        facts = source.stat()
    except OSError:
        return None
    return [facts.st_size, facts.st_mtime_ns]
