"""A folder of results that is being corrected: what is changed is written into every output of a result."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote_to_bytes

from pipelines.batch.index import HIDDEN, INDEX, items_of, rows_of, stored, with_result, write_index
from pipelines.batch.journal import Journal
from pipelines.batch.plan import Job
from pipelines.batch.shared import SharedOutputs
from pipelines.batch.wholes import join
from pipelines.correcting.edits import corrected, text_at
from pipelines.errors import DataError, TriscribeError
from pipelines.results import Check, Result
from pipelines.tasks import formats as formats_of
from pipelines.teaching_order import next_to_correct
from pipelines.writers import mode, write_atomically, writer
from pipelines.writers.page_items import Entry, item_of

LOG = "corrections.jsonl"
LESSONS = 50  # lines that are named at once as those that teach most


class Conflict(Exception):
    """A file was changed on disk by somebody else since it was read."""


@dataclass
class Held:
    """A result that was opened to be corrected.

    Attributes:
        row: its entry.
        result: as it is now.
        digests: of its outputs, as they were read or written last.
        kept: outputs that somebody else has edited, which are not written.
        late: outputs that take long to write, and are behind.
        written: digests of what was written since that was last noted in the log.
    """

    row: Entry
    result: Result
    digests: dict[Path, str | None]
    kept: set[Path] = field(default_factory=set)
    late: set[Path] = field(default_factory=set)
    written: dict[str, str | None] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        """The entry with the result as it is now."""
        return replace(self.row, result=self.result, state="")


@dataclass(frozen=True)
class Change:
    """A correction, to be undone."""

    number: int
    place: int
    before: Result
    drafted: bool


class Folder:
    """The results in a folder, by number, in the order of its table.

    Each correction is written at once: into the JSON, which holds the whole result, then into every other
    output that exists, each by the writer of its format, and into those of all results such as `actions.csv`.
    What takes long, such as PDF, is written when another result is turned to, and at the end.

    Args:
        out: folder of the outputs.
        by: who corrects; the name of the user if None.

    Raises:
        DataError: the folder holds no results.
    """

    def __init__(self, out: str | Path, by: str | None = None):
        self.out = Path(out)
        self.by = by or _user()
        self.rows = rows_of(self.out)
        self.items = items_of(self.out, self.rows)
        self._held: dict[int, Held] = {}
        self._changes: list[Change] = []
        self._journal = Journal(self.out)
        self._log = self.out / HIDDEN / LOG
        self._own = self._logged()
        self._lock = threading.RLock()

    def place_of(self, address: str) -> Path:
        """The file that an address in an item stands for."""
        return Path(os.path.normpath(self.out / os.fsdecode(unquote_to_bytes(address))))

    def read(self, number: int) -> dict:
        """A result as it is on disk now, and what is to be known of its files."""
        with self._lock:
            held = self._held.get(number)
            if held and _digest(self._main(held)) != held.digests[self._main(held)]:
                del self._held[number]
                self._changes = [change for change in self._changes if change.number != number]
            held = self._hold(number)
            self._keep_others(held)
            return self._told(held, number)

    def save(
        self,
        number: int,
        place: int,
        text: str,
        checked: bool,
        force: bool = False,
        before: str | None = None,
    ) -> dict:
        """Correct a line, segment, sentence or label, and write every output.

        Args:
            number: of the result.
            place: of the line in it.
            text: what is right.
            checked: whether the person is done with it; a draft is saved, but not marked as checked.
            force: write over what somebody else has changed meanwhile.
            before: the text that the person saw; None if it does not matter.

        Returns:
            The item of the page as it is now, and sentences on outputs that were not written.

        Raises:
            Conflict: the result's JSON was changed on disk, or the person saw another text.
            ValueError: there is no such result or line.
            TriscribeError, OSError: the JSON could not be read or written.
        """
        with self._lock:
            held = self._hold(number)
            if before is not None and not force and text_at(held.result, place) != before:
                raise Conflict("This line was changed on disk since it was opened here.")
            when = datetime.now().astimezone().isoformat(timespec="seconds")
            result = corrected(held.result, place, text, Check(self.by, when) if checked else None)
            last = self._changes[-1] if self._changes else None
            was = held.result
            told = self._write(held, number, result, force, {"line": place, "checked": checked, "when": when})
            if last and last.drafted and (last.number, last.place) == (number, place):
                self._changes[-1] = Change(number, place, last.before, not checked)
            else:
                self._changes.append(Change(number, place, was, not checked))
            return told

    def lessons(self) -> dict:
        """What teaches most: `lessons`, pairs of the number of a result and the place of a line in it."""
        with self._lock:
            numbers = {
                _absolute(path): number for number, row in enumerate(self.rows) if (path := stored(row))
            }
            found = next_to_correct(self.out, LESSONS)
            pairs = [(numbers.get(_absolute(each.path)), each.place) for each in found]
            return {"lessons": [pair for pair in pairs if pair[0] is not None]}

    def undo(self) -> dict | None:
        """Take the last correction of this session back; None if there is none.

        Returns:
            As `save`, with the `number` of the result and the `place` of the line.

        Raises:
            As `save` does.
        """
        with self._lock:
            if not self._changes:
                return None
            change = self._changes[-1]
            about = {"line": change.place, "undone": True}
            told = self._write(self._hold(change.number), change.number, change.before, False, about)
            self._changes.pop()
            return {**told, "number": change.number, "place": change.place}

    def finish(self) -> list[str]:
        """Write what is behind, and the page; returns sentences on what could not be written."""
        with self._lock:
            problems = [each for held in self._held.values() for each in self._catch_up(held)]
            page = self.out / INDEX
            if page.exists() and not self._journal.is_ours(page):
                return [*problems, f"{INDEX} was not made by triscribe, and is left as it is."]
            write_index(self.out, journal=self._journal)
            return problems

    def _hold(self, number: int) -> Held:
        if not 0 <= number < len(self.rows):
            raise ValueError(f"there is no result {number}")
        if number not in self._held:
            row = with_result(self.rows[number])
            if row.result is None:
                raise DataError(row.source, row.error or "holds no result", "read it again with batch")
            digests = {path: _digest(path) for path in row.outputs}
            held = Held(row, row.result, digests)
            held.kept = {path for path in row.outputs if path.suffix != ".json" and self._is_foreign(path)}
            self._held[number] = held
        return self._held[number]

    def _main(self, held: Held) -> Path:
        """The JSON of a result."""
        main = stored(held.row)
        if main is None:
            raise DataError(held.row.source, "its JSON is missing", "read it again with batch")
        return main

    def _keep_others(self, held: Held) -> None:
        """Keep what somebody else has changed since it was read or written here."""
        main = stored(held.row)
        held.kept |= {
            path
            for path, digest in held.digests.items()
            if path != main and path.exists() and _digest(path) != digest
        }

    def _is_foreign(self, path: Path) -> bool:
        """Whether somebody else has edited an output."""
        return self._journal.is_edited(path) and _digest(path) not in self._own.get(self._name(path), ())

    def _write(self, held: Held, number: int, result: Result, force: bool, about: dict) -> dict:
        main = self._main(held)
        if not force and _digest(main) != held.digests[main]:
            raise Conflict(f"{main.name} was changed on disk since it was opened here.")
        for other in self._held.values():
            if other is not held and other.late:
                self._catch_up(other)
        if force:
            held.kept.clear()
        else:
            self._keep_others(held)
        self._put(held, main, result)
        held.result, problems = result, []
        for path in held.row.outputs:
            if path == main or path in held.kept or not path.exists():
                continue
            if mode(self._writer(path, result)) == "wb":
                held.late.add(path)
                continue
            problems += self._try(held, path, result)
        problems += self._write_shared(held, result)
        self._note(held, about)
        return self._told(held, number) | ({"problems": problems} if problems else {})

    def _told(self, held: Held, number: int) -> dict:
        self.items[number] |= item_of(held.entry)
        return {"item": self.items[number], "kept": sorted(path.name for path in held.kept)}

    def _writer(self, path: Path, result: Result):
        known = formats_of(type(result))
        endings = [name for name in known if path.name.lower().endswith(f".{known[name].extension.lower()}")]
        if not endings:
            raise ValueError(f"{path.name} is of no format that is known here")
        return writer(max(endings, key=lambda name: len(known[name].extension)), type(result))

    def _put(self, held: Held, path: Path, result: Result) -> None:
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.out)):
            raise DataError(path, "a symbolic link leads out of the folder", "remove the link")
        chosen = self._writer(path, result)
        with write_atomically(path, mode(chosen)) as file:
            chosen.write(result, file)
            file.flush()
            digest = _digest(Path(file.name))
        held.digests[path] = held.written[self._name(path)] = digest
        self._own.setdefault(self._name(path), set()).add(digest)

    def _try(self, held: Held, path: Path, result: Result) -> list[str]:
        try:
            self._put(held, path, result)
        except (TriscribeError, ValueError, OSError) as error:
            return [f"{path.name} was not written: {error}"]
        return []

    def _catch_up(self, held: Held) -> list[str]:
        """Write what takes long."""
        if held.late:
            self._keep_others(held)
        late, held.late = sorted(held.late - held.kept), set()
        problems = [problem for path in late for problem in self._try(held, path, held.result)]
        if late:
            problems += self._join(held, late)
            self._note(held, {"late": True})
        return problems

    def _join(self, held: Held, paths: list[Path]) -> list[str]:
        """Into files that are joined of the outputs of all pages."""
        problems = []
        for path in paths:
            for whole, parts in self._journal.joined_of(path).items():
                parts = [part for part in parts if part.exists()]
                if not whole.exists():
                    continue
                if self._journal.is_edited(whole):
                    problems.append(f"{whole.name} was edited by somebody else, and was not written.")
                    continue
                chosen = self._writer(path, held.result)
                try:
                    join(self._journal, held.row.source, whole, held.row.task, parts, chosen)
                except (TriscribeError, OSError) as error:
                    problems.append(f"{whole.name} was not written: {error}")
        return problems

    def _write_shared(self, held: Held, result: Result) -> list[str]:
        """Into files that hold all results, whose records the journal has."""
        kinds = {each.shared: each for each in formats_of(type(result)).values() if hasattr(each, "shared")}
        problems = []
        for name, kind in kinds.items():
            path, job = self.out / name, Job(held.row.source, (), held.row.part)
            if not path.exists() or not self._journal.is_ours(path):
                continue
            if self._journal.is_edited(path):
                problems.append(f"{name} was edited by somebody else, and was not written.")
            elif self._journal.correct_record(path, job, kind().record(result)):
                shared = SharedOutputs(self.out, [kind()], self._journal)
                shared.update()
        return problems

    def _name(self, path: Path) -> str:
        return os.path.relpath(path, self.out)

    def _note(self, held: Held, about: dict) -> None:
        """Note in the log what was changed and written, by which our files are told from others' edits."""
        digests, held.written = held.written, {}
        facts = {"source": str(held.row.source), "part": held.row.part, "by": self.by}
        entry = {**facts, **about, "digests": digests}
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with open(self._log, "a", encoding="ascii") as file:
            file.write(json.dumps(entry) + "\n")

    def _logged(self) -> dict[str, set[str]]:
        """Digests of what was written here before, by output."""
        found: dict[str, set[str]] = {}
        if self._log.is_file():
            for line in self._log.read_text(encoding="utf-8", errors="replace").splitlines():
                with contextlib.suppress(ValueError, AttributeError, TypeError):
                    for name, digest in json.loads(line)["digests"].items():
                        found.setdefault(name, set()).add(digest)
        return found


def _absolute(path: Path) -> str:
    return os.path.realpath(path)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return "unknown"


def _digest(path: Path) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
