"""Folders of media: which files, where their outputs go, what is done already, what failed."""

from __future__ import annotations

import glob
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import MediaError
from pipelines.writers import FORMATS

JOURNAL = ".triscribe.jsonl"


@dataclass(frozen=True)
class Job:
    """One input and the files that it becomes."""

    source: Path
    outputs: tuple[Path, ...]


def collect(inputs: Iterable[str | Path], is_media: Callable[[Path], bool]) -> list[Path]:
    """Every input file, in order and once.

    Folders are walked (hidden files and folders left out) and only what `is_media` accepts is
    taken from them; patterns such as `talks/*.mp3` are expanded here, so that they work in every
    shell; a file that is named is always taken.

    Raises:
        MediaError: for an input that does not exist, a pattern that matches nothing, or a folder
            without media.
    """
    found: dict[Path, None] = {}
    for given in inputs:
        path = Path(given)
        if path.is_dir():
            media = [each for each in _walk(path) if is_media(each)]
            if not media:
                raise MediaError(path, "holds no media that can be read", "name a folder with recordings")
            found |= dict.fromkeys(media)
        elif path.exists():
            found[path] = None
        else:
            matches = sorted(Path(match) for match in glob.glob(str(given), recursive=True))
            if not matches:
                raise MediaError(path, "no such file or folder", "check the name")
            for match in matches:
                found |= dict.fromkeys(filter(is_media, _walk(match)) if match.is_dir() else [match])
    return list(found)


def plan(sources: list[Path], inputs: Iterable[str | Path], out: Path, formats: list[str]) -> list[Job]:
    """Give each source its outputs: the tree below the inputs' common folder, mirrored under `out`.

    Two sources never share an output: where names would meet (`x.wav` and `x.mp3`, or names that
    differ in case only), the outputs keep the whole name of their source (`x.mp3.srt`).
    """
    roots = [path if path.is_dir() else path.parent for path in map(_absolute, [*inputs, *sources])]
    root = Path(os.path.commonpath(roots))
    relative = [_absolute(source).relative_to(root) for source in sources]
    stems = Counter(str(path.with_suffix("")).casefold() for path in relative)
    jobs = []
    for source, path in zip(sources, relative, strict=True):
        alone = stems[str(path.with_suffix("")).casefold()] == 1
        name = path.stem if alone else path.name
        endings = [FORMATS[chosen].extension for chosen in formats]
        jobs.append(Job(source, tuple(out / path.parent / f"{name}.{ending}" for ending in endings)))
    return jobs


class Journal:
    """What was made in an output folder, a line a finished or failed input.

    It tells this program's outputs from other people's files: those are never written over.
    """

    def __init__(self, out: Path):
        self.path = out / JOURNAL
        self._entries: dict[str, dict] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self._entries[entry["source"]] = entry
                except (ValueError, KeyError, TypeError):
                    continue  # the last line of a run that was killed

    def is_done(self, job: Job, model: str) -> bool:
        """Whether the outputs stand, and source and model are what they were made from."""
        if not all(output.exists() for output in job.outputs):
            return False
        entry = self._entries.get(str(_absolute(job.source)))
        if entry is None or entry.get("error"):
            return entry is None  # made by an earlier version or by hand: leave it
        return entry["state"] == _state(job.source) and entry["model"] == model

    def foreign(self, job: Job) -> Path | None:
        """An existing output that no run of this program made."""
        ours = {output for entry in self._entries.values() for output in entry["outputs"]}
        for output in job.outputs:
            if output.exists() and str(output.name) and str(_absolute(output)) not in ours:
                return output
        return None

    def add(self, job: Job, model: str, error: str | None) -> None:
        entry = {
            "source": str(_absolute(job.source)),
            "state": _state(job.source),
            "model": model,
            "outputs": [] if error else [str(_absolute(output)) for output in job.outputs],
            "error": error,
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        self._entries[entry["source"]] = entry
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def _state(source: Path) -> list[int] | None:
    try:
        facts = source.stat()
    except OSError:
        return None
    return [facts.st_size, facts.st_mtime_ns]


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(parent) / name
