"""Results of earlier runs, for a page over all results of a folder."""

from __future__ import annotations

import json
from collections.abc import Collection
from io import StringIO
from pathlib import Path

from pipelines.batch.journal import state_of
from pipelines.batch.plan import Job, absolute
from pipelines.errors import DataError
from pipelines.results import Result, Transcript
from pipelines.stored_results import read_result
from pipelines.writers import writer

RESULTS = ".triscribe.results.jsonl"


class EarlierResults:
    """Results kept beside the journal of a folder, a line a result, as their JSON format has them.

    Args:
        out: folder of the outputs.
        kind: type of the results.
    """

    def __init__(self, out: Path, kind: type[Result]):
        self.path, self.kind = out / RESULTS, kind
        self._places: dict[str, int] = {}  # key -> where its last line begins
        if self.path.exists():
            with open(self.path, "rb") as file:
                place = 0
                for line in file:
                    try:
                        entry = json.loads(line)
                        self._places[entry["key"]] = place
                    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                        pass  # the last line of a run that was killed
                    place += len(line)

    def add(self, job: Job, model: str, result: Result) -> None:
        """Keep what a model found in a source as it is now."""
        content = StringIO()
        writer("json", self.kind).write(result, content)
        entry = {"key": _key(job, model), "result": json.loads(content.getvalue())}
        with open(self.path, "a+b") as file:
            file.seek(0, 2)
            if file.tell():
                file.seek(-1, 2)
                mend = b"" if file.read(1) == b"\n" else b"\n"
            else:
                mend = b""
            place = file.tell() + len(mend)
            file.write(mend + json.dumps(entry).encode("ascii") + b"\n")
        self._places[entry["key"]] = place

    def find(self, job: Job, model: str, kept: Collection[Path] = ()) -> Result | None:
        """What the model found in the source as it is now, or else what its JSON or text output holds.

        Args:
            kept: outputs that a person has edited; what such a JSON holds comes first.
        """
        is_edited = any(output.name.endswith(".json") for output in kept)
        place = None if is_edited else self._places.get(_key(job, model))
        try:
            if place is not None:
                with open(self.path, "rb") as file:
                    file.seek(place)
                    return read_result(json.loads(file.readline())["result"])
            for ending, read in ((".json", json.loads), (".txt", _of_text(self.kind, job.source))):
                for output in job.outputs:
                    if output.name.endswith(ending) and output.exists():
                        return read_result(read(output.read_text(encoding="utf-8")))
        except (DataError, ValueError, KeyError, TypeError, OSError):
            return None
        return None


def _key(job: Job, model: str) -> str:
    return json.dumps([str(absolute(job.source)), job.part, state_of(job.source), model])


def _of_text(kind: type[Result], source: Path):
    """Reads a text output: its lines, without times, places and confidences."""

    def read(text: str) -> dict:
        content = {"model": "", "source": str(source)}
        lines = [{"text": line, "confidence": 1.0} for line in text.splitlines() if line]
        if kind is Transcript:
            spans = [{**line, "start": 0.0, "end": 0.0, "words": []} for line in lines]
            return {**content, "duration": 0.0, "segments": spans}
        return {**content, "width": 0, "height": 0, "regions": [{"kind": "paragraph", "lines": lines}]}

    return read
