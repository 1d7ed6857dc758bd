"""The page over everything that a folder of outputs holds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.batch.journal import JOURNAL, Journal, state_of
from pipelines.errors import DataError
from pipelines.media.remote import is_remote
from pipelines.stored_results import read_result
from pipelines.writers.atomic import write_atomically
from pipelines.writers.page_items import Entry
from pipelines.writers.results_page import item_with_links, names_of, page_of
from pipelines.writers.views import Embedded, Linked

TABLE = "results.jsonl"
INDEX = "index.html"
HIDDEN = ".triscribe"  # folder of what the page needs, and of what is kept to write it again
EDITION = 1  # of what is kept; another one is not read


def write_index(
    out: str | Path, embed: bool = False, title: str | None = None, journal: Journal | None = None
) -> Path:
    """Write `index.html` over all results of a folder, also those of earlier runs.

    What the page shows of a result is kept, and made again only if the result or its source has changed.

    Args:
        out: folder of the outputs, with the table `results.jsonl` that `triscribe batch` writes, or with the
            journal of another command whose formats included json.
        embed: hold short recordings and reduced images in the page, instead of links to the files.
        title: of the page; the name of the folder if None.
        journal: of the folder, to note in it that the page is ours.

    Returns:
        The path written.

    Raises:
        DataError: the folder holds neither.
    """
    out = Path(out)
    items = sorted(items_of(out, rows_of(out), embed), key=lambda item: "lines" not in item)
    with write_atomically(out / INDEX) as file:
        file.write(page_of(items, title or title_of(out)))
        file.flush()
        if journal:
            journal.claim(out / INDEX, Path(file.name))
    return out / INDEX


def title_of(out: Path) -> str:
    """Of the page of a folder: its name."""
    return out.resolve().name or "Results"


def items_of(out: Path, rows: Sequence[Entry], embed: bool = False) -> list[dict]:
    """What the page shows of each entry, with addresses relative to the folder.

    Args:
        out: the folder.
        rows: from `rows_of`.
        embed: as for `write_index`.
    """
    kept, page = _Kept(out / HIDDEN / "items.jsonl"), out / INDEX
    views = Embedded(page) if embed else Linked(page, out / HIDDEN / "images")
    items = []
    for row in rows:
        item = None if embed else kept.find(row)
        if item is None:
            item = item_with_links(with_result(row), views)
        else:
            views.used |= {os.path.basename(item[key]) for key in ("image", "small") if key in item}
        kept.add(row, item)
        items.append(item)
    if not embed:
        kept.write()
        views.tidy()
    for item, name in zip(items, names_of([row.source for row in rows]), strict=True):
        item["name"] = name
    return items


def rows_of(out: Path) -> list[Entry]:
    """What a folder of outputs holds, the results themselves not read yet.

    Raises:
        DataError: neither a table nor a journal tells.
    """
    for name, read in ((TABLE, _of_table), (JOURNAL, _of_journal)):
        if (out / name).is_file():
            return list(read(out, _lines(out / name)))
    cause = f"holds neither {TABLE} nor a journal of triscribe"
    raise DataError(out, cause, "name a folder that `triscribe batch` has written to")


def with_result(row: Entry) -> Entry:
    """The entry with its result, or with what is wrong with that."""
    path = stored(row)
    if path is None:
        lost = None if row.error or not row.outputs else "its JSON is missing: write it again with batch"
        return replace(row, error=row.error or lost)
    try:
        result = read_result(path)
    except DataError as error:
        return replace(row, error=str(error), state="failed")
    return replace(row, result=result, part=row.part or getattr(result, "number", None))


def stored(row: Entry) -> Path | None:
    """The JSON that holds the result of an entry, if it is there."""
    own = [path for path in row.outputs if path.name.endswith(".json")]
    return next((path for path in own if path.is_file()), None)


def _of_table(out: Path, lines: Iterator[dict]) -> Iterator[Entry]:
    for line in lines:
        outputs = tuple(out / name for name in line.get("outputs") or ())
        state = str(line.get("status") or "")
        about = {"part": line.get("part"), "task": str(line.get("task") or ""), "state": state}
        named = str(line["source"])
        source = Path(named) if is_remote(named) else out / named
        yield Entry(source, None, line.get("error") or None, outputs, **about)


def _of_journal(out: Path, lines: Iterator[dict]) -> Iterator[Entry]:
    """The last entry of each input or part; a file of all results belongs to none."""
    found: dict[str, Entry] = {}
    for line in lines:
        if not line.get("source") or (line.get("model") is None and not line.get("error")):
            continue
        outputs = tuple(map(Path, line["outputs"]))
        key = str(outputs[0]) if outputs else line["source"]
        state = "failed" if line.get("error") else ""
        found[key] = Entry(
            Path(line["source"]), None, line.get("error"), outputs, task=line.get("task") or "", state=state
        )
        if outputs:
            found.pop(line["source"], None)
    yield from found.values()


def _lines(path: Path) -> Iterator[dict]:
    """The objects of a file of JSON lines; what is no object is the last line of a run that was killed."""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict) and "source" in entry:
                yield entry


class _Kept:
    """What the page showed of each entry, in a file of JSON lines."""

    def __init__(self, path: Path):
        self.path = path
        self.before: dict[str, dict] = {}
        self.now: dict[str, dict] = {}
        if path.is_file():
            for line in _lines(path):
                self.before[line["source"]] = line.get("item")

    def find(self, row: Entry) -> dict | None:
        """What was shown of an entry that is as it was."""
        return self.before.get(_key(row))

    def add(self, row: Entry, item: dict) -> None:
        self.now[_key(row)] = item

    def write(self) -> None:
        with write_atomically(self.path) as file:
            for key, item in self.now.items():
                file.write(json.dumps({"source": key, "item": item}) + "\n")


def _key(row: Entry) -> str:
    path = stored(row)
    about = (str(row.source), row.part, row.task, row.state, row.error, [str(path) for path in row.outputs])
    return json.dumps([EDITION, *about, state_of(row.source), state_of(path) if path else None])
