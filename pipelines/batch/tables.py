"""One table over everything in an output folder: results.jsonl, results.csv, Parquet, and what failed."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipelines.batch.index import INDEX
from pipelines.batch.journal import Journal, exists
from pipelines.batch.outcome import DONE, EDITED, FAILED, PASSED, Outcome
from pipelines.batch.plan import absolute
from pipelines.confidence import LOW, UNSURE, mean_confidence
from pipelines.errors import MediaError, TriscribeError
from pipelines.media.remote import shown
from pipelines.results import Actions, Classified, Result
from pipelines.tasks import TASKS
from pipelines.writers import write_atomically

LINES, TABLE, FAILURES, PARQUET = "results.jsonl", "results.csv", "failures.csv", "results.parquet"
COLUMNS = {
    "source": str, "part": int, "task": str, "model": str, "status": str, "text": str, "confidence": float,
    "extent": float, "unit": str, "seconds": float, "outputs": list, "notes": list, "error": str,
}  # fmt: skip
FAULTS = ("source", "part", "task", "model", "cause", "way_out")
PAUSE, PATIENCE = 5.0, 20.0  # seconds between two writings; and as many times as long as one took


class Table:
    """A row for each input, or part of one, that a run or an earlier one met.

    Args:
        out: folder of the outputs.
        journal: of the folder.
        parquet: whether to write that as well.
        overwrite: whether files of these names that triscribe did not make are replaced.

    Raises:
        MediaError: such a file is in the way.
    """

    def __init__(self, out: Path, journal: Journal, parquet: bool = False, overwrite: bool = False):
        self.out, self.journal, self.parquet = out, journal, parquet
        for name in (LINES, TABLE, FAILURES, PARQUET, INDEX):
            if (out / name).exists() and not overwrite and not journal.is_ours(out / name):
                cause = f"{out / name} exists and was not made by triscribe"
                raise MediaError(out / name, cause, "give --overwrite or another --out")
        self._rows: dict[str, dict[int | None, dict]] = {}  # by source and part
        for row in _read(out / LINES):
            if _stands(row, out):
                self._rows.setdefault(row["source"], {})[row["part"]] = row
        self._faults: dict[tuple, TriscribeError] = {}
        self._next = 0.0

    def add(self, outcome: Outcome) -> dict:
        """Enter what became of an input, and give its row."""
        row = self._row(outcome)
        parts = self._rows.setdefault(row["source"], {})
        if outcome.part is None:
            parts.clear()
        parts.pop(None, None)
        parts[outcome.part] = row
        if outcome.error:
            self._faults[_key(row)] = outcome.error
        if time.monotonic() >= self._next:
            started = time.monotonic()
            self.write()
            ended = time.monotonic()
            self._next = ended + max(PAUSE, PATIENCE * (ended - started))
        return row

    def rows(self) -> Iterator[dict]:
        """All rows, in the order of sources and parts."""
        for _, parts in sorted(self._rows.items()):
            yield from (parts[part] for part in sorted(parts, key=lambda part: part or 0))

    def write(self) -> None:
        """Write the tables of all rows, in the order of sources and parts."""
        rows = list(self.rows())
        self._write(LINES, lambda file: file.writelines(map(_line, rows)))
        self._write(TABLE, lambda file: _write_csv(file, COLUMNS, map(_flat, rows)))
        faults = [row for row in rows if row["status"] == FAILED]
        if faults or (self.out / FAILURES).exists():
            self._write(FAILURES, lambda file: _write_csv(file, FAULTS, map(self._fault, faults)))
        if self.parquet:
            self._write(PARQUET, lambda file: _write_parquet(file, rows), "wb")

    def _write(self, name: str, write, mode: str = "w") -> None:
        with write_atomically(self.out / name, mode) as file:
            write(file)
            file.flush()
            self.journal.claim(self.out / name, Path(file.name))

    def _row(self, outcome: Outcome) -> dict:
        source = shown(absolute(outcome.path))
        row = dict.fromkeys(COLUMNS) | {
            "source": source,
            "part": outcome.part,
            "task": outcome.task,
            "model": outcome.model,
            "status": outcome.status,
            "seconds": round(outcome.seconds, 3),
            "outputs": [os.path.relpath(path, self.out) for path in outcome.outputs],
            "notes": [],
            "error": str(outcome.error) if outcome.error else outcome.reason or None,
        }
        if outcome.status not in (DONE, EDITED) or not outcome.task:
            return row
        known = self._rows.get(source, {}).get(outcome.part)
        if outcome.earlier and outcome.status == DONE and known and known["status"] == DONE:
            names = ("text", "confidence", "extent", "unit", "notes")
            return row | {name: known[name] for name in names}
        try:
            result = outcome.load()
        except TriscribeError as error:
            return row | {"error": str(error)}
        row |= said(result, outcome.task)
        corrected = [path for path in outcome.kept if path.name.endswith(".txt")]
        if corrected and not any(path.name.endswith(".json") for path in outcome.kept):
            row["text"] = corrected[0].read_text(encoding="utf-8", errors="replace").strip()
        return row

    def _fault(self, row: dict) -> dict:
        error = self._faults.get(_key(row))
        told = {"cause": error.cause, "way_out": error.way_out} if error else {"cause": row["error"]}
        return {name: row.get(name) for name in FAULTS} | told


def said(result: Result, task: str) -> dict:
    """What a row says of a result: its text or label, mean confidence, and extent with its unit."""
    confidence = mean_confidence(result)
    unsure = [UNSURE] if confidence is not None and confidence < LOW else []
    one, many = TASKS[task].measure
    return {
        "text": text_of(result),
        "confidence": None if confidence is None else round(confidence, 4),
        "extent": round(result.extent, 3),
        "unit": one if result.extent == 1 else many,
        "notes": [*result.notes, *unsure],
    }


def text_of(result: Result) -> str:
    """Text or label of a result."""
    if isinstance(result, Classified):
        return "\n".join(text.label for text in result.texts)
    return result.label if isinstance(result, Actions) else str(getattr(result, "text", ""))


def _read(path: Path) -> list[dict]:
    """The rows of an earlier run."""
    rows = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return rows
    for line in text.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.keys() >= COLUMNS.keys():
            rows.append(row)
    return rows


def _stands(row: dict, out: Path) -> bool:
    """Whether a row of an earlier run still says something: its outputs or its source are there."""
    if row["status"] in (DONE, EDITED):
        return any((out / name).exists() for name in row["outputs"])
    return row["status"] in (FAILED, PASSED) and exists(row["source"])


def _key(row: dict) -> tuple[str, int | None]:
    return row["source"], row["part"]


def _line(row: dict) -> str:
    line = json.dumps(row, ensure_ascii=False) + "\n"
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:  # a file name that is no text
        return json.dumps(row) + "\n"
    return line


def _flat(row: dict) -> dict:
    return row | {"outputs": "; ".join(row["outputs"]), "notes": "; ".join(row["notes"])}


def _write_csv(file, columns: Iterable[str], rows: Iterable[dict]) -> None:
    table = csv.DictWriter(file, list(columns), lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: _text(value) for name, value in row.items()})


def _text(value: object) -> object:
    """A text as UTF-8 can have it."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _write_parquet(file, rows: list[dict]) -> None:
    import pyarrow
    from pyarrow import parquet

    kinds = {
        str: pyarrow.string(),
        int: pyarrow.int64(),
        float: pyarrow.float64(),
        list: pyarrow.list_(pyarrow.string()),
    }
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    columns = {
        name: [list(map(_text, row[name])) if kind is list else _text(row[name]) for row in rows]
        for name, kind in COLUMNS.items()
    }
    parquet.write_table(pyarrow.table(columns, schema=schema), file)
