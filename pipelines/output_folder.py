"""The results that lie in an output folder, as its journal knows them, also after the folder was moved."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipelines.batch.journal import JOURNAL
from pipelines.errors import DataError, MediaError
from pipelines.layout.given import read_layout
from pipelines.results import Page, Result
from pipelines.rewritten_pages import rewritten
from pipelines.stored_results import read_result
from pipelines.tasks import TASKS

TWOFOLD = (".alto.xml", ".page.xml")  # endings of two parts
LAYOUT = ".xml"
JSON = ".json"


@dataclass(frozen=True)
class Stored:
    """What was made of a source or a part of it, and the files that hold it.

    Attributes:
        source: the input; where it was when it was read, if it is not found.
        is_found: whether the input is there.
        task: that read it, as the table of tasks names it.
        model: name of the model.
        model_file: that was loaded: a path or the name of a bundled model; None where it was not noted.
        outputs: that exist.
        edited: those of them that hold what triscribe has not written.
        options: of the reader, those that were not left at their defaults.
        digests: SHA-256 of what triscribe has written to each output, at any time.
    """

    source: Path
    is_found: bool
    task: str
    model: str
    model_file: str | None
    outputs: tuple[Path, ...]
    edited: frozenset[Path]
    options: Mapping[str, object] = field(default_factory=dict, hash=False)
    digests: Mapping[Path, frozenset[str]] = field(default_factory=dict, hash=False)

    @cached_property
    def json(self) -> Path | None:
        """The output that holds the result as it is, if there is one."""
        return next((path for path in self.outputs if path.name.endswith(JSON)), None)

    def result(self) -> Result | None:
        """The result, with the marks of what was checked; None where no output says as much.

        Lines of a page are as the PAGE or ALTO file has them, if that was written over; see
        `rewritten_pages`.

        Raises:
            DataError: an output is no longer what triscribe makes.
            MediaError: the same of a PAGE or ALTO file.
        """
        found = read_result(self.json) if self.json else None
        if self.task != "handwriting":
            return found
        layouts = [path for path in self.outputs if path.name.endswith(LAYOUT)]
        layouts = [path for path in layouts if found is None or path in self.edited]
        for path in sorted(layouts, key=os.path.getmtime)[-1:]:
            newer = self.json is None or os.path.getmtime(path) >= os.path.getmtime(self.json)
            try:
                found = rewritten(found if isinstance(found, Page) else None, read_layout(path), newer)
            except ValueError as error:
                raise MediaError(path, str(error), "export it for this image") from error
        return found


def is_output_folder(path: str | os.PathLike) -> bool:
    """Whether triscribe has written results to a folder."""
    return os.path.isfile(Path(path, JOURNAL))


def stored_in(out: str | os.PathLike) -> list[Stored]:
    """All results in an output folder, in the order of their outputs' names.

    Inputs and outputs whose paths are no longer right are looked for relative to the folder.

    Raises:
        DataError: triscribe has written nothing to this folder.
    """
    out = Path(os.path.abspath(out))
    if not is_output_folder(out):
        cause = "is no output folder of triscribe"
        raise DataError(out, cause, "give the folder that --out named when files were read")
    made: dict[tuple[str, str], dict] = {}
    outputs: dict[tuple[str, str], dict[str, None]] = {}
    digests: dict[str, set[str]] = {}
    for entry in _entries(out / JOURNAL):
        for output, digest in entry.get("digests", {}).items():
            digests.setdefault(output, set()).add(digest)
        if not entry.get("source") or entry.get("task") not in TASKS:
            continue
        for output in entry.get("outputs", ()):
            key = entry["source"], _stem(output)
            known = {name: value for name, value in entry.items() if value is not None}
            made[key] = made.get(key, {}) | known
            outputs.setdefault(key, {})[output] = None
    root = _root(out, [output for each in outputs.values() for output in each])
    found = []
    for (source, _), entry in made.items():
        key = source, _stem(next(iter(entry["outputs"])))
        places = {name: _moved(name, root, out) for name in outputs[key]}
        places = {name: path for name, path in places.items() if path.is_file()}
        if not places:
            continue
        edited = {path for name, path in places.items() if _digest(path) not in digests.get(name, ())}
        place = _source(source, root, out, entry.get("state"))
        model = str(entry.get("model") or "").split(", ")[0]
        made_by = entry["task"], model, entry.get("model_file")
        files = tuple(places.values()), frozenset(edited)
        options = entry.get("options") or {}
        known = {path: frozenset(digests.get(name, ())) for name, path in places.items()}
        found.append(Stored(place or Path(source), place is not None, *made_by, *files, options, known))
    return sorted(found, key=lambda stored: str(stored.outputs[0]))


def _entries(journal: Path) -> Iterator[dict]:
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the last line of a run that was killed
        if isinstance(entry, dict):
            yield entry


def _stem(output: str) -> str:
    """The path of an output without the ending of its format."""
    for ending in TWOFOLD:
        if output.endswith(ending):
            return output.removesuffix(ending)
    return os.path.splitext(output)[0]


def _root(out: Path, outputs: list[str]) -> Path:
    """Where the folder was when its outputs were written: of the folders above all, that which fits most."""
    if not outputs or any(Path(output).is_relative_to(out) for output in outputs):
        return out
    above = Path(os.path.commonpath([os.path.dirname(output) for output in outputs]))

    def fitting(root: Path) -> int:
        return sum((out / Path(output).relative_to(root)).is_file() for output in outputs)

    return max((above, *above.parents), key=fitting)


def _moved(path: str, root: Path, out: Path) -> Path:
    return out / Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path(path)


def _source(path: str, root: Path, out: Path, state: list[int] | None) -> Path | None:
    """The input: where it was, where it is if it was moved with the folder, or beside or in the folder."""
    there = Path(path)
    if there.exists():
        return there
    moved = Path(os.path.normpath(out / os.path.relpath(there, root)))
    parts = there.parts[1:]
    near = [folder.joinpath(*parts[first:]) for first in range(len(parts)) for folder in (out.parent, out)]
    return next((each for each in (moved, *near) if _is_of_size(each, state)), None)


def _is_of_size(path: Path, state: list[int] | None) -> bool:
    try:
        return path.exists() and (not state or path.is_dir() or path.stat().st_size == state[0])
    except OSError:
        return False


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def missing(stored: Iterable[Stored]) -> list[Path]:
    """Inputs that are not found."""
    return list(dict.fromkeys(each.source for each in stored if not each.is_found))
